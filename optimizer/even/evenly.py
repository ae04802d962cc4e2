"""Of the plans that cost the same, the even one.

The corner of a linear programme is as cheap as can be and jagged: of two batteries one does all and
the other nothing, of four quarters at one price one is used to the full. Between two turns of the
batteries (a run of steps in which none of them gives back, or none charges) it makes no difference
to cost, limits or stored energy at the end of the run

- which battery does how much in which step, as long as each does as much in all, and all of them as
  much in each step;
- and in which steps of one price something is done, as long as the connection exchanges as much in
  those steps together, in the same direction, and stays under its limits and its peak.

So a run is a table: a row for each battery, one more for what the connection exchanges at each
price, a column for each step; :func:`optimizer.even.margins.even_table` fills it anew with the same
sums. A single battery has the steps of one price filled to one level. Stored energy moves one way
during a run, from the same start to the same end, and so stays in a band that does not move. What
comes out is held against cost, band and limits, and left where it is not as good.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.even.level import level
from optimizer.even.margins import even_table
from optimizer.linear.flows import Flows, cost_eur, exchange_kw, stored_kwh
from optimizer.linear.programme import IntArray
from optimizer.problem import BoolArray, FloatArray, Problem

_MOVES_KW = 1e-6
_SAME = 1e-9
"""A plan that costs so much more, beside its cost, or leaves a band by so much, is not the same."""


def evened(problem: Problem, flows: Flows) -> Flows:
    """Return flows of the same cost and with the same stored energy at each turn, but even.

    Args:
        problem: What is planned, behind one connection.
        flows: The cheapest, without overlap of charge and discharge.
    """
    if len(problem.battery_ids) == 1 and not (
        _repeats(problem.buy_eur_per_kwh) or _repeats(problem.sell_eur_per_kwh)
    ):
        return flows
    steady = _steady(problem)
    if not steady.any():
        return flows
    found = flows
    # One after the other: a step that came to charge is in no run of giving back any more.
    for charges in (True, False):
        if len(problem.battery_ids) == 1:
            power = _levelled(problem, found, charges=charges)
        else:
            power = _shared(problem, found, steady, charges=charges)
        found = _with(found, power, charges=charges)
    return found if found is flows or _is_as_good(problem, flows, found) else flows


def _with(flows: Flows, power: FloatArray, *, charges: bool) -> Flows:
    """Return flows with another charge, or another discharge, shape ``(B, T)`` [kW]."""
    if charges:
        return flows if power is flows.charge_kw else replace(flows, charge_kw=power)
    return flows if power is flows.discharge_kw else replace(flows, discharge_kw=power)


def _sides(
    problem: Problem, flows: Flows, *, charges: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the power looked at, that of the other direction and the most, ``(B, T)`` each."""
    if charges:
        return flows.charge_kw, flows.discharge_kw, problem.charge_max_kw
    return flows.discharge_kw, flows.charge_kw, problem.discharge_max_kw


def _repeats(price: FloatArray) -> bool:
    ordered = np.sort(price)
    return bool((ordered[1:] == ordered[:-1]).any())


def _steady(problem: Problem) -> BoolArray:
    """Return which stores may do the same a little later, shape ``(B,)``.

    They lose nothing by waiting, run at any power, and stay in one band.
    """
    bare = (problem.retention == 1.0) & (problem.drain_kw == 0.0) & (problem.charge_min_kw == 0.0)
    low, high, gain = problem.soc_min_kwh, problem.soc_max_kwh, problem.cop
    bare &= (low == low[:, :1]) & (high == high[:, :1]) & (gain == gain[:, :1])
    steady: BoolArray = (bare & (problem.reserve_kwh == 0.0)).all(axis=1)
    return steady & problem.is_even


def _tops(problem: Problem, net_kw: FloatArray, imports: BoolArray) -> FloatArray:
    """Return the most each step may exchange in the direction it does, shape ``(T,)``."""
    most_import = problem.import_limit_kw
    if problem.peak_price_eur_per_kw > 0:
        most_import = np.minimum(most_import, net_kw.max())
    return np.maximum(np.where(imports, most_import, problem.export_limit_kw), np.abs(net_kw))


def _imports(problem: Problem, net_kw: FloatArray, runs: IntArray, *, charges: bool) -> BoolArray:
    """Return whether each step imports; one that exchanges nothing goes with its equals.

    Those are, first, the steps at whose price less is done here and more there without turning the
    exchange: steps that export while batteries charge, steps that import while they give back.
    """
    imports = net_kw > _MOVES_KW
    still = np.flatnonzero((runs >= 0) & (np.abs(net_kw) <= _MOVES_KW))
    if charges:
        price, first = problem.sell_eur_per_kwh, net_kw < -_MOVES_KW
    else:
        price, first = problem.buy_eur_per_kwh, imports.copy()
    equals = first & (runs == runs[still, None]) & (price == price[still, None])
    imports[still] = equals.any(axis=1) != charges
    return imports


def _kinds(problem: Problem, imports: BoolArray, runs: IntArray) -> IntArray:
    """Return the number of each step's kind (run, direction and price), -1 for one of its own."""
    price = np.where(imports, problem.buy_eur_per_kwh, problem.sell_eur_per_kwh)
    kinds = np.full(imports.size, -1)
    open_ = np.flatnonzero(runs >= 0)
    if open_.size < 2:
        return kinds
    by = open_[np.lexsort((price[open_], imports[open_], runs[open_]))]
    differs = (
        (runs[by[1:]] != runs[by[:-1]])
        | (imports[by[1:]] != imports[by[:-1]])
        | (price[by[1:]] != price[by[:-1]])
    )
    group = np.concatenate([[0], np.cumsum(differs)])
    several = np.bincount(group)[group] > 1
    if several.any():
        kinds[by[several]] = np.unique(group[several], return_inverse=True)[1]
    return kinds


def _levelled(problem: Problem, flows: Flows, *, charges: bool) -> FloatArray:
    """Return charge, or discharge, of the only battery, shape ``(1, T)``."""
    power, other, most = _sides(problem, flows, charges=charges)
    net_kw = exchange_kw(problem, flows)
    runs = _run_numbers(power, other)
    imports = _imports(problem, net_kw, runs, charges=charges)
    kinds = _kinds(problem, imports, runs)
    steps = np.flatnonzero(kinds >= 0)
    if not steps.size:
        return power
    sign = 1.0 if charges else -1.0
    top = _tops(problem, net_kw, imports)
    without = net_kw - sign * power[0]
    one, other_end = -sign * without, sign * (np.where(imports, top, -top) - without)
    filled = power.copy()
    filled[0, steps] = level(
        power[0, steps],
        np.maximum(np.minimum(one, other_end), 0.0)[steps],
        np.minimum(np.maximum(one, other_end), most[0])[steps],
        kinds[steps],
    )
    return filled


def _run_numbers(power: FloatArray, other: FloatArray) -> IntArray:
    """Return the run each step is in, -1 where the other way or nothing at all is done in it."""
    turns = (other > _MOVES_KW).any(axis=0)
    number = np.cumsum(turns)
    busy = np.bincount(number, (power > _MOVES_KW).any(axis=0) & ~turns)
    return np.where(turns | (busy[number] == 0), -1, number)


def _shared(problem: Problem, flows: Flows, steady: BoolArray, *, charges: bool) -> FloatArray:
    """Return charge, or discharge, of all batteries, shape ``(B, T)``."""
    power, other, most = _sides(problem, flows, charges=charges)
    net_kw = exchange_kw(problem, flows)
    reach = problem.charge_max_kw.sum(axis=0) + problem.discharge_max_kw.sum(axis=0)
    most_net = float((np.abs(net_kw) + reach).max())
    runs = _run_numbers(power, other)
    imports = _imports(problem, net_kw, runs, charges=charges)
    kinds = _kinds(problem, imports, runs)
    top = np.minimum(_tops(problem, net_kw, imports), most_net)
    # What gives way when batteries do more; or, where they add to it, what is left under it.
    held = np.where(imports == charges, top - np.abs(net_kw), np.abs(net_kw))
    filled = power
    for number in np.unique(runs[runs >= 0]):
        steps = np.flatnonzero(runs == number)
        member = kinds[steps] == np.unique(kinds[steps][kinds[steps] >= 0])[:, None]
        table = _filled(
            np.concatenate([power[:, steps], np.where(member, held[steps], 0.0)]),
            np.concatenate([most[:, steps], np.where(member, top[steps], 0.0)]),
            np.concatenate([steady, np.ones(len(member), dtype=np.bool_)]),
        )
        if table is not None:
            filled = filled.copy() if filled is power else filled
            filled[:, steps] = table[: len(power)]
    return filled


def _filled(now: FloatArray, top: FloatArray, free: BoolArray) -> FloatArray | None:
    """Return the table of one run, filled anew in its free rows, or None where it stays."""
    rows, columns = _loose(now, top, free)
    if rows.size < 2 or columns.size < 2:
        return None
    place = np.ix_(rows, columns)
    part = now[place]
    table = even_table(part.sum(axis=1), part.sum(axis=0), top[place])
    if table is None:
        return None
    found = now.copy()
    found[place] = table
    return found


def _loose(now: FloatArray, top: FloatArray, free: BoolArray) -> tuple[IntArray, IntArray]:
    """Return the rows and columns in which anything can be moved."""
    room, rows = top - now, free
    columns = np.ones(now.shape[1], dtype=np.bool_)
    wide = top > _MOVES_KW
    while True:
        cell = rows[:, None] & columns & wide
        filled, left = np.where(cell, now, 0.0), np.where(cell, room, 0.0)
        kept = [
            before
            & (cell.sum(axis=axis) > 1)
            & (filled.sum(axis=axis) > _MOVES_KW)
            & (left.sum(axis=axis) > _MOVES_KW)
            for axis, before in ((1, rows), (0, columns))
        ]
        if np.array_equal(kept[0], rows) and np.array_equal(kept[1], columns):
            return np.flatnonzero(rows), np.flatnonzero(columns)
        rows, columns = kept


def _is_as_good(problem: Problem, before: Flows, after: Flows) -> bool:
    cost = cost_eur(problem, before)
    if cost_eur(problem, after) > cost + _SAME * max(1.0, abs(cost)):
        return False
    return all(
        bool((new <= np.maximum(old, 0.0) + _SAME).all())
        for old, new in zip(_beyond(problem, before), _beyond(problem, after), strict=True)
    )


def _beyond(problem: Problem, flows: Flows) -> tuple[FloatArray, FloatArray]:
    """Return what is stored beyond its band, and exchanged beyond its limits."""
    stored = stored_kwh(problem, flows.charge_kw, flows.discharge_kw)
    net = exchange_kw(problem, flows)
    return (
        np.maximum(problem.floor_kwh - stored, stored - problem.soc_max_kwh),
        np.maximum(net - problem.import_limit_kw, -net - problem.export_limit_kw),
    )
