"""Replaces charging and discharging at once by the one power that stores the same."""

from __future__ import annotations

import numpy as np

from optimizer.linear.flows import Flows, exchange_kw, step_costs_eur
from optimizer.problem import BoolArray, FloatArray, Problem

OVERLAP_KW = 1e-6
"""A battery that charges and discharges at once with less than this does not do so."""
_COST_EUR = 1e-10
_EXCESS_KW = 1e-9


def overlap_kw(flows: Flows) -> FloatArray:
    """Return what each battery charges and discharges at once, shape ``(B, T)`` [kW]."""
    return np.minimum(flows.charge_kw, flows.discharge_kw)


def has_overlap(flows: Flows) -> bool:
    """Return whether any battery charges and discharges at once."""
    return bool((overlap_kw(flows) > OVERLAP_KW).any())


def without_free_overlap(problem: Problem, flows: Flows) -> Flows:
    """Return flows with the same stored energy, without overlap wherever that costs nothing.

    A step is left as it was where the energy that the detour wasted cannot be placed: where the
    step would cost more, or export more over its limit.
    """
    overlap = overlap_kw(flows)
    if not overlap.any():
        return flows
    one_way = _one_way(problem, flows)
    placed = _placed(problem, one_way)
    before_kw, after_kw = exchange_kw(problem, flows), exchange_kw(problem, placed)
    before = step_costs_eur(problem, before_kw, flows.discharge_kw)
    after = step_costs_eur(problem, after_kw, placed.discharge_kw)
    harmless = (after <= before + _COST_EUR) & ~_over_limits(problem, before_kw, after_kw)
    taken = harmless | (overlap.max(axis=0) <= OVERLAP_KW)
    return Flows(
        np.where(taken, placed.charge_kw, flows.charge_kw),
        np.where(taken, placed.discharge_kw, flows.discharge_kw),
        np.where(taken, placed.curtailed_kw, flows.curtailed_kw),
    )


def _one_way(problem: Problem, flows: Flows) -> Flows:
    into = problem.gain
    out_of = problem.discharge_efficiency[:, None]
    both = overlap_kw(flows) > 0
    stored = into * flows.charge_kw - flows.discharge_kw / out_of
    return Flows(
        np.where(both, np.maximum(stored, 0.0) / into, flows.charge_kw),
        np.where(both, np.maximum(-stored, 0.0) * out_of, flows.discharge_kw),
        flows.curtailed_kw,
    )


def _placed(problem: Problem, flows: Flows) -> Flows:
    """Return the flows with more curtailment where export is over its limit or costs money."""
    net_kw = exchange_kw(problem, flows)
    most_export = np.where(problem.sell_eur_per_kwh < 0, 0.0, problem.export_limit_kw)
    wanted = np.maximum(-net_kw - most_export, 0.0)
    room = problem.curtailable_kw - flows.curtailed_kw
    return Flows(
        flows.charge_kw,
        flows.discharge_kw,
        flows.curtailed_kw + np.minimum(wanted, np.maximum(room, 0.0)),
    )


def _over_limits(problem: Problem, before_kw: FloatArray, after_kw: FloatArray) -> BoolArray:
    def excess(net_kw: FloatArray) -> FloatArray:
        over_import = np.maximum(net_kw - problem.import_limit_kw, 0.0)
        return over_import + np.maximum(-net_kw - problem.export_limit_kw, 0.0)

    worse: BoolArray = excess(after_kw) > excess(before_kw) + _EXCESS_KW
    return worse
