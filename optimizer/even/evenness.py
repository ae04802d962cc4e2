"""Equals are used alike: the work of batteries that differ in size only, spread by size.

Where a plan uses one of two like batteries and spares the other, another plan at the same cost
uses both. Averaging is always allowed: what each battery can do is a convex set, the same for
all of them per kWh, and cost looks at their sum.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from optimizer.check import violations_of
from optimizer.plan import Plan
from optimizer.problem import FloatArray, Problem, StoreKind

_DIGITS = 9


def equals_of(problem: Problem) -> list[list[int]]:
    """Return the batteries that are the same per kWh of band, by row, each group in order."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    sizes = _sizes_kwh(problem)
    for row in range(len(problem.battery_ids)):
        groups[_likeness(problem, row, float(sizes[row]))].append(row)
    return list(groups.values())


def evened(problem: Problem, made: Plan) -> Plan:
    """Return the plan at the same cost in which equals are used alike, per kWh of their size.

    A plan in which that would break a law that it keeps, as with one direction at a time, stays
    as it is.
    """
    charge, discharge = made.charge_kw.copy(), made.discharge_kw.copy()
    soc = made.soc_kwh.copy()
    sizes = _sizes_kwh(problem)
    for rows in equals_of(problem):
        if len(rows) < 2 or sizes[rows].sum() <= 0:
            continue
        part = (sizes[rows] / sizes[rows].sum())[:, None]
        for flow in (charge, discharge, soc):
            flow[rows] = part * flow[rows].sum(axis=0)
    even = replace(made, charge_kw=charge, discharge_kw=discharge, soc_kwh=soc)
    return made if len(violations_of(problem, even)) > len(made.violations) else even


def spread_of_use(problem: Problem, made: Plan) -> float:
    """Return how unevenly equals are used: the spread of kWh discharged per kWh of size.

    Returns:
        The standard deviation over the mean, the largest of all groups of equals; 0 where nobody
        has an equal.
    """
    sizes = _sizes_kwh(problem)
    worst = 0.0
    for rows in equals_of(problem):
        use = made.discharge_kw[rows].sum(axis=1) / np.maximum(sizes[rows], 1e-12)
        if len(rows) > 1 and use.mean() > 0:
            worst = max(worst, float(use.std() / use.mean()))
    return worst


def spread_of_curtailment(problem: Problem, made: Plan) -> float:
    """Return how unevenly roofs that can be cut are cut: the spread of the part that is cut."""
    able = problem.curtailable & (problem.pv_kw.sum(axis=1) > 0)
    if able.sum() < 2:
        return 0.0
    part = made.curtailed_kw[able].sum(axis=1) / problem.pv_kw[able].sum(axis=1)
    return float(part.std() / part.mean()) if part.mean() > 0 else 0.0


def _sizes_kwh(problem: Problem) -> FloatArray:
    """Return the width of each battery's band, shape ``(B,)`` [kWh]."""
    sizes: FloatArray = (problem.soc_max_kwh - problem.soc_min_kwh).max(axis=1, initial=0.0)
    return sizes


def _likeness(problem: Problem, row: int, size_kwh: float) -> bytes:
    """Return what a battery is per kWh of its size, to nine digits; its number where it has none.

    Stored energy enters the likeness with the band's lower edge, so averages stay in each band.
    """
    if size_kwh <= 0:
        return str(row).encode()
    per_kwh = np.concatenate(
        [
            problem.soc_min_kwh[row],
            problem.soc_max_kwh[row],
            problem.charge_max_kw[row],
            problem.discharge_max_kw[row],
            problem.drain_kw[row],
            problem.charge_min_kw[row],
            problem.reserve_kwh[row],
            [problem.soc_start_kwh[row], problem.soc_end_kwh[row]],
        ]
    )
    alike = [
        list(StoreKind).index(problem.store_kinds[row]),
        float(problem.store_home[row]),
        problem.reserve_price_eur[row],
        problem.charge_efficiency[row],
        problem.discharge_efficiency[row],
        problem.wear_eur_per_kwh[row],
        problem.end_value_eur_per_kwh[row],
    ]
    parts = [per_kwh / size_kwh, problem.cop[row], problem.retention[row], alike]
    return np.round(np.concatenate(parts), _DIGITS).tobytes()
