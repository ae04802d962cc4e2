"""The planner of many batteries against HiGHS, and against every shape that could break it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.fleet.certificate import SMALLEST, cheapest_proven
from optimizer.fleet.interior import bound, settled, walk
from optimizer.fleet.ladder import CHARGE, DISCHARGE, STORED
from optimizer.fleet.shape import fleet_of
from optimizer.linear.directions import bounded
from optimizer.linear.flows import cost_eur, end_value_eur, stored_kwh
from optimizer.linear.programme import programme_of
from optimizer.linear.solve import Solver
from optimizer.plan import Status
from optimizer.problem import Battery, FloatArray, Grid, Home, Problem, problem_of
from tests.optimizer.fleets import fleet, mixed

HOUR = np.arange(8.0)
BUY = 0.25 + 0.1 * np.sin(HOUR)


def least_objective(problem: Problem) -> float | None:
    solution = Solver(60.0).solve(bounded(problem, programme_of(problem)))
    return None if solution is None else solution.cost - paid_eur(problem)


def paid_eur(problem: Problem) -> float:
    """Return what the peak so far costs, which no plan changes; a programme counts it too."""
    return problem.peak_price_eur_per_kw * problem.peak_so_far_kw


def objective(problem: Problem) -> float | None:
    proven = cheapest_proven(problem)
    if proven is None:
        return None
    flows = proven.flows
    stored = stored_kwh(problem, flows.charge_kw, flows.discharge_kw)
    return cost_eur(problem, flows) - end_value_eur(problem, stored)


def street(
    count: int = SMALLEST,
    changes: Mapping[str, object] | None = None,
    *,
    buy: FloatArray = BUY,
) -> Problem:
    """Return homes with panels and batteries, all a little different."""
    one = Battery(
        id="b",
        soc_min_kwh=0.5,
        soc_max_kwh=8.0,
        soc_start_kwh=3.0,
        charge_max_kw=3.0,
        discharge_max_kw=3.0,
        charge_efficiency=0.95,
        discharge_efficiency=0.95,
        soc_end_kwh=3.0,
    )
    batteries = [
        replace(one, id=f"b{number}", **({"soc_max_kwh": 6.0 + number / 10} | dict(changes or {})))  # type: ignore[arg-type]  # by name
        for number in range(count)
    ]
    sun = np.maximum(0.0, 4 * np.sin(HOUR[: buy.size]))
    homes = [Home("h1", np.full(buy.size, 1.0 * count), sun * count, pv_curtailable=True)]
    limits = Grid(4.0 * count, 2.0 * count, 0.35)
    return problem_of(1.0, buy, buy - 0.1, homes, batteries, limits)


def proven_share(seeds: range, **most: int) -> float:
    """Hold random fleets against HiGHS; return the share that was proven without it."""
    return proven_share_of([fleet(seed, **most) for seed in seeds])


def proven_share_of(problems: Sequence[Problem]) -> float:
    proven = 0
    for seed, problem in enumerate(problems):
        found, least = objective(problem), least_objective(problem)
        if found is not None:
            proven += 1
            assert least is not None, f"seed {seed} has no plan"
            assert found == pytest.approx(least, rel=1e-6, abs=1e-6), f"seed {seed}"
    return proven / len(problems)


def test_random_fleets_cost_what_highs_finds_and_nearly_all_are_proven_without_it() -> None:
    assert proven_share(range(40)) >= 0.95


def test_cars_and_warm_houses_are_a_fleet_too_with_uneven_steps_and_a_peak_so_far() -> None:
    assert proven_share_of([mixed(seed) for seed in range(20)]) >= 0.95


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_many_stores_of_all_kinds_cost_what_highs_finds() -> None:
    many = [mixed(seed, most_steps=48, most_stores=30) for seed in range(1500)]

    assert proven_share_of(many) >= 0.95


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_larger_random_fleets_cost_what_highs_finds() -> None:
    assert proven_share(range(3000), most_steps=48, most_batteries=40) >= 0.95


@pytest.mark.parametrize(
    "changes",
    [
        {"charge_max_kw": 0.0, "discharge_max_kw": 0.0},
        {"charge_max_kw": 0.0, "soc_end_kwh": None},
        {"soc_min_kwh": 3.0, "soc_max_kwh": 3.0},
        {"soc_max_kwh": np.linspace(8.0, 3.0, 8)},
        {"soc_min_kwh": 5.0, "soc_end_kwh": None},
        {"charge_efficiency": 1.0, "discharge_efficiency": 1.0},
        {"soc_end_kwh": None, "end_value_eur_per_kwh": 0.3},
        {"soc_end_kwh": None, "end_value_eur_per_kwh": -0.3},
        {"wear_eur_per_kwh": 5.0},
    ],
)
def test_odd_batteries_are_planned_as_cheaply_as_highs_does(changes: dict[str, object]) -> None:
    problem = street(changes=changes)

    made = plan(problem)

    assert made.status is Status.OPTIMAL
    assert made.violations == ()
    assert made.cost_eur - made.end_value_eur == pytest.approx(least_objective(problem), rel=1e-6)


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_the_size_of_prices_changes_nothing_but_the_cost(size: float) -> None:
    plain = street()
    scaled = replace(
        plain,
        buy_eur_per_kwh=plain.buy_eur_per_kwh * size,
        sell_eur_per_kwh=plain.sell_eur_per_kwh * size,
        peak_price_eur_per_kw=plain.peak_price_eur_per_kw * size,
    )
    least, found = least_objective(plain), objective(scaled)

    assert least is not None
    assert found is not None
    assert found / size == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("count", [1, SMALLEST])
def test_one_step_and_one_battery_are_a_fleet_too(count: int) -> None:
    problem = street(count, buy=BUY[:1])

    assert objective(problem) == pytest.approx(least_objective(problem), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"soc_start_kwh": 20.0}, "batteries.b0.soc_max_kwh"),
        ({"soc_end_kwh": 50.0}, "batteries.b0.soc_end_kwh"),
        ({"soc_start_kwh": 0.0, "charge_max_kw": 0.0}, "batteries.b0.soc_min_kwh"),
    ],
)
def test_limits_that_cannot_be_met_are_left_to_the_solver_that_softens_them(
    changes: dict[str, object], limit: str
) -> None:
    problem = street(changes=changes)

    assert cheapest_proven(problem) is None
    made = plan(problem)
    assert made.status is Status.RELAXED
    assert limit in {one.limit for one in made.violations}


def test_a_start_off_its_band_that_can_come_back_is_planned_exactly() -> None:
    problem = street(changes={"soc_start_kwh": 0.0})

    made = plan(problem)

    assert made.status is Status.OPTIMAL
    assert made.cost_eur == pytest.approx(least_objective(problem), rel=1e-6)


def test_the_order_of_batteries_changes_nothing_but_the_order() -> None:
    problem = street(SMALLEST + 5)
    order = np.random.default_rng(3).permutation(SMALLEST + 5)
    shuffled = replace(
        problem,
        battery_ids=tuple(problem.battery_ids[row] for row in order),
        **{
            key: getattr(problem, key)[order]
            for key in (
                "soc_min_kwh",
                "soc_max_kwh",
                "soc_start_kwh",
                "soc_end_kwh",
                "end_value_eur_per_kwh",
                "charge_max_kw",
                "discharge_max_kw",
                "charge_efficiency",
                "discharge_efficiency",
                "wear_eur_per_kwh",
            )
        },
    )

    first, second = plan(problem), plan(shuffled)

    assert second.cost_eur == pytest.approx(first.cost_eur, rel=1e-12)
    assert np.abs(second.charge_kw - first.charge_kw[order]).max() <= 1e-6
    assert np.abs(second.discharge_kw - first.discharge_kw[order]).max() <= 1e-6


def test_batteries_that_are_alike_do_alike() -> None:
    made = plan(street(changes={"soc_max_kwh": 8.0}))

    assert (made.charge_kw == made.charge_kw[0]).all()
    assert (made.discharge_kw == made.discharge_kw[0]).all()


def test_many_batteries_of_few_kinds_are_planned_as_exactly_as_if_each_was_one() -> None:
    kinds = [street(1, {"soc_max_kwh": 5.0 + number}) for number in range(3)]
    rows = np.array([0, 1, 2] * 15 + [1] * 15)
    problem = street(rows.size)
    one_of_each = np.concatenate([one.soc_max_kwh for one in kinds])
    mixed_up = replace(problem, soc_max_kwh=one_of_each[rows])

    made = plan(mixed_up)

    assert made.status is Status.OPTIMAL
    assert made.cost_eur == pytest.approx(least_objective(mixed_up), rel=1e-6)
    for kind in range(3):
        same = made.charge_kw[rows == kind]
        assert (same == same[0]).all()


def test_the_same_fleet_gets_the_same_plan_bit_for_bit() -> None:
    problem = street(SMALLEST)

    first, second = plan(problem), plan(problem)

    assert first.charge_kw.tobytes() == second.charge_kw.tobytes()
    assert first.discharge_kw.tobytes() == second.discharge_kw.tobytes()
    assert first.reasons == second.reasons


def test_rough_numbers_on_the_way_change_nothing_where_it_ends() -> None:
    kept = 0
    for seed in range(20):
        problem = fleet(seed, most_steps=24, most_batteries=20)
        exact, roughly = fleet_of(problem), fleet_of(problem)
        if exact is None or roughly is None:
            continue
        roughly.go_roughly()

        with np.errstate(all="ignore"):
            walk(exact)
            walk(roughly)

        assert not roughly.is_rough
        assert bound(roughly) == pytest.approx(bound(exact), rel=1e-6, abs=1e-6), f"seed {seed}"
        kept += 1
    assert kept >= 15


def test_a_large_fleet_is_proven_and_the_same_bit_for_bit() -> None:
    problem = street(6_000)

    first, second = cheapest_proven(problem), cheapest_proven(problem)

    assert first is not None
    assert second is not None
    assert first.flows.charge_kw.tobytes() == second.flows.charge_kw.tobytes()
    assert first.flows.discharge_kw.tobytes() == second.flows.discharge_kw.tobytes()


def test_a_charge_that_is_hardly_one_is_not_lost_where_nothing_else_can_move() -> None:
    made = fleet_of(street())
    assert made is not None
    walk(made)
    block = made.blocks[0]
    powers, tiny, one = block.powers, 5e-7, 3
    for kind in (CHARGE, DISCHARGE):
        powers.above[kind, :, one] = 1e-12
        powers.low_price[kind, :, one] = 0.05
    powers.above[CHARGE, 2, one] = tiny
    powers.low_price[CHARGE, 2, one] = 1e-6
    powers.below[:2, :, one] = powers.width[:2, :, one] - powers.above[:2, :, one]
    block.begun[0, one] -= tiny * block.into[0, one]  # it ends where it began by that charge alone
    held = block.begun[0, one] - powers.low[STORED, :-1, one]
    powers.above[STORED, :-1, one] = held
    powers.below[STORED, :-1, one] = powers.width[STORED, :-1, one] - held

    found, _ = settled(made)

    assert np.abs(block.off_chain(found[0])).max() <= 1e-11
    assert found[0][CHARGE, 2, one] == pytest.approx(tiny, abs=1e-10)


def test_whatever_the_prices_are_no_plan_costs_less_than_the_bound() -> None:
    problem = street(5)
    least = least_objective(problem)
    assert least is not None
    chance = np.random.default_rng(5)
    for size in (0.0, 0.1, 1.0, 100.0):
        made = fleet_of(problem)
        assert made is not None
        made.connection.price[:] = size * chance.standard_normal(8)
        made.connection.peak_price[:] = size * chance.standard_normal(8)
        made.blocks[0].price[:] = size * chance.standard_normal((8, 5))

        assert bound(made) <= least + 1e-9


def test_nothing_charges_and_discharges_at_once_while_prices_are_above_zero() -> None:
    for seed in range(0, 20, 4):
        problem = street(SMALLEST + seed)
        proven = cheapest_proven(problem)
        assert proven is not None
        assert np.minimum(proven.flows.charge_kw, proven.flows.discharge_kw).max() == 0.0


def test_a_fleet_at_negative_prices_keeps_one_direction_where_it_is_asked_to() -> None:
    buy = np.array([0.3, -0.2, -0.1, 0.4])
    problem = replace(street(SMALLEST, buy=buy), exclusive=True)

    made = plan(problem)

    assert made.violations == ()
    assert np.minimum(made.charge_kw, made.discharge_kw).max() <= 1e-6
    assert made.cost_eur >= (least_objective(problem) or 0.0) - 1e-6


def test_a_fleet_that_may_sell_above_the_buying_price_is_left_to_the_other_solver() -> None:
    problem = street(SMALLEST)

    assert cheapest_proven(replace(problem, sell_eur_per_kwh=problem.buy_eur_per_kwh + 0.1)) is None
