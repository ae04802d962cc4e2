"""What who works at a home needs to see of its devices: the last minutes, nothing older."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from api.health.gateways import HomeLinks, home_links
from api.house import House
from collectors.store import DeviceKey
from kwartier.units import EpochS

WINDOW_S = 300
"""How old a value may be and still be shown [s]."""
SHOWN = ("import_w", "export_w", "solar_w", "battery_w")
"""Powers that show whether a device is wired right; registers are not among them."""


class DeviceKind(StrEnum):
    """What a device is."""

    METER = "meter"
    INVERTER = "inverter"


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One device of a home.

    Attributes:
        kind: What it is.
        device: Its name on the gateway.
        heard_s: Its newest reading [s]; None for never.
        powers_w: Its powers of the last minutes, by name [W]; positive as the name says.
    """

    kind: DeviceKind
    device: str
    heard_s: EpochS | None
    powers_w: dict[str, int]


@dataclass(frozen=True, slots=True)
class Workplace:
    """A home somebody works at: its gateway, its links and its devices."""

    home: str
    gateway: str
    links: HomeLinks
    devices: tuple[DeviceState, ...]


def workplace(house: House, home: str) -> Workplace | None:
    """Return the state of a home's devices, or None when it is no home of this neighbourhood."""
    connection = house.community.connections.get(home)
    links = home_links(house, home)
    if connection is None or links is None:
        return None
    wanted = [(DeviceKind.METER, connection.meter)]
    if connection.solar is not None:
        wanted.append((DeviceKind.INVERTER, connection.solar))
    devices = tuple(
        _device(house, kind, DeviceKey(connection.gateway, name)) for kind, name in wanted
    )
    return Workplace(home, connection.gateway, links, devices)


def _device(house: House, kind: DeviceKind, key: DeviceKey) -> DeviceState:
    now_s = house.clock.now_s()
    instants = house.live.instants()
    powers = {
        name: known[1]
        for name in SHOWN
        if (known := instants.fresh(key, name, now_s)) is not None and now_s - known[0] <= WINDOW_S
    }
    return DeviceState(kind, key.device, instants.newest_s({key}), powers)
