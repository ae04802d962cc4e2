"""How a set-point becomes registers of a battery that a profile describes.

The profile says which registers take which values in which order, and what ends a set-point when
nobody renews it. Registers that hold the right value already are not written again, but for
those that renew the lease. Everything written is read back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import takewhile

from gateway.steer.profile_held import held_by, holds, rounded
from gateway.steer.profile_registers import ProfileRegisters, WearBudget
from gateway.steer.steering import (
    Applied,
    Held,
    NoRevertTimerError,
    Ratings,
    SetpointNotHeldError,
    SteeredUnit,
)
from hardware.profile import Profile
from hardware.profile_control import Control, Kind, Lease, Step
from hardware.profile_register import Wear
from hardware.registers import Number, RegistersRefusedError
from kwartier.units import Watt


def find_profile_steering(
    unit: SteeredUnit,
    profile: Profile,
    prior: Mapping[str, int] | None = None,
    *,
    note: Callable[[Mapping[str, int]], None] | None = None,
    budget: WearBudget | None = None,
) -> ProfileSteering | None:
    """Return how a device is steered by its profile; None where the profile does not say.

    Args:
        unit: Its registers.
        profile: What they mean.
        prior: What a journal says its registers held before they were prepared, by name.
        note: Remembers that; called before the first such write, and with nothing when all was
            given back.
        budget: Counts the writes that wear the device out, register by register.
    """
    control = profile.control
    if control is None:
        return None
    return ProfileSteering(unit, profile, control, dict(prior or {}), note, budget)


class ProfileSteering:
    """Steers a battery by the control part of its profile."""

    def __init__(
        self,
        unit: SteeredUnit,
        profile: Profile,
        control: Control,
        prior: dict[str, int],
        note: Callable[[Mapping[str, int]], None] | None,
        budget: WearBudget | None,
    ) -> None:
        """Steer ``unit``; the arguments are those of ``find_profile_steering``."""
        self._unit = unit
        self._registers = ProfileRegisters(unit, profile, control, budget)
        self._profile = profile
        self._control = control
        self._prior = prior
        self._note = note or (lambda _: None)
        self._ratings: Ratings | None = None

    @property
    def stored_writes(self) -> int:
        """Registers in flash, or of a kind nobody told us, that were written so far."""
        return self._registers.stored_writes

    @property
    def prior(self) -> Mapping[str, int]:
        """What the registers held that were prepared, by name; for the journal."""
        return dict(self._prior)

    @property
    def renew_s(self) -> int:
        """How often a set-point must be given again to hold without a gap [s]; 0 if at ease."""
        return self._control.renew_s

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
        self._remember(before)
        now = self._halted(power_w, timer, before)
        now = self._armed(steps, timer, now)
        self._registers.write((*control.prepare, *steps), power_w, timer, now)
        after = self._timed(steps, timer, self._registers.read())
        if not holds(self._control, (*control.prepare, *steps), power_w, timer, after):
            raise SetpointNotHeldError(power_w, held_by(self._control, after))
        lease_s = control.lease_s or timer * control.timer_unit_s
        held = held_by(control, before)
        return Applied(rounded(control, power_w), lease_s, held, control.renew_s)

    def read_back(self) -> Held:
        """Return the set-point, and the time left where the device shows it."""
        return held_by(self._control, self._registers.read())

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
        self._registers.write(control.release, 0, 0, {}, release=True)
        if back:
            self._registers.write(back, 0, 0, {}, release=True)
        after = self._registers.read()
        if not holds(self._control, (*control.release, *back), 0, 0, after):
            raise SetpointNotHeldError(None, held_by(self._control, after))
        if self._prior:
            self._prior.clear()
            self._note({})

    def _halted(
        self, power_w: Watt, timer: int, before: Mapping[str, Number | None]
    ) -> Mapping[str, Number | None]:
        """Stop before the direction is turned, where more than one request turns it.

        Between the requests the new direction would go with the old power, or the other way
        round; and a line that breaks there leaves it so until the lease ends.
        """
        control = self._control
        held_w = held_by(control, before).power_w
        turns = held_w is not None and held_w * power_w < 0
        if not turns or control.idle == control.charge or control.discharge == control.charge:
            return before
        self._registers.write(control.idle, 0, timer, before)
        return self._registers.read()

    def _armed(
        self, steps: tuple[Step, ...], timer: int, before: Mapping[str, Number | None]
    ) -> Mapping[str, Number | None]:
        """Have the time to fall back run before the power is told, where a register shows it."""
        arming = tuple(takewhile(lambda step: step.kind in (Kind.FIXED, Kind.TIMER), steps))
        timed = any(step.kind is Kind.TIMER for step in arming)
        if not self._control.counts_down or not timed or arming == steps:
            return before
        prepared = (*self._control.prepare, *arming)
        if all(step.kind is Kind.TIMER or before[step.point] == step.fixed for step in prepared):
            return before
        self._registers.write(prepared, 0, timer, before)
        return self._timed(arming, timer, self._registers.read())

    def _remember(self, before: Mapping[str, Number | None]) -> None:
        """Note what the registers hold that are about to be prepared."""
        found = {
            step.point: round(before[step.point] or 0)
            for step in self._control.prepare
            if before[step.point] != step.fixed and step.point not in self._prior
        }
        if found:
            self._prior |= found
            self._note(self.prior)

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
        return int(value) if isinstance(value, int | float | Decimal) and value >= 0 else None

    def _timer(self, revert_s: int) -> int:
        """Return the lease in the timer's own unit; 0 where there is no timer."""
        if self._control.lease is not Lease.TIMER:
            return 0
        return max(1, revert_s // self._control.timer_unit_s)

    def _ready(self) -> dict[str, Number | None]:
        """Return what the registers hold, when the device is set up to be steered."""
        try:
            values = self._registers.read()
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

    def _timed(
        self, steps: tuple[Step, ...], timer: int, after: Mapping[str, Number | None]
    ) -> Mapping[str, Number | None]:
        """Return what the registers hold once the device took the time after which it falls back.

        Some take it only in the mode that it belongs to, so it is written a second time; a device
        that does not take it then is let go at once.
        """
        timers = tuple(step for step in steps if step.kind is Kind.TIMER)
        if self._runs(timers, timer, after):
            return after
        self._registers.write(timers, 0, timer, {})
        after = self._registers.read()
        if not self._runs(timers, timer, after):
            self.release()
            told = ", ".join(f"{step.point} holds {after[step.point]}" for step in timers)
            raise NoRevertTimerError(
                f"{self._profile.title}: the time to fall back was set to {timer}, and {told}: it "
                "was released"
            )
        return after

    def _runs(
        self, timers: tuple[Step, ...], timer: int, values: Mapping[str, Number | None]
    ) -> bool:
        """Return whether the timers hold what was written, or less where they count down."""
        shortest = 1 if self._control.counts_down else timer
        return all(shortest <= (values[step.point] or 0) <= timer for step in timers)
