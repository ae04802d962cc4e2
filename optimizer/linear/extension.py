"""What a neighbourhood adds to the programme of one connection: columns and rows behind its own.

Columns: curtailment of homes that have a limit or a meter of their own (T for each set of homes
that no limit tells apart), one for each place where a machine may start, what is short of priced
reserves, and with meters of their own import and export of each meter and what is shared. Rows: the
limits of boundaries, one start for each machine, priced reserves, and the balances of the meters.

Start columns are whole numbers, and so are directions of meters at steps where selling pays more
than buying.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array

from optimizer.linear.programme import Extension, Layout, Programme
from optimizer.model.neighbourhood import BoolArray, FloatArray, RowArray
from optimizer.model.runs import Starts, starts_of
from optimizer.problem import Problem


@dataclass(slots=True, eq=False)
class _Growth:
    """A programme that grows: columns and rows, and where coefficients stand."""

    columns: int
    rows: int
    cost: list[FloatArray] = field(default_factory=list)
    low: list[FloatArray] = field(default_factory=list)
    high: list[FloatArray] = field(default_factory=list)
    row_low: list[FloatArray] = field(default_factory=list)
    row_high: list[FloatArray] = field(default_factory=list)
    at_row: list[RowArray] = field(default_factory=list)
    at_column: list[RowArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)

    def add_columns(self, high: FloatArray, cost: FloatArray | float = 0.0) -> RowArray:
        """Return the numbers of new columns from zero up to ``high``, in its shape."""
        new = self.columns + np.arange(high.size).reshape(high.shape)
        self.columns += high.size
        self.cost.append(np.broadcast_to(cost, high.shape).ravel())
        self.low.append(np.zeros(high.size))
        self.high.append(high.ravel())
        return new

    def add_rows(self, low: FloatArray, high: FloatArray) -> RowArray:
        """Return the numbers of new rows, in the shape of their limits."""
        new = self.rows + np.arange(low.size).reshape(low.shape)
        self.rows += low.size
        self.row_low.append(low.ravel())
        self.row_high.append(high.ravel())
        return new

    def put(self, rows: RowArray, columns: RowArray, value: FloatArray | float) -> None:
        """Put a coefficient at each pair of a row and a column."""
        rows, columns = np.broadcast_arrays(rows, columns)
        self.at_row.append(rows.ravel())
        self.at_column.append(columns.ravel())
        self.values.append(np.broadcast_to(value, rows.shape).ravel().astype(np.float64))


def extended(problem: Problem, programme: Programme) -> Programme:
    """Return the programme of a whole neighbourhood; the same where there is nothing to add."""
    if problem.is_one_connection and not problem.priced_reserve_cells.size:
        return programme
    growth = _Growth(programme.cost.size, programme.row_low.size)
    classes = _cut_classes(problem)
    cut = _add_cuts(problem, programme.layout, growth, classes)
    starts, places = _add_starts(problem, programme.layout, growth)
    boundary_rows, boundary_cells = _add_boundaries(
        problem, programme.layout, growth, classes, cut, places, starts
    )
    _add_reserves(problem, programme.layout, growth)
    whole = [starts]
    if problem.sharing is not None:
        whole.append(_add_meters(problem, programme.layout, growth, classes, cut, places, starts))
    grown = _grown(programme, growth)
    low, high, cost = grown.low, grown.high, grown.cost
    open_cut = problem.pv_kw[(classes == 0) & problem.curtailable].sum(axis=0)
    high[programme.layout.curtailed] = open_cut
    if problem.sharing is not None:
        cost[programme.layout.imported] = 0.0
        cost[programme.layout.exported] = 0.0
    return replace(
        grown,
        cost=cost,
        low=low,
        high=high,
        whole=np.concatenate(whole),
        extension=Extension(classes, cut, starts, places, boundary_rows, boundary_cells),
    )


def _cut_classes(problem: Problem) -> RowArray:
    """Return the class of each home, shape ``(H,)``: 0 for those that nothing tells apart."""
    homes = len(problem.home_ids)
    if problem.sharing is not None:
        return np.arange(1, homes + 1)
    if problem.boundaries is None or homes == 0:
        return np.zeros(homes, dtype=np.intp)
    patterns, classes = np.unique(problem.boundaries.homes, axis=1, return_inverse=True)
    nowhere = ~patterns.any(axis=0)
    numbers = np.where(nowhere, 0, np.cumsum(~nowhere))
    found: RowArray = numbers[classes.ravel()]
    return found


def _add_cuts(problem: Problem, layout: Layout, growth: _Growth, classes: RowArray) -> RowArray:
    """Return the columns of curtailment by class, shape ``(G + 1, T)``; those of 0 are there."""
    count = int(classes.max(initial=0))
    possible = np.zeros((count + 1, problem.steps))
    able = problem.curtailable
    np.add.at(possible, classes[able], problem.pv_kw[able])
    new = growth.add_columns(possible[1:])
    growth.put(layout.balance_row() + np.arange(problem.steps), new, -1.0)
    old = np.arange(layout.curtailed.start, layout.curtailed.stop)
    return np.concatenate([old[None, :], new])


def _add_starts(
    problem: Problem, layout: Layout, growth: _Growth
) -> tuple[RowArray, Starts | None]:
    if not problem.runs:
        return np.zeros(0, dtype=np.intp), None
    places = starts_of(problem.runs)
    columns = growth.add_columns(np.ones(places.run.size))
    ones = np.ones(len(problem.runs))
    rows = growth.add_rows(ones, ones)
    growth.put(rows[places.run], columns, 1.0)
    growth.put(layout.balance_row() + places.cell_step, columns[places.cell_start], -places.cell_kw)
    return columns, places


def _add_boundaries(
    problem: Problem,
    layout: Layout,
    growth: _Growth,
    classes: RowArray,
    cut: RowArray,
    places: Starts | None,
    starts: RowArray,
) -> tuple[RowArray, BoolArray]:
    """Add a row for each boundary and step whose limit can be reached."""
    limits = problem.boundaries
    if limits is None:
        return np.zeros(0, dtype=np.intp), np.zeros((0, problem.steps), dtype=np.bool_)
    residual = _together(limits.homes, problem.load_kw - problem.pv_kw)
    low, high = -limits.export_limit_kw - residual, limits.import_limit_kw - residual
    most = _together(limits.stores, problem.charge_max_kw)
    most = most + _together(limits.homes, problem.curtailable_by_home_kw)
    least = -_together(limits.stores, problem.discharge_max_kw)
    if places is not None:
        most = most + _together(limits.runs, _most_of_runs(problem, places))
    reached: BoolArray = (most > high) | (least < low)
    numbers = np.full(low.shape, -1, dtype=np.intp)
    numbers[reached] = growth.add_rows(low[reached], high[reached])
    boundary, store = np.nonzero(limits.stores)
    _put_there(growth, numbers[boundary], _cells(layout, store), 1.0)
    _put_there(growth, numbers[boundary], layout.discharge.start + _cells(layout, store), -1.0)
    for number in range(1, cut.shape[0]):
        member = limits.homes[:, np.argmax(classes == number)]
        _put_there(growth, numbers[member], np.broadcast_to(cut[number], numbers[member].shape), 1)
    if places is not None:
        run = places.run[places.cell_start]
        for row in range(limits.runs.shape[0]):
            inside = limits.runs[row, run]
            columns = starts[places.cell_start[inside]]
            rows = numbers[row, places.cell_step[inside]]
            _put_there(growth, rows, columns, places.cell_kw[inside])
    return numbers[reached], reached


def _together(within: BoolArray, powers_kw: FloatArray) -> FloatArray:
    """Return the sum of what lies within each boundary, shape ``(K, T)`` [kW]."""
    return np.asarray(csr_array(within.astype(np.float64)) @ powers_kw, dtype=np.float64)


def _most_of_runs(problem: Problem, places: Starts) -> FloatArray:
    most = np.zeros((len(problem.runs), problem.steps))
    np.maximum.at(most, (places.run[places.cell_start], places.cell_step), places.cell_kw)
    return most


def _add_reserves(problem: Problem, layout: Layout, growth: _Growth) -> None:
    cells = problem.priced_reserve_cells
    if not cells.size:
        return
    store, step = np.divmod(cells, problem.steps)
    price = problem.reserve_price_eur[store] * problem.step_h[step]
    short = growth.add_columns(np.full(cells.size, np.inf), price)
    rows = growth.add_rows(problem.reserve_kwh.ravel()[cells], np.full(cells.size, np.inf))
    growth.put(rows, short, 1.0)
    growth.put(rows, layout.stored.start + cells, 1.0)


def _add_meters(
    problem: Problem,
    layout: Layout,
    growth: _Growth,
    classes: RowArray,
    cut: RowArray,
    places: Starts | None,
    starts: RowArray,
) -> RowArray:
    """Add meters that share, and return the columns of directions that are whole numbers."""
    assert problem.sharing is not None
    homes, steps = len(problem.home_ids), problem.steps
    buy, sell, step_h = problem.buy_eur_per_kwh, problem.sell_eur_per_kwh, problem.step_h
    least, most = _meter_ranges_kw(problem, places)
    taken = growth.add_columns(np.maximum(most, 0.0), step_h * buy)
    given = growth.add_columns(np.maximum(-least, 0.0), -step_h * sell)
    levy = problem.sharing.levy_eur_per_kwh - buy + sell
    shared = growth.add_columns(np.where(levy <= 0, np.inf, 0.0), step_h * levy)
    residual = np.zeros((homes + 1, steps))
    residual[:homes] = problem.load_kw - problem.pv_kw
    balance = growth.add_rows(residual, residual)
    growth.put(balance, taken, 1.0)
    growth.put(balance, given, -1.0)
    meter = np.where(problem.store_home < 0, homes, problem.store_home)
    cells = _cells(layout, np.arange(meter.size))
    growth.put(balance[meter], cells, -1.0)
    growth.put(balance[meter], layout.discharge.start + cells, 1.0)
    growth.put(balance[:homes], cut[classes], -1.0)
    if places is not None:
        at = np.where(problem.run_home < 0, homes, problem.run_home)
        rows = balance[at[places.run[places.cell_start]], places.cell_step]
        growth.put(rows, starts[places.cell_start], -places.cell_kw)
    for flows in (taken, given):
        enough = growth.add_rows(np.zeros(steps), np.full(steps, np.inf))
        growth.put(enough[None, :], flows, 1.0)
        growth.put(enough, shared, -1.0)
    both = (sell > buy) & (least < 0) & (most > 0)
    forward = growth.add_columns(np.ones(int(both.sum())))
    nothing = np.full(forward.size, -np.inf)
    rows = growth.add_rows(nothing, np.zeros(forward.size))
    growth.put(rows, taken[both], 1.0)
    growth.put(rows, forward, -most[both])
    rows = growth.add_rows(nothing, -least[both])
    growth.put(rows, given[both], 1.0)
    growth.put(rows, forward, -least[both])
    return forward


def _meter_ranges_kw(problem: Problem, places: Starts | None) -> tuple[FloatArray, FloatArray]:
    """Return the least and the most each meter can exchange, shape ``(H + 1, T)`` [kW]."""
    homes = len(problem.home_ids)
    least = np.zeros((homes + 1, problem.steps))
    least[:homes] = problem.load_kw - problem.pv_kw
    most = least.copy()
    most[:homes] += problem.curtailable_by_home_kw
    meter = np.where(problem.store_home < 0, homes, problem.store_home)
    np.add.at(least, meter, -problem.discharge_max_kw)
    np.add.at(most, meter, problem.charge_max_kw)
    if places is not None:
        at = np.where(problem.run_home < 0, homes, problem.run_home)
        np.add.at(most, at, _most_of_runs(problem, places))
    return least, most


def _cells(layout: Layout, store: RowArray) -> RowArray:
    found: RowArray = store[:, None] * layout.steps + np.arange(layout.steps)
    return found


def _put_there(
    growth: _Growth, rows: RowArray, columns: RowArray, values: FloatArray | float
) -> None:
    """Put coefficients into the rows that are there; -1 stands for none."""
    there = rows >= 0
    growth.put(rows[there], columns[there], np.broadcast_to(values, rows.shape)[there])


def _grown(programme: Programme, growth: _Growth) -> Programme:
    body = programme.matrix.tocoo()
    rows = np.concatenate([body.row.astype(np.intp), *growth.at_row])
    columns = np.concatenate([body.col.astype(np.intp), *growth.at_column])
    values = np.concatenate([body.data, *growth.values])
    matrix = csc_array(coo_array((values, (rows, columns)), shape=(growth.rows, growth.columns)))
    matrix.sum_duplicates()
    return replace(
        programme,
        cost=np.concatenate([programme.cost, *growth.cost]),
        matrix=matrix,
        row_low=np.concatenate([programme.row_low, *growth.row_low]),
        row_high=np.concatenate([programme.row_high, *growth.row_high]),
        low=np.concatenate([programme.low, *growth.low]),
        high=np.concatenate([programme.high, *growth.high]),
    )
