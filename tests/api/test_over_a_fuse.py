"""More is expected of one home than its fuse lets through: that stays at that home."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.forecasts.homes import HomeForecast
from api.plan_check import refused_plan
from api.planning.asked import Known, homes_over_fuse, problem_asked
from api.planning.fuses import over_fuse
from api.planning.parts import Part
from api.retail import Retail, planned_battery
from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Battery
from optimizer.dispatch import plan
from optimizer.forecast import Forecast
from optimizer.plan import Plan, Status
from optimizer.problem import FloatArray, Problem
from tests.api.home_batteries import START_S, battery_at, lived, with_batteries

STEPS, FUSE_W, HOME = 48, 3_000, "huis-03"
RETAIL = Retail(0.13, 0.01)
SUNNY = slice(8, 40)
USE_KW = 0.4


def forecast(kw: FloatArray) -> Forecast:
    """Return a forecast that is sure of itself."""
    return Forecast(kw, kw, kw, np.full(kw.size, 28.0))


def known(
    use_kw: FloatArray,
    sun_kw: FloatArray,
    batteries: tuple[Battery, ...] = (battery_at(2),),
    stored_kwh: float = 5.0,
    limit_w: int = FUSE_W,
) -> Known:
    """Return a street in which one home with a battery uses and makes so much, others 4 kW."""
    street = with_batteries(*batteries, battery_at(7), huis_03=limit_w)
    part = Part(np.full(96, 0.1), np.zeros(96))
    own = HomeForecast(forecast(use_kw), forecast(sun_kw))
    return Known(
        Quarter(START_S),
        street,
        0.1 + 0.1 * np.sin(np.arange(STEPS) / 10),
        forecast(use_kw + 4.0),
        forecast(sun_kw),
        {"wijkbatterij": 60.0} | dict.fromkeys(street.home_batteries, stored_kwh),
        home_parts=dict.fromkeys((HOME, "huis-08"), part),
        own={HOME: own},
    )


def sunny(kw: float) -> Known:
    """Return a street in which the sun of one home is foretold at so much for eight hours."""
    sun_kw = np.zeros(STEPS)
    sun_kw[SUNNY] = kw
    return known(np.full(STEPS, USE_KW), sun_kw)


def planned(asked: Known) -> tuple[Problem, Plan, Plan]:
    """Return the problem of a street, its plan, and what comes without a battery."""
    problem = problem_asked(asked, RETAIL, batteries=True)
    return problem, plan(problem), plan(problem_asked(asked, RETAIL, batteries=False))


@pytest.mark.parametrize("sun_kw", [6.0, 12.0])
def test_sun_over_a_homes_fuse_leaves_the_plan_of_the_street_the_cheapest(sun_kw: float) -> None:
    problem, made, without = planned(sunny(sun_kw))

    assert (made.status, made.violations) == (Status.OPTIMAL, ())
    assert refused_plan(problem, made, without) is None
    # The home's meter: its fuse is full while the sun shines, and never over.
    home = problem.home_ids.index(f"home-of-{HOME}")
    row = problem.battery_ids.index("thuis-02")
    net_kw = problem.load_kw[home] - problem.pv_kw[home]
    meter_kw = net_kw + made.charge_kw[row] - made.discharge_kw[row]
    assert np.abs(meter_kw).max() <= FUSE_W / 1000 + 1e-6
    assert homes_over_fuse(sunny(sun_kw)) == [HOME]


def test_others_are_planned_as_if_only_what_passes_was_foretold() -> None:
    # Of 12 kW nothing passes that does not pass of 6: the battery is full from both.
    _, six, _ = planned(sunny(6.0))
    _, twelve, _ = planned(sunny(12.0))

    assert twelve.cost_eur == pytest.approx(six.cost_eur, abs=1e-3)
    assert twelve.end_value_eur == pytest.approx(six.end_value_eur, abs=1e-3)


def test_what_is_over_is_what_a_battery_that_came_empty_has_no_room_for() -> None:
    # 6 kW of sun less 0.4 of use and 3 of fuse: 2.6 kW over, 32 quarters long. The battery gives
    # its 4.5 kWh before, in two hours of 3.4 kW; then it has room for 9 kWh: 37.5 quarters of a kW.
    asked = sunny(6.0)
    (battery,) = (one for one in asked.batteries if one.home == HOME)
    own = asked.own[HOME]

    use, sun = over_fuse((own.use.likely, own.made.likely), FUSE_W, [planned_battery(battery, 5.0)])

    assert not use.any()
    assert set(np.flatnonzero(sun)) <= set(range(SUNNY.start, SUNNY.stop))
    assert sun.sum() == pytest.approx(32 * 2.6 - 37.5, abs=1e-3)


def test_what_its_battery_can_carry_is_left_to_the_battery() -> None:
    # 3.5 kW of sun is 0.1 kW over: 0.8 kWh in all.
    problem, made, _ = planned(sunny(3.5))

    assert homes_over_fuse(sunny(3.5)) == []
    home = problem.home_ids.index(f"home-of-{HOME}")
    assert problem.pv_kw[home].max() == 3.5
    assert (made.status, made.violations) == (Status.OPTIMAL, ())


def test_use_over_a_homes_fuse_is_that_homes_too() -> None:
    asked = known(np.full(STEPS, 5.0), np.zeros(STEPS))
    problem, made, without = planned(asked)

    assert made.status == Status.OPTIMAL
    assert refused_plan(problem, made, without) is None
    assert homes_over_fuse(asked) == [HOME]


def test_with_and_without_batteries_the_same_use_and_sun_are_planned() -> None:
    # What the battery carries is bought as well where there is none, or it would seem to cost.
    for asked in (sunny(6.0), narrow(5_000)):
        with_them, without = (problem_asked(asked, RETAIL, batteries=one) for one in (True, False))

        assert np.array_equal(with_them.load_kw, without.load_kw)
        assert np.array_equal(with_them.pv_kw, without.pv_kw)


@pytest.mark.parametrize("import_limit_w", [1_000, 5_000])
def test_a_plan_is_sent_where_the_street_is_over_its_limit_as_well(import_limit_w: int) -> None:
    problem, made, without = planned(narrow(import_limit_w))

    assert (made.status, without.status) == (Status.RELAXED, Status.RELAXED)
    assert refused_plan(problem, made, without) is None


def narrow(import_limit_w: int) -> Known:
    """Return a street whose limit is too low while one home uses 2 kW above its fuse."""
    use_kw = np.full(STEPS, USE_KW)
    use_kw[24:40] = 5.0
    asked = known(use_kw, np.zeros(STEPS), stored_kwh=1.0)
    return replace(
        asked,
        community=replace(asked.community, batteries={}, import_limit_w=import_limit_w),
        stored_kwh={"thuis-02": 1.0},
        home_parts={HOME: asked.home_parts[HOME]},
    )


@settings(max_examples=25, deadline=None)
@example(  # the second battery has no more of the fuse for itself than the first one leaves
    use=[0.0] * 6 + [1.0, 3.5, 11.0, 8.0, 0.0, 0.0],
    sun=[0.0] * 7 + [5.0] + [0.0] * 4,
    limit_kw=1,
    full=0.5,
    two=True,
)
@given(
    use=st.lists(st.floats(0, 12), min_size=12, max_size=12),
    sun=st.lists(st.floats(0, 12), min_size=12, max_size=12),
    limit_kw=st.integers(1, 8),
    full=st.floats(0.05, 0.95),
    two=st.booleans(),
)
def test_a_home_alone_never_relaxes_the_plan(
    use: list[float], sun: list[float], limit_kw: int, full: float, two: bool
) -> None:
    batteries: tuple[Battery, ...] = (battery_at(2),)
    if two:
        batteries += (replace(battery_at(2), id="schuur", device="battery-2", charge_max_w=1_500),)
    asked = known(
        np.repeat(use, STEPS // 12),
        np.repeat(sun, STEPS // 12),
        batteries,
        10 * full,
        limit_kw * 1000,
    )
    problem = problem_asked(asked, RETAIL, batteries=True)

    assert plan(problem).status in {Status.OPTIMAL, Status.FEASIBLE}


def test_the_log_names_the_home_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # The home uses 400 W and its fuse lets 200 through: for a day and a half no battery holds that.
    with lived(tmp_path, with_batteries(battery_at(2), battery_at(7), huis_03=200)) as street:
        planner = street.planner()
        plans = [planner.plan_now()]
        street.clock.advance(QUARTER_S)
        plans.append(planner.plan_now())

    assert {one.status for one in plans if one is not None} == {"optimal"}
    said = [one.message for one in caplog.records if "its fuse" in one.message]
    assert len(said) == 1
    assert said[0].startswith("home huis-03: ")
