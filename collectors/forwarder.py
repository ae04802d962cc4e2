"""From the journal to InfluxDB, off to the side: nobody waits for it and nothing depends on it.

Blocks are acknowledged once they are in the journal. This part sends them on afterwards, in order,
and keeps how far it got. Away or busy: wait, longer each time, and go on from the same place. A
line that is refused: found by halving its batch, kept with the reason, and the rest goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from collectors.forward_book import DeadLine, ForwardBook
from collectors.influx import MAX_LINES, InfluxDownError, InfluxRefusedError, InfluxSettingsError
from collectors.line_protocol import block_lines
from kwartier.clock import Clock
from kwartier.errors import ContractError, StoreBusyError
from kwartier.identity import CoopId
from kwartier.wire import decode_block

_log = logging.getLogger(__name__)

READ_BLOCKS = 500
"""How many blocks are read from the journal at a time."""
_SHOWN_BYTES = 200


class Journal(Protocol):
    """Blocks as they came, in the order in which they were taken in."""

    @property
    def generation(self) -> str:
        """The life of the store; positions mean nothing in another one."""

    def journal_after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        """Return the next positions and payloads after a position, in order."""


class Sink(Protocol):
    """Takes lines; `collectors.influx.Influx` is one."""

    def write(self, lines: Sequence[str]) -> None:
        """Store lines, or raise as `collectors.influx.Influx.write` does."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait, and at most how long [s].

    Attributes:
        idle_s: When everything was forwarded.
        first_s: After the first failure; doubled after each further one.
        longest_s: Never longer, whatever the far side asks for; also after wrong settings.
    """

    idle_s: float = 1.0
    first_s: float = 1.0
    longest_s: float = 300.0


class Forwarder:
    """Sends what the journal holds, batch by batch."""

    def __init__(
        self,
        journal: Journal,
        sink: Sink,
        book: ForwardBook,
        site: CoopId,
        clock: Clock,
        pauses: Pauses | None = None,
    ) -> None:
        """Prepare to go on from where the book says."""
        self._journal = journal
        self._sink = sink
        self._book = book
        self._site = site
        self._clock = clock
        self._pauses = pauses or Pauses()
        self._failures = 0
        self.trouble: str | None = None
        """Why nothing is forwarded now; None while it works."""

    def step(self) -> int:
        """Forward one batch and return how many blocks it held; 0 when all is forwarded.

        Raises:
            InfluxDownError: The far side cannot take it now; the position stands.
            InfluxSettingsError: The far side does not know us; the position stands.
            StoreBusyError: The journal cannot be read or the book not written now.
        """
        generation = self._journal.generation
        position = self._book.position(generation)
        entries = self._journal.journal_after(position, READ_BLOCKS)
        lines: list[str] = []
        dead: list[DeadLine] = []
        taken = 0
        for entry, payload in entries:
            told = self._lines(entry, payload, dead)
            if len(lines) + len(told) > MAX_LINES:
                break
            lines += told
            position = entry
            taken += 1
        if taken:
            self._send(lines, position, dead)
            self._book.advance(generation, position, dead)
            if dead:
                _log.warning("InfluxDB: %d lines refused for good, kept aside", len(dead))
        return taken

    def run(self, stop: threading.Event) -> None:
        """Forward until told to stop; failures are waited out, never raised."""
        while not stop.wait(self.turn()):
            pass

    def turn(self) -> float:
        """Forward one batch and return how long to wait before the next turn [s]."""
        try:
            taken = self.step()
        except InfluxDownError as error:
            return self._failed(str(error), max(self._backed_off_s(), error.retry_after_s))
        except StoreBusyError as error:
            return self._failed(str(error), self._backed_off_s())
        except InfluxSettingsError as error:
            return self._failed(str(error), self._pauses.longest_s)
        if self.trouble is not None:
            _log.warning("InfluxDB takes lines again, after %d failed tries", self._failures)
        self.trouble = None
        self._failures = 0
        return 0.0 if taken else self._pauses.idle_s

    def _lines(self, entry: int, payload: bytes, dead: list[DeadLine]) -> list[str]:
        """Return the lines of one journal entry; one that cannot be read is set aside."""
        try:
            return block_lines(decode_block(payload), self._site)
        except ContractError as error:
            dead.append(self._dead(entry, str(error), repr(payload[:_SHOWN_BYTES])))
            return []

    def _send(self, lines: list[str], position: int, dead: list[DeadLine]) -> None:
        """Send lines; halve a refused batch until the bad lines stand alone."""
        waiting = [lines] if lines else []
        while waiting:
            batch = waiting.pop()
            try:
                self._sink.write(batch)
            except InfluxRefusedError as error:
                if len(batch) == 1:
                    dead.append(self._dead(position, str(error), batch[0]))
                else:
                    middle = len(batch) // 2
                    waiting += [batch[middle:], batch[:middle]]

    def _dead(self, position: int, reason: str, line: str) -> DeadLine:
        return DeadLine(int(self._clock.now_s()), position, reason, line)

    def _failed(self, reason: str, pause_s: float) -> float:
        if self.trouble is None:
            _log.warning("InfluxDB takes no lines now: %s", reason)
        self.trouble = reason
        self._failures += 1
        return min(pause_s, self._pauses.longest_s)

    def _backed_off_s(self) -> float:
        doublings = min(self._failures, 30)
        return min(self._pauses.first_s * 2.0**doublings, self._pauses.longest_s)
