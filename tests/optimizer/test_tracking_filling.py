"""A power is split over many batteries at once, and no solver finds a better split."""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.tracking.filling import fill_kw

FloatArray = npt.NDArray[np.float64]
Case = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def case_of(seed: int, batteries: int) -> Case:
    """Return bases, bounds and weights; some batteries cannot move at all."""
    chance = np.random.default_rng(seed)
    least = -chance.uniform(0, 5, batteries)
    most = least + chance.uniform(0, 9, batteries) * (chance.random(batteries) < 0.9)
    return chance.normal(0, 3, batteries), least, most, chance.uniform(0.1, 5, batteries)


def by_solver(
    total: float, base: FloatArray, least: FloatArray, most: FloatArray, weight: FloatArray
) -> FloatArray:
    """Return what HiGHS makes of the quadratic programme of the same split."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no annotations
    solver.setOptionValue("output_flag", False)
    count = len(base)
    begun = np.clip(base, least, most)
    model = highspy.HighsModel()
    model.lp_.num_col_, model.lp_.num_row_ = count, 1
    model.lp_.col_cost_ = -begun / weight
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


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("batteries", [1, 3, 30])
def test_a_solver_of_quadratic_programmes_finds_the_same(seed: int, batteries: int) -> None:
    base, least, most, weight = case_of(seed, batteries)
    part = np.random.default_rng(100 + seed).uniform(0.05, 0.95)
    total = float(least.sum() + part * (most - least).sum())

    found = fill_kw(total, base, least, most, weight)

    assert found == pytest.approx(by_solver(total, base, least, most, weight), abs=2e-5)


@given(st.integers(0, 2**31), st.integers(1, 40), st.floats(-200, 200))
@settings(max_examples=60)
def test_the_parts_add_up_and_stay_inside(seed: int, batteries: int, total: float) -> None:
    base, least, most, weight = case_of(seed, batteries)

    found = fill_kw(total, base, least, most, weight)

    assert found.sum() == pytest.approx(np.clip(total, least.sum(), most.sum()), abs=1e-9)
    assert np.all(found >= least - 1e-12)
    assert np.all(found <= most + 1e-12)


@given(st.integers(0, 2**31), st.integers(1, 40), st.floats(-100, 100))
@settings(max_examples=40)
def test_the_order_of_batteries_changes_nothing(seed: int, batteries: int, total: float) -> None:
    base, least, most, weight = case_of(seed, batteries)
    mixed = np.random.default_rng(seed).permutation(batteries)

    found = fill_kw(total, base, least, most, weight)
    other = fill_kw(total, base[mixed], least[mixed], most[mixed], weight[mixed])

    assert other == pytest.approx(found[mixed], abs=1e-9)


def test_many_splits_at_once_are_the_splits_one_by_one() -> None:
    cases = [case_of(seed, 7) for seed in range(20)]
    totals = np.linspace(-30, 30, 20)
    base, least, most, weight = (np.array([case[place] for case in cases]) for place in range(4))

    together = fill_kw(totals, base, least, most, weight)

    alone = [fill_kw(total, *case) for total, case in zip(totals, cases, strict=True)]
    assert together == pytest.approx(np.array(alone), abs=1e-12)
