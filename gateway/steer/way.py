"""How a battery is looked at and steered: by its SunSpec models, or by its profile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.modbus.poll import ProfilePoll, Role, SunSpecPoll
from gateway.steer.budget import WriteBudget
from gateway.steer.prior import PriorFile
from gateway.steer.profile_steering import find_profile_steering
from gateway.steer.steering import SteeredUnit, Steering, find_steering
from gateway.steer.wish import STEP_S, WORN_STEP_S
from hardware.profile import Profile
from hardware.profile_control import Kind
from hardware.profile_register import Wear
from kwartier.clock import Clock
from kwartier.identity import DeviceId
from kwartier.reading import Reading


class BatteryPoll(Protocol):
    """How a battery is looked at."""

    def read(self) -> Reading:
        """Return what it says now; errors as ``gateway.modbus.poll`` raises them."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a battery is looked at and steered.

    Attributes:
        poll: Looks at it.
        steering: Returns how it is steered, or None; asked once, when that is needed.
        wish_step_s: Between two moves of a wish that is on its way [s].
    """

    poll: BatteryPoll
    steering: Callable[[], Steering | None]
    wish_step_s: float = STEP_S


def sunspec_way(unit: SteeredUnit, device: DeviceId, clock: Clock) -> Way:
    """Return the way of a device that shows SunSpec models."""
    poll = SunSpecPoll(unit, device, Role.BATTERY, clock)
    return Way(poll, lambda: find_steering(unit, poll.chain))


def profile_way(
    unit: SteeredUnit, device: DeviceId, profile: Profile, clock: Clock, folder: Path
) -> Way:
    """Return the way of a device that a profile describes.

    ``folder`` keeps what its registers held before we prepared them, and how often those that wear
    out were written today.
    """
    budget = WriteBudget(folder / f"{device}.writes.json", clock)
    prior = PriorFile(folder / f"{device}.prior.json")
    return Way(
        ProfilePoll(unit, device, profile, clock),
        lambda: find_profile_steering(unit, profile, prior.values, note=prior.note, budget=budget),
        wish_step_s_of(profile),
    )


def wish_step_s_of(profile: Profile | None) -> float:
    """Return how long there is between two moves of a wish for a device [s]."""
    return STEP_S if profile is None or not _wears_out(profile) else WORN_STEP_S


def _wears_out(profile: Profile) -> bool:
    """Return whether each other power is written to a register that may wear out."""
    control = profile.control
    if control is None:
        return False
    steps = (*control.charge, *control.discharge)
    powers = [step for step in steps if step.kind not in {Kind.FIXED, Kind.TIMER}]
    return any(control.points[step.point].wear is not Wear.VOLATILE for step in powers)
