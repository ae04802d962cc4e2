"""The plan of a simple rule, for when the solver gives none: store surplus, cover own use."""

from __future__ import annotations

import numpy as np

from optimizer.linear.flows import Flows
from optimizer.linear.programme import Columns
from optimizer.model.runs import runs_kw
from optimizer.problem import BoolArray, FloatArray, Problem, StoreKind


def by_rule(problem: Problem) -> Flows:
    """Return flows that store what is left over and cover what is short, within all limits.

    Batteries share by what each can do at that step. A battery outside its band first goes back,
    as far as the connection has room beside what homes use and make. What cannot be stored is
    exported up to the limit; the rest is cut where panels allow it. Prices, wanted ends and limits
    of homes and groups are not looked at. Machines start and cars charge at once, heat pumps hold
    the least temperature: that is use like any other.
    """
    starts = tuple(run.earliest for run in problem.runs)
    charge = _wanted_kw(problem)
    discharge = np.zeros_like(charge)
    residual = problem.residual_kw + charge.sum(axis=0)
    if problem.runs:
        residual = residual + runs_kw(problem.runs, starts, problem.steps).sum(axis=0)
    rows = _rows_of(problem, StoreKind.BATTERY)
    charge[rows], discharge[rows] = _steered_kw(problem, rows, residual)
    net = residual + charge[rows].sum(axis=0) - discharge.sum(axis=0)
    surplus = np.where(problem.sell_eur_per_kwh < 0, -net, -net - problem.export_limit_kw)
    cut = np.clip(surplus, 0.0, problem.curtailable_kw)
    return Flows(charge, discharge, cut, starts=starts)


def _steered_kw(
    problem: Problem, rows: Columns, residual: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return charge and discharge of the batteries beside what all others use [kW]."""
    charge = np.zeros_like(problem.charge_max_kw[rows])
    discharge = np.zeros_like(charge)
    stored = problem.soc_start_kwh[rows].copy()
    gain, out_of = problem.gain[rows], problem.discharge_efficiency[rows]
    kept, drain = problem.retention[rows], problem.drain_kw[rows]
    room_in = np.maximum(problem.import_limit_kw - residual, 0.0)
    room_out = np.maximum(problem.export_limit_kw + residual, 0.0)
    for step in range(problem.steps):
        low, high = problem.soc_min_kwh[rows, step], problem.soc_max_kwh[rows, step]
        dt, into = problem.step_h[step], gain[:, step]
        stored = kept[:, step] * stored - dt * drain[:, step]
        most_in = np.minimum(problem.charge_max_kw[rows, step], (high - stored) / (dt * into))
        most_out = np.minimum(problem.discharge_max_kw[rows, step], (stored - low) * out_of / dt)
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
    return charge, discharge


def _wanted_kw(problem: Problem) -> FloatArray:
    """Return what cars and heat pumps take: what they need and can hold, as soon as can be [kW]."""
    charge = np.zeros_like(problem.charge_max_kw)
    if not (problem.sessions or problem.heat_pumps):
        return charge
    cars, pumps = (_rows_of(problem, kind) for kind in (StoreKind.SESSION, StoreKind.HEAT_PUMP))
    rows = slice(cars.start, pumps.stop)
    aim = problem.soc_min_kwh.copy()
    aim[cars] = np.maximum.accumulate(aim[cars, ::-1], axis=1)[:, ::-1]
    aim = np.minimum(aim, problem.soc_max_kwh)
    stored, gain = problem.soc_start_kwh[rows].copy(), problem.gain[rows]
    for step in range(problem.steps):
        into = problem.step_h[step] * gain[:, step]
        stored = problem.retention[rows, step] * stored
        stored -= problem.step_h[step] * problem.drain_kw[rows, step]
        most, least = problem.charge_max_kw[rows, step], problem.charge_min_kw[rows, step]
        power = np.clip((aim[rows, step] - stored) / into, 0.0, most)
        fits = stored + into * least <= problem.soc_max_kwh[rows, step]
        power = np.where((power > 0) & (power < least), np.where(fits, least, 0.0), power)
        charge[rows, step] = power
        stored = stored + into * power
    return charge


def _rows_of(problem: Problem, kind: StoreKind) -> Columns:
    """Return the rows of one kind: batteries stand first, then cars, then heat pumps."""
    cars, pumps = len(problem.sessions), len(problem.heat_pumps)
    batteries = len(problem.battery_ids) - cars - pumps
    first = {
        StoreKind.BATTERY: 0,
        StoreKind.SESSION: batteries,
        StoreKind.HEAT_PUMP: batteries + cars,
    }[kind]
    count = {
        StoreKind.BATTERY: batteries,
        StoreKind.SESSION: cars,
        StoreKind.HEAT_PUMP: pumps,
    }[kind]
    return slice(first, first + count)


def _shared(wanted_kw: float, most_kw: FloatArray, free: BoolArray) -> FloatArray:
    """Return a power divided in proportion to what each battery can still do."""
    able = np.where(free, np.maximum(most_kw, 0.0), 0.0)
    total = float(able.sum())
    if total <= 0:
        return np.zeros_like(able)
    return able * min(1.0, wanted_kw / total)
