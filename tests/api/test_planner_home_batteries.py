"""Batteries behind homes' own meters are planned within the home's fuse and reserve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from api.forecasts.homes import HomeForecast
from api.planning.homes import expected_alone, planned_homes
from api.planning.parts import Part
from api.plans import MadeBecause
from kwartier.schedule import MAX_LEASE_S
from kwartier.units import Wh
from optimizer.forecast import Forecast
from tests.api.home_batteries import (
    DAY_S,
    NOW_S,
    START_S,
    USE_WH,
    battery_at,
    lived,
    stands_still,
    with_batteries,
)
from tests.api.planning import HOMES, Scene, charge_of, scene, use_in


def kept_wh(street: Scene, gateway: str) -> Wh:
    """Return what the newest set-points of a day add to a battery, AC side [Wh]."""
    return sum(step.power_w for step in street.sent_to[gateway][-1].steps) // 4


def test_each_home_is_sent_its_own_day_and_nobody_else_sees_it(tmp_path: Path) -> None:
    with lived(tmp_path, with_batteries(battery_at(2), battery_at(7))) as street:
        plan = street.planner().plan_now()

    assert plan is not None
    assert set(street.sent_to) == {"gw-accu", "gw-02", "gw-07"}
    for gateway in ("gw-02", "gw-07"):
        (schedule,) = street.sent_to[gateway]
        assert schedule.plan == plan.name
        assert len(schedule.steps) == 96
        assert all(0 < step.lease_s <= MAX_LEASE_S for step in schedule.steps)
        assert all(step.grid_w is None for step in schedule.steps)
        assert any(step.power_w for step in schedule.steps)
    (shared,) = street.sent_to["gw-accu"]
    assert [one.battery_w for one in plan.quarters[:96]] == [one.power_w for one in shared.steps]
    assert {block.battery for block in plan.blocks} == {"wijkbatterij"}
    assert {quarter.use_wh for quarter in plan.quarters} == {HOMES * USE_WH}
    assert plan.cost_eur < plan.cost_without_battery_eur
    assert plan.cost_eur == int(plan.cost_eur)  # to the cent it would tell what two homes save


def test_six_homes_with_a_battery_are_in_the_sum_that_all_see(tmp_path: Path) -> None:
    with lived(tmp_path, with_batteries(*map(battery_at, range(6)))) as street:
        plan = street.planner().plan_now()

    assert plan is not None
    sums = [
        sum(sent[-1].steps[place].power_w for sent in street.sent_to.values())
        for place in range(96)
    ]
    # Each is rounded by itself.
    assert all(
        abs(one.battery_w - total) <= 4 for one, total in zip(plan.quarters, sums, strict=False)
    )
    assert {block.battery for block in plan.blocks} == {"wijkbatterij"}


def test_a_battery_that_comes_or_goes_with_a_restart_shows_in_no_two_plans(tmp_path: Path) -> None:
    six, seven = ([*map(battery_at, range(count))] for count in (6, 7))
    with lived(tmp_path, with_batteries(*seven)) as street:
        street.community = with_batteries(*six)
        before = street.planner().plan_now()
        street.community = with_batteries(*seven)
        came = street.planner().plan_now()
        apart = [street.sent_to[f"gw-{home:02}"][-1] for home in range(6)]
        street.community = with_batteries(*six)
        went = street.planner().plan_now()

    assert before is not None
    assert came is not None
    assert went is not None
    shared = street.sent_to["gw-accu"]
    sums = [sum(one.steps[place].power_w for one in [shared[1], *apart]) for place in range(96)]
    assert all(
        abs(one.battery_w - total) <= 4 for one, total in zip(came.quarters, sums, strict=False)
    )
    assert [one.battery_w for one in went.quarters[:96]] == [one.power_w for one in shared[2].steps]


def test_a_home_is_never_planned_over_its_fuse(tmp_path: Path) -> None:
    narrow = with_batteries(battery_at(2), battery_at(7), huis_03=3_000)
    with lived(tmp_path, narrow) as street:
        planner = street.planner()
        plan = planner.plan_now()

    assert plan is not None
    assert plan.status == "optimal"
    # 400 W is used in the home, so 2,600 W are left for charging; nothing is made there.
    powers = [step.power_w for step in street.sent_to["gw-02"][-1].steps]
    assert max(powers) == 2_600
    assert min(powers) >= -3_400
    assert max(step.power_w for step in street.sent_to["gw-07"][-1].steps) == 5_000


def test_what_a_home_keeps_for_itself_gives_way_to_no_limit_of_the_street(tmp_path: Path) -> None:
    keeps = with_batteries(battery_at(2, reserve_permille=500))
    # All homes use 4 kW together and no more than 1 kW is carried: every battery is called upon.
    with lived(tmp_path, replace(keeps, batteries={}, import_limit_w=1_000)) as street:
        plan = street.planner().plan_now()

    assert plan is not None
    assert plan.status == "relaxed"
    stored = 5_000.0
    for step in street.sent_to["gw-02"][-1].steps:
        stored += step.power_w / 4 * (0.96 if step.power_w > 0 else 1 / 0.955)
        assert stored >= 5_000 - 10


def test_others_are_planned_while_one_is_silent_and_it_is_once_it_is_back(tmp_path: Path) -> None:
    community = with_batteries(battery_at(2), battery_at(7))
    with scene(tmp_path, NOW_S, community=community) as street:
        for home in range(HOMES):
            use_in(street, home, START_S - DAY_S, START_S, 1, USE_WH)
        stands_still(street, battery_at(7), 1)
        stands_still(street, battery_at(2), 0, permille=900)
        planner = street.planner()
        planner.plan_now()
        assert set(street.sent_to) == {"gw-02", "gw-07"}
        assert kept_wh(street, "gw-02") < kept_wh(street, "gw-07")

        charge_of(street, NOW_S + 30, 500)
        street.clock.advance(61)
        plan = planner.turn()

    assert plan is not None
    assert plan.made_because is MadeBecause.DEVICE
    assert len(street.sent_to["gw-accu"]) == 1


def test_what_is_expected_of_a_home_by_itself_goes_before_its_part_of_the_street() -> None:
    community = with_batteries(battery_at(2), battery_at(7))
    street, tenth = (np.full(4, 5.0), np.zeros(4)), np.full(96, 0.1)
    parts = {name: Part(tenth, tenth) for name in ("huis-03", "huis-08")}
    used, none = forecast(6.0), forecast(0.0)

    apart = expected_alone(street, START_S, parts, {"huis-08": HomeForecast(used, none)})
    homes = planned_homes(
        community,
        {name: [one] for one in community.home_batteries.values() if (name := one.home)},
        START_S,
        street,
        {},
        apart,
        apart,
    )

    assert {one.id: float(np.asarray(one.load_kw)[0]) for one in homes} == {
        "homes": 0.0,  # never below zero
        "home-of-huis-03": 0.5,
        "home-of-huis-08": 6.0,
    }


def forecast(kw: float) -> Forecast:
    """Return a forecast that is sure of itself."""
    sure = np.full(4, kw)
    return Forecast(sure, sure, sure, np.full(4, 28))
