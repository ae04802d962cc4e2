"""A plan and its bands say the same: where all comes as expected, batteries do what was planned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.dispatch import plan
from optimizer.plan import Plan
from optimizer.problem import Battery, Grid, Home, Problem, problem_of
from optimizer.tracking.band import Band, Prices, band_of, worth_of

STEPS = 24


def street(seed: int, *, peak_price: float = 0.0) -> Problem:
    """Return a day of a street with sun, prices that may be negative, and a battery that wears."""
    rng = np.random.default_rng(seed)
    market = 0.08 + 0.10 * rng.standard_normal(STEPS)
    sun = 30 * rng.random() * np.maximum(0, np.sin(np.linspace(-1.6, 4.7, STEPS)))
    battery = Battery(
        "b",
        5.0,
        45.0,
        rng.uniform(5, 45),
        12.0,
        10.0,
        0.96,
        0.95,
        end_value_eur_per_kwh=0.08,
        wear_eur_per_kwh=0.01,
    )
    return problem_of(
        1.0,
        market + 0.12,
        market - 0.01,
        [Home("homes", 4 + 8 * rng.random(STEPS), sun)],
        [battery],
        Grid(peak_price_eur_per_kw=peak_price),
        exclusive=True,
    )


def bands(problem: Problem, made: Plan, *, spares: bool) -> list[Band | None]:
    """Return the band of each step."""
    stored = made.stored_value_eur_per_kwh
    assert stored is not None
    told = []
    for step in range(STEPS):
        worth = worth_of(
            stored[:, step],
            problem.charge_efficiency,
            problem.discharge_efficiency,
            problem.wear_eur_per_kwh,
        )
        prices = Prices(problem.buy_eur_per_kwh[step], problem.sell_eur_per_kwh[step])
        power_kw = float((made.charge_kw - made.discharge_kw)[0, step])
        exchange_kw = float((made.import_kw - made.export_kw)[step])
        told.append(band_of(power_kw, exchange_kw, worth, prices, spares=spares))
    return told


@given(st.integers(0, 10**6))
@settings(max_examples=60)
def test_where_all_comes_as_expected_a_band_wants_what_was_planned(seed: int) -> None:
    problem = street(seed)
    made = plan(problem)
    powers_kw = (made.charge_kw - made.discharge_kw)[0]
    exchange_kw = made.import_kw - made.export_kw

    for step, band in enumerate(bands(problem, made, spares=True)):
        if band is None:
            continue
        rest_kw = float(exchange_kw[step] - powers_kw[step])
        # Within what the battery can: a band knows no battery.
        wanted_kw = min(max(band.wanted_kw(rest_kw), -10.0), 12.0)
        if abs(made.soc_kwh[0, step] - 5.0) > 1e-6 and abs(made.soc_kwh[0, step] - 45.0) > 1e-6:
            assert wanted_kw == pytest.approx(powers_kw[step], abs=1e-4)
        else:  # it is empty or full, and did what it could of that
            assert abs(powers_kw[step]) <= abs(wanted_kw) + 1e-4


@given(st.integers(0, 10**6))
@settings(max_examples=30)
def test_where_a_plan_buys_or_sells_for_the_price_its_power_is_held(seed: int) -> None:
    problem = street(seed)
    made = plan(problem)
    powers_kw = (made.charge_kw - made.discharge_kw)[0]
    exchange_kw = made.import_kw - made.export_kw

    for step, band in enumerate(bands(problem, made, spares=True)):
        trades = abs(exchange_kw[step]) > 0.01 and powers_kw[step] * exchange_kw[step] > 0.01
        assert not trades or band is None
