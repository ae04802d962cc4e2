"""Limits that give way: first as little as can be, then as cheaply as that allows.

Powers of batteries and panels never give way: a device cannot do more than it can. What can is, in
this order of importance: the limits of connections (kW over them, added over the steps), the band
of stored energy of batteries (kWh outside it, added over the steps), what was asked for (the wanted
end, the energy of a car, the comfort of a house; kWh), and the reserve for outages. They are
settled one after the other: no weight puts a sum of the second beyond the price of the first, as a
per cent saved on losses may take any number of kWh outside a band.

Stored energy stays between the lowest and the highest edge of its band (or the start, or where it
drifts by itself, when that is outside), so no battery is filled beyond what it holds to relieve a
connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import block_array, coo_array, csc_array

from optimizer.linear.flows import resting_kwh
from optimizer.linear.programme import IntArray, Matrix, Programme, exchange_range_kw
from optimizer.problem import FloatArray, Problem, StoreKind

_CONNECTION, _BAND, _WANTED, _RESERVE = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Softened:
    """A programme with a column for each excess, and what adds them up, most important first.

    Attributes:
        programme: Its cost is that of the plan; an excess is free.
        kinds: What adds up the excess of each kind of limit, one number a column each.
    """

    programme: Programme
    kinds: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Excess:
    """Columns of one sort of excess: where they count, how far they go, what they cost."""

    kind: FloatArray
    high: FloatArray
    cost: FloatArray
    rows: IntArray
    columns: IntArray
    values: FloatArray


def softened(problem: Problem, programme: Programme) -> Softened:
    """Return the programme in which limits may be broken.

    Appended columns: import over its limit, export over its limit (T each), then whatever else can
    give way. Appended rows hold stored energy to its band, its wanted end and its reserve.
    """
    layout = programme.layout
    lowest, highest = _edges(problem)
    sorts = [_of_the_connection(problem, programme), _of_the_band(problem, programme)]
    sorts += [_of_the_ends(problem, programme), _of_the_reserve(problem, programme)]
    if programme.extension is not None:
        sorts.append(_of_the_boundaries(programme.extension.boundary_rows))
    low, high = programme.low.copy(), programme.high.copy()
    low[layout.stored] = lowest.ravel()
    high[layout.stored] = highest.ravel()
    row_low, row_high = _new_rows(problem)
    most = np.concatenate([one.high for one in sorts])
    soft = replace(
        programme,
        cost=np.concatenate([programme.cost, *(one.cost for one in sorts)]),
        matrix=_matrix(problem, programme, sorts),
        row_low=np.concatenate([programme.row_low, row_low]),
        row_high=np.concatenate([programme.row_high, row_high]),
        low=np.concatenate([low, np.zeros(most.size)]),
        high=np.concatenate([high, most]),
        first_excess=programme.cost.size,
    )
    kinds = np.concatenate([np.full(programme.cost.size, -1.0), *(one.kind for one in sorts)])
    there = range(_RESERVE + bool((kinds == _RESERVE).any()))
    return Softened(soft, tuple((kinds == kind).astype(np.float64) for kind in there))


def capped(soft: Softened, totals: Sequence[float], *, room: float) -> Programme:
    """Return the programme whose first kinds of excess stay at or under these totals.

    Args:
        soft: The softened programme.
        totals: The most of each kind, as far as kinds are settled.
        room: What is added to each total for the solver's tolerance, relative above 1.
    """
    if not totals:
        return soft.programme
    most = np.array(totals)
    rows = csc_array(np.stack(soft.kinds[: most.size]))
    return replace(
        soft.programme,
        matrix=csc_array(block_array([[soft.programme.matrix], [rows]], format="csc")),
        row_low=np.concatenate([soft.programme.row_low, np.full(most.size, -np.inf)]),
        row_high=np.concatenate([soft.programme.row_high, most + room * np.maximum(1.0, most)]),
    )


def _edges(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return how empty and how full each store may get, shape ``(B, T)`` each [kWh].

    Where a lower edge is above the upper one, the upper one is as low as it may get.
    """
    start, resting = problem.soc_start_kwh, resting_kwh(problem)
    lower = np.minimum(problem.soc_min_kwh, problem.soc_max_kwh)
    lowest = np.minimum(np.minimum(lower, resting).min(axis=1), start)
    highest = np.maximum(np.maximum(problem.soc_max_kwh, resting).max(axis=1), start)
    ones = np.ones((1, problem.steps))
    return lowest[:, None] * ones, highest[:, None] * ones


def _of_the_connection(problem: Problem, programme: Programme) -> _Excess:
    layout, step = programme.layout, np.arange(problem.steps)
    least, most = exchange_range_kw(problem)
    rows = [layout.balance_row() + step, layout.balance_row() + step]
    columns = [step, problem.steps + step]
    values = [np.ones(problem.steps), np.full(problem.steps, -1.0)]
    if layout.has_peak:
        rows.append(layout.peak_row() + step)
        columns.append(step)
        values.append(np.full(problem.steps, -1.0))
    return _Excess(
        np.full(2 * problem.steps, _CONNECTION),
        np.concatenate([np.maximum(most, 0.0), np.maximum(-least, 0.0)]),
        np.concatenate([programme.cost[layout.imported], programme.cost[layout.exported]]),
        np.concatenate(rows),
        np.concatenate(columns),
        np.concatenate(values),
    )


def _of_the_boundaries(rows: IntArray) -> _Excess:
    """Return the excess of homes and groups: over import, then over export."""
    return _Excess(
        np.full(2 * rows.size, _CONNECTION),
        np.full(2 * rows.size, np.inf),
        np.zeros(2 * rows.size),
        np.tile(rows, 2),
        np.arange(2 * rows.size),
        np.repeat([-1.0, 1.0], rows.size),
    )


def _of_the_band(problem: Problem, programme: Programme) -> _Excess:
    cells = programme.layout.cells
    lowest, highest = _edges(problem)
    is_battery = np.array([kind is StoreKind.BATTERY for kind in problem.store_kinds], dtype=bool)
    kind = np.repeat(np.where(is_battery, _BAND, _WANTED), problem.steps)
    return _Excess(
        np.tile(kind, 2),
        np.concatenate(
            [
                (problem.soc_min_kwh - lowest).ravel(),
                (highest - problem.soc_max_kwh).ravel(),
            ]
        ),
        np.zeros(2 * cells),
        programme.row_low.size + np.tile(np.arange(cells), 2),
        np.arange(2 * cells),
        np.repeat([1.0, -1.0], cells),
    )


def _of_the_ends(problem: Problem, programme: Programme) -> _Excess:
    count = programme.layout.batteries
    at_end = np.where(problem.end_is_fixed, np.inf, 0.0)
    return _Excess(
        np.full(2 * count, _WANTED),
        np.tile(at_end, 2),
        np.zeros(2 * count),
        programme.row_low.size + programme.layout.cells + np.tile(np.arange(count), 2),
        np.arange(2 * count),
        np.repeat([1.0, -1.0], count),
    )


def _of_the_reserve(problem: Problem, programme: Programme) -> _Excess:
    layout = programme.layout
    count = problem.firm_reserve_cells.size
    return _Excess(
        np.full(count, _RESERVE),
        np.full(count, np.inf),
        np.zeros(count),
        programme.row_low.size + layout.cells + layout.batteries + np.arange(count),
        np.arange(count),
        np.ones(count),
    )


def _new_rows(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return what the rows of the band, of the ends and of the reserve stay between.

    Where a lower edge is above the upper one, anywhere between them is as far off as can be helped.
    """
    fixed = problem.end_is_fixed
    reserved = problem.reserve_kwh.ravel()[problem.firm_reserve_cells]
    low = [
        np.minimum(problem.soc_min_kwh, problem.soc_max_kwh).ravel(),
        np.where(fixed, problem.soc_end_kwh, -np.inf),
        reserved,
    ]
    high = [
        np.maximum(problem.soc_min_kwh, problem.soc_max_kwh).ravel(),
        np.where(fixed, problem.soc_end_kwh, np.inf),
        np.full(reserved.size, np.inf),
    ]
    return np.concatenate(low), np.concatenate(high)


def _matrix(problem: Problem, programme: Programme, sorts: Sequence[_Excess]) -> Matrix:
    """Return the matrix with the columns of the excesses and the rows of stored energy."""
    layout = programme.layout
    reserve = problem.firm_reserve_cells
    last = (np.arange(layout.batteries) + 1) * layout.steps - 1
    stored = np.concatenate([np.arange(layout.cells), last, reserve])
    count = programme.row_low.size
    body = programme.matrix.tocoo()
    rows: list[IntArray] = [body.row.astype(np.intp), count + np.arange(stored.size)]
    columns: list[IntArray] = [body.col.astype(np.intp), layout.stored.start + stored]
    values: list[FloatArray] = [body.data, np.ones(stored.size)]
    first = programme.cost.size
    for one in sorts:
        rows.append(one.rows)
        columns.append(first + one.columns)
        values.append(one.values)
        first += one.high.size
    shape = (count + stored.size, first)
    places = (np.concatenate(rows), np.concatenate(columns))
    return csc_array(coo_array((np.concatenate(values), places), shape=shape))
