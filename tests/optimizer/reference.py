"""An independent planner for tests: row by row, with every whole number there could be.

It shares no code with the planner under test but the problem's arrays, keeps curtailment per home,
and forbids two directions at every step by whole numbers, never by argument.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.problem import FloatArray, Problem
from tests.optimizer.row_by_row import RowByRow


@dataclass(kw_only=True)
class Reference(RowByRow):
    """A programme under construction, and what it is of."""

    problem: Problem


def least_objective(problem: Problem) -> float | None:
    """Return the least cost minus the worth of what is stored; None where limits cannot be met."""
    reference = Reference(problem=problem)
    _network(reference, problem.import_limit_kw, problem.export_limit_kw, priced=True)
    return reference.least()


def least_grid_excess(problem: Problem) -> float:
    """Return the least sum over the steps of kW over the connection's limits, ends left free."""
    reference = Reference(problem=problem)
    nothing = np.full(problem.steps, np.inf)
    imports, exports = _network(reference, nothing, nothing, priced=False)
    for columns, limits in (
        (imports, problem.import_limit_kw),
        (exports, problem.export_limit_kw),
    ):
        for column, limit in zip(columns, limits, strict=True):
            if np.isfinite(limit):
                over = reference.column(0, np.inf, 1.0)
                reference.row({column: 1, over: -1}, -np.inf, float(limit))
    found = reference.least()
    assert found is not None
    return found


def _network(
    reference: Reference, most_import: FloatArray, most_export: FloatArray, *, priced: bool
) -> tuple[list[int], list[int]]:
    problem = reference.problem
    dt, price = problem.interval_h, float(priced)
    batteries = [_battery(reference, row, priced=priced) for row in range(len(problem.battery_ids))]
    peak = reference.column(0, np.inf, price * problem.peak_price_eur_per_kw)
    imports, exports = [], []
    big = float(
        problem.load_kw.sum()
        + problem.pv_kw.sum()
        + problem.charge_max_kw.sum()
        + problem.discharge_max_kw.sum()
        + 1
    )
    for step in range(problem.steps):
        buy, sell = problem.buy_eur_per_kwh[step], problem.sell_eur_per_kwh[step]
        taken = reference.column(0, float(most_import[step]), price * dt * buy)
        given = reference.column(0, float(most_export[step]), -price * dt * sell)
        if sell > buy or not priced:
            reference.one_way(taken, big, given, big)
        balance: dict[int, float] = {taken: 1, given: -1}
        for charge, discharge in batteries:
            balance[charge[step]] = -1
            balance[discharge[step]] = 1
        for home in range(len(problem.home_ids)):
            most = problem.pv_kw[home, step] if problem.curtailable[home] else 0.0
            balance[reference.column(0, float(most))] = -1
        use = float(problem.load_kw[:, step].sum() - problem.pv_kw[:, step].sum())
        reference.row(balance, use, use)
        reference.row({peak: 1, taken: -1}, 0, np.inf)
        imports.append(taken)
        exports.append(given)
    return imports, exports


def _battery(reference: Reference, row: int, *, priced: bool) -> tuple[list[int], list[int]]:
    problem, dt = reference.problem, reference.problem.interval_h
    end = float(problem.soc_end_kwh[row])
    lows, highs = problem.soc_min_kwh[row].copy(), problem.soc_max_kwh[row].copy()
    start = float(problem.soc_start_kwh[row])
    if not priced:
        lows[:], highs[:] = min(lows.min(), start), max(highs.max(), start)
    charges, discharges = [], []
    before: int | None = None
    for step in range(problem.steps):
        last = step == problem.steps - 1
        worth = 0.0
        low, high = float(lows[step]), float(highs[step])
        if last and priced:
            if np.isnan(end):
                worth = -float(problem.end_value_eur_per_kwh[row])
            else:
                low, high = max(low, end), min(high, end)
        charge = reference.column(0, float(problem.charge_max_kw[row, step]))
        wear = float(priced) * dt * float(problem.wear_eur_per_kwh[row])
        discharge = reference.column(0, float(problem.discharge_max_kw[row, step]), wear)
        stored = reference.column(low, high, worth)
        gain = {
            stored: 1.0,
            charge: -dt * float(problem.charge_efficiency[row]),
            discharge: dt / float(problem.discharge_efficiency[row]),
        }
        if before is None:
            reference.row(gain, start, start)
        else:
            reference.row({**gain, before: -1.0}, 0, 0)
        if problem.exclusive:
            most_in = float(problem.charge_max_kw[row, step])
            most_out = float(problem.discharge_max_kw[row, step])
            reference.one_way(charge, most_in, discharge, most_out)
        before = stored
        charges.append(charge)
        discharges.append(discharge)
    return charges, discharges
