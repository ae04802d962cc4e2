"""From the journal to InfluxDB, off to the side: nobody waits for it and nothing depends on it.

Blocks are acknowledged once they are in the journal. This part sends them on afterwards, in order,
and keeps how far it got. Away or busy: wait, longer each time, and go on from the same place. A
line that is refused: found by halving its batch, kept with the reason, and the rest goes on. A
backlog is sent at a limited rate, so that who looks at charts meanwhile is answered.

The record keeps the first of two values of one instant, InfluxDB the last. So blocks that were
taken in before a value came twice are told as the record holds them, and not as they came.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from collectors.forward_book import DeadLine, ForwardBook
from collectors.influx import MAX_LINES, InfluxDownError, InfluxRefusedError
from collectors.influx_truth import as_kept, still_kept
from collectors.line_protocol import block_lines
from collectors.settings import LINES_PER_S
from collectors.store import DeviceKey
from kwartier.clock import Clock
from kwartier.errors import ContractError, KwartierError, StoreBusyError
from kwartier.identity import CoopId
from kwartier.units import EpochS
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

    def journal_end(self) -> tuple[int, int]:
        """Return the last position, and how often a value came again otherwise up to there."""

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)`` as the record holds it."""


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
        longest_s: Never longer, whatever the far side asks for; also after what must be mended.
        spread: Up to which part a pause after a failure is shortened by chance, so that several
            forwarders do not come back at the same moment.
        lines_per_s: The most lines of a backlog sent in a second.
    """

    idle_s: float = 1.0
    first_s: float = 1.0
    longest_s: float = 300.0
    spread: float = 0.25
    lines_per_s: float = LINES_PER_S


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
        keep_s: int | None = None,
    ) -> None:
        """Prepare to go on from where the book says.

        Args:
            journal: What is forwarded.
            sink: Where it goes.
            book: How far it got.
            site: The cooperative, as a tag.
            clock: What time it is.
            pauses: How long to wait, and how fast to go.
            keep_s: How long the bucket keeps points [s]: what is older is not sent, as it would
                be refused line by line. None where it keeps them for ever.
        """
        self._journal = journal
        self._sink = sink
        self._book = book
        self._site = site
        self._clock = clock
        self._pauses = pauses or Pauses()
        self._keep_s = keep_s
        self._chance = Random()  # noqa: S311 - only spreads the load
        self._failures = 0
        self._sent = 0
        self._is_behind = False
        self.trouble: str | None = None
        """Why nothing is forwarded now; None while it works."""
        self.too_old = 0
        """How many rows were left out because the bucket would not keep them."""

    def step(self) -> int:
        """Forward one batch and return how many blocks it held; 0 when all is forwarded.

        Raises:
            InfluxDownError: The far side cannot take it now; the position stands.
            InfluxSettingsError: The far side does not know us; the position stands.
            StoreBusyError: The journal cannot be read or the book not written now.
            MonthDamagedError: What a doubtful block is compared with cannot be read.
        """
        generation = self._journal.generation
        end, conflicts = self._journal.journal_end()
        doubtful = self._book.doubtful_upto(generation, end, conflicts)
        position = self._book.position(generation)
        # What came in meanwhile may hold a doubt that was not counted yet: it waits for a turn.
        found = self._journal.journal_after(position, READ_BLOCKS)
        entries = [entry for entry in found if entry[0] <= end]
        lines: list[str] = []
        dead: list[DeadLine] = []
        taken = 0
        for entry, payload in entries:
            told = self._lines(entry, payload, dead, is_doubtful=entry <= doubtful)
            if len(lines) + len(told) > MAX_LINES:
                break
            lines += told
            position = entry
            taken += 1
        self._is_behind = position < end
        self._sent = len(lines)
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
        began_s = self._clock.monotonic_s()
        try:
            taken = self.step()
        except InfluxDownError as error:
            return self._failed(str(error), max(self._backed_off_s(), error.retry_after_s))
        except StoreBusyError as error:
            return self._failed(str(error), self._backed_off_s())
        except KwartierError as error:  # what somebody must mend: settings, a damaged month
            return self._failed(str(error), self._pauses.longest_s)
        if self.trouble is not None:
            _log.warning("InfluxDB gets lines again, after %d failed tries", self._failures)
        self.trouble = None
        self._failures = 0
        if not taken:
            return self._pauses.idle_s
        if not self._is_behind:
            return 0.0
        took_s = self._clock.monotonic_s() - began_s
        return max(0.0, self._sent / self._pauses.lines_per_s - took_s)

    def _lines(
        self, entry: int, payload: bytes, dead: list[DeadLine], *, is_doubtful: bool
    ) -> list[str]:
        """Return the lines of one journal entry; one that cannot be read is set aside."""
        try:
            block = decode_block(payload)
        except ContractError as error:
            dead.append(self._dead(entry, str(error), repr(payload[:_SHOWN_BYTES])))
            return []
        if self._keep_s is not None:
            kept = still_kept(block, int(self._clock.now_s()) - self._keep_s)
            self.too_old += len(block.at_s) - (0 if kept is None else len(kept.at_s))
            if kept is None:
                return []
            block = kept
        return block_lines(as_kept(block, self._journal) if is_doubtful else block, self._site)

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
            _log.warning("InfluxDB gets no lines now: %s", reason)
        self.trouble = reason
        self._failures += 1
        return min(pause_s, self._pauses.longest_s)

    def _backed_off_s(self) -> float:
        doublings = min(self._failures, 30)
        whole_s = min(self._pauses.first_s * 2.0**doublings, self._pauses.longest_s)
        return whole_s * (1 - self._pauses.spread * self._chance.random())
