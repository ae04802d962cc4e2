"""A device that was found, as a table of ``gateway.toml``."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.commission.found import Found, Kind
from hardware.profile import load_profile
from kwartier.settings import quoted

SMALLEST_W = 1
"""Written for a power that the device does not tell [W]."""


def device_lines(device: Found) -> Iterator[str]:
    """Yield the lines of a device; none of one that is not read.

    A battery that says how it is steered is a ``[[battery]]``; one whose plus and minus were
    turned round too, and is never steered then.
    """
    if is_steerable(device):
        yield from ("", "[[battery]]", *_place(device))
        yield f"charge_max_w = {max(device.charge_max_w, SMALLEST_W)}"
        yield f"discharge_max_w = {max(device.discharge_max_w, SMALLEST_W)}"
    elif device.series:
        yield from ("", "[[modbus]]", *_place(device))
    else:
        return
    if device.profile:
        yield f"profile = {quoted(device.profile)}"
    if device.turned:
        yield "turned = true"


def is_steerable(device: Found) -> bool:
    """Return whether something says how a battery is steered."""
    if device.kind is not Kind.BATTERY or not device.charge_max_w:
        return False
    control = load_profile(device.profile).control if device.profile else None
    return not device.profile or (control is not None and control.steerable)


def _place(device: Found) -> Iterator[str]:
    yield f"device = {quoted(device.name)}"
    if device.serial:
        yield from (f"serial = {quoted(device.serial)}", f"parity = {quoted(device.parity)}")
    else:
        yield from (f"host = {quoted(device.host)}", f"port = {device.port}")
    yield f"unit = {device.unit}"
