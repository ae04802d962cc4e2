"""Whether a clock may be believed by who throws away what is old.

A clock that comes back a year ahead would make everything old at once. So where it went further
than time did, nothing is let go for a day: long enough for the clock to be put right, or seen.
"""

from __future__ import annotations

import logging

from kwartier.clock import Clock
from kwartier.units import EpochS

_LOG = logging.getLogger(__name__)

_JUMP_S = 86_400
_WAIT_S = 86_400


class ClockDoubt:
    """Compares the time of day with the time that passed; used from one thread."""

    def __init__(self, clock: Clock, told_s: EpochS | None, doubted_s: EpochS = 0) -> None:
        """Begin with what was known before.

        Args:
            clock: The clock.
            told_s: The newest instant that was written down before; None for none.
            doubted_s: Since when it was in doubt then, as ``since_s`` said; 0 for not at all.
        """
        self._clock = clock
        self._at_s = clock.now_s() if told_s is None else float(told_s)
        self._monotonic_s = clock.monotonic_s()
        self._until_s: float | None = None
        self.since_s: EpochS = doubted_s
        """Since when it is in doubt, by itself [s]; true while it ``stands``."""
        if doubted_s:
            left_s = _WAIT_S - max(0.0, clock.now_s() - doubted_s)
            self._until_s = self._monotonic_s + left_s

    def stands(self) -> bool:
        """Return whether nothing should be thrown away now; looked at before each time."""
        now_s, monotonic_s = self._clock.now_s(), self._clock.monotonic_s()
        ahead_s = now_s - self._at_s - (monotonic_s - self._monotonic_s)
        self._at_s, self._monotonic_s = now_s, monotonic_s
        if ahead_s > _JUMP_S:
            _LOG.warning("the clock is %d days ahead of what passed", ahead_s // 86_400)
            self._until_s = monotonic_s + _WAIT_S
            self.since_s = int(now_s)
        elif ahead_s < -_JUMP_S:
            self._until_s = None
        return self._until_s is not None and monotonic_s < self._until_s
