"""Holding batteries back until the home was brought on the air."""

from __future__ import annotations

import logging
from dataclasses import replace

from gateway.commission.commissioned import is_commissioned
from gateway.modbus.poll import ProfilePoll, Role, SunSpecPoll
from gateway.modbus.poller import Poll
from gateway.settings import GatewaySettings
from gateway.steer.settings import SteeredDevice
from hardware.registers import RegisterSource
from kwartier.clock import Clock
from kwartier.reading import Schedule
from kwartier.wire import Outcome, Response

_log = logging.getLogger(__name__)

_WHY = "signs and live test have not passed"


class HeldBattery:
    """Refuses every schedule for a battery, so that whoever plans knows that it is not steered."""

    def __init__(self, clock: Clock) -> None:
        """Answer by a clock."""
        self._clock = clock

    def accept(self, schedule: Schedule) -> Response:
        """Return the refusal; nothing is written to the battery."""
        now_s = int(self._clock.now_s())
        return Response(schedule.device, schedule.command, Outcome.REFUSED, _WHY, now_s)


def held_back(settings: GatewaySettings) -> tuple[GatewaySettings, tuple[SteeredDevice, ...]]:
    """Return the settings to run with, and the batteries that are only read.

    Without ``commissioned_file``, or once that file says that signs and live test passed, every
    battery is steered.
    """
    file = settings.commissioned_file
    if file is None or is_commissioned(file):
        return settings, ()
    if settings.batteries:
        _log.warning("%s: batteries are read and not steered", _WHY)
    return replace(settings, batteries=()), settings.batteries


def battery_poll(battery: SteeredDevice, unit: RegisterSource, clock: Clock) -> Poll:
    """Return how a battery is read that is not steered."""
    if battery.profile is None:
        return SunSpecPoll(unit, battery.device, Role.BATTERY, clock)
    return ProfilePoll(unit, battery.device, battery.profile, clock)
