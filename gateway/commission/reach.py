"""How a device that was found is reached: over the network, or over a serial line."""

from __future__ import annotations

from pathlib import Path

from gateway.commission.found import Found
from gateway.modbus.line import LinkSettings, SerialLine
from gateway.modbus.link import ModbusUnit
from gateway.modbus.poll import Role, poll_by
from gateway.modbus.poller import Poll
from gateway.steer.steering import Steering
from gateway.steer.way import profile_way, sunspec_way
from hardware.profile import load_profile
from kwartier.clock import Clock

_TIMEOUT_S = 2.0


def link_to(device: Found) -> LinkSettings:
    """Return the link to a device, with the pauses its profile asks for."""
    profile = load_profile(device.profile) if device.profile else None
    return LinkSettings(
        device.host,
        device.port,
        timeout_s=_TIMEOUT_S,
        connect_wait_s=profile.connect_wait_s if profile else 0.0,
        gap_s=profile.gap_s if profile else 0.0,
        serial=SerialLine(device.serial, parity=device.parity) if device.serial else None,
    )


def poll_of(device: Found, unit: ModbusUnit, clock: Clock) -> Poll:
    """Return how a device that was found is read."""
    profile = load_profile(device.profile) if device.profile else None
    role = Role.BATTERY if device.series == "battery_w" else Role.SOLAR
    return poll_by(profile, unit, device.name, role, clock)


def steering_of(device: Found, unit: ModbusUnit, clock: Clock, folder: Path) -> Steering | None:
    """Return how a battery is steered, as the gateway will; None when nothing says how.

    Args:
        device: The battery.
        unit: Its registers.
        clock: The gateway's.
        folder: Keeps what its registers held, and how often those that wear were written.

    Raises:
        KwartierError: It does not answer.
    """
    if device.profile:
        profile = load_profile(device.profile)
        return profile_way(unit, device.name, profile, clock, folder).steering()
    return sunspec_way(unit, device.name, clock).steering()
