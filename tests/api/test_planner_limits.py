"""What a plan keeps to beside the connection: calls, contracts of groups, reserves, the peak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from api.plan_check import refused_plan
from api.planning.asked import Known, problem_asked
from api.planning.calls import PutCall
from api.planning.homes import homes_of
from api.planning.month_peak import MonthPeak
from api.planning.parts import Part, Parts
from api.planning.steps import steps_told
from api.plans import NeighbourhoodPlan
from api.retail import Retail
from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Community, Group
from kwartier.reading import Reading
from optimizer.dispatch import plan
from optimizer.forecast import Forecast
from optimizer.plan import Plan, Status
from optimizer.problem import FloatArray, Problem
from tests.api.planning import HOMES, Scene, scene, use_in
from tests.api.street import community_of, feed
from tests.api.test_planner import live_before

NOON_S = int(datetime(2026, 7, 8, 10, 0, tzinfo=UTC).timestamp())
JUNE_30_S = int(datetime(2026, 6, 30, 20, 0, tzinfo=UTC).timestamp())
STEPS = 24
RETAIL = Retail(0.13, 0.01)


def street_of(
    *, reserve_permille: int = 0, group: str | None = None, follows_meter: bool = False
) -> Community:
    """Return ten homes of which the first five are a group, and a battery that may differ."""
    community = community_of(HOMES, solar_every=HOMES + 1)
    homes = {
        name: replace(one, group="flat") if place < 5 else one
        for place, (name, one) in enumerate(community.connections.items())
    }
    (battery,) = community.batteries.values()
    changed = replace(
        battery, reserve_permille=reserve_permille, group=group, follows_meter=follows_meter
    )
    return replace(community, connections=homes, batteries={battery.id: changed})


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, NOON_S + 5) as made:
        live_before(made, NOON_S + 5)
        yield made


def most_w(plan: NeighbourhoodPlan) -> int:
    """Return the most that the street takes by a plan [W]."""
    return max(4 * (one.use_wh - one.solar_wh) + one.battery_w for one in plan.quarters)


def test_no_more_is_taken_than_the_months_peak_where_that_costs(street: Scene) -> None:
    # Ten homes used 100 Wh a quarter: 4 kW.
    free = street.planner().plan_now()
    dear = street.planner(retail=Retail(peak_price_eur_per_kw=50.0)).plan_now()

    assert free is not None
    assert dear is not None
    assert most_w(free) > 20_000
    assert most_w(dear) <= 4_001
    assert any(one.battery_w for one in dear.quarters)


def test_the_peak_is_that_of_this_month_on_the_wall_clock(tmp_path: Path) -> None:
    # In June 500 Wh a quarter and home, in July, which begins at 22.00 UTC, 100 and once 200.
    july_s = JUNE_30_S + 2 * 3600
    with scene(tmp_path, july_s + 7_200) as street:
        for home in range(HOMES):
            use_in(street, home, JUNE_30_S, july_s, 1, wh=500)
        peak = MonthPeak(street.records)

        assert peak.so_far_kw(Quarter(july_s)) == 0.0
        for home in range(HOMES):
            step_up(street, home, july_s)
        street.clock.advance(60)

        assert peak.so_far_kw(Quarter(july_s + 4 * QUARTER_S)) == pytest.approx(8.0)
        assert peak.so_far_kw(Quarter(july_s + 8 * QUARTER_S)) == pytest.approx(8.0)


def test_a_month_begins_from_the_peak_that_it_will_have_anyway(tmp_path: Path) -> None:
    # Two homes used 100 Wh a quarter each in June, and 500 from 18 to 19 UTC: 0.8 kW and 4 kW.
    july_s = JUNE_30_S + 2 * 3600
    with scene(tmp_path, july_s + 60, homes=2) as street:
        for home in range(2):
            june(street, home, july_s)
        peak, batteries = MonthPeak(street.records), list(street.community.batteries.values())
        even, steep = np.full(144, 0.1), np.tile(np.repeat([0.1, 0.9], [84, 12]), 2)[:144]
        first = Quarter(july_s)

        free = peak.reckoned_kw(first, RETAIL, batteries, even)
        dear = replace(RETAIL, peak_price_eur_per_kw=5.0)
        low = peak.reckoned_kw(first, dear, batteries, even)
        high = MonthPeak(street.records).reckoned_kw(first, dear, batteries, steep)
        alone = MonthPeak(street.records).reckoned_kw(first, dear, [], even)

        assert free == 0.0
        # 28 hours of 3.2 kWh are in the battery at once, and at an even price it has nothing to do.
        assert low == pytest.approx(0.8)
        # A kWh of store earns EUR 0.70 a day: 20 a month, for a peak of 5 a kW.
        assert high == pytest.approx(4.0)
        assert alone == 0.0


def june(street: Scene, home: int, july_s: int) -> None:
    """Put 28 days on record of which each has an hour of five times the use."""
    total, readings = 0, []
    for at_s in range(july_s - 28 * 86_400, july_s + 1, QUARTER_S):
        counted = {"import_wh": total, "export_wh": 0}
        readings.append(Reading("p1", f"m{home}", at_s, counted))
        total += 500 if at_s % 86_400 // 3600 == 18 else 100
    for number, first in enumerate(range(0, len(readings), 96), 1):
        feed(street.store, f"gw-{home:02d}", number, readings[first : first + 96])


def step_up(street: Scene, home: int, july_s: int) -> None:
    """Let a home use 100 Wh in July's first quarters, and 200 Wh in the second."""
    begun = 500 * (july_s // QUARTER_S)
    counted = [100, 300, 400, 500, 600, 700, 800]
    feed(
        street.store,
        f"gw-{home:02d}",
        2,
        [
            Reading("p1", f"m{home}", at_s, {"import_wh": begun + wh, "export_wh": 0})
            for at_s, wh in zip(
                range(july_s + QUARTER_S, july_s + 8 * QUARTER_S, QUARTER_S), counted, strict=True
            )
        ],
    )


def test_a_reserve_stays_in_the_battery_whatever_the_price(tmp_path: Path) -> None:
    least = {}
    for permille in (0, 400):
        folder = tmp_path / str(permille)
        folder.mkdir()
        with scene(folder, NOON_S + 5, community=street_of(reserve_permille=permille)) as street:
            live_before(street, NOON_S + 5)
            made = street.planner().plan_now()
            assert made is not None
            least[permille] = min(one.soc_permille for one in made.quarters)

    assert least[0] < 400
    assert least[400] >= 400


def test_a_battery_that_begins_below_its_reserve_is_planned(tmp_path: Path) -> None:
    with scene(tmp_path, NOON_S + 5, community=street_of(reserve_permille=600)) as street:
        live_before(street, NOON_S + 5)

        made = street.planner().plan_now()

    assert made is not None
    assert made.status == "optimal"
    assert made.quarters[-1].soc_permille >= 600


def test_homes_and_battery_of_a_group_keep_to_its_contract(tmp_path: Path) -> None:
    # Half of the homes are the group's: 2 kW. Of 6 kW that leaves 4 kW for its battery.
    contract = Group("flat", 6_000)
    community = replace(street_of(group="flat"), groups={"flat": contract})
    with scene(tmp_path, NOON_S + 5, community=community) as street:
        live_before(street, NOON_S + 5)

        made = street.planner().plan_now()

    assert made is not None
    charging = [one.battery_w for one in made.quarters if one.battery_w > 0]
    assert max(charging) in range(3_990, 4_002)


def test_a_call_for_a_group_lowers_its_limit_alone(tmp_path: Path) -> None:
    community = replace(street_of(group="flat"), groups={"flat": Group("flat", 60_000)})
    with scene(tmp_path, NOON_S + 5, community=community) as street:
        live_before(street, NOON_S + 5)
        street.calls.add(
            PutCall("c", NOON_S, NOON_S + 4 * QUARTER_S, 1_500, None, "flat", 0.0, NOON_S)
        )

        made = street.planner().plan_now()

    assert made is not None
    assert all(one.battery_w <= -499 for one in made.quarters[:4])
    assert made.status == "optimal"


def known(
    community: Community,
    load_kw: FloatArray,
    *,
    spread_kw: float = 0.0,
    calls: tuple[PutCall, ...] = (),
    market: FloatArray | None = None,
) -> Known:
    """Return a street that uses so much, with prices that rise and fall."""
    days = np.full(load_kw.size, 28.0)
    none = np.zeros(load_kw.size)
    half = np.full(96, 0.5)
    return Known(
        Quarter(NOON_S),
        community,
        0.1 + 0.1 * np.sin(np.arange(load_kw.size)) if market is None else market,
        Forecast(load_kw, load_kw - spread_kw, load_kw + spread_kw, days),
        Forecast(none, none, none, days),
        {"wijkbatterij": 60.0},
        calls,
        parts={"flat": Part(half, half)} if community.groups else {},
    )


def without_battery(asked: Known) -> Plan:
    """Return what comes of a street whose battery does nothing."""
    return plan(problem_asked(asked, RETAIL, batteries=False))


@pytest.mark.parametrize("kind", ["call", "group"])
def test_a_plan_that_breaks_a_call_or_a_groups_contract_is_not_sent(kind: str) -> None:
    # Made for a street without the limit, held against the one with it.
    load_kw = np.full(STEPS, 4.0)
    free = replace(street_of(group="flat"), groups={"flat": Group("flat", 1_000_000)})
    tight = replace(free, groups={"flat": Group("flat", 5_000)}) if kind == "group" else free
    call = PutCall("c", NOON_S, NOON_S + 24 * QUARTER_S, 6_000, None, None, 0.0, NOON_S)
    asked = known(tight, load_kw, calls=(call,) if kind == "call" else ())
    problem = problem_asked(asked, RETAIL, batteries=True)
    wrong = plan(problem_asked(known(free, load_kw), RETAIL, batteries=True))
    without = without_battery(asked)

    told = refused_plan(problem, wrong, without)

    named = "calls.c.import_limit_kw" if kind == "call" else "groups.flat.import_limit_kw"
    assert told is not None
    assert f"the plan breaks {named} by" in told
    assert refused_plan(problem, plan(problem), without) is None


def test_a_call_that_nothing_can_keep_is_kept_as_far_as_can_be() -> None:
    # 100 kW of homes, 40 kW of battery, and 10 kW may pass.
    call = PutCall("c", NOON_S, NOON_S + 2 * QUARTER_S, 10_000, None, None, 0.0, NOON_S)
    asked = known(street_of(), np.full(STEPS, 100.0), calls=(call,))
    problem = problem_asked(asked, RETAIL, batteries=True)
    made = plan(problem)
    without = without_battery(asked)

    assert made.status is Status.RELAXED
    assert made.discharge_kw[0, :2] == pytest.approx([40.0, 40.0])
    assert refused_plan(problem, made, without) is None
    lazy = charging(problem, made, 0.0)
    assert refused_plan(problem, lazy, without) is None  # no worse than no battery
    worse = charging(problem, made, 5.0)
    told = refused_plan(problem, worse, without)
    assert told == "the plan breaks the connection's limits by 5 kW more than no plan would"


def charging(problem: Problem, made: Plan, power_kw: float) -> Plan:
    """Return a plan that charges in the first step and then does nothing."""
    charge, none = np.zeros((1, STEPS)), np.zeros((1, STEPS))
    charge[0, 0] = power_kw
    bought = problem.load_kw.sum(axis=0) + charge[0]
    return replace(
        made,
        charge_kw=charge,
        discharge_kw=none,
        soc_kwh=60.0 + 0.25 * 0.96 * np.cumsum(charge, axis=1),
        import_kw=bought,
        export_kw=np.zeros(STEPS),
        peak_kw=float(bought.max()),
        cost_eur=0.25 * float(problem.buy_eur_per_kwh @ bought),
    )


def test_a_reserve_that_is_sold_is_not_sent() -> None:
    load_kw, dear_first = np.full(STEPS, 4.0), np.repeat([0.5, 0.05], STEPS // 2)
    kept = known(street_of(reserve_permille=450), load_kw, market=dear_first)
    problem = problem_asked(kept, RETAIL, batteries=True)
    all_of_it = known(street_of(), load_kw, market=dear_first)
    greedy = plan(problem_asked(all_of_it, RETAIL, batteries=True))
    without = without_battery(kept)

    told = refused_plan(problem, greedy, without)

    assert told is not None
    assert "the plan breaks batteries.wijkbatterij.reserve_kwh by" in told
    assert refused_plan(problem, plan(problem), without) is None


def test_a_group_is_planned_as_one_beside_all_others() -> None:
    community = replace(street_of(group="flat"), groups={"flat": Group("flat", 9_000, 8_000)})

    problem = problem_asked(known(community, np.full(STEPS, 4.0)), RETAIL, batteries=True)

    assert problem.home_ids == ("homes", homes_of("flat"))
    assert problem.load_kw.tolist() == [[2.0] * STEPS] * 2
    assert problem.boundaries is not None
    assert problem.boundaries.stores.tolist() == [[True]]
    assert problem.boundaries.homes.tolist() == [[False, True]]
    assert problem.boundaries.export_limit_kw[0, 0] == 8.0


def followed(asked: Known) -> tuple[Plan, list[int | None]]:
    """Return a plan and what its battery is told should pass."""
    problem = problem_asked(asked, RETAIL, batteries=True)
    found = plan(problem)
    return found, [step.grid_w for step in steps_told(asked, problem, found, "wijkbatterij")]


def test_the_meter_is_followed_where_the_plan_exchanges_nothing() -> None:
    asked = known(street_of(follows_meter=True), np.full(STEPS, 4.0), spread_kw=1.0)
    found, told = followed(asked)
    exchange = found.import_kw - found.export_kw

    assert [one == 0 for one in told] == (abs(exchange) <= 0.01).tolist()
    assert {one for one in told if one != 0} == {None}
    assert 0 < told.count(0) < STEPS


def test_the_meter_is_followed_near_a_limit_too() -> None:
    # What is bought cheaply goes up to 20 kW, and the homes may use 1 kW more than expected.
    street = replace(street_of(follows_meter=True), import_limit_w=20_000)
    found, told = followed(known(street, np.full(STEPS, 4.0), spread_kw=1.0))
    full = [step for step in range(STEPS) if found.import_kw[step] > 19.01]

    assert full
    assert {told[step] for step in full} <= set(range(19_010, 20_001))
    assert {one for step, one in enumerate(told) if step not in full} <= {None, 0}


def test_a_battery_elsewhere_follows_no_meter() -> None:
    _, told = followed(known(street_of(), np.full(STEPS, 4.0)))

    assert set(told) == {None}


def test_what_a_group_is_expected_to_use_is_its_part_of_the_last_week(tmp_path: Path) -> None:
    # Of ten homes that used 100 Wh each, five are the group's.
    community = replace(street_of(), groups={"flat": Group("flat", 9_000)})
    with scene(tmp_path, NOON_S + 5, community=community) as street:
        live_before(street, NOON_S + 5)

        part = Parts(street.community, street.records).at(Quarter(NOON_S))["flat"]

    assert part.use.tolist() == [0.5] * 96
    assert part.made.tolist() == [0.5] * 96  # no sun at all: by the number of homes
