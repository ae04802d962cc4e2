"""Whether a battery's measured power goes where its set-point says."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gateway.steer.steering import follows
from kwartier.units import Watt

FOLLOW_WITHIN_S = 60.0
"""A battery has this long to move towards a set-point that stays [s]."""
SETTLE_S = 20.0
"""Between what it was told in this time a battery may be on its way [s]."""
_TAPER_PERMILLE = 100
"""This near to full or empty a battery may do less than it is told, by its own judgement."""
_MOST_LATELY = 64


@dataclass(frozen=True, slots=True)
class _Since:
    at_s: float
    target_w: Watt
    measured_w: Watt


class ResponseCheck:
    """Compares what is asked with what is measured, from one look at the battery to the next."""

    def __init__(self, rated_w: Watt, within_s: float = FOLLOW_WITHIN_S) -> None:
        """Check a battery of this power [W], which has so long to move [s]."""
        self._rated_w = rated_w
        self._within_s = within_s
        self._since: _Since | None = None
        self._lately: deque[tuple[float, Watt]] = deque(maxlen=_MOST_LATELY)

    def rest(self) -> None:
        """Forget what was asked: nothing is asked now."""
        self._since = None
        self._lately.clear()

    def told(self, target_w: Watt, now_s: float) -> None:
        """Note what it was told just now, also between two looks at it."""
        self._lately.append((now_s, target_w))

    def strays(
        self, target_w: Watt, measured_w: Watt | None, soc_permille: int | None, now_s: float
    ) -> bool:
        """Return whether the power has neither come near the set-point nor moved towards it."""
        if measured_w is None:
            return False
        self.told(target_w, now_s)
        since = self._since
        if since is None or not follows(target_w, since.target_w, self._rated_w):
            self._since = _Since(now_s, target_w, measured_w)
            return False
        if now_s < since.at_s + self._within_s or _tapers(target_w, soc_permille):
            return False
        missing_w = abs(target_w - measured_w)
        moved_w = abs(target_w - since.measured_w) - missing_w
        near = self._is_near(measured_w, now_s)
        if near or (moved_w > 0 and not follows(moved_w, 0, self._rated_w)):
            self._since = _Since(now_s, target_w, measured_w)
            return False
        return True

    def _is_near(self, measured_w: Watt, now_s: float) -> bool:
        """Return whether it does what it was told lately, or is between two such powers.

        One that follows a meter is told another power each second, and is always a little behind.
        """
        lately_w = [target_w for at_s, target_w in self._lately if at_s >= now_s - SETTLE_S]
        nearest_w = min(max(measured_w, min(lately_w)), max(lately_w))
        return follows(nearest_w, measured_w, self._rated_w)


def _tapers(target_w: Watt, soc_permille: int | None) -> bool:
    if soc_permille is None:
        return True
    if target_w > 0:
        return soc_permille >= 1000 - _TAPER_PERMILLE
    return soc_permille <= _TAPER_PERMILLE
