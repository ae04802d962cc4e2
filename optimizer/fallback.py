"""The plan of a simple rule, for when the solver gives none: store surplus, cover own use."""

from __future__ import annotations

import numpy as np

from optimizer.flows import Flows
from optimizer.problem import FloatArray, Problem


def by_rule(problem: Problem) -> Flows:
    """Return flows that store what is left over and cover what is short, within all limits.

    Batteries share by what each can do at that step. A battery outside its band first goes back,
    as far as the connection has room beside what homes use and make. What cannot be stored is
    exported up to the limit; the rest is cut where panels allow it. Prices and wanted ends are not
    looked at.
    """
    batteries, steps = len(problem.battery_ids), problem.steps
    charge, discharge = np.zeros((batteries, steps)), np.zeros((batteries, steps))
    stored = problem.soc_start_kwh.copy()
    gain, out_of = problem.gain, problem.discharge_efficiency
    residual = problem.residual_kw
    room_in = np.maximum(problem.import_limit_kw - residual, 0.0)
    room_out = np.maximum(problem.export_limit_kw + residual, 0.0)
    for step in range(steps):
        low, high = problem.soc_min_kwh[:, step], problem.soc_max_kwh[:, step]
        dt, into = problem.step_h[step], gain[:, step]
        stored = problem.retention[:, step] * stored - dt * problem.drain_kw[:, step]
        most_in = np.minimum(problem.charge_max_kw[:, step], (high - stored) / (dt * into))
        most_out = np.minimum(problem.discharge_max_kw[:, step], (stored - low) * out_of / dt)
        must_in = np.clip((low - stored) / (dt * into), 0.0, np.maximum(most_in, 0.0))
        must_out = np.clip((stored - high) * out_of / dt, 0.0, np.maximum(most_out, 0.0))
        must_in = _shared(room_in[step], must_in, must_in > 0)
        must_out = _shared(room_out[step], must_out, must_out > 0)
        short = residual[step] + must_in.sum() - must_out.sum()
        if short < 0:
            charge[:, step] = must_in + _shared(-short, most_in - must_in, must_out <= 0)
            discharge[:, step] = must_out
        else:
            discharge[:, step] = must_out + _shared(short, most_out - must_out, must_in <= 0)
            charge[:, step] = must_in
        stored = stored + dt * (into * charge[:, step] - discharge[:, step] / out_of)
    net = residual + charge.sum(axis=0) - discharge.sum(axis=0)
    surplus = np.where(problem.sell_eur_per_kwh < 0, -net, -net - problem.export_limit_kw)
    return Flows(charge, discharge, np.clip(surplus, 0.0, problem.curtailable_kw))


def _shared(wanted_kw: float, most_kw: FloatArray, free: np.typing.NDArray[np.bool_]) -> FloatArray:
    """Return a power divided in proportion to what each battery can still do."""
    able = np.where(free, np.maximum(most_kw, 0.0), 0.0)
    total = float(able.sum())
    if total <= 0:
        return np.zeros_like(able)
    return able * min(1.0, wanted_kw / total)
