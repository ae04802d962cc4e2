"""Plans for several days that may come: by hand, by laws, and held against errors that come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kwartier.errors import InputError
from optimizer.check import violations_of
from optimizer.dispatch import plan
from optimizer.linear.programme import programme_of
from optimizer.linear.solve import Solver
from optimizer.plan import Status
from optimizer.problem import Battery, FloatArray, Grid, Home, Problem, problem_of
from optimizer.uncertain.errors import range_of
from optimizer.uncertain.paths import courses
from optimizer.uncertain.planning import plan_guarded, plan_under
from optimizer.uncertain.scenarios import Range, Scenarios, scenarios_of
from optimizer.uncertain.two_stage import Caution, can_be_shared, first_steps
from tests.optimizer.neighbourhoods import problems

THOROUGH = settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
SOLVER = Solver(10.0)
BATTERY = Battery("b", 0.0, 2.0, 0.0, 2.0, 2.0, 1.0, 1.0)
EITHER = Scenarios(np.array([[0.0, -1.0], [0.0, 1.0]]), np.array([0.5, 0.5]))
"""Of one kWh expected in the second hour nothing comes, or two."""


def two_hours(now_eur: float, sell_eur: float) -> Problem:
    """Return an hour to store in, and one at 30 cents in which 1 kWh is expected to be used."""
    home = Home("h", [0.0, 1.0])
    return problem_of(1.0, [now_eur, 0.30], [0.0, sell_eur], [home], [BATTERY])


def objective_eur(problem: Problem) -> float:
    made = plan(problem)
    return made.cost_eur - made.end_value_eur


def with_more(problem: Problem, more_kw: FloatArray) -> Problem:
    """Return the problem with a home that uses so much more."""
    return replace(
        problem,
        home_ids=(*problem.home_ids, "more"),
        load_kw=np.vstack([problem.load_kw, np.maximum(more_kw, 0.0)]),
        pv_kw=np.vstack([problem.pv_kw, np.maximum(-more_kw, 0.0)]),
        curtailable=np.append(problem.curtailable, False),
    )


def costs_of_doing(
    problem: Problem, scenarios: Scenarios, charge_kw: FloatArray, discharge_kw: FloatArray
) -> FloatArray | None:
    """Return what each scenario costs if these powers are what is done first, shape ``(S,)`` [EUR].

    Once that is given nothing joins the scenarios, so each is a programme of its own. None where
    one of them cannot bear it.
    """
    each = []
    for more_kw in scenarios.more_kw:
        programme = programme_of(with_more(problem, more_kw))
        layout = programme.layout
        cells = np.arange(layout.cells).reshape(layout.batteries, layout.steps)
        first = cells[:, : charge_kw.shape[1]]
        low, high = programme.low.copy(), programme.high.copy()
        for columns, power in ((layout.charge, charge_kw), (layout.discharge, discharge_kw)):
            low[columns.start + first] = high[columns.start + first] = power
        solution = SOLVER.solve(replace(programme, low=low, high=high))
        if solution is None:
            return None
        each.append(solution.cost - problem.peak_price_eur_per_kw * problem.peak_so_far_kw)
    return np.array(each)


@st.composite
def spreads(draw: st.DrawFn) -> tuple[Problem, Scenarios]:
    """Return a problem that can be met, and one to four scenarios of it."""
    problem = draw(problems(exclusive=False, dear_selling=False))
    assume(can_be_shared(problem) and problem.battery_ids)
    count = draw(st.integers(1, 4))
    more = np.random.default_rng(draw(st.integers(0, 999))).integers(-8, 9, (count, problem.steps))
    parts = np.arange(1, count + 1) / sum(range(1, count + 1))
    return problem, Scenarios(more / 4, parts)


def test_what_is_stored_for_both_days_pays_more_than_for_the_day_between() -> None:
    problem = two_hours(0.10, sell_eur=0.05)
    between = plan(problem)

    common = first_steps(problem, EITHER, 1, SOLVER)
    of_the_mean = costs_of_doing(
        problem, EITHER, between.charge_kw[:, :1], between.discharge_kw[:, :1]
    )

    # The second kWh costs 10 cents and is worth 30 or 5: it is stored too. Two then cost 20 cents,
    # of which 10 come back where nothing is used. One costs 10: 5 come back, or 30 are added.
    assert common is not None
    assert of_the_mean is not None
    assert between.charge_kw[0, 0] == pytest.approx(1.0)
    assert common.charge_kw[0, 0] == pytest.approx(2.0)
    assert common.each_eur == pytest.approx([0.10, 0.20])
    assert common.expected_eur == pytest.approx(0.15)
    assert of_the_mean == pytest.approx([0.05, 0.40])


def test_who_fears_the_dear_day_stores_for_it() -> None:
    problem = two_hours(0.20, sell_eur=0.0)

    on_average = first_steps(problem, EITHER, 1, SOLVER)
    cautious = first_steps(problem, EITHER, 1, SOLVER, Caution(1.0, 0.5))

    # A kWh at 20 cents is worth 30 on one day of two, 15 on average: nobody stores it but for fear.
    assert on_average is not None
    assert cautious is not None
    assert on_average.each_eur == pytest.approx([0.0, 0.60])
    assert cautious.each_eur == pytest.approx([0.40, 0.40])


def test_what_is_stored_now_is_worth_the_mean_of_what_it_saves() -> None:
    smaller = replace(two_hours(0.10, sell_eur=0.05), charge_max_kw=np.full((1, 2), 1.0))

    common = first_steps(smaller, EITHER, 1, SOLVER)

    # One more than the one that can be stored would save 30 cents or earn 5.
    assert common is not None
    assert common.worth_eur_per_kwh[0, 0] == pytest.approx(0.175)


def test_a_plan_begins_with_what_all_scenarios_share() -> None:
    problem = two_hours(0.10, sell_eur=0.05)

    made = plan_under(problem, EITHER, together=1)

    # Two are stored; of those one is used as expected, and one is sold.
    assert made.charge_kw[0] == pytest.approx([2.0, 0.0], abs=1e-6)
    assert made.discharge_kw[0] == pytest.approx([0.0, 2.0], abs=1e-6)
    assert made.status is Status.OPTIMAL
    assert violations_of(problem, made) == ()


@THOROUGH
@given(problems())
def test_with_one_scenario_it_is_the_plan(problem: Problem) -> None:
    middle = scenarios_of(
        Range(np.ones(problem.steps), np.ones(problem.steps)), problem.step_h, count=1
    )

    made, expected = plan_under(problem, middle), plan(problem)

    assert np.array_equal(made.charge_kw, expected.charge_kw)
    assert np.array_equal(made.discharge_kw, expected.discharge_kw)
    assert made.cost_eur == expected.cost_eur


@THOROUGH
@given(spreads(), st.integers(1, 4))
def test_equal_scenarios_cost_what_the_plan_for_one_of_them_does(
    spread: tuple[Problem, Scenarios], together: int
) -> None:
    problem, scenarios = spread
    same = Scenarios(np.repeat(scenarios.more_kw[:1], len(scenarios.weight), 0), scenarios.weight)
    alone = plan(with_more(problem, same.more_kw[0]))
    assume(alone.status is Status.OPTIMAL and not alone.violations)

    common = first_steps(problem, same, together, SOLVER)

    assert common is not None
    expected = alone.cost_eur - alone.end_value_eur
    assert common.expected_eur == pytest.approx(expected, rel=1e-6, abs=1e-6)


@THOROUGH
@given(spreads(), st.integers(1, 4))
def test_common_steps_cost_no_more_than_those_of_the_plan_for_the_mean(
    spread: tuple[Problem, Scenarios], together: int
) -> None:
    problem, scenarios = spread
    mean = plan(with_more(problem, scenarios.weight @ scenarios.more_kw))
    first = slice(0, together)

    common = first_steps(problem, scenarios, together, SOLVER)
    of_the_mean = costs_of_doing(
        problem, scenarios, mean.charge_kw[:, first], mean.discharge_kw[:, first]
    )

    assume(of_the_mean is not None and common is not None)
    assert of_the_mean is not None
    assert common is not None
    assert common.expected_eur <= float(scenarios.weight @ of_the_mean) + 1e-6
    # Nobody does better than who knows which day comes.
    alone = [objective_eur(with_more(problem, more)) for more in scenarios.more_kw]
    assert common.expected_eur >= float(scenarios.weight @ np.array(alone)) - 1e-6


@THOROUGH
@given(spreads())
def test_a_plan_under_scenarios_keeps_every_limit_that_can_be_kept(
    spread: tuple[Problem, Scenarios],
) -> None:
    problem, scenarios = spread
    can_be_met = not plan(problem).violations

    made = plan_under(problem, scenarios, together=2)

    assert not (can_be_met and violations_of(problem, made))


def test_room_at_the_limit_holds_nine_errors_of_ten() -> None:
    chance = np.random.default_rng(3)
    steps, limit_kw = 24, 6.0
    errors = chance.normal(0.0, 1.0, (4000, steps))
    # The battery wants to take all it can at night; the connection bears six.
    price = np.where(np.arange(steps) < 8, 0.05, 0.40)
    battery = Battery("b", 0.0, 40.0, 2.0, 10.0, 10.0, 1.0, 1.0)
    problem = problem_of(
        1.0, price, price - 0.01, [Home("h", [2.0] * steps)], [battery], Grid(limit_kw, 6.0)
    )
    told = range_of(chance.normal(0.0, 1.0, (28, steps)))
    assert told is not None

    def passed(charge_kw: FloatArray, discharge_kw: FloatArray) -> FloatArray:
        """Return which part of all errors passes a limit at the steps that come near one."""
        exchange = problem.residual_kw + (charge_kw - discharge_kw).sum(axis=0)
        near = np.abs(exchange) > limit_kw - 3.0
        found: FloatArray = (np.abs(exchange + errors)[:, near] > limit_kw).mean(axis=0)
        return found

    plain, careful = plan(problem), plan_guarded(problem, told)

    assert careful.status is Status.OPTIMAL
    # On the limit every second error passes; the range, of 28 days, leaves one in ten.
    assert passed(plain.charge_kw, plain.discharge_kw).max() == pytest.approx(0.5, abs=0.08)
    assert passed(careful.charge_kw, careful.discharge_kw).max() <= 0.13
    assert passed(careful.charge_kw, careful.discharge_kw).mean() == pytest.approx(0.10, abs=0.01)


def test_a_battery_keeps_what_holds_an_error_at_the_limit() -> None:
    # Five are expected where six may pass; an error of two would bring one over.
    home = Home("h", [1.0, 1.0, 5.0, 1.0])
    battery = Battery("b", 0.0, 4.0, 2.0, 4.0, 4.0, 1.0, 1.0)
    problem = problem_of(
        1.0, [0.40, 0.40, 0.10, 0.10], [0.0] * 4, [home], [battery], Grid(6.0, 6.0)
    )
    told = Range(np.zeros(4), np.full(4, 2.0))

    plain, careful = plan(problem), plan_guarded(problem, told)

    assert plain.soc_kwh[0, 1] == pytest.approx(0.0, abs=1e-6)
    assert careful.soc_kwh[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert violations_of(problem, careful) == ()


def test_without_limits_no_room_is_kept() -> None:
    problem = two_hours(0.10, sell_eur=0.05)

    careful = plan_guarded(problem, Range(np.ones(2), np.ones(2)))

    assert np.array_equal(careful.charge_kw, plan(problem).charge_kw)


def test_room_that_cannot_be_kept_is_not() -> None:
    home = Home("h", [5.9, 5.9])
    problem = problem_of(1.0, [0.1, 0.1], [0.0, 0.0], [home], [BATTERY], Grid(6.0, 6.0))

    careful = plan_guarded(problem, Range(np.full(2, 50.0), np.full(2, 50.0)))

    assert careful.status is Status.OPTIMAL
    assert violations_of(problem, careful) == ()


@pytest.mark.parametrize("count", [2, 5, 7, 10])
def test_courses_spread_as_told_and_hang_together(count: int) -> None:
    drawn = courses(count, np.full(144, 0.25), 4.5)

    assert drawn.mean(axis=0) == pytest.approx(np.zeros(144), abs=1e-9)
    assert (drawn**2).mean(axis=0) == pytest.approx(np.ones(144))
    # From one quarter to the next nearly nothing changes; from one day to the next nearly all.
    assert np.abs(np.diff(drawn, axis=1)).max() < 0.5
    assert np.array_equal(drawn, courses(count, np.full(144, 0.25), 4.5))


def test_a_scenario_goes_as_far_as_the_range_says() -> None:
    told = Range(np.full(96, 2.0), np.full(96, 6.0))

    more = scenarios_of(told, np.full(96, 0.25), count=2).more_kw

    # Of two courses one is a standard deviation up, the other down; a range holds 1.2816 of them.
    assert more[np.argsort(more[:, 0]), 0] == pytest.approx([-2.0 / 1.2816, 6.0 / 1.2816], rel=1e-4)


def test_a_range_is_told_by_the_days_gone_by_and_never_from_few() -> None:
    errors = np.arange(-10.0, 11.0)[:, None] * np.ones(8)
    errors[:, 6:] = np.nan

    told = range_of(errors)

    # Of -10 to 10 one in ten is below -8 and above 8; steps nobody saw are as the last one seen.
    assert told is not None
    assert told.less_kw == pytest.approx(np.full(8, 8.0), abs=0.2)
    assert told.more_kw == pytest.approx(np.full(8, 8.0), abs=0.2)
    assert range_of(errors[:3]) is None


@pytest.mark.parametrize(
    ("more", "weight", "said"),
    [
        ([[np.nan]], [1.0], "not finite"),
        ([[0.0]], [0.5], "parts above 0 of 1"),
        ([[0.0], [1.0]], [1.0], "1 to 32"),
    ],
)
def test_odd_scenarios_are_refused(more: list[list[float]], weight: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Scenarios(np.array(more), np.array(weight))
