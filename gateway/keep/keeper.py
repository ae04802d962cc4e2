"""Keeps what devices say: gathered into blocks, on disk before anything else happens to it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from gateway.keep.blocks import Draft, Gatherer, Shape
from gateway.keep.outbox import Outbox
from gateway.keep.outbox_file import OutboxWriteError
from kwartier.clock import Clock
from kwartier.identity import DeviceId
from kwartier.reading import Reading

_log = logging.getLogger(__name__)

MAX_WAITING = 2_000
"""Drafts held in memory while the disk takes nothing; more than a day of minute blocks."""
_LOOK_EVERY_S = 1.0


class Keeper:
    """Takes readings from any thread and writes them down; tells ``wrote`` when it did."""

    def __init__(
        self, outbox: Outbox, clock: Clock, wrote: Callable[[], None], shape: Shape | None = None
    ) -> None:
        """Keep in ``outbox``; ages are counted on the clock's monotonic count."""
        self._outbox = outbox
        self._clock = clock
        self._wrote = wrote
        self._gatherer = Gatherer(shape)
        self._lock = threading.Lock()
        self._waiting: deque[Draft] = deque()
        self._disk_is_away = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.turns = 0
        """Turns of its thread that came to their end."""
        self.dropped = 0
        """Drafts given up because the disk took nothing for so long, oldest first."""

    def start(self) -> None:
        """Close old blocks on a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write down what is still open, and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self.write_all()
        with self._lock:
            if self._waiting:
                _log.error("%d drafts are lost: the disk took nothing", len(self._waiting))

    def take(self, reading: Reading) -> None:
        """Keep one reading."""
        now_s = self._clock.monotonic_s()
        drafts = self._gatherer.add(reading, now_s)
        if drafts:
            self._write(drafts + self._gatherer.company(now_s))

    def crc_failed(self, device: DeviceId, count: int = 1) -> None:
        """Count telegrams that were dropped because their checksum was wrong."""
        self._gatherer.crc_failed(device, count)

    def write_all(self) -> None:
        """Close every block and write it down now."""
        self._write(self._gatherer.rest())

    def write_due(self) -> None:
        """Write down the blocks whose age has come, and what the disk did not take before."""
        now_s = self._clock.monotonic_s()
        drafts = self._gatherer.due(now_s)
        if drafts or self._waiting:
            self._write(drafts + self._gatherer.company(now_s))

    def _write(self, drafts: list[Draft]) -> None:
        with self._lock:
            self._waiting.extend(drafts)
            while len(self._waiting) > MAX_WAITING:
                self._waiting.popleft()
                self.dropped += 1
            if not self._waiting:
                return
            try:
                self._outbox.append(list(self._waiting))
            except OutboxWriteError as error:
                self._note_disk(away=True, why=str(error))
                return
            self._waiting.clear()
            self._note_disk(away=False, why="")
        self._wrote()

    def _note_disk(self, *, away: bool, why: str) -> None:
        if away and not self._disk_is_away:
            _log.error("readings wait in memory: %s", why)
        elif self._disk_is_away and not away:
            _log.warning("the disk is back; %d drafts were given up", self.dropped)
        self._disk_is_away = away

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            self.write_due()
            self.turns += 1
