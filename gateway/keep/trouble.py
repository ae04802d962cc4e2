"""What the outbox suffers, told as events: a file set aside, and detail given up."""

from __future__ import annotations

from gateway.keep.outbox import Outbox
from kwartier.clock import Clock
from kwartier.events import Event, EventKind

_THINNED_AGAIN_S = 3_600.0
"""A full outbox thins with each block; more than one event an hour would tell nobody more."""


class Trouble:
    """Looks at an outbox's counts; usable by one thread at a time."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        """Begin with what happened while it was opened still untold."""
        self._outbox = outbox
        self._clock = clock
        self._damaged = 0
        self._is_on_disk = True
        self._thinned = 0
        self._thinned_told_s: float | None = None

    def look(self) -> list[Event]:
        """Return what happened since the last look and is worth telling."""
        told: list[Event] = []
        damaged = self._outbox.damaged_files
        if damaged > self._damaged:
            self._damaged = damaged
            reason = "the outbox was damaged and set aside; what was not acknowledged may be lost"
            told.append(self._event(EventKind.OUTBOX_DAMAGED, reason))
        if self._is_on_disk and not self._outbox.is_on_disk:
            self._is_on_disk = False
            reason = "the disk takes no outbox: readings are kept in memory until the next start"
            told.append(self._event(EventKind.OUTBOX_DAMAGED, reason))
        thinned, now_s = self._outbox.thinned_blocks, self._clock.monotonic_s()
        rests = self._thinned_told_s is not None and (
            now_s < self._thinned_told_s + _THINNED_AGAIN_S
        )
        if thinned > self._thinned and not rests:
            reason = f"the outbox is full: {thinned - self._thinned} blocks lost detail"
            self._thinned, self._thinned_told_s = thinned, now_s
            told.append(self._event(EventKind.OUTBOX_THINNED, reason))
        return told

    def _event(self, kind: EventKind, reason: str) -> Event:
        return Event(kind, None, int(self._clock.now_s()), reason)
