"""One direction each for the batteries of a fleet, where energy has a negative value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.fleet.certificate import cheapest_proven
from optimizer.fleet.interior import bound, walk
from optimizer.fleet.one_way import charging_shares, directed, directions_of_shares, one_way_flows
from optimizer.fleet.shape import fleet_of
from optimizer.fleet.whole_steps import whole_step_eur
from optimizer.linear.directions import (
    bounded,
    of_batteries,
    risky_cells,
    two_way_cells,
    with_directions,
)
from optimizer.linear.programme import programme_of
from optimizer.linear.solve import Solver
from optimizer.plan import Status
from optimizer.problem import Battery, Grid, Home, Problem, problem_of
from tests.speed import families

ONE_WATT_KW = 1e-3


def sunny(count: int, seed: int = 1, *, steps: int = 24, peak_eur: float = 0.0) -> Problem:
    """Return homes whose panels cannot be cut, on a day with prices below zero around noon."""
    chance = np.random.default_rng(seed)
    hour = np.linspace(0, 24, steps, endpoint=False)
    noon = np.exp(-(((hour - 13) / 3) ** 2))
    buy = 0.12 + 0.02 * chance.standard_normal(steps) - 0.25 * noon
    homes = [Home("h", np.full(steps, 0.5 * count), 2.0 * count * noon)]
    batteries = [
        Battery(
            id=f"b{number}",
            soc_min_kwh=0.5,
            soc_max_kwh=float(chance.uniform(4, 12)),
            soc_start_kwh=2.0,
            charge_max_kw=float(chance.uniform(2, 5)),
            discharge_max_kw=float(chance.uniform(2, 5)),
            charge_efficiency=float(chance.uniform(0.9, 0.98)),
            discharge_efficiency=float(chance.uniform(0.9, 0.98)),
            soc_end_kwh=2.0,
        )
        for number in range(count)
    ]
    grid = Grid(4.0 * count, 4.0 * count, peak_eur)
    return problem_of(24 / steps, buy, buy - 0.03, homes, batteries, grid, exclusive=True)


def least_with_whole_numbers(problem: Problem) -> float:
    programme = bounded(problem, programme_of(problem))
    every = of_batteries(problem, two_way_cells(problem))
    solution = Solver(60.0).solve(with_directions(programme, problem, every))
    assert solution is not None
    assert solution.is_proven
    return solution.cost


@pytest.mark.parametrize("seed", range(4))
def test_the_best_with_one_direction_each_lies_between_the_bound_and_the_plan(seed: int) -> None:
    problem = sunny(3, seed, steps=8)
    least = least_with_whole_numbers(problem)

    found = one_way_flows(problem)

    assert found is not None
    cost = found.cost_eur
    assert cost >= least - 1e-6
    assert cost - found.gap_eur <= least + 1e-6


def test_a_fleet_keeps_one_direction_within_all_limits_and_tells_the_gap() -> None:
    problem = sunny(30)

    made = plan(problem)

    assert made.status is Status.FEASIBLE
    assert made.violations == ()
    assert np.minimum(made.charge_kw, made.discharge_kw).max() <= ONE_WATT_KW
    assert made.gap_eur is not None
    assert 0 < made.gap_eur < 0.15 * abs(made.cost_eur)


def test_sharing_one_power_is_no_worse_than_nothing_and_no_better_than_one_direction() -> None:
    problem = sunny(30, steps=16)
    free, shared = fleet_of(problem), fleet_of(problem, two_way_cells(problem))
    assert free is not None
    assert shared is not None

    walk(free)
    walk(shared, 1e-7)
    found = one_way_flows(problem)

    assert found is not None
    assert bound(free) <= bound(shared) + 1e-4
    assert bound(shared) <= found.cost_eur + 1e-6


def test_whatever_the_prices_are_the_bound_on_shared_powers_and_whole_steps_holds() -> None:
    problem = sunny(3, steps=8)
    least = least_with_whole_numbers(problem)
    chance = np.random.default_rng(7)
    raised = 0
    for size in np.geomspace(0.03, 100.0, 40):
        made = fleet_of(problem, two_way_cells(problem))
        assert made is not None
        made.connection.price[:] = size * chance.standard_normal(8)
        block = made.blocks[0]
        block.price[:] = size * chance.standard_normal(block.price.shape)
        assert block.turns is not None
        block.turns.price[:] = size * chance.standard_normal(block.turns.price.shape)

        whole = whole_step_eur(made)

        assert whole >= 0
        assert bound(made) + whole <= least + 1e-9
        raised += whole > 0
    assert raised >= 25


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("moved", [0.0, 0.01])
def test_near_the_best_prices_whole_steps_raise_the_bound_and_it_holds(
    seed: int, moved: float
) -> None:
    problem = sunny(2, seed, steps=12, peak_eur=0.3)
    least = least_with_whole_numbers(problem)
    made = fleet_of(problem, two_way_cells(problem))
    assert made is not None
    walk(made, 1e-7)
    chance = np.random.default_rng(seed)
    made.connection.price[:] += moved * chance.standard_normal(12)

    whole = whole_step_eur(made)

    assert whole > 0
    assert bound(made) + whole <= least + 1e-9


def test_in_one_step_a_battery_that_ends_as_it_began_can_do_nothing() -> None:
    battery = Battery("b", 0.0, 10.0, 5.0, 4.0, 4.0, 0.9, 0.9, soc_end_kwh=5.0)
    home = Home("h", np.full(1, 8.0))
    problem = problem_of(1.0, [-0.1], [-0.2], [home], [battery], exclusive=True)
    made = fleet_of(problem, two_way_cells(problem))
    assert made is not None
    walk(made)

    shared, whole = bound(made), whole_step_eur(made)

    # Together: 4 / 1.81 kW out, over 0.81 in; what is lost in between earns 0.1 a kWh.
    assert shared == pytest.approx(-0.8 - 0.1 * 4 * (1 - 0.81) / 1.81, abs=1e-6)
    assert shared + whole == pytest.approx(-0.8, abs=0.01)


def test_the_same_fleet_at_negative_prices_gets_the_same_plan_bit_for_bit() -> None:
    problem = sunny(30, steps=16)

    first, second = plan(problem), plan(problem)

    assert first.charge_kw.tobytes() == second.charge_kw.tobytes()
    assert first.gap_eur == second.gap_eur


def test_without_losses_nothing_is_shared_and_the_plan_is_proven() -> None:
    lossy = sunny(30)
    ones = np.ones(30)
    problem = replace(lossy, charge_efficiency=ones, discharge_efficiency=ones)

    made = plan(problem)

    assert made.status is Status.OPTIMAL
    assert made.violations == ()


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("first", [0.0, 0.5])
def test_the_directions_of_shares_of_a_thousand_batteries_are_planned_exactly(
    seed: int, first: float
) -> None:
    problem = families.problem(families.family("P3-1000n", seed))
    risky = risky_cells(problem)
    shared = fleet_of(problem, risky)
    assert shared is not None
    walk(shared, 1e-7, 1e-4)

    forward = directions_of_shares(problem, risky, charging_shares(problem, shared), first)

    assert cheapest_proven(directed(problem, risky, forward)) is not None
