"""What batteries and panels do, and what follows from it: stored energy, exchange and cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.model.meters import net_by_meter, shared_of
from optimizer.model.runs import runs_kw
from optimizer.problem import FloatArray, Problem

DUST_KW = 1e-9
"""Power below this is what a solver leaves lying about."""


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """The choices of a plan [kW].

    Attributes:
        charge_kw: Shape ``(B, T)``.
        discharge_kw: Shape ``(B, T)``.
        curtailed_kw: Of all homes together, shape ``(T,)``.
        cut_by_home_kw: Of each home, shape ``(H, T)``; None where that makes no difference.
        starts: The step each machine starts in.
    """

    charge_kw: FloatArray
    discharge_kw: FloatArray
    curtailed_kw: FloatArray
    cut_by_home_kw: FloatArray | None = None
    starts: tuple[int, ...] = ()


def within_ranges(problem: Problem, flows: Flows) -> Flows:
    """Return the flows without dust, each within the power its device has."""
    return Flows(
        _within(flows.charge_kw, problem.charge_max_kw),
        _within(flows.discharge_kw, problem.discharge_max_kw),
        _within(flows.curtailed_kw, problem.curtailable_kw),
        flows.cut_by_home_kw,
        flows.starts,
    )


def cut_by_home_kw(problem: Problem, flows: Flows) -> FloatArray:
    """Return curtailment by home, shape ``(H, T)`` [kW].

    Where it makes no difference who cuts, homes share it in proportion to what each can cut.
    """
    if flows.cut_by_home_kw is not None:
        return flows.cut_by_home_kw
    possible = problem.curtailable_by_home_kw
    total = possible.sum(axis=0)
    part = np.divide(flows.curtailed_kw, total, out=np.zeros_like(total), where=total > 0)
    shared: FloatArray = possible * part
    return shared


def stored_kwh(problem: Problem, charge_kw: FloatArray, discharge_kw: FloatArray) -> FloatArray:
    """Return the stored energy after each step, shape ``(B, T)`` [kWh].

    Source:
        The equation of :mod:`optimizer.model.stores`.
    """
    gained: FloatArray = problem.step_h * (
        problem.gain * charge_kw - discharge_kw / problem.discharge_efficiency[:, None]
    )
    if problem.keeps_all:
        stored: FloatArray = problem.soc_start_kwh[:, None] + np.cumsum(gained, axis=1)
        return stored
    return _with_losses(problem, gained - problem.step_h * problem.drain_kw)


def resting_kwh(problem: Problem) -> FloatArray:
    """Return what would be stored after each step if nothing were done, shape ``(B, T)`` [kWh]."""
    if problem.keeps_all:
        return np.broadcast_to(problem.soc_start_kwh[:, None], problem.charge_max_kw.shape)
    return _with_losses(problem, -problem.step_h * problem.drain_kw)


def _with_losses(problem: Problem, gained_kwh: FloatArray) -> FloatArray:
    stored = gained_kwh.copy()
    stored[:, 0] += problem.retention[:, 0] * problem.soc_start_kwh
    for step in range(1, problem.steps):
        stored[:, step] += problem.retention[:, step] * stored[:, step - 1]
    return stored


def exchange_kw(problem: Problem, flows: Flows) -> FloatArray:
    """Return import minus export of the connection, shape ``(T,)`` [kW]."""
    steered = flows.charge_kw.sum(axis=0) - flows.discharge_kw.sum(axis=0)
    exchange: FloatArray = problem.residual_kw + flows.curtailed_kw + steered
    if problem.runs:
        exchange = exchange + runs_kw(problem.runs, flows.starts, problem.steps).sum(axis=0)
    return np.where(np.abs(exchange) < DUST_KW, 0.0, exchange)


def step_costs_eur(problem: Problem, net_kw: FloatArray, discharge_kw: FloatArray) -> FloatArray:
    """Return what each step costs in energy and wear, shape ``(T,)`` [EUR]."""
    price = np.where(net_kw > 0, problem.buy_eur_per_kwh, problem.sell_eur_per_kwh)
    wear = problem.wear_eur_per_kwh @ discharge_kw
    costs: FloatArray = problem.step_h * (price * net_kw + wear)
    return costs


def cost_eur(problem: Problem, flows: Flows) -> float:
    """Return energy, peak and wear [EUR], without the worth of what is stored at the end."""
    net_kw = exchange_kw(problem, flows)
    if problem.sharing is None:
        energy = step_costs_eur(problem, net_kw, flows.discharge_kw).sum()
    else:
        energy = _shared_cost_eur(problem, flows)
    return float(energy) + peak_cost_eur(problem, float(net_kw.max()))


def _shared_cost_eur(problem: Problem, flows: Flows) -> float:
    """Return what meters that share pay together for energy, and wear [EUR]."""
    cut = cut_by_home_kw(problem, flows)
    meters = net_by_meter(problem, flows.charge_kw - flows.discharge_kw, cut, flows.starts)
    wear = float(problem.wear_eur_per_kwh @ flows.discharge_kw @ problem.step_h)
    return float(shared_of(problem, meters).pays_eur.sum()) + wear


def peak_cost_eur(problem: Problem, peak_kw: float) -> float:
    """Return what the highest import costs beyond the peak that was there already [EUR]."""
    return problem.peak_price_eur_per_kw * max(peak_kw - problem.peak_so_far_kw, 0.0)


def end_value_eur(problem: Problem, soc_kwh: FloatArray) -> float:
    """Return the worth of what is stored after the last step, where the end is free [EUR]."""
    free = ~problem.end_is_fixed
    return float(problem.end_value_eur_per_kwh[free] @ soc_kwh[free, -1])


def _within(power_kw: FloatArray, most_kw: FloatArray) -> FloatArray:
    bounded = np.clip(power_kw, 0.0, most_kw)
    return np.where(bounded < DUST_KW, 0.0, bounded)
