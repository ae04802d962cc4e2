"""How a set-point becomes registers of a battery that a profile describes.

The profile says which registers take which values in which order, and what ends a set-point when
nobody renews it. Registers that hold the right value already are not written again, but for
those that renew the lease. Everything written is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.steer.steering import (
    Applied,
    Held,
    NoRevertTimerError,
    Ratings,
    SetpointNotHeldError,
    SteeredUnit,
    Steering,
)
from hardware.profile import Profile
from hardware.profile_control import Control, Kind, Lease, Step
from hardware.profile_register import Wear, WriteRegister
from hardware.registers import Number, RegistersRefusedError
from kwartier.units import Watt


def find_profile_steering(
    unit: SteeredUnit, profile: Profile, prior: Mapping[str, int] | None = None
) -> Steering | None:
    """Return how a device is steered by its profile; None where the profile does not say.

    Args:
        unit: Its registers.
        profile: What they mean.
        prior: What a journal says its registers held before they were prepared, by name.
    """
    control = profile.control
    if control is None:
        return None
    return ProfileSteering(unit, profile, control, prior)


@dataclass(frozen=True, slots=True)
class _Write:
    """Values for registers that follow each other, for one request."""

    address: int
    words: tuple[int, ...]


class ProfileSteering:
    """Steers a battery by the control part of its profile."""

    def __init__(
        self,
        unit: SteeredUnit,
        profile: Profile,
        control: Control,
        prior: Mapping[str, int] | None = None,
    ) -> None:
        """Steer ``unit``; ``prior`` is what it held before somebody prepared it."""
        self._unit = unit
        self._profile = profile
        self._control = control
        self._prior = dict(prior or {})
        self._ratings: Ratings | None = None
        self.stored_writes = 0

    stored_writes: int
    """Registers in flash, or of a kind nobody told us, that were written so far."""

    @property
    def prior(self) -> Mapping[str, int]:
        """What the registers held that were prepared, by name; for the journal."""
        return dict(self._prior)

    def writes(self, address: int) -> Wear:
        """Return what a write to a register does to the device's memory."""
        return self._control.wear(address)

    def ratings(self) -> Ratings:
        """Return what the device says it can do, where its profile names registers for that."""
        names = (self._control.charge_max, self._control.discharge_max)
        charge_w, discharge_w = (self._rating(name) for name in names)
        return Ratings(charge_w, discharge_w)

    def setpoint(self, power_w: Watt, revert_s: int) -> Applied:
        """Write what makes the device hold a power, and read it back.

        A power beyond what the device can do is cut down to that. The lease is at most
        ``revert_s``, or the device's shortest; what it became is in the answer.

        Raises:
            NoRevertTimerError: It would not fall back by itself, or is not set up for it.
            SetpointNotHeldError: It acknowledged, and holds something else.
        """
        control = self._control
        assert revert_s >= 1, revert_s
        if not control.steerable:
            raise NoRevertTimerError(f"{self._profile.title} is not steered: {control.why_not}")
        power_w = self._possible(power_w)
        timer = self._timer(revert_s)
        before = self._ready()
        steps = control.steps(power_w)
        for step in control.prepare:
            if before[step.point] != step.fixed:
                self._prior.setdefault(step.point, _whole(before[step.point]))
        self._write((*control.prepare, *steps), power_w, timer, before)
        after = self._read()
        self._check_timer(timer, after)
        if not self._holds((*control.prepare, *steps), power_w, timer, after):
            raise SetpointNotHeldError(power_w, self._held(after))
        lease_s = control.lease_s or timer * control.timer_unit_s
        return Applied(self._rounded(steps, power_w), lease_s, self._held(before))

    def read_back(self) -> Held:
        """Return the set-point, and the time left where the device shows it."""
        return self._held(self._read())

    def release(self) -> None:
        """Leave the device to itself, and give back what was prepared.

        Raises:
            SetpointNotHeldError: It acknowledged, and still holds something else.
        """
        control = self._control
        if not control.steerable:
            return
        back = tuple(
            Step(step.point, Kind.FIXED, self._prior[step.point])
            for step in control.prepare
            if step.point in self._prior
        )
        self._write((*control.release, *back), 0, 0, {})
        after = self._read()
        if not self._holds((*control.release, *back), 0, 0, after):
            raise SetpointNotHeldError(None, self._held(after))
        self._prior.clear()

    def _possible(self, power_w: Watt) -> Watt:
        if self._ratings is None:
            self._ratings = self.ratings()
        most_w = self._control.power_max_w
        charge_w, discharge_w = self._ratings.charge_max_w, self._ratings.discharge_max_w
        high_w = most_w if charge_w is None else min(most_w, charge_w)
        low_w = most_w if discharge_w is None else min(most_w, discharge_w)
        return max(-low_w, min(high_w, power_w))

    def _rating(self, name: str) -> Watt | None:
        if not name:
            return None
        register = self._profile.registers[name]
        try:
            words = self._unit.read(register.address, register.size, register.function_code)
        except RegistersRefusedError:
            return None
        value = register.value(words)
        return int(value) if isinstance(value, int | float) and value >= 0 else None

    def _timer(self, revert_s: int) -> int:
        """Return the lease in the timer's own unit; 0 where there is no timer."""
        if self._control.lease is not Lease.TIMER:
            return 0
        return max(1, revert_s // self._control.timer_unit_s)

    def _ready(self) -> dict[str, Number | None]:
        """Return what the registers hold, when the device is set up to be steered."""
        try:
            values = self._read()
        except RegistersRefusedError as error:
            raise NoRevertTimerError(
                f"{self._profile.title} does not serve the registers it is steered by: {error}"
            ) from error
        for step in self._control.needs:
            if values[step.point] != step.fixed:
                raise NoRevertTimerError(
                    f"{self._profile.title}: {step.point} is {values[step.point]} and must be "
                    f"{step.fixed} first: {self._control.points[step.point].note}"
                )
        return values

    def _write(
        self,
        steps: tuple[Step, ...],
        power_w: Watt,
        timer: int,
        before: Mapping[str, Number | None],
    ) -> None:
        """Write what is not held already; neighbours that follow each other share a request."""
        frames: list[_Write] = []
        for step in steps:
            point = self._control.points[step.point]
            value = step.value(power_w, timer)
            renews = step.kind is Kind.TIMER or step.point in self._control.renew
            if not renews and before.get(step.point) == value:
                continue
            if point.wear is not Wear.VOLATILE:
                self.stored_writes += 1
            words = tuple(point.words(value))
            last = frames[-1] if frames else None
            if last is not None and last.address + len(last.words) == point.address:
                frames[-1] = _Write(last.address, last.words + words)
            else:
                frames.append(_Write(point.address, words))
        for frame in frames:
            self._unit.write(frame.address, frame.words)

    def _read(self) -> dict[str, Number | None]:
        """Return what every register of the control part holds."""
        return {
            name: point.value(self._unit.read(point.address, point.size))
            for name, point in self._used().items()
        }

    def _used(self) -> dict[str, WriteRegister]:
        """Return the registers that any step names, without those that are only knowledge."""
        control = self._control
        parts = (control.needs, control.prepare, control.charge, control.discharge, control.idle)
        names = {step.point for steps in (*parts, control.release) for step in steps}
        return {name: point for name, point in control.points.items() if name in names}

    def _check_timer(self, timer: int, after: Mapping[str, Number | None]) -> None:
        """Let the device go at once when it did not take the time after which it falls back."""
        for step in self._control.charge:
            if step.kind is not Kind.TIMER:
                continue
            held = after[step.point]
            shortest = 0 if self._control.counts_down else timer - 1
            if held is None or not shortest < held <= timer:
                self.release()
                raise NoRevertTimerError(
                    f"{self._profile.title}: {step.point} was set to {timer} and holds {held}, so "
                    "it would not fall back in time; it was released"
                )

    def _holds(
        self,
        steps: tuple[Step, ...],
        power_w: Watt,
        timer: int,
        after: Mapping[str, Number | None],
    ) -> bool:
        points = self._control.points
        return all(
            step.kind is Kind.TIMER
            or after[step.point]
            == points[step.point].value(points[step.point].words(step.value(power_w, timer)))
            for step in steps
        )

    def _rounded(self, steps: tuple[Step, ...], power_w: Watt) -> Watt:
        """Return a power as its register can say it."""
        for step in steps:
            point = self._control.points[step.point]
            value = point.value(point.words(step.value(power_w, 0)))
            found = None if value is None else step.power_w(round(value), _sign(power_w))
            if found is not None:
                return found
        return power_w

    def _held(self, values: Mapping[str, Number | None]) -> Held:
        """Return which set-point the registers say, if any."""
        control = self._control
        if not control.steerable or self._are(control.release, values):
            return Held(None, None)
        left_s = self._left_s(values)
        ways = [(control.charge, 1), (control.discharge, -1)]
        if control.idle != control.charge:
            ways.insert(0, (control.idle, 0))
        for steps, sign in ways:
            if not self._are((*control.prepare, *steps), values):
                continue
            power_w = self._told_w(steps, sign, values)
            if power_w is not None and left_s != 0:
                return Held(power_w, left_s)
        return Held(None, left_s)

    def _are(self, steps: tuple[Step, ...], values: Mapping[str, Number | None]) -> bool:
        """Return whether the registers hold the fixed values of these steps."""
        return all(values[step.point] == step.fixed for step in steps if step.kind is Kind.FIXED)

    def _told_w(
        self, steps: tuple[Step, ...], sign: int, values: Mapping[str, Number | None]
    ) -> Watt | None:
        if not any(step.kind not in (Kind.FIXED, Kind.TIMER) for step in steps):
            return 0
        for step in steps:
            value = values[step.point]
            power_w = None if value is None else step.power_w(round(value), sign)
            if power_w is not None:
                return power_w
        return None

    def _left_s(self, values: Mapping[str, Number | None]) -> int | None:
        if not self._control.counts_down:
            return None
        timers = [step.point for step in self._control.charge if step.kind is Kind.TIMER]
        left = values[timers[0]]
        return None if left is None else round(left) * self._control.timer_unit_s


def _sign(power_w: Watt) -> int:
    return (power_w > 0) - (power_w < 0)


def _whole(value: Number | None) -> int:
    return 0 if value is None else round(value)
