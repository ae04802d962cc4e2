"""Batteries of other makes on a real link, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from gateway.modbus.link import LinkSettings, ModbusLink, ModbusUnit
from gateway.steer.profile_steering import ProfileSteering, find_profile_steering
from hardware.profile import load_profile
from hardware.profile_reader import ProfileReader
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.vendor_battery import (
    LunaBattery,
    MultiPlusBattery,
    StorEdgeBattery,
    SungrowBattery,
    VendorBattery,
)
from kwartier.clock import VirtualClock

NOON_S = 1_782_900_000.0
LIMITS = CellLimits(capacity_wh=10_000, charge_max_w=5_000, discharge_max_w=4_000)

TWINS: dict[str, type[VendorBattery]] = {
    "solaredge_hybrid": StorEdgeBattery,
    "huawei_luna2000": LunaBattery,
    "sungrow_sh": SungrowBattery,
    "victron_multiplus": MultiPlusBattery,
}
LEASES_S = {
    "solaredge_hybrid": 90,
    "huawei_luna2000": 60,  # whole minutes, never longer than asked
    "sungrow_sh": 90,
    "victron_multiplus": 60,  # its own, whatever is asked
}
"""What the devices make of a lease of 90 s."""
BY_TIMER = [name for name in TWINS if name != "victron_multiplus"]
EVERY = pytest.mark.parametrize("name", sorted(TWINS))


@dataclass
class Bench:
    """One battery of some make, reached over a real link."""

    name: str
    clock: VirtualClock
    twin: VendorBattery
    unit: ModbusUnit

    def steering(self) -> ProfileSteering:
        found = find_profile_steering(self.unit, load_profile(self.name))
        assert found is not None
        return found

    def stored(self) -> dict[str, int]:
        profile = load_profile(self.name)
        return profile.stored(ProfileReader(profile, self.unit).read())


@contextmanager
def bench(name: str) -> Iterator[Bench]:
    clock = VirtualClock(NOON_S)
    twin = TWINS[name](clock, LIMITS)
    with ModbusServer([twin]) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port, timeout_s=20.0, busy_wait_s=0.0))
        yield Bench(name, clock, twin, link.unit(1))
        link.close()
