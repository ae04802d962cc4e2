"""What the way to the server does: when a sample is acknowledged, and what an outage leaves."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from kwartier.clock import Clock

ACKNOWLEDGED_WITHIN_S = 60.0
OUTAGE_S = 120.0
_WRITE_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """What was seen of the way to the server.

    Attributes:
        up: Whether the link is up now.
        acknowledged_after_s: How long the server took to acknowledge the first sample, since it
            was taken or since the link came [s].
        outage_s: How long the link was away, once everything of that time was acknowledged [s].
        away_s: How long it has been away now [s]; 0 when it is up.
    """

    up: bool = False
    acknowledged_after_s: float | None = None
    outage_s: float | None = None
    away_s: float = 0.0

    @property
    def quick(self) -> bool:
        """Return whether the first sample was acknowledged in time."""
        first = self.acknowledged_after_s
        return first is not None and first < ACKNOWLEDGED_WITHIN_S

    @property
    def passed(self) -> bool:
        """Return whether the server gets everything, also what was measured without a link."""
        return self.quick and self.outage_s is not None and self.outage_s >= OUTAGE_S


class LinkWatch:
    """Counts on the link; told by others what happens, from any thread."""

    def __init__(self, clock: Clock, kept: LinkSeen | None = None) -> None:
        """Begin, or go on with what was seen before a restart."""
        kept = kept or LinkSeen()
        self._clock = clock
        self._lock = threading.Lock()
        self._after_s, self._outage_s = kept.acknowledged_after_s, kept.outage_s
        self._up = False
        self._down_s: float | None = None
        self._taken = False
        self._since_s: float | None = None
        self._waiting_s: float | None = None
        self._wrote_s: float | None = None

    def took(self) -> None:
        """Note that a reading was kept."""
        with self._lock:
            self._taken = True
            if self._up and self._since_s is None:
                self._since_s = self._clock.monotonic_s()

    def linked(self, up: bool) -> None:  # noqa: FBT001 - the bus says it so
        """Note that the link came or went."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            if up and not self._up:
                self._since_s = now_s if self._taken else None
                if self._down_s is not None and self._after_s is not None:
                    self._waiting_s = now_s - self._down_s
                self._down_s = None
            elif not up and self._down_s is None:
                self._down_s, self._since_s = now_s, None
            if up is not self._up:
                self._wrote_s = None
            self._up = up

    def wants_blocks(self) -> bool:
        """Return whether what is open is to be sent now; the answer counts as done."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            if not self._awaits() or self._since_s is None:
                return False
            if self._wrote_s is not None and now_s < self._wrote_s + _WRITE_EVERY_S:
                return False
            self._wrote_s = now_s
            return True

    def look(self, unacknowledged: int) -> LinkSeen:
        """Return what was seen so far.

        Args:
            unacknowledged: Blocks that the server is not known to have, asked just now.
        """
        now_s = self._clock.monotonic_s()
        with self._lock:
            if self._up and unacknowledged == 0 and self._wrote_s is not None:
                self._all_there(now_s)
            away_s = now_s - self._down_s if self._down_s is not None else 0.0
            return LinkSeen(self._up, self._after_s, self._outage_s, away_s)

    def _awaits(self) -> bool:
        late = self._after_s is None or self._after_s >= ACKNOWLEDGED_WITHIN_S
        return late or self._waiting_s is not None

    def _all_there(self, now_s: float) -> None:
        if self._since_s is not None:
            after_s = now_s - self._since_s
            if self._after_s is None or (self._wrote_s is not None and after_s < self._after_s):
                self._after_s = after_s
        if self._waiting_s is not None:
            self._outage_s = max(self._waiting_s, self._outage_s or 0.0)
            self._waiting_s = None
        if not self._awaits():
            self._wrote_s = None
