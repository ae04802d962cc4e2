"""Schedules in windows of negative prices: what each battery can do, and what all of them gain."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.fleet.directing import Directing
from optimizer.fleet.interior import walk
from optimizer.fleet.laps import Laps
from optimizer.fleet.one_way import one_way_flows
from optimizer.fleet.outside import tell_by_charging
from optimizer.fleet.schedules import Scheduler
from optimizer.fleet.shape import Fleet, fleet_of
from optimizer.fleet.whole_steps import whole_step_eur
from optimizer.fleet.windows import windows_of
from optimizer.linear.directions import two_way_cells
from optimizer.plan import Status
from optimizer.problem import Battery, Grid, Home, Problem, problem_of
from tests.optimizer.test_a_fleet_at_negative_prices import least_with_whole_numbers, sunny

ROUNDING = 1e-6


def walked(problem: Problem) -> Fleet:
    made = fleet_of(problem, two_way_cells(problem))
    assert made is not None
    walk(made, 1e-7)
    return made


def most_bytes(work: Callable[[], object]) -> int:
    """Return how much memory some work takes at once, beside what is there already."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def all_below_zero(problem: Problem) -> Problem:
    down = float(problem.buy_eur_per_kwh.max()) + 0.01
    return replace(
        problem,
        buy_eur_per_kwh=problem.buy_eur_per_kwh - down,
        sell_eur_per_kwh=problem.sell_eur_per_kwh - down,
    )


def test_a_schedule_keeps_to_the_band_and_to_what_each_step_can_move() -> None:
    made = walked(sunny(12, steps=48))
    block = made.blocks[0]
    found = windows_of(block, made.connection.price)

    for window in found:
        moves, held = window.costs(block.reduced_alone(made.connection.price))
        stored = Scheduler(window).cheapest(moves, held)

        more = np.diff(stored, axis=0)
        assert (stored >= window.low - ROUNDING).all()
        assert (stored <= window.high + ROUNDING).all()
        assert (more <= window.most[0] + ROUNDING).all()
        assert (-more <= window.most[1] + ROUNDING).all()
    assert found


def test_no_schedule_drawn_by_lot_is_cheaper_than_the_one_found() -> None:
    made = walked(sunny(8, steps=32))
    block = made.blocks[0]
    chance = np.random.default_rng(3)
    for window in windows_of(block, made.connection.price):
        moves, held = window.costs(block.reduced_alone(made.connection.price))
        best = window.cost(Scheduler(window).cheapest(moves, held), moves, held)
        room = 0.01 * float(np.abs(best).max())
        for _ in range(300):
            drawn = np.empty_like(window.low)
            drawn[0] = chance.uniform(window.low[0], window.high[0])
            for step in range(moves.shape[1]):
                up, down = window.most[:, step] * chance.choice([0.0, 1.0], (2, best.size))
                aim = drawn[step] + np.where(chance.random(best.size) < 0.6, up, -down)
                drawn[step + 1] = np.clip(aim, window.low[step + 1], window.high[step + 1])

            assert (best <= window.cost(drawn, moves, held) + room).all()


def test_schedules_whose_limits_differ_from_step_to_step_take_little_more_memory() -> None:
    same = all_below_zero(sunny(60, steps=96))
    part = np.random.default_rng(2).uniform(0.7, 1.0, same.charge_max_kw.shape)
    differing = replace(same, charge_max_kw=part * same.charge_max_kw)

    def scheduled(problem: Problem) -> Callable[[], object]:
        made = walked(problem)
        block = made.blocks[0]
        (window,) = windows_of(block, made.connection.price)
        moves, held = window.costs(block.reduced_alone(made.connection.price))
        return lambda: Scheduler(window).cheapest(moves, held)

    assert most_bytes(scheduled(differing)) < 1.2 * most_bytes(scheduled(same))


def test_what_is_too_large_for_schedules_takes_no_memory_for_them() -> None:
    large = all_below_zero(sunny(650, steps=96))

    def one_way() -> None:
        one_way_flows(large, cheapest=lambda _: None)

    assert most_bytes(one_way) < 1.1 * most_bytes(lambda: walked(large))


def test_what_schedules_say_is_near_to_what_is_proven() -> None:
    made = walked(sunny(30, steps=48, peak_eur=0.3))
    directing = Directing(made)
    directing.directions(np.zeros((30, 48), dtype=np.bool_))
    tell_by_charging(made, directing.inside)

    said, proven = directing.nearly_eur(), whole_step_eur(made)

    assert proven > 0
    assert said == pytest.approx(proven, rel=0.01)


def test_laps_that_nothing_measures_take_no_time_and_all_fit() -> None:
    laps = Laps(lambda: np.inf)

    assert laps.lap() == 0.0
    assert laps.fits(1e9)


def test_a_lap_that_would_take_all_that_is_left_does_not_fit() -> None:
    left_s = iter([10.0, 7.0, 4.0])
    laps = Laps(lambda: next(left_s))

    assert laps.lap() == 3.0
    assert laps.fits(3.0)
    assert laps.lap() == 3.0
    assert laps.fits(3.9)
    assert not laps.fits(4.0)


def test_a_full_battery_empties_and_fills_where_using_energy_pays() -> None:
    # Full at first and at last, 1 kWh a step: three steps out and three in burn 3 (1 - 0.81) kWh,
    # and no other order burns more in six steps.
    battery = Battery("b", 0.0, 3.0, 3.0, 1 / 0.9, 0.9, 0.9, 0.9, soc_end_kwh=3.0)
    home = Home("h", np.full(6, 8.0))
    problem = problem_of(1.0, [-0.1] * 6, [-0.2] * 6, [home], [battery], exclusive=True)

    found = one_way_flows(problem)

    assert found is not None
    # In: 3 / 0.9 kWh, out: 3 * 0.9 kWh.
    assert found.cost_eur == pytest.approx(-0.1 * (48 + 3 / 0.9 - 3 * 0.9), abs=1e-6)


@pytest.mark.parametrize(("count", "used_kw"), [(5, 0.5), (30, 0.0)])
def test_batteries_behind_a_connection_that_carries_nothing_get_a_plan(
    count: int, used_kw: float
) -> None:
    homes = [Home("h", np.full(10, used_kw))]
    batteries = [
        Battery(f"b{number}", 0.0, 3.0 + 0.01 * number, 2.0, 1.0, 1.0, 0.9, 0.9)
        for number in range(count)
    ]
    problem = problem_of(
        1.0, [-0.1] * 10, [-0.1] * 10, homes, batteries, Grid(0.0, 0.0), exclusive=True
    )

    made, found = plan(problem), one_way_flows(problem)

    assert found is not None
    assert found.cost_eur == made.cost_eur == 0.0
    assert found.gap_eur <= ROUNDING
    assert made.status is Status.OPTIMAL
    assert made.violations == ()


def test_schedules_bring_plan_and_bound_nearer_to_each_other() -> None:
    problem = sunny(30, steps=32, peak_eur=0.3)

    without, found = one_way_flows(problem, again=0), one_way_flows(problem)

    assert without is not None
    assert found is not None
    assert found.cost_eur <= without.cost_eur
    assert found.gap_eur < 0.3 * without.gap_eur


def test_schedules_are_looked_for_no_more_when_that_would_take_longer_than_is_left() -> None:
    problem = sunny(40, steps=48, peak_eur=0.3)
    asked: list[float] = []

    def left_s(until: float) -> float:
        asked.append(until - 4.0 * len(asked))
        return asked[-1]

    whole = one_way_flows(problem, 0.0, 6)
    late = one_way_flows(problem, 0.0, 6, lambda: left_s(22.0))
    later = one_way_flows(problem, 0.0, 6, lambda: left_s(1e9))

    assert whole is not None
    assert late is not None
    assert later is not None
    # 4 s each: what comes before the first, and three. With 2 s left none is begun.
    assert asked[:6] == [22.0, 18.0, 14.0, 10.0, 6.0, 2.0]
    # Six others were in time, some with a proof that takes a lap of its own.
    assert len(asked) >= 6 + 9
    assert whole.cost_eur - whole.gap_eur > late.cost_eur - late.gap_eur
    assert later.gap_eur == whole.gap_eur


def test_no_schedules_are_looked_for_when_shared_powers_took_all_the_time() -> None:
    problem = sunny(40, steps=48, peak_eur=0.3)
    asked: list[float] = []

    def nothing_left_s() -> float:
        asked.append(0.0)
        return 0.0

    without = one_way_flows(problem, again=0)
    found = one_way_flows(problem, 0.0, 6, nothing_left_s)

    assert without is not None
    assert found is not None
    assert len(asked) == 2
    assert (found.cost_eur, found.gap_eur) == (without.cost_eur, without.gap_eur)


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_with_whole_numbers_lies_in_the_gap_that_schedules_leave(seed: int) -> None:
    problem = sunny(3, seed, steps=10, peak_eur=0.2)
    least = least_with_whole_numbers(problem)

    found = one_way_flows(problem, 0.0, 6)

    assert found is not None
    assert found.cost_eur >= least - ROUNDING
    assert found.cost_eur - found.gap_eur <= least + ROUNDING


def test_batteries_that_are_named_in_another_order_cost_the_same() -> None:
    problem = sunny(30, steps=24)
    order = np.random.default_rng(5).permutation(30)
    rows = {
        key: getattr(problem, key)[order]
        for key in (
            "soc_max_kwh",
            "charge_max_kw",
            "discharge_max_kw",
            "charge_efficiency",
            "discharge_efficiency",
        )
    }

    first, second = one_way_flows(problem), one_way_flows(replace(problem, **rows))

    assert first is not None
    assert second is not None
    assert second.cost_eur == pytest.approx(first.cost_eur, abs=1e-6)
    assert second.flows.charge_kw == pytest.approx(first.flows.charge_kw[order], abs=1e-4)


def test_a_store_that_cools_down_is_left_to_the_bound_of_shared_powers() -> None:
    lossy = sunny(30, steps=24)
    retention = np.array(lossy.retention)
    retention[:5] = 0.98
    problem = replace(lossy, retention=retention)

    found = one_way_flows(problem)

    assert found is not None
    assert found.gap_eur >= 0
    assert np.minimum(found.flows.charge_kw, found.flows.discharge_kw).max() <= 1e-6
