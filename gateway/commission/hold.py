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

_log = logging.getLogger(__name__)


def held_back(settings: GatewaySettings) -> tuple[GatewaySettings, tuple[SteeredDevice, ...]]:
    """Return the settings to run with, and the batteries that are only read.

    Without ``commissioned_file``, or once that file says that signs and live test passed, every
    battery is steered.
    """
    file = settings.commissioned_file
    if file is None or is_commissioned(file):
        return settings, ()
    if settings.batteries:
        _log.warning("signs and live test have not passed: batteries are read and not steered")
    return replace(settings, batteries=()), settings.batteries


def battery_poll(battery: SteeredDevice, unit: RegisterSource, clock: Clock) -> Poll:
    """Return how a battery is read that is not steered."""
    if battery.profile is None:
        return SunSpecPoll(unit, battery.device, Role.BATTERY, clock)
    return ProfilePoll(unit, battery.device, battery.profile, clock)
