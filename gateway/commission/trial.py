"""A battery is told to charge a little, once: does it obey, and does it fall back by itself?"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from gateway.steer.steering import Steering
from kwartier.clock import Clock
from kwartier.errors import KwartierError

TRIAL_W = 300
REVERT_S = 30
_GRACE_S = 20.0
_LOOK_EVERY_S = 0.5
_LONGEST_WHY = 200


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        obeyed: Whether it held the set-point.
        reverted: Whether it fell back by itself.
        after_s: How long that took [s]; None when it did not.
        why: What went wrong, in words; empty when nothing did.
    """

    obeyed: bool
    reverted: bool
    after_s: float | None
    why: str

    @property
    def passed(self) -> bool:
        """Return whether it may be steered."""
        return self.obeyed and self.reverted

    @classmethod
    def failed(cls, why: object) -> Trial:
        """Return what comes of one that was never obeyed, and why."""
        return cls(False, False, None, str(why)[:_LONGEST_WHY])


def try_steering(
    steering: Steering, clock: Clock, stop: threading.Event, look_every_s: float = _LOOK_EVERY_S
) -> Trial:
    """Return what a battery did; whatever happens, our set-point is released in the end."""
    begun_s = clock.monotonic_s()
    try:
        ratings = steering.ratings()
        most = ratings.charge_max_w
        power_w = TRIAL_W if most is None else min(TRIAL_W, most)
        lease_s = max(REVERT_S, steering.setpoint(power_w, REVERT_S).revert_s)
        while not stop.wait(look_every_s):
            passed_s = clock.monotonic_s() - begun_s
            if steering.read_back().power_w is None:
                _let_go(steering)  # what was prepared is given back
                return Trial(True, True, passed_s, "")
            if passed_s > lease_s + _GRACE_S:
                steering.release()
                return Trial(True, False, None, "it still held the set-point; it was released")
    except KwartierError as error:
        _let_go(steering)
        return Trial.failed(error)
    _let_go(steering)
    return Trial(True, False, None, "it was broken off")


def _let_go(steering: Steering) -> None:
    try:
        steering.release()
    except KwartierError:
        return  # its own timer ends it
