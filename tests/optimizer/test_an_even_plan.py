"""Of the plans that cost the same the even one comes, and a little noise moves it little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.even.evenly import evened
from optimizer.even.level import level
from optimizer.even.margins import even_table
from optimizer.linear.directions import bounded
from optimizer.linear.flows import Flows, cost_eur, stored_kwh
from optimizer.linear.programme import flows_of, programme_of
from optimizer.linear.repair import without_free_overlap
from optimizer.linear.solve import Solver
from optimizer.plan import Plan
from optimizer.problem import Battery, FloatArray, Grid, Home, Problem, problem_of
from tests.optimizer.fleets import fleet
from tests.speed.families import family
from tests.speed.families import problem as of_family

LOAD = [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 2.0]
SUN = [2.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]


def one_price(*batteries: Battery, grid: Grid | None = None, sun: list[float] = SUN) -> Problem:
    """Return four sunny hours and four dark ones at one price."""
    return problem_of(1.0, [0.3] * 8, [0.1] * 8, [Home("h1", LOAD, sun)], batteries, grid)


def lossless(name: str, capacity: float, power: float = 2.0) -> Battery:
    return Battery(name, 0.0, capacity, 0.0, power, power, 1.0, 1.0)


def steered(made: Plan) -> list[list[float]]:
    return [list(row) for row in (made.charge_kw - made.discharge_kw).round(6)]


def test_at_one_price_a_battery_charges_and_gives_back_at_one_power() -> None:
    made = plan(one_price(lossless("b1", 4.0)))

    assert steered(made) == [[1.0] * 4 + [-1.0] * 4]


@pytest.mark.parametrize("batteries", [1, 2])
def test_a_step_that_comes_to_charge_gives_nothing_back(batteries: int) -> None:
    # At one price either way all hours are alike, also those in which nothing was done before.
    named = [lossless(f"b{place}", 4.0) for place in range(batteries)]
    problem = problem_of(1.0, [0.3] * 6, [0.3] * 6, [Home("h1", [2.0] * 6, [0.0] * 6)], named)
    charge, discharge = np.zeros((2, batteries, 6))
    charge[:, 0] = 1.5
    discharge[:, 3] = 1.5

    found = evened(problem, Flows(charge, discharge, np.zeros(6)))

    assert np.minimum(found.charge_kw, found.discharge_kw).max() < 1e-9
    assert found.charge_kw.sum() == pytest.approx(1.5 * batteries)
    assert found.discharge_kw.sum() == pytest.approx(1.5 * batteries)
    assert found.charge_kw.max() < 1.0


def test_what_the_sun_does_not_give_is_made_up_for_in_the_other_hours() -> None:
    made = plan(one_price(lossless("b1", 4.0), sun=[0.4, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]))

    # From the sun it costs 0.10, from the grid 0.30: never more than there is.
    assert steered(made) == [[0.4, 1.2, 1.2, 1.2] + [-1.0] * 4]


def test_export_that_is_over_its_limit_is_taken_first() -> None:
    made = plan(
        one_price(
            lossless("b1", 4.0),
            grid=Grid(export_limit_kw=2.0),
            sun=[2.0, 2.0, 4.0, 2.0, 0.0, 0.0, 0.0, 0.0],
        )
    )

    # The third hour has to take 2 kW; the others share what is left.
    assert steered(made) == [[0.666667, 0.666667, 2.0, 0.666667] + [-1.0] * 4]


def test_batteries_that_are_alike_do_alike() -> None:
    made = plan(one_price(lossless("b1", 2.0), lossless("b2", 2.0)))

    assert np.allclose(made.charge_kw[0], made.charge_kw[1])
    assert np.allclose(made.discharge_kw[0], made.discharge_kw[1])
    assert np.allclose(made.charge_kw[:, :4], 0.5, atol=1e-6)


def test_roofs_are_cut_in_the_same_part() -> None:
    homes = [Home("a", [0.0], [2.0], pv_curtailable=True), Home("b", [0.0], [6.0], True)]

    made = plan(problem_of(1.0, [0.1], [0.05], homes, [], Grid(export_limit_kw=4.0)))

    # Four of the eight kW have to go: half of each roof.
    assert made.curtailed_kw[:, 0] == pytest.approx([1.0, 3.0])


def test_the_order_of_batteries_changes_only_the_order() -> None:
    problem = of_family(family("P3-3"))
    rows = np.array([2, 0, 3, 1])
    turned = replace(
        problem,
        soc_min_kwh=problem.soc_min_kwh[rows],
        soc_max_kwh=problem.soc_max_kwh[rows],
        soc_start_kwh=problem.soc_start_kwh[rows],
        soc_end_kwh=problem.soc_end_kwh[rows],
        charge_max_kw=problem.charge_max_kw[rows],
        discharge_max_kw=problem.discharge_max_kw[rows],
        charge_efficiency=problem.charge_efficiency[rows],
        discharge_efficiency=problem.discharge_efficiency[rows],
    )

    assert np.allclose(plan(turned).charge_kw, plan(problem).charge_kw[rows], atol=1e-5)


def corner(problem: Problem) -> Flows:
    """Return the cheapest flows that the solver comes by."""
    programme = bounded(problem, programme_of(problem))
    solution = Solver(15.0).solve(programme)
    assert solution is not None
    return without_free_overlap(problem, flows_of(problem, programme.layout, solution.x))


def test_an_even_plan_costs_the_same_and_stores_the_same_at_the_end() -> None:
    changed = 0
    for seed in range(40):
        problem = fleet(seed)
        found = corner(problem)
        even = evened(problem, found)

        cost = cost_eur(problem, found)
        assert cost_eur(problem, even) == pytest.approx(cost, rel=2e-9, abs=2e-9)
        before, after = (
            stored_kwh(problem, one.charge_kw, one.discharge_kw)[:, -1] for one in (found, even)
        )
        assert np.allclose(after, before, atol=1e-8)
        changed += even is not found
    assert changed > 5


def test_evening_out_twice_changes_nothing_more() -> None:
    problem = of_family(family("P3-3"))
    made = plan(problem)
    flows = Flows(made.charge_kw, made.discharge_kw, made.curtailed_kw.sum(axis=0))

    assert np.allclose(evened(problem, flows).charge_kw, made.charge_kw, atol=1e-6)


def noisy(problem: Problem, chance: np.random.Generator, *, prices: bool) -> Problem:
    """Return the problem with every forecast, and prices where asked, off by 1 %."""

    def off(values: FloatArray) -> FloatArray:
        found: FloatArray = values * (1 + 0.01 * chance.standard_normal(values.shape))
        return found

    spread = problem.buy_eur_per_kwh - problem.sell_eur_per_kwh
    buy = off(problem.buy_eur_per_kwh) if prices else problem.buy_eur_per_kwh
    return replace(
        problem,
        load_kw=off(problem.load_kw),
        pv_kw=off(problem.pv_kw),
        buy_eur_per_kwh=buy,
        sell_eur_per_kwh=buy - spread,
    )


@pytest.mark.parametrize("prices", [False, True])
@pytest.mark.parametrize("name", ["P1", "P2", "P3-3"])
def test_noise_of_one_per_cent_hardly_moves_the_plan(name: str, *, prices: bool) -> None:
    chance = np.random.default_rng(11)
    first: list[float] = []
    all_of_it: list[float] = []
    for seed in range(1, 4):
        problem = of_family(family(name, seed))
        before, after = plan(problem), plan(noisy(problem, chance, prices=prices))
        moved = np.abs(
            before.charge_kw - before.discharge_kw - after.charge_kw + after.discharge_kw
        )
        part = moved / problem.charge_max_kw
        first.extend(part[:, 0])
        all_of_it.extend(part.ravel())

    assert np.median(first) < 0.05
    assert np.median(all_of_it) < 0.05
    # With prices some quarters of nearly one price change places; without, hardly any does.
    assert np.mean(all_of_it) < (0.15 if prices else 0.02)


def test_a_group_is_filled_to_one_level_within_ranges() -> None:
    now = np.array([3.0, 0.0, 0.0, 5.0, 1.0])
    high = np.array([3.0, 0.5, 9.0, 9.0, 9.0])
    low = np.array([0.0, 0.0, 0.0, 4.0, 0.0])

    # 3 over three: the second can take half, so 1.25 each for the others; then 6 with 4 at least.
    filled = level(now, low, high, np.array([0, 0, 0, 1, 1]))

    assert filled == pytest.approx([1.25, 0.5, 1.25, 4.0, 2.0])


def test_an_even_table_keeps_its_sums_and_ranges() -> None:
    chance = np.random.default_rng(2)
    most = chance.uniform(1, 5, (4, 9))
    some = most * chance.uniform(0.05, 0.95, most.shape)

    table = even_table(some.sum(axis=1), some.sum(axis=0), most)

    assert table is not None
    assert np.allclose(table.sum(axis=1), some.sum(axis=1), atol=1e-9)
    assert np.allclose(table.sum(axis=0), some.sum(axis=0), atol=1e-9)
    assert ((table > 0) & (table < most)).all()


def test_an_even_table_that_cannot_be_is_not_made_up() -> None:
    most = np.ones((2, 2))

    assert even_table(np.array([2.0, 0.5]), np.array([0.2, 2.3]), most) is None
