"""What a plan says one more kWh is worth is what one more kWh costs when it is planned again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.fleet.certificate import SMALLEST
from optimizer.linear.programme import programme_of
from optimizer.linear.solve import HAS_HIGHSPY, Solver
from optimizer.plan import Plan
from optimizer.problem import Battery, Grid, Home, Problem, problem_of
from tests.speed.families import family
from tests.speed.families import problem as of_family

KWH = 1e-3


def net_cost(made: Plan) -> float:
    return made.cost_eur - made.end_value_eur


def with_more_use(problem: Problem, step: int, kwh: float) -> Problem:
    load = problem.load_kw.copy()
    load[0, step] += kwh / problem.interval_h
    return replace(problem, load_kw=load)


def one_home(*, end_value: float = 0.2) -> Problem:
    """Four hours: cheap, dear, cheap, dear, and a battery that is full after one."""
    return problem_of(
        1.0,
        [0.10, 0.40, 0.15, 0.50],
        [0.05, 0.08, 0.05, 0.09],
        [Home("h1", [1.0, 3.0, 1.0, 4.0])],
        [Battery("b1", 0.0, 2.0, 0.0, 5.0, 5.0, 0.9, 0.9, end_value_eur_per_kwh=end_value)],
        Grid(20.0, 20.0),
    )


def test_the_price_of_use_is_what_is_paid_at_the_margin() -> None:
    made = plan(one_home())

    # The full battery cannot lower the dear hours further: each hour's own price is the margin.
    assert made.local_price_eur_per_kwh == pytest.approx([0.10, 0.40, 0.15, 0.50])


def test_a_kwh_put_into_the_battery_is_worth_what_it_saves() -> None:
    made = plan(one_home())

    assert made.stored_value_eur_per_kwh is not None
    # In the cheap hours it saves charging, in the dear ones 0.9 of it is given back.
    worth = [0.10 / 0.9, 0.40 * 0.9, 0.15 / 0.9, 0.50 * 0.9]
    assert made.stored_value_eur_per_kwh[0] == pytest.approx(worth)


def between(price: float, problem: Problem, up: Problem, down: Problem) -> bool:
    """Return whether a price lies between what a kWh less saves and what one more costs."""
    here = net_cost(plan(problem))
    more = (net_cost(plan(up)) - here) / KWH
    less = (here - net_cost(plan(down))) / KWH
    return less - 1e-5 <= price <= more + 1e-5


@pytest.mark.parametrize("name", ["P1", "P3-3", f"P3-{SMALLEST}"])
def test_one_more_kwh_costs_its_price(name: str) -> None:
    problem = of_family(family(name))
    prices = plan(problem).local_price_eur_per_kwh

    assert prices is not None
    for step in range(8, problem.steps, 60):
        up, down = (with_more_use(problem, step, kwh) for kwh in (KWH, -KWH))
        assert between(float(prices[step]), problem, up, down)


@pytest.mark.parametrize("name", ["P1", "P3-3", f"P3-{SMALLEST}"])
def test_one_more_kwh_at_the_start_is_worth_what_it_saves(name: str) -> None:
    problem = of_family(family(name))
    values = plan(problem).stored_value_eur_per_kwh

    assert values is not None
    for battery in range(0, len(problem.battery_ids), 30):
        up, down = problem.soc_start_kwh.copy(), problem.soc_start_kwh.copy()
        up[battery] += KWH
        down[battery] -= KWH
        assert between(
            -float(values[battery, 0]),
            problem,
            replace(problem, soc_start_kwh=up),
            replace(problem, soc_start_kwh=down),
        )


def test_without_highspy_scipy_gives_the_same_cost_and_prices_as_good() -> None:
    problem = of_family(family("P3-3"))
    programme = programme_of(problem)
    one, other = Solver(15.0).solve(programme), Solver(15.0, through_scipy=True).solve(programme)

    assert one is not None
    assert other is not None
    assert one.cost == pytest.approx(other.cost, rel=1e-9)
    for solution in (one, other):
        assert solution.row_price is not None
        reduced = programme.cost - programme.matrix.T @ solution.row_price
        bound = solution.row_price @ np.where(
            solution.row_price > 0, programme.row_low, programme.row_high
        ).clip(-1e30, 1e30)
        edges = np.where(reduced > 0, programme.low, programme.high)
        edges = np.where(np.abs(reduced) < 1e-9, 0.0, edges)
        assert bound + reduced @ edges == pytest.approx(solution.cost, rel=1e-9)


def test_highspy_is_used_where_it_is_installed() -> None:
    assert HAS_HIGHSPY
    assert not Solver(1.0).through_scipy
