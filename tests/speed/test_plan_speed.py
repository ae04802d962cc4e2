"""How long planning takes, as a multiple of the bare solver on the same numbers.

Three bare solvers in the same run, each handed the finished matrix: HiGHS through SciPy and through
its own Python interface with the options the planner uses, and the latter as it comes. Runs are
interleaved, so that a busy machine slows all of them; ratios count, not milliseconds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import highspy
import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from optimizer.dispatch import plan
from optimizer.problem import Battery, Grid, Home, Problem, problem_of
from optimizer.programme import Programme, programme_of

STEPS = 96
GOAL_OVERHEAD = 0.30
"""Building and reading back, over the solver's own time, for 100 batteries."""


def fleet(batteries: int, *, seed: int = 1) -> Problem:
    """Return a summer day of a street: homes with panels and batteries behind one connection."""
    chance = np.random.default_rng(seed)
    hour = np.arange(STEPS) / 4
    buy = 0.25 + 0.1 * np.sin((hour - 14) * np.pi / 6) + 0.02 * chance.standard_normal(STEPS)
    evening = np.exp(-(((hour - 19) / 2) ** 2))
    sun = np.clip(np.sin((hour - 6) * np.pi / 12), 0, None)
    homes = [
        Home(
            f"h{number}",
            np.abs(0.4 + 0.5 * evening + 0.2 * chance.standard_normal(STEPS)),
            4 * chance.uniform(0.5, 1.2) * sun * chance.uniform(0.6, 1, STEPS),
            pv_curtailable=True,
        )
        for number in range(batteries)
    ]
    stores = [
        Battery(
            id=f"b{number}",
            soc_min_kwh=0.5,
            soc_max_kwh=chance.uniform(5, 12),
            soc_start_kwh=3.0,
            charge_max_kw=chance.uniform(2, 5),
            discharge_max_kw=chance.uniform(2, 5),
            charge_efficiency=chance.uniform(0.93, 0.98),
            discharge_efficiency=chance.uniform(0.93, 0.98),
            soc_end_kwh=3.0,
            wear_eur_per_kwh=0.01,
        )
        for number in range(batteries)
    ]
    grid = Grid(3.0 * batteries, 2.0 * batteries, 0.35)
    return problem_of(0.25, buy, buy - 0.12, homes, stores, grid)


def through_scipy(programme: Programme) -> float | None:
    found = milp(
        programme.cost,
        bounds=Bounds(programme.low, programme.high),
        constraints=LinearConstraint(programme.matrix, programme.row_low, programme.row_high),
        options={"presolve": False},
    )
    cost: float | None = found.fun
    return cost


def through_highspy(programme: Programme, presolve: str) -> float:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no annotations
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", presolve)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = programme.cost.size, programme.row_low.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = programme.cost, programme.low, programme.high
    lp.row_lower_, lp.row_upper_ = programme.row_low, programme.row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = programme.matrix.indptr
    lp.a_matrix_.index_ = programme.matrix.indices
    lp.a_matrix_.value_ = programme.matrix.data
    solver.passModel(lp)
    solver.run()
    return float(solver.getInfo().objective_function_value)


def interleaved(runs: int, *works: Callable[[], object]) -> list[float]:
    """Return the median time of each [s], taken in turns."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for times, work in zip(taken, works, strict=True):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
    return [statistics.median(times) for times in taken]


@pytest.mark.speed
@pytest.mark.parametrize(("batteries", "runs"), [(1, 60), (10, 20), (100, 5)])
def test_planning_takes_little_longer_than_solving(batteries: int, runs: int) -> None:
    problem = fleet(batteries)
    programme = programme_of(problem)
    shares = []

    def planned() -> None:
        seconds = plan(problem, stopwatch=time.perf_counter).seconds
        assert seconds is not None
        shares.append(seconds.build / seconds.solve)

    whole, scipy_s, same_s, plain_s = interleaved(
        runs,
        planned,
        lambda: through_scipy(programme),
        lambda: through_highspy(programme, "off"),
        lambda: through_highspy(programme, "choose"),
    )
    share = statistics.median(shares)

    print(
        f"\nplan, {batteries:>3} batteries x {STEPS} steps: {whole * 1e3:8.2f} ms"
        f" | over scipy {whole / scipy_s:5.2f} | over highspy {whole / same_s:5.2f}"
        f" | over highspy as it comes {whole / plain_s:5.2f}"
        f" | build and read back over solve {share:5.1%}"
    )
    assert plan(problem).cost_eur == pytest.approx(through_highspy(programme, "choose"), rel=1e-7)
    if batteries == 100:
        assert share <= GOAL_OVERHEAD


@pytest.mark.speed
def test_a_first_plan_in_a_fresh_process_is_soon_there() -> None:
    code = (
        "import time; t0 = time.perf_counter()\n"
        "from tests.speed.test_plan_speed import fleet\n"
        "from optimizer.dispatch import plan\n"
        "problem = fleet(1); t1 = time.perf_counter(); plan(problem)\n"
        "t2 = time.perf_counter(); plan(problem); t3 = time.perf_counter()\n"
        "print(t1 - t0, t2 - t1, t3 - t2)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    imported, cold, warm = (float(word) for word in done.stdout.split())

    print(
        f"\nplan, fresh process: import {imported * 1e3:.0f} ms,"
        f" first plan {cold * 1e3:.1f} ms, second {warm * 1e3:.1f} ms"
    )
    assert cold < 2.0
