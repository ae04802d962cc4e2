"""A line that breaks between two writes leaves no power that nobody asked for, and it ends."""

from __future__ import annotations

from contextlib import suppress
from itertools import product

import pytest

from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.steer.profile_steering import ProfileSteering, find_profile_steering
from hardware.profile import load_profile
from hardware.registers import Image, RegistersRefusedError, Words
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
from kwartier.errors import LinkDownError

TWINS: dict[str, type[VendorBattery]] = {
    "solaredge_hybrid": StorEdgeBattery,
    "huawei_luna2000": LunaBattery,
    "sungrow_sh": SungrowBattery,
    "victron_multiplus": MultiPlusBattery,
}
EVERY = pytest.mark.parametrize("name", sorted(TWINS))
POWERS_W = (-3_000, -500, 0, 500, 3_000)


class Line:
    """A unit whose line breaks after so many writes."""

    def __init__(self, twin: VendorBattery) -> None:
        self.twin = twin
        self.left = 1_000
        self.seen_w: list[int] = []

    def read(self, address: int, count: int, function_code: int = 3) -> Words:
        return Image.of_blocks("twin", self.twin.spans()).read(address, count, function_code)

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        assert function_code == 16 or len(words) == 1
        if self.left == 0:
            raise LinkDownError("the line is broken")
        self.left -= 1
        if self.twin.write(address, words):
            raise RegistersRefusedError("twin", address, len(words), "refused")
        self.seen_w.append(self.twin.power_w)


def steering(name: str, line: Line) -> ProfileSteering:
    found = find_profile_steering(line, load_profile(name))
    assert found is not None
    return found


@EVERY
@pytest.mark.parametrize(("from_w", "to_w"), list(product(POWERS_W, POWERS_W)))
def test_whichever_write_is_the_last_the_power_lies_between_and_ends(
    name: str, from_w: int, to_w: int
) -> None:
    for most in range(8):
        clock = VirtualClock(1_782_900_000)
        line = Line(TWINS[name](clock, CellLimits(100_000, 5_000, 5_000)))
        steering(name, line).setpoint(from_w, 90)
        line.seen_w.clear()
        line.left = most

        with suppress(LinkDownError):
            steering(name, line).setpoint(to_w, 90)

        assert all(min(from_w, to_w, 0) <= watt <= max(from_w, to_w, 0) for watt in line.seen_w)
        clock.advance(90)
        assert line.twin.power_w == 0
        if line.left:
            return  # it was not broken off


@EVERY
@pytest.mark.parametrize("to_w", [-500, 500])
def test_what_an_earlier_lease_left_in_the_registers_is_never_begun_with(
    name: str, to_w: int
) -> None:
    for most in range(8):
        clock = VirtualClock(1_782_900_000)
        line = Line(TWINS[name](clock, CellLimits(100_000, 5_000, 5_000)))
        for left_w in (3_000, -3_000):
            steering(name, line).setpoint(left_w, 90)
            steering(name, line).release()
        line.seen_w.clear()
        line.left = most

        with suppress(LinkDownError):
            steering(name, line).setpoint(to_w, 90)

        assert all(min(to_w, 0) <= watt <= max(to_w, 0) for watt in line.seen_w)
        clock.advance(90)
        assert line.twin.power_w == 0
        if line.left:
            return


@pytest.mark.parametrize("name", ["victron_multiplus", "sungrow_sh"])
def test_a_device_that_knows_no_write_but_that_of_one_register_is_steered(name: str) -> None:
    clock = VirtualClock(1_782_900_000)
    twin = TWINS[name](clock, CellLimits(10_000, 5_000, 5_000))
    with ModbusServer([twin], unknown={16}) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port, timeout_s=20.0))
        found = find_profile_steering(link.unit(1), load_profile(name))
        assert found is not None

        applied = found.setpoint(-1_500, 90)
        with pytest.raises(RegistersRefusedError):
            link.unit(1).write(37, [0])
        link.close()

    assert (applied.power_w, twin.power_w) == (-1_500, -1_500)
