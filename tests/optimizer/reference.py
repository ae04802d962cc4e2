"""An independent planner for tests: dense, row by row, with every whole number there could be.

It shares no code with the planner under test but the problem's arrays, keeps curtailment per home,
and forbids two directions at every step by whole numbers, never by argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from optimizer.problem import FloatArray, Problem


@dataclass
class Reference:
    """A programme under construction: named columns, dense rows."""

    problem: Problem
    cost: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def column(self, low: float, high: float, cost: float = 0.0, *, whole: bool = False) -> int:
        self.cost.append(cost)
        self.low.append(low)
        self.high.append(high)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def row(self, coefficients: dict[int, float], low: float, high: float) -> None:
        self.rows.append((coefficients, low, high))

    def either(self, one: int, most_one: float, other: int, most_other: float) -> None:
        switch = self.column(0, 1, whole=True)
        self.row({one: 1, switch: -most_one}, -np.inf, 0)
        self.row({other: 1, switch: most_other}, -np.inf, most_other)

    def least_cost(self) -> float | None:
        matrix = np.zeros((len(self.rows), len(self.cost)))
        for number, (coefficients, _, _) in enumerate(self.rows):
            for column, coefficient in coefficients.items():
                matrix[number, column] = coefficient
        lows = np.array([low for _, low, _ in self.rows])
        highs = np.array([high for _, _, high in self.rows])
        if (np.array(self.low) > np.array(self.high)).any():
            return None
        found = milp(
            np.array(self.cost),
            integrality=np.array(self.whole),
            bounds=Bounds(np.array(self.low), np.array(self.high)),
            constraints=LinearConstraint(matrix, lows, highs),
            options={"mip_rel_gap": 1e-9},
        )
        if found.status == 2:
            return None
        assert found.status == 0, found.message
        return float(found.fun)


def least_objective(problem: Problem) -> float | None:
    """Return the least cost minus the worth of what is stored; None where limits cannot be met."""
    reference = Reference(problem)
    _network(reference, problem.import_limit_kw, problem.export_limit_kw, priced=True)
    return reference.least_cost()


def least_grid_excess(problem: Problem) -> float:
    """Return the least sum over the steps of kW over the connection's limits, ends left free."""
    reference = Reference(problem)
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
    found = reference.least_cost()
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
            reference.either(taken, big, given, big)
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
            reference.either(charge, most_in, discharge, most_out)
        before = stored
        charges.append(charge)
        discharges.append(discharge)
    return charges, discharges
