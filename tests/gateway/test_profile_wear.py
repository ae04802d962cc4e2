"""What wears out is counted, and what was there is noted before it is changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.steer.budget import RELEASES_A_DAY, WriteBudget
from gateway.steer.profile_steering import find_profile_steering
from gateway.steer.way import profile_way
from hardware.profile import load_profile
from hardware.profile_register import Wear
from kwartier.clock import VirtualClock
from kwartier.errors import InputError
from tests.gateway.vendor_bench import bench


def test_a_stored_register_is_counted_and_named() -> None:
    with bench("solaredge_hybrid") as at:
        steering = at.steering()
        steering.setpoint(1500, 90)

        assert steering.stored_writes == 1
        assert steering.writes(0xE004) is Wear.STORED
        assert steering.writes(0xE00C) is Wear.VOLATILE
        assert steering.writes(0x0001) is Wear.UNKNOWN


class Purse:
    """Counts what is spent, and refuses from some point on."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.spent: list[tuple[int, bool]] = []

    def spend(self, addresses: Sequence[int], *, release: bool = False) -> None:
        if len(self.spent) + len(addresses) > self.most and not release:
            raise InputError("written too often")
        self.spent += [(address, release) for address in addresses]


def test_only_registers_that_wear_out_are_spent_and_none_at_a_refresh() -> None:
    with bench("sungrow_sh") as at:
        purse = Purse(100)
        steering = find_profile_steering(at.unit, load_profile(at.name), budget=purse)
        assert steering is not None

        steering.setpoint(1000, 90)
        steering.setpoint(1000, 90)
        steering.setpoint(1200, 90)
        steering.release()

        assert purse.spent == [
            (13049, False),
            (13051, False),
            (13050, False),
            (13051, False),
            (13050, True),
            (13049, True),
        ]


def test_a_spent_budget_writes_nothing_at_all_and_still_lets_go() -> None:
    with bench("sungrow_sh") as at:
        purse = Purse(3)
        steering = find_profile_steering(at.unit, load_profile(at.name), budget=purse)
        assert steering is not None
        steering.setpoint(1000, 90)
        at.twin.writes.clear()

        with pytest.raises(InputError, match="too often"):
            steering.setpoint(-1000, 90)
        assert at.twin.writes == []
        steering.release()

        assert at.twin.power_w == 0


def test_what_was_there_is_noted_before_it_is_changed_and_forgotten_when_it_is_back() -> None:
    with bench("solaredge_hybrid") as at:
        noted: list[tuple[dict[str, int], list[int]]] = []
        steering = find_profile_steering(
            at.unit,
            load_profile(at.name),
            note=lambda prior: noted.append((dict(prior), at.twin.get(0xE004))),
        )
        assert steering is not None

        steering.setpoint(1000, 90)
        steering.setpoint(2000, 90)
        steering.release()

        assert noted == [({"control_mode": 1}, [1]), ({}, [1])]


@pytest.mark.parametrize(
    ("name", "step_s"), [("sungrow_sh", 30.0), ("huawei_luna2000", 1.0), ("victron_multiplus", 1.0)]
)
def test_a_power_that_wears_its_register_out_travels_in_few_steps(
    name: str, step_s: float, tmp_path: Path
) -> None:
    with bench(name) as at:
        way = profile_way(at.unit, "battery", load_profile(name), VirtualClock(0), tmp_path)

    assert way.wish_step_s == step_s


DAY_S = 86_400


def test_a_clock_that_stood_years_ahead_does_not_stop_the_writes_of_those_years(
    tmp_path: Path,
) -> None:
    clock = VirtualClock(20_000 * DAY_S)
    budget = WriteBudget(tmp_path / "writes.json", clock, most=RELEASES_A_DAY + 1)
    clock.jump(3_000 * DAY_S)
    budget.spend([1])

    clock.jump(-3_000 * DAY_S)
    left_then = budget.left(1)
    clock.advance(DAY_S)

    assert (left_then, budget.left(1)) == (0, 1)


def test_a_midnight_that_comes_twice_gives_nothing_back(tmp_path: Path) -> None:
    clock = VirtualClock(20_000 * DAY_S + 60)
    budget = WriteBudget(tmp_path / "writes.json", clock, most=RELEASES_A_DAY + 1)
    budget.spend([1])

    clock.jump(-120)
    clock.jump(120)

    assert budget.left(1) == 0
