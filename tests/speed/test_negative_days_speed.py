"""How well 100 batteries are planned on the Dutch days of 2025 with the lowest prices.

Prices are the market's, with what the project's retail rules add and take, and with the mark-up but
without tax. Homes, panels and batteries are those of a seeded street with a price for its peak.
"""

from __future__ import annotations

import csv
import gzip
import statistics
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.retail import ENERGY_TAX_EUR_PER_KWH, Retail
from optimizer.dispatch import plan
from optimizer.plan import Status
from optimizer.problem import FloatArray
from tests.speed import families

_QUARTERS = 96
_DAYS = 12
_ONE_WATT_KW = 1e-3


def lowest_days(path: Path) -> dict[str, FloatArray]:
    """Return the days with the lowest prices, whole days in UTC, lowest first [EUR/kWh]."""
    days: dict[str, list[float]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            days[row["utc"][:10]].append(float(row["eur_per_mwh"]) / 1000)
    whole = {day: np.array(prices) for day, prices in days.items() if len(prices) == _QUARTERS}
    order = sorted(whole, key=lambda day: float(whole[day].min()))
    return {day: whole[day] for day in order[:_DAYS]}


@pytest.mark.speed
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("taxed", [True, False])
def test_dutch_days_with_negative_prices_are_planned_with_a_small_gap(
    shared_data: Path, *, taxed: bool
) -> None:
    retail, fleet = Retail(), families.family("P3-100n")
    extra = retail.buy_extra_eur_per_kwh - (0.0 if taxed else ENERGY_TAX_EUR_PER_KWH)
    gaps, shares, seconds = [], [], []
    for day, market in lowest_days(shared_data / "prices/nl_day_ahead_2025_15min.csv.gz").items():
        buy, sell = market + extra, market - retail.sell_less_eur_per_kwh
        problem = families.problem(replace(fleet, buy=buy, sell=sell))
        busy = time.process_time()
        made = plan(problem)
        seconds.append(time.process_time() - busy)
        assert made.gap_eur is not None
        assert made.violations == ()
        assert made.status in {Status.OPTIMAL, Status.FEASIBLE}
        assert np.minimum(made.charge_kw, made.discharge_kw).max() <= _ONE_WATT_KW
        gross = float(np.abs(problem.step_h * buy) @ problem.load_kw.sum(axis=0))
        gaps.append(made.gap_eur / abs(made.cost_eur))
        shares.append(made.gap_eur / gross)
        print(
            f"\n{day}: lowest {market.min():.3f} EUR/kWh, {int((buy < 0).sum())} quarters below"
            f" zero to buy, cost {made.cost_eur:.2f} EUR, gap {made.gap_eur:.3f} EUR:"
            f" {gaps[-1]:.2%} of the cost, {shares[-1]:.2%} of what is used,"
            f" {seconds[-1]:.1f} s busy",
            end="",
        )

    print(
        f"\n{len(gaps)} days, {'with' if taxed else 'without'} tax: gap beside the cost"
        f" {statistics.median(gaps):.2%} (worst {max(gaps):.2%}), beside what is used"
        f" {statistics.median(shares):.2%} ({max(shares):.2%}),"
        f" {statistics.median(seconds):.1f} s busy ({max(seconds):.1f})"
    )
    assert statistics.median(shares) <= 3e-3
