"""A single battery with one direction at a time is planned exactly, and soon, at any prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.linear.directions import Directions, bounded, two_way_cells, with_directions
from optimizer.linear.one_at_a_time import improved
from optimizer.linear.one_battery import best_course
from optimizer.linear.programme import programme_of
from optimizer.linear.solve import Solver
from optimizer.plan import Status
from optimizer.problem import Battery, Home, Problem, problem_of
from tests.optimizer.streets import street
from tests.speed import families

AS_GOOD = 1e-6
LIMIT_S = 60.0


def test_a_day_of_one_price_below_zero_is_proven_without_a_search() -> None:
    day = families.family("P1n")
    flat = replace(day, buy=np.full(96, -0.27), sell=np.full(96, -0.41))

    made = plan(families.problem(flat))

    assert made.status is Status.OPTIMAL
    assert made.gap_eur == 0.0
    assert made.violations == ()
    assert np.minimum(made.charge_kw, made.discharge_kw).max() == 0.0


def test_three_hours_burn_what_one_hour_of_giving_makes_room_for() -> None:
    # Full, 4 kWh and 2 kW, half of what is taken out is lost: an hour of giving 2 kW takes out
    # 4 kWh, and two hours of charging put it back. 4 - 2 = 2 kWh more than nothing, at EUR 0.10.
    battery = Battery("b", 0.0, 4.0, 4.0, 2.0, 2.0, 1.0, 0.5, soc_end_kwh=4.0)
    problem = problem_of(1.0, [-0.1] * 3, [-0.1] * 3, [], [battery], exclusive=True)

    made = plan(problem)

    assert made.status is Status.OPTIMAL
    assert made.cost_eur == pytest.approx(-0.2, abs=1e-9)


def test_limits_and_panels_that_are_cut_are_seen() -> None:
    # Half a kWh is lost each way. 1 kW of sun, none of it may be sold: at -0.10 to buy, cutting it
    # and charging 2 kW earns 0.20 in each of two hours; the limit of 2 kW leaves no more.
    home = Home("h", [0.0, 0.0], [1.0, 1.0], pv_curtailable=True)
    battery = Battery("b", 0.0, 10.0, 0.0, 5.0, 5.0, 0.5, 0.5)
    grid = street(0).grid
    problem = problem_of(
        1.0,
        [-0.1, -0.1],
        [-0.2, -0.2],
        [home],
        [battery],
        replace(grid, import_limit_kw=2.0, export_limit_kw=0.0, peak_price_eur_per_kw=0.0),
        exclusive=True,
    )

    course = best_course(problem, programme_of(problem))

    assert course is not None
    assert course.forward.tolist() == [True, True]
    assert course.bound == pytest.approx(-0.4, abs=1e-6)


def test_a_battery_that_does_its_best_beside_others_makes_no_plan_dearer() -> None:
    # Idle batteries at one price below zero for two hours: each alone gains by filling up.
    pair = [Battery(name, 0.0, 4.0, 0.0, 2.0, 2.0, 0.9, 0.9) for name in ("a", "b")]
    problem = problem_of(1.0, [-0.1, -0.1], [-0.1, -0.1], [], pair, exclusive=True)
    programme = programme_of(problem)
    idle = Solver(LIMIT_S).solve(programme.with_cost(np.ones(programme.cost.size)))
    assert idle is not None
    begun = replace(idle, cost=float(programme.cost @ idle.x))

    found = improved(problem, programme, begun, Solver(LIMIT_S))

    assert begun.cost == pytest.approx(0.0, abs=1e-9)
    assert found.cost == pytest.approx(-0.1 * 2 * 2 * 2, abs=1e-9)


def alone(seed: int) -> Problem | None:
    """Return a street of one battery that may not run both ways, or None for another street."""
    asked = replace(street(seed, plain=True), exclusive=True)
    if len(asked.batteries) != 1:
        return None
    return replace(asked, grid=replace(asked.grid, peak_price_eur_per_kw=0.0)).problem()


def held(seed: int) -> bool:
    """Hold bound and plan of a street against a search; return whether there was one to hold."""
    problem = alone(seed)
    if problem is None:
        return False
    programme = bounded(problem, programme_of(problem))
    course = best_course(problem, programme)
    if course is None:
        return False
    cells = np.flatnonzero(two_way_cells(problem).ravel())
    whole = Directions(cells, np.zeros(0, dtype=np.intp))
    searched = Solver(LIMIT_S).solve(with_directions(programme, problem, whole))
    made = plan(problem)
    assert searched is not None
    room = AS_GOOD * max(1.0, abs(searched.cost))
    assert searched.cost - room <= course.bound <= searched.cost + room
    assert made.cost_eur - made.end_value_eur == pytest.approx(searched.cost, abs=room)
    return True


def test_small_streets_cost_what_a_search_finds() -> None:
    assert sum(held(seed) for seed in range(80)) >= 10


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_a_thousand_streets_cost_what_a_search_finds() -> None:
    assert sum(held(seed) for seed in range(80, 4000)) >= 500
