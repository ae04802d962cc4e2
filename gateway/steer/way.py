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
from hardware.profile import Profile
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
    """

    poll: BatteryPoll
    steering: Callable[[], Steering | None]


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
    )
