"""How long it takes to split a power over 200 batteries, at a gateway and in a backtest.

Against others on the same quadratic programme in the same run: HiGHS through its own interface, and
SciPy's search for the one level that spends the total, which is what somebody would write by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from random import Random

import highspy
import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import brentq

from gateway.steer.control import Controller, Limits, Seen
from gateway.steer.team import Team
from kwartier.reading import Schedule, Step
from kwartier.split import Part, split
from optimizer.tracking.filling import fill_kw

FloatArray = npt.NDArray[np.float64]
BATTERIES = 200
MOST_S = 1e-3
RUNS = 31


def parts_of(seed: int) -> list[Part]:
    """Return batteries as a plan leaves them: some at their end, all with another power."""
    dice = Random(seed)  # noqa: S311 - the same fleet every time
    return [
        Part(
            f"b{place}",
            dice.randrange(-3_000, 3_000),
            -dice.randrange(2_000, 5_000),
            dice.randrange(2_000, 5_000),
            dice.randrange(500, 9_000),
        )
        for place in range(BATTERIES)
    ]


def arrays_of(parts: list[Part]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    rows = [(part.base_w, part.least_w, part.most_w, part.weight) for part in parts]
    base, least, most, weight = np.array(rows, dtype=float).T
    return base / 1000, least / 1000, most / 1000, weight / 1000


def by_highs(
    total: float, base: FloatArray, least: FloatArray, most: FloatArray, weight: FloatArray
) -> FloatArray:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no annotations
    solver.setOptionValue("output_flag", False)
    model = highspy.HighsModel()
    count = len(base)
    model.lp_.num_col_, model.lp_.num_row_ = count, 1
    model.lp_.col_cost_ = -np.clip(base, least, most) / weight
    model.lp_.col_lower_, model.lp_.col_upper_ = least, most
    model.lp_.row_lower_ = model.lp_.row_upper_ = np.array([total])
    model.lp_.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.lp_.a_matrix_.start_ = np.array([0, count])
    model.lp_.a_matrix_.index_ = np.arange(count)
    model.lp_.a_matrix_.value_ = np.ones(count)
    model.hessian_.dim_ = count
    model.hessian_.format_ = highspy.HessianFormat.kTriangular
    model.hessian_.start_ = np.arange(count + 1)
    model.hessian_.index_ = np.arange(count)
    model.hessian_.value_ = 1.0 / weight
    solver.passModel(model)
    solver.run()
    return np.array(solver.getSolution().col_value)


def by_scipy(
    total: float, base: FloatArray, least: FloatArray, most: FloatArray, weight: FloatArray
) -> FloatArray:
    begun = np.clip(base, least, most)

    def excess(level: float) -> float:
        return float(np.clip(begun + level * weight, least, most).sum()) - total

    far = float(((most - least) / weight).max())
    level = brentq(excess, -far, far, xtol=1e-12)
    return np.clip(begun + level * weight, least, most)


def took(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@pytest.mark.speed
def test_two_hundred_batteries_are_split_in_a_millisecond() -> None:
    parts = parts_of(1)
    arrays = arrays_of(parts)
    whole, array, highs, scipy = [], [], [], []
    for run in range(RUNS):
        total_w = 10_000 * (run - RUNS // 2)
        whole.append(took(partial(split, total_w, parts)))
        array.append(took(partial(fill_kw, total_w / 1000, *arrays)))
        highs.append(took(partial(by_highs, total_w / 1000, *arrays)))
        scipy.append(took(partial(by_scipy, total_w / 1000, *arrays)))
    own, other = float(np.median(whole)), float(np.median(array))
    solver, scipys = float(np.median(highs)), float(np.median(scipy))

    print(
        f"\nsplit over {BATTERIES} batteries: gateway {own * 1e3:.2f} ms, arrays"
        f" {other * 1e3:.3f} ms | HiGHS {solver * 1e3:.1f} ms ({solver / own:.0f} x)"
        f" | SciPy brentq {scipys * 1e3:.2f} ms ({scipys / other:.1f} x arrays)"
    )
    assert own <= MOST_S
    assert other <= MOST_S
    found = split(120_000, parts)
    same = by_highs(120.0, *arrays)
    assert np.array([found[part.name] for part in parts]) / 1000 == pytest.approx(same, abs=2e-3)


@pytest.mark.speed
def test_a_second_of_sixteen_batteries_takes_little_of_a_gateway() -> None:
    # As many as a gateway steers at the most.
    team = Team(300)
    steps = tuple(Step(900 * place, 2_000, 900, 20_000) for place in range(8))
    controls = []
    for place in range(16):
        control = Controller(Limits(5_000, 5_000, sharing=16), team=team, name=f"b{place}")
        control.accept(Schedule(f"b{place}", 1, "p", steps), 0.0, 0.0)
        controls.append(control)
    dice = Random(2)  # noqa: S311 - flutter, not a secret

    seconds = []
    for second in range(600):
        now_s, meter_w = float(second), 15_000 + dice.randrange(-500, 500)
        seen = Seen(500, 2_000, meter_w, 0.0, 1.0, newest_w=meter_w, newest_at_s=now_s)

        def turn(now_s: float = now_s, seen: Seen = seen) -> None:
            for control in controls:
                control.decide(seen, now_s)

        seconds.append(took(turn))

    busy = float(np.median(seconds))
    print(f"\none second of 16 batteries behind one meter: {busy * 1e3:.1f} ms")
    assert busy <= 0.05
