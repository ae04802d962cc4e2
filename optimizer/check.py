"""Holds a plan against its problem, one law at a time, without the programme that made it."""

from __future__ import annotations

import numpy as np

from optimizer.plan import Plan, Violation
from optimizer.problem import BoolArray, FloatArray, Problem

TOLERANCE = 1e-6
"""What a plan may be off: kW, kWh or EUR, and relative where numbers are large."""

SOFT_LIMITS = (
    "import_limit_kw",
    "export_limit_kw",
    "soc_start_kwh",
    "soc_min_kwh",
    "soc_max_kwh",
    "soc_end_kwh",
)
"""Limits that may give way, by the last part of their key; all others are laws."""


def violations_of(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """Return every limit and law a plan breaks: the connection, batteries, panels and the cost.

    Limits that may give way carry their key in the problem. Laws are named ``grid.balance_kw``,
    ``grid.one_way_kw``, ``grid.peak_kw``, ``batteries.b1.charge_max_kw``, ``….discharge_max_kw``,
    ``….soc_kwh`` (what is stored does not follow from the powers), ``….exclusive_kw``,
    ``homes.h1.curtailed_kw`` and ``cost_eur``.
    """
    found = _grid(problem, plan)
    for row in range(len(problem.battery_ids)):
        found += _battery(problem, plan, row)
    for row, home in enumerate(problem.home_ids):
        cut = plan.curtailed_kw[row]
        most = problem.pv_kw[row] if problem.curtailable[row] else np.zeros_like(cut)
        found += _over(f"homes.{home}.curtailed_kw", np.maximum(cut - most, -cut), "kw")
    return (*found, *_cost(problem, plan))


def may_give_way(violation: Violation) -> bool:
    """Return whether a limit may be broken where limits cannot all be met."""
    return violation.limit.rpartition(".")[2] in SOFT_LIMITS


def _grid(problem: Problem, plan: Plan) -> list[Violation]:
    use = problem.load_kw.sum(axis=0) - problem.pv_kw.sum(axis=0) + plan.curtailed_kw.sum(axis=0)
    steered = plan.charge_kw.sum(axis=0) - plan.discharge_kw.sum(axis=0)
    off = np.abs(plan.import_kw - plan.export_kw - use - steered)
    size = 1 + np.abs(use) + np.abs(steered)
    both = np.maximum(
        np.minimum(plan.import_kw, plan.export_kw), -np.minimum(plan.import_kw, plan.export_kw)
    )
    return [
        *_over("grid.import_limit_kw", plan.import_kw - problem.import_limit_kw, "kw"),
        *_over("grid.export_limit_kw", plan.export_kw - problem.export_limit_kw, "kw"),
        *_over("grid.balance_kw", off / size, "kw"),
        *_over("grid.one_way_kw", both, "kw"),
        *_over("grid.peak_kw", np.array([abs(plan.peak_kw - plan.import_kw.max())]), "kw"),
    ]


def _battery(problem: Problem, plan: Plan, row: int) -> list[Violation]:
    name = f"batteries.{problem.battery_ids[row]}."
    charge, discharge, soc = plan.charge_kw[row], plan.discharge_kw[row], plan.soc_kwh[row]
    low, high = problem.soc_min_kwh[row], problem.soc_max_kwh[row]
    start = float(problem.soc_start_kwh[row])
    before = np.concatenate([[start], soc[:-1]])
    gained = problem.charge_efficiency[row] * charge - discharge / problem.discharge_efficiency[row]
    off = np.abs(soc - before - problem.interval_h * gained) / (1 + np.abs(soc))
    found = [
        *_start(name, start, soc, low, high),
        *_over(name + "soc_min_kwh", low - soc, "kwh"),
        *_over(name + "soc_max_kwh", soc - high, "kwh"),
        *_over(name + "charge_max_kw", _outside(charge, problem.charge_max_kw[row]), "kw"),
        *_over(name + "discharge_max_kw", _outside(discharge, problem.discharge_max_kw[row]), "kw"),
        *_over(name + "soc_kwh", off, "kwh"),
    ]
    if problem.end_is_fixed[row]:
        missed = np.zeros_like(soc)
        missed[-1] = abs(soc[-1] - problem.soc_end_kwh[row])
        found += _over(name + "soc_end_kwh", missed, "kwh")
    if problem.exclusive:
        found += _over(name + "exclusive_kw", np.minimum(charge, discharge), "kw")
    return found


def _start(
    name: str, start: float, soc: FloatArray, low: FloatArray, high: FloatArray
) -> list[Violation]:
    """Return the start as violated where it lies outside the band and so does the first step."""
    under, over = float(low[0] - start), float(start - high[0])
    still_out = low[0] - soc[0] > TOLERANCE if under > 0 else soc[0] - high[0] > TOLERANCE
    excess = max(under, over)
    if excess > TOLERANCE and still_out:
        return [Violation(name + "soc_start_kwh", 0, excess, "kwh")]
    return []


def _cost(problem: Problem, plan: Plan) -> list[Violation]:
    energy = (
        problem.buy_eur_per_kwh @ plan.import_kw - problem.sell_eur_per_kwh @ plan.export_kw
    ) * problem.interval_h
    wear = problem.interval_h * float((problem.wear_eur_per_kwh @ plan.discharge_kw).sum())
    peak = problem.peak_price_eur_per_kw * plan.import_kw.max()
    off = abs(float(energy + wear + peak) - plan.cost_eur) / (1 + abs(plan.cost_eur))
    return _over("cost_eur", np.array([off]), "eur")


def _outside(power: FloatArray, most: FloatArray) -> FloatArray:
    return np.maximum(power - most, -power)


def _over(limit: str, excess: FloatArray, unit: str) -> list[Violation]:
    broken: BoolArray = ~(excess <= TOLERANCE)
    return [
        Violation(limit, int(step), float(excess[step]), unit) for step in np.flatnonzero(broken)
    ]
