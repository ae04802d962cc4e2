"""Holds a plan against its problem, one law at a time, without the programme that made it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.check_homes import machines_kw, named, over_boundaries, shared_energy_eur
from optimizer.model.neighbourhood import Call
from optimizer.model.stores import wanted_car_kwh
from optimizer.plan import Plan, Violation
from optimizer.problem import BoolArray, FloatArray, Problem, StoreKind

TOLERANCE = 1e-6
"""What a plan may be off: kW, kWh or EUR, and relative where numbers are large."""

SOFT_LIMITS = (
    "import_limit_kw",
    "export_limit_kw",
    "soc_start_kwh",
    "soc_min_kwh",
    "soc_max_kwh",
    "soc_end_kwh",
    "energy_kwh",
    "minimum_kwh",
    "capacity_kwh",
    "min_c",
    "max_c",
    "reserve_kwh",
)
"""Limits that may give way, by the last part of their key; all others are laws."""
WISH = "reserve_kwh"
"""What gives way before any limit does: a plan without it is as good as one with it."""


_POWERS = {
    StoreKind.BATTERY: ("charge_max_kw", "charge_min_kw", "discharge_max_kw"),
    StoreKind.SESSION: ("charge_max_kw", "charge_min_kw", "discharge_max_kw"),
    StoreKind.HEAT_PUMP: ("power_max_kw", "power_min_kw", "discharge_max_kw"),
}


def violations_of(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """Return every limit and law a plan breaks: the connection, stores, panels and the cost.

    Limits that may give way carry their key in the problem. Laws are named ``grid.balance_kw``,
    ``grid.one_way_kw``, ``grid.peak_kw``, ``batteries.b1.charge_max_kw``, ``….discharge_max_kw``,
    ``….soc_kwh`` (what is stored does not follow from the powers), ``….exclusive_kw``,
    ``homes.h1.curtailed_kw`` and ``cost_eur``.
    """
    found = _grid(problem, plan)
    for row in range(len(problem.battery_ids)):
        found += _store(problem, plan, row)
    for limit, excess in over_boundaries(problem, plan):
        found += _over(limit, excess, "kw")
    found += _runs(problem, plan)
    for row, home in enumerate(problem.home_ids):
        cut = plan.curtailed_kw[row]
        most = problem.pv_kw[row] if problem.curtailable[row] else np.zeros_like(cut)
        found += _over(f"homes.{home}.curtailed_kw", _outside(cut, most), "kw")
    return (*found, *_cost(problem, plan))


def may_give_way(violation: Violation) -> bool:
    """Return whether a limit may be broken where limits cannot all be met."""
    return violation.limit.rpartition(".")[2] in SOFT_LIMITS


def is_wish(violation: Violation) -> bool:
    """Return whether what gave way is a wish beside the limits."""
    return violation.limit.rpartition(".")[2] == WISH


def _grid(problem: Problem, plan: Plan) -> list[Violation]:
    use = problem.load_kw.sum(axis=0) - problem.pv_kw.sum(axis=0) + plan.curtailed_kw.sum(axis=0)
    steered = plan.charge_kw.sum(axis=0) - plan.discharge_kw.sum(axis=0)
    steered = steered + machines_kw(problem, plan)
    off = np.abs(plan.import_kw - plan.export_kw - use - steered)
    size = 1 + np.abs(use) + np.abs(steered)
    both = np.maximum(
        np.minimum(plan.import_kw, plan.export_kw), -np.minimum(plan.import_kw, plan.export_kw)
    )
    calls = [call for call in problem.calls if call.group is None]
    return [
        *_limit("grid.import_limit_kw", plan.import_kw, problem.import_limit_kw, calls),
        *_limit("grid.export_limit_kw", plan.export_kw, problem.export_limit_kw, calls),
        *_over("grid.balance_kw", off / size, "kw"),
        *_over("grid.one_way_kw", both, "kw"),
        *_over("grid.peak_kw", np.array([abs(plan.peak_kw - plan.import_kw.max())]), "kw"),
    ]


def _limit(key: str, power: FloatArray, most: FloatArray, calls: list[Call]) -> list[Violation]:
    if not calls:
        return _over(key, power - most, "kw")
    each = named(key, power - most, most, calls)
    return [one for name, excess in each for one in _over(name, excess, "kw")]


def _runs(problem: Problem, plan: Plan) -> list[Violation]:
    """Return machines that start too early or end too late, by how many steps."""
    found = []
    for run, start in zip(problem.runs, plan.starts, strict=True):
        early, late = run.earliest - start, start + len(run.power_kw) - run.latest_end
        if max(early, late) > 0:
            found.append(Violation(f"runs.{run.id}.start", start, float(max(early, late)), "steps"))
    return found


def _store(problem: Problem, plan: Plan, row: int) -> list[Violation]:
    name = f"{problem.store_kinds[row]}.{problem.battery_ids[row]}."
    powers = _POWERS[problem.store_kinds[row]]
    charge, discharge, soc = plan.charge_kw[row], plan.discharge_kw[row], plan.soc_kwh[row]
    start = float(problem.soc_start_kwh[row])
    before = np.concatenate([[start], soc[:-1]])
    gained = (
        problem.charge_efficiency[row] * problem.cop[row] * charge
        - discharge / problem.discharge_efficiency[row]
        - problem.drain_kw[row]
    )
    off = np.abs(soc - problem.retention[row] * before - problem.step_h * gained)
    off /= 1 + np.abs(soc)
    some = np.where(charge > TOLERANCE, problem.charge_min_kw[row] - charge, 0.0)
    found = [
        *_stored(problem, name, row, soc),
        *_over(name + powers[0], _outside(charge, problem.charge_max_kw[row]), "kw"),
        *_over(name + powers[1], some, "kw"),
        *_over(name + powers[2], _outside(discharge, problem.discharge_max_kw[row]), "kw"),
        *_over(name + "soc_kwh", off, "kwh"),
    ]
    if problem.exclusive:
        found += _over(name + "exclusive_kw", np.minimum(charge, discharge), "kw")
    return found


def _stored(problem: Problem, name: str, row: int, soc: FloatArray) -> list[Violation]:
    """Return where what is stored leaves its band, in the words of what stores it."""
    low, high = problem.soc_min_kwh[row], problem.soc_max_kwh[row]
    kind = problem.store_kinds[row]
    if kind is StoreKind.SESSION:
        return _car(problem, name, row, soc)
    if kind is StoreKind.HEAT_PUMP:
        first = problem.store_kinds.index(StoreKind.HEAT_PUMP)
        per_k = problem.heat_pumps[row - first].capacity_kwh_per_k
        return [
            *_over(name + "min_c", (low - soc) / per_k, "k"),
            *_over(name + "max_c", (soc - high) / per_k, "k"),
        ]
    found = [
        *_start(name, float(problem.soc_start_kwh[row]), soc, low, high),
        *_over(name + "soc_min_kwh", low - soc, "kwh"),
        *_over(name + "soc_max_kwh", soc - high, "kwh"),
    ]
    if problem.end_is_fixed[row]:
        missed = np.zeros_like(soc)
        missed[-1] = abs(soc[-1] - problem.soc_end_kwh[row])
        found += _over(name + "soc_end_kwh", missed, "kwh")
    return [*found, *_over(name + "reserve_kwh", problem.reserve_kwh[row] - soc, "kwh")]


def _car(problem: Problem, name: str, row: int, soc: FloatArray) -> list[Violation]:
    session = problem.sessions[row - problem.store_kinds.index(StoreKind.SESSION)]
    last = session.departure - 1
    gone = np.zeros_like(soc)
    gone[last] = session.energy_kwh - soc[last]
    soonest = wanted_car_kwh(replace(session, energy_kwh=0.0), problem.steps, problem.step_h)
    minimum = np.where(soonest > 0, soonest - soc, 0.0)
    too_full = np.zeros_like(soc)
    here = slice(session.arrival, session.departure)
    too_full[here] = soc[here] - problem.soc_max_kwh[row, here]
    return [
        *_over(name + "energy_kwh", gone, "kwh"),
        *_over(name + "minimum_kwh", minimum, "kwh"),
        *_over(name + "capacity_kwh", too_full, "kwh"),
    ]


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
    if problem.sharing is None:
        bought = problem.buy_eur_per_kwh * plan.import_kw
        energy = float(problem.step_h @ (bought - problem.sell_eur_per_kwh * plan.export_kw))
    else:
        energy = shared_energy_eur(problem, plan)
    wear = float(problem.wear_eur_per_kwh @ plan.discharge_kw @ problem.step_h)
    over = max(float(plan.import_kw.max()) - problem.peak_so_far_kw, 0.0)
    peak = problem.peak_price_eur_per_kw * over
    off = abs(energy + wear + peak - plan.cost_eur) / (1 + abs(plan.cost_eur))
    return _over("cost_eur", np.array([off]), "eur")


def _outside(power: FloatArray, most: FloatArray) -> FloatArray:
    return np.maximum(power - most, -power)


def _over(limit: str, excess: FloatArray, unit: str) -> list[Violation]:
    broken: BoolArray = ~(excess <= TOLERANCE)
    return [
        Violation(limit, int(step), float(excess[step]), unit) for step in np.flatnonzero(broken)
    ]
