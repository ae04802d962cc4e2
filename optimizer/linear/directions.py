"""Where a linear programme would run two ways at once, and the whole numbers that forbid it.

Two things in a plan have one direction at a time: a connection imports or exports, and, where the
problem says so, a battery charges or discharges.

*Connection.* Where buying costs at least what selling pays, exchanging both ways at once never
pays and netting it is free. Where selling pays more, a linear programme would trade without end;
a meter cannot, so such a step gets a whole number, unless its exchange has one sign anyway.

*Battery.* Take an overlap of charge and discharge at one step and replace it by the one power that
stores the same. Nothing changes at other steps, wear does not grow, and the neighbourhood uses
``w >= 0`` kW less at this step: what was lost in the detour. That never costs anything if

- both prices are at least zero, and whatever the batteries do, cutting the panels that can be cut
  keeps export within its limit; or
- buying costs at least zero, and whatever the batteries do, cutting the panels avoids export.

So an optimal plan with whole numbers at the other, *risky* steps only, repaired in this way at the
safe ones, is optimal among all plans without overlap. A battery without losses has ``w = 0`` and
no risky steps. Most risky steps need none either: with whole numbers at any choice of steps, a plan
without overlap is optimal, as it is the best of a larger set of plans. So the planner begins with
few steps and adds those at which an overlap is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import block_array, coo_array, csc_array

from optimizer.linear.programme import IntArray, Layout, Matrix, Programme, exchange_range_kw
from optimizer.problem import BoolArray, FloatArray, Problem


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """What gets one direction: cells (battery x steps + step) and steps of the connection."""

    cells: IntArray
    steps: IntArray

    @property
    def count(self) -> int:
        """How many whole numbers that takes."""
        return self.cells.size + self.steps.size


def of_the_connection(problem: Problem) -> Directions:
    """Return the steps at which selling pays more than buying and both are possible."""
    least, most = exchange_range_kw(problem)
    pays = problem.sell_eur_per_kwh > problem.buy_eur_per_kwh
    return Directions(np.zeros(0, dtype=np.intp), np.flatnonzero(pays & (least < 0) & (most > 0)))


def of_batteries(problem: Problem, cells: BoolArray) -> Directions:
    """Return cells of the batteries, shape ``(B, T)``, and the steps of the connection."""
    return Directions(np.flatnonzero(cells.ravel()), of_the_connection(problem).steps)


def risky_cells(problem: Problem) -> BoolArray:
    """Return where an overlap of charge and discharge could pay, shape ``(B, T)``."""
    least, _ = exchange_range_kw(problem)
    all_cut = least + problem.curtailable_kw
    buys = problem.buy_eur_per_kwh >= 0
    sells = problem.sell_eur_per_kwh >= 0
    safe = buys & ((sells & (all_cut >= -problem.export_limit_kw)) | (all_cut >= 0))
    lossy = problem.gain * problem.discharge_efficiency[:, None] < 1
    risky: BoolArray = two_way_cells(problem) & lossy & ~safe
    return risky


def two_way_cells(problem: Problem) -> BoolArray:
    """Return where a battery can both charge and discharge, shape ``(B, T)``."""
    both: BoolArray = (problem.charge_max_kw > 0) & (problem.discharge_max_kw > 0)
    return both


def bounded(problem: Problem, programme: Programme) -> Programme:
    """Return the programme with import and export bounded where selling pays more than buying."""
    pays = problem.sell_eur_per_kwh > problem.buy_eur_per_kwh
    if not pays.any():
        return programme
    least, most = exchange_range_kw(problem)
    high = programme.high.copy()
    for columns, range_kw in (
        (programme.layout.imported, most),
        (programme.layout.exported, -least),
    ):
        reach = np.where(pays, np.maximum(range_kw, 0.0), np.inf)
        high[columns] = np.minimum(high[columns], reach)
    return replace(programme, high=high)


def with_directions(programme: Programme, problem: Problem, directions: Directions) -> Programme:
    """Return the programme with a whole number for each direction: 1 is charge, or import.

    For a cell: ``charge <= C z`` and ``discharge <= D (1 - z)``, where C and D are what the power
    limits and the band of stored energy allow. For a step the same with import and export.
    """
    if directions.count == 0:
        return programme
    forward_most, backward_most = _reach(programme, problem, directions)
    forward = _rows_of(programme, _forward(programme, directions))
    backward = _rows_of(programme, _backward(programme, directions))
    count = directions.count
    diagonal = np.arange(count)
    by_forward = csc_array((-forward_most, (diagonal, diagonal)), shape=(count, count))
    by_backward = csc_array((backward_most, (diagonal, diagonal)), shape=(count, count))
    matrix = block_array(
        [[programme.matrix, None], [forward, by_forward], [backward, by_backward]], format="csc"
    )
    return replace(
        programme,
        cost=np.concatenate([programme.cost, np.zeros(count)]),
        matrix=csc_array(matrix),
        row_low=np.concatenate([programme.row_low, np.full(2 * count, -np.inf)]),
        row_high=np.concatenate([programme.row_high, np.zeros(count), backward_most]),
        low=np.concatenate([programme.low, np.zeros(count)]),
        high=np.concatenate([programme.high, np.ones(count)]),
        integer=count,
    )


def with_fixed(programme: Programme, directions: Directions, *, forward: BoolArray) -> Programme:
    """Return the programme in which each direction is chosen: forward is charge, or import."""
    high = programme.high.copy()
    for columns in _backward(programme, directions):
        high[columns[forward & (columns >= 0)]] = 0.0
    for columns in _forward(programme, directions):
        high[columns[~forward & (columns >= 0)]] = 0.0
    return replace(programme, high=high)


def leaning(problem: Problem, layout: Layout, directions: Directions, x: FloatArray) -> BoolArray:
    """Return the direction each lean to in a solution that runs both ways."""
    charge, discharge = x[layout.charge], x[layout.discharge]
    stored = charge * problem.gain.ravel() - discharge / np.repeat(
        problem.discharge_efficiency, problem.steps
    )
    net_kw = x[layout.imported] - x[layout.exported]
    return np.concatenate([stored[directions.cells] >= 0, net_kw[directions.steps] >= 0])


def _forward(programme: Programme, directions: Directions) -> tuple[IntArray, ...]:
    """Return the columns that run forward, one array for each that adds up; -1 where none."""
    layout = programme.layout
    first = np.concatenate([directions.cells, layout.imported.start + directions.steps])
    if programme.first_excess is None:
        return (first,)
    none = np.full(directions.cells.size, -1)
    return first, np.concatenate([none, programme.first_excess + directions.steps])


def _backward(programme: Programme, directions: Directions) -> tuple[IntArray, ...]:
    layout = programme.layout
    first = np.concatenate(
        [layout.discharge.start + directions.cells, layout.exported.start + directions.steps]
    )
    if programme.first_excess is None:
        return (first,)
    none = np.full(directions.cells.size, -1)
    exported = programme.first_excess + layout.steps + directions.steps
    return first, np.concatenate([none, exported])


def _rows_of(programme: Programme, parts: tuple[IntArray, ...]) -> Matrix:
    count = parts[0].size
    columns = np.concatenate(parts)
    rows = np.tile(np.arange(count), len(parts))
    there = columns >= 0
    ones = np.ones(int(there.sum()))
    return csc_array(
        coo_array((ones, (rows[there], columns[there])), shape=(count, programme.cost.size))
    )


def _reach(
    programme: Programme, problem: Problem, directions: Directions
) -> tuple[FloatArray, FloatArray]:
    """Return the most each direction can run forward and backward [kW]."""
    layout, cells = programme.layout, directions.cells
    shape = (layout.batteries, layout.steps)
    low = programme.low[layout.stored].reshape(shape)
    high = programme.high[layout.stored].reshape(shape)
    start = problem.soc_start_kwh[:, None]
    low_before = np.concatenate([start, low[:, :-1]], axis=1)
    high_before = np.concatenate([start, high[:, :-1]], axis=1)
    kept, lost = problem.retention, problem.step_h * problem.drain_kw
    room_kw = (high - kept * low_before + lost) / (problem.step_h * problem.gain)
    stock_kw = (kept * high_before - lost - low) * problem.discharge_efficiency[:, None]
    stock_kw /= problem.step_h
    charge = np.clip(room_kw, 0.0, problem.charge_max_kw).ravel()[cells]
    discharge = np.clip(stock_kw, 0.0, problem.discharge_max_kw).ravel()[cells]
    least, most = exchange_range_kw(problem)
    return (
        np.concatenate([charge, most[directions.steps]]),
        np.concatenate([discharge, -least[directions.steps]]),
    )
