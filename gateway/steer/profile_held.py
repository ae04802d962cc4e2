"""What the registers of a profile's control part say: which set-point stands in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.steer.steering import Held
from hardware.profile_control import Control, Kind, Step
from hardware.registers import Number
from kwartier.units import Watt


def held_by(control: Control, values: Mapping[str, Number | None]) -> Held:
    """Return which set-point the registers say, if any.

    Registers that hold what a release writes hold no set-point, also where that is a power of
    zero: a device that was let go and one that was told nothing are the same.
    """
    if not control.steerable or _are(control.release, values):
        return Held(None, None)
    left_s = _left_s(control, values)
    ways = [(control.charge, 1), (control.discharge, -1)]
    if control.idle != control.charge:
        ways.insert(0, (control.idle, 0))
    for steps, sign in ways:
        if left_s != 0 and _are((*control.prepare, *steps), values):
            power_w = _told_w(steps, sign, values)
            if power_w is not None:
                return Held(power_w, left_s)
    return Held(None, left_s)


def holds(
    control: Control,
    steps: Sequence[Step],
    power_w: Watt,
    timer: int,
    values: Mapping[str, Number | None],
) -> bool:
    """Return whether the registers hold what these steps wrote, the timer apart."""
    points = control.points
    return all(
        step.kind is Kind.TIMER
        or values[step.point]
        == points[step.point].value(points[step.point].words(step.value(power_w, timer)))
        for step in steps
    )


def rounded(control: Control, power_w: Watt) -> Watt:
    """Return a power as its register can say it."""
    sign = (power_w > 0) - (power_w < 0)
    for step in control.steps(power_w):
        point = control.points[step.point]
        value = point.value(point.words(step.value(power_w, 0)))
        found = None if value is None else step.power_w(round(value), sign)
        if found is not None:
            return found
    return power_w


def _are(steps: Sequence[Step], values: Mapping[str, Number | None]) -> bool:
    """Return whether the registers hold the fixed values of these steps."""
    return all(values[step.point] == step.fixed for step in steps if step.kind is Kind.FIXED)


def _told_w(steps: Sequence[Step], sign: int, values: Mapping[str, Number | None]) -> Watt | None:
    if all(step.kind in (Kind.FIXED, Kind.TIMER) for step in steps):
        return 0
    for step in steps:
        value = values[step.point]
        power_w = None if value is None else step.power_w(round(value), sign)
        if power_w is not None:
            return power_w
    return None


def _left_s(control: Control, values: Mapping[str, Number | None]) -> int | None:
    """Return the time left where the timer's register shows it [s]."""
    if not control.counts_down:
        return None
    timer = next(step.point for step in control.charge if step.kind is Kind.TIMER)
    left = values[timer]
    return None if left is None else round(left) * control.timer_unit_s
