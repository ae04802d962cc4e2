"""What goes over the line to a battery of another make: its own words, and few requests."""

from __future__ import annotations

import pytest

from gateway.modbus.link import ModbusUnit
from gateway.steer.profile_steering import find_profile_steering
from hardware.profile import load_profile
from hardware.registers import Words
from tests.gateway.vendor_bench import bench


class Counted:
    """A unit whose reads are counted."""

    def __init__(self, unit: ModbusUnit) -> None:
        self.unit = unit
        self.reads: list[tuple[int, int]] = []

    def read(self, address: int, count: int, function_code: int = 3) -> Words:
        self.reads.append((address, count))
        return self.unit.read(address, count, function_code)

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        self.unit.write(address, words, function_code)


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("solaredge_hybrid", [(0xE004, 14)]),
        ("huawei_luna2000", [(47083, 1), (47100, 1), (47246, 5)]),
        ("sungrow_sh", [(13049, 3), (13079, 1)]),
        ("victron_multiplus", [(37, 1)]),
    ],
)
def test_a_look_at_the_set_point_takes_few_requests(
    name: str, reads: list[tuple[int, int]]
) -> None:
    with bench(name) as at:
        unit = Counted(at.unit)
        steering = find_profile_steering(unit, load_profile(name))
        assert steering is not None

        steering.read_back()

        assert unit.reads == reads


def test_solaredge_is_told_in_its_own_words() -> None:
    with bench("solaredge_hybrid") as at:
        steering = at.steering()
        steering.setpoint(1500, 90)
        steering.setpoint(-1500, 90)

        # 1500.0 is 0x44BB8000; the lower half goes first.
        assert at.twin.writes == [
            (0xE004, [4]),
            (0xE00B, [90, 0, 3, 0x8000, 0x44BB]),
            (0xE010, [0x8000, 0x44BB]),
            (0xE00B, [90, 0, 4]),
        ]


def test_huawei_gets_its_command_last() -> None:
    with bench("huawei_luna2000") as at:
        at.twin.put(47246, 1)  # ended by state of charge the last time
        at.steering().setpoint(-700, 150)

        assert at.twin.writes == [(47246, [0]), (47083, [2]), (47249, [0, 700]), (47100, [2])]
