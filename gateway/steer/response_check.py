"""Whether a battery's measured power goes where its set-point says."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.steer.steering import follows
from kwartier.units import Watt

FOLLOW_WITHIN_S = 60.0
"""A battery has this long to move towards a set-point that stays [s]."""
_TAPER_PERMILLE = 100
"""This near to full or empty a battery may do less than it is told, by its own judgement."""


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

    def rest(self) -> None:
        """Forget what was asked: nothing is asked now."""
        self._since = None

    def strays(
        self, target_w: Watt, measured_w: Watt | None, soc_permille: int | None, now_s: float
    ) -> bool:
        """Return whether the power has neither come near the set-point nor moved towards it."""
        if measured_w is None:
            return False
        since = self._since
        if since is None or not follows(target_w, since.target_w, self._rated_w):
            self._since = _Since(now_s, target_w, measured_w)
            return False
        if now_s < since.at_s + self._within_s or _tapers(target_w, soc_permille):
            return False
        missing_w = abs(target_w - measured_w)
        moved_w = abs(target_w - since.measured_w) - missing_w
        near = follows(target_w, measured_w, self._rated_w)
        if near or (moved_w > 0 and not follows(moved_w, 0, self._rated_w)):
            self._since = _Since(now_s, target_w, measured_w)
            return False
        return True


def _tapers(target_w: Watt, soc_permille: int | None) -> bool:
    if soc_permille is None:
        return True
    if target_w > 0:
        return soc_permille >= 1000 - _TAPER_PERMILLE
    return soc_permille <= _TAPER_PERMILLE
