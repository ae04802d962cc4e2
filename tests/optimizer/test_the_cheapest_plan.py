"""The planner against an independent one, and against sums done by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from optimizer.check import may_give_way, violations_of
from optimizer.dispatch import plan
from optimizer.plan import Plan, Status
from optimizer.problem import Battery, Grid, Home, Problem, problem_of
from tests.optimizer.neighbourhoods import problems
from tests.optimizer.reference import least_grid_excess, least_objective

THOROUGH = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def objective(made: Plan) -> float:
    return made.cost_eur - made.end_value_eur


def held_against_reference(problem: Problem) -> None:
    made = plan(problem)

    broken = violations_of(problem, made)
    assert [one for one in broken if not may_give_way(one)] == []
    expected = least_objective(problem)
    if expected is None:
        assert made.status is Status.RELAXED
        assert made.violations
        excess = [one.excess for one in made.violations if one.limit.startswith("grid.")]
        assert sum(excess) == pytest.approx(least_grid_excess(problem), abs=1e-4)
    else:
        assert made.status is Status.OPTIMAL
        assert broken == ()
        assert objective(made) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@THOROUGH
@given(problems(exclusive=False, dear_selling=False))
def test_a_plan_costs_what_an_independent_planner_finds(problem: Problem) -> None:
    held_against_reference(problem)


@THOROUGH
@given(problems(exclusive=True, dear_selling=False))
def test_an_exclusive_plan_is_the_cheapest_of_all_without_overlap(problem: Problem) -> None:
    held_against_reference(problem)


@THOROUGH
@given(problems())
def test_selling_above_the_buying_price_is_never_a_money_machine(problem: Problem) -> None:
    held_against_reference(problem)


@THOROUGH
@given(problems(exclusive=True, negative=False, dear_selling=False))
def test_an_exclusive_plan_at_positive_prices_is_optimal_too(problem: Problem) -> None:
    held_against_reference(problem)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(most_steps=24))
def test_longer_plans_hold_against_the_independent_planner_too(problem: Problem) -> None:
    held_against_reference(problem)


def test_a_search_that_is_cut_short_still_gives_a_plan_that_keeps_every_law() -> None:
    hour = np.arange(96) / 4
    buy = 0.1 - 0.3 * np.exp(-(((hour - 13) / 2) ** 2))
    lossy = [
        battery(
            soc_start_kwh=5.0,
            soc_end_kwh=5.0,
            soc_max_kwh=8.0 + number,
            charge_efficiency=0.90 + number / 100,
            discharge_efficiency=0.93,
        )
        for number in range(8)
    ]
    named = [replace(one, id=f"b{number}") for number, one in enumerate(lossy)]
    problem = problem_of(
        0.25, buy.tolist(), (buy - 0.02).tolist(), [], named, Grid(20.0, 15.0, 0.35), exclusive=True
    )

    made = plan(problem, time_limit_s=1.0)

    assert made.violations == ()
    assert np.minimum(made.charge_kw, made.discharge_kw).max() <= 1e-6
    if made.status is Status.FEASIBLE:
        assert made.gap_eur is not None
        assert made.gap_eur > 0
    relaxed = plan(replace(problem, exclusive=False))
    assert made.cost_eur >= relaxed.cost_eur - 1e-6


@settings(max_examples=25, deadline=None)
@given(problems(most_steps=6))
def test_the_same_problem_gives_the_same_plan(problem: Problem) -> None:
    first, second = plan(problem), plan(problem)

    assert np.array_equal(first.charge_kw, second.charge_kw)
    assert np.array_equal(first.discharge_kw, second.discharge_kw)
    assert first.reasons == second.reasons


def battery(**changes: float | None) -> Battery:
    plain: dict[str, float | None] = {
        "soc_min_kwh": 0.0,
        "soc_max_kwh": 10.0,
        "soc_start_kwh": 0.0,
        "charge_max_kw": 4.0,
        "discharge_max_kw": 4.0,
        "charge_efficiency": 1.0,
        "discharge_efficiency": 1.0,
    }
    return Battery("b1", **{**plain, **changes})  # type: ignore[arg-type]  # numbers by name


def test_power_is_bought_cheap_and_used_dear() -> None:
    problem = problem_of(
        1.0,
        [0.10, 0.30],
        [0.0, 0.0],
        [Home("h1", [1.0, 3.0])],
        [battery(charge_efficiency=0.9, discharge_efficiency=0.8)],
    )

    made = plan(problem)

    # 3 kWh at 0.30 is replaced by 3 / 0.8 / 0.9 = 4.1667 kWh at 0.10, but 4 kW is the most.
    assert made.charge_kw[0].tolist() == pytest.approx([4.0, 0.0])
    assert made.discharge_kw[0].tolist() == pytest.approx([0.0, 2.88])
    assert made.cost_eur == pytest.approx(0.10 * 5.0 + 0.30 * 0.12)


def test_a_peak_is_shared_over_the_steps() -> None:
    problem = problem_of(
        1.0,
        [0.2, 0.2],
        [0.0, 0.0],
        [Home("h1", [0.0, 6.0])],
        [battery()],
        Grid(peak_price_eur_per_kw=1.0),
    )

    made = plan(problem)

    assert made.import_kw.tolist() == pytest.approx([3.0, 3.0])
    assert made.peak_kw == pytest.approx(3.0)
    assert made.cost_eur == pytest.approx(6 * 0.2 + 3.0)


def test_panels_are_cut_when_giving_power_costs_money() -> None:
    problem = problem_of(
        1.0, [0.2], [-0.1], [Home("a", [1.0], [3.0], True), Home("b", [0.0], [1.0], True)]
    )

    made = plan(problem)

    assert made.export_kw.tolist() == [0.0]
    assert made.curtailed_kw[:, 0].tolist() == pytest.approx([2.25, 0.75])
    assert made.cost_eur == 0


def test_panels_that_cannot_be_cut_go_on() -> None:
    made = plan(problem_of(1.0, [0.2], [-0.1], [Home("a", [1.0], [3.0])]))

    assert made.export_kw.tolist() == [2.0]
    assert made.cost_eur == pytest.approx(0.2)


def test_a_free_end_is_worth_what_it_is_said_to_be() -> None:
    kept = plan(
        problem_of(1.0, [0.3], [0.2], [], [battery(soc_start_kwh=2.0, end_value_eur_per_kwh=0.25)])
    )
    sold = plan(problem_of(1.0, [0.3], [0.2], [], [battery(soc_start_kwh=2.0)]))

    assert [kept.cost_eur, kept.end_value_eur] == pytest.approx([0.0, 0.5])
    assert [sold.cost_eur, sold.end_value_eur] == pytest.approx([-0.4, 0.0])


def test_energy_is_burned_at_a_negative_price_only_where_that_is_allowed() -> None:
    lossy = battery(
        charge_efficiency=0.5, discharge_efficiency=0.5, soc_start_kwh=0.0, soc_max_kwh=0.0
    )

    burned = plan(problem_of(1.0, [-1.0], [-1.0], [], [lossy]))
    forbidden = plan(problem_of(1.0, [-1.0], [-1.0], [], [lossy], exclusive=True))

    # 4 kW in stores 2, which takes 1 kW out: 3 kWh taken at -1 EUR.
    assert burned.cost_eur == pytest.approx(-3.0)
    assert forbidden.cost_eur == 0.0
    assert forbidden.charge_kw.tolist() == [[0.0]]


def test_a_meter_never_runs_both_ways_for_profit() -> None:
    problem = problem_of(1.0, [0.1, 0.1], [0.3, 0.3], [Home("h1", [2.0, 0.0])], [battery()])

    made = plan(problem)

    # Charge 4 kWh in either step at 0.10 and give it back in the other at 0.30: first step imports
    # 2 + 4, second exports 4.
    assert made.cost_eur == pytest.approx(0.6 - 1.2)
    assert np.minimum(made.import_kw, made.export_kw).max() == 0


def test_a_neighbourhood_without_anything_costs_nothing() -> None:
    made = plan(problem_of(0.25, [0.2, 0.3], [0.1, 0.1]))

    assert (made.status, made.cost_eur, made.peak_kw) == (Status.OPTIMAL, 0.0, 0.0)
    assert made.reasons == ()
