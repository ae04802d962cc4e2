"""The linear programme of a problem: sparse, column by column, without a modelling layer.

Columns: charge, discharge and stored energy (B x T each, battery by battery), curtailment, import
and export (T each), and the peak where it has a price. Curtailment is one column a step for all
homes: they share one connection, so which home cuts its panels does not change the cost.

Rows: stored energy (B x T), balance of the connection (T), and import under the peak (T).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from optimizer.linear.flows import Flows, within_ranges
from optimizer.model.runs import Starts, most_kw
from optimizer.problem import BoolArray, FloatArray, Problem, RowArray

IntArray: TypeAlias = npt.NDArray[np.intp]
_IndexArray: TypeAlias = npt.NDArray[np.int32]
Columns: TypeAlias = "slice[int, int, None]"
Matrix: TypeAlias = "csc_array[np.float64]"


_SMALL = 20_000
"""A matrix with no more coefficients than this is kept: its checks take longer than its numbers."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns and rows of a problem's shape stand."""

    batteries: int
    steps: int
    has_peak: bool

    @property
    def cells(self) -> int:
        """Batteries times steps."""
        return self.batteries * self.steps

    @property
    def charge(self) -> Columns:
        """Columns of charging power."""
        return slice(0, self.cells)

    @property
    def discharge(self) -> Columns:
        """Columns of discharging power."""
        return slice(self.cells, 2 * self.cells)

    @property
    def stored(self) -> Columns:
        """Columns of stored energy."""
        return slice(2 * self.cells, 3 * self.cells)

    @property
    def curtailed(self) -> Columns:
        """Columns of curtailment."""
        return slice(3 * self.cells, 3 * self.cells + self.steps)

    @property
    def imported(self) -> Columns:
        """Columns of import."""
        return slice(3 * self.cells + self.steps, 3 * self.cells + 2 * self.steps)

    @property
    def exported(self) -> Columns:
        """Columns of export."""
        return slice(3 * self.cells + 2 * self.steps, 3 * self.cells + 3 * self.steps)

    @property
    def columns(self) -> int:
        """The number of columns; the peak's is the last, where there is one."""
        return 3 * self.cells + 3 * self.steps + self.has_peak

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.cells + self.steps * (1 + self.has_peak)

    def balance_row(self, step: int = 0) -> int:
        """Return the row of the connection's balance at a step."""
        return self.cells + step

    def peak_row(self, step: int = 0) -> int:
        """Return the row that keeps import at a step under the peak."""
        return self.cells + self.steps + step


@dataclass(frozen=True, slots=True, eq=False)
class Extension:
    """Where columns and rows of a neighbourhood stand, behind those of one connection.

    Attributes:
        cut_class: The set of homes whose curtailment is one column a step, shape ``(H,)``.
        cut: Columns of curtailment, shape ``(G, T)``, one line a set.
        starts: Columns of places to start, shape ``(S,)``.
        places: What they stand for; None without machines.
        boundary_rows: Rows of limits of homes and groups that can be reached, shape ``(N,)``.
        boundary_cells: Which boundary and step those are, shape ``(K, T)``.
    """

    cut_class: RowArray
    cut: RowArray
    starts: RowArray
    places: Starts | None
    boundary_rows: RowArray
    boundary_cells: BoolArray


def _nothing() -> RowArray:
    return np.zeros(0, dtype=np.intp)


def _no_switches() -> RowArray:
    return np.zeros((2, 0), dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """Minimise ``cost @ x`` within ``row_low <= matrix @ x <= row_high``, ``low <= x <= high``.

    Attributes:
        layout: Where the first columns and rows stand; later ones are appended.
        cost: One number a column.
        matrix: Sparse, by column.
        row_low: One number a row.
        row_high: One number a row.
        low: One number a column.
        high: One number a column.
        integer: How many of the last columns are whole numbers.
        whole: Other columns that are whole numbers.
        extension: What a neighbourhood adds; None for one connection.
        switches: Columns of switches and those of the charge they switch, shape ``(2, N)``.
        first_excess: The first column of import over its limit, T of them, followed by T of export
            over its limit; None where limits are kept.
    """

    layout: Layout
    cost: FloatArray
    matrix: Matrix
    row_low: FloatArray
    row_high: FloatArray
    low: FloatArray
    high: FloatArray
    integer: int = 0
    first_excess: int | None = None
    whole: RowArray = field(default_factory=_nothing, kw_only=True)
    extension: Extension | None = field(default=None, kw_only=True)
    switches: RowArray = field(default_factory=_no_switches, kw_only=True)

    @property
    def has_whole(self) -> bool:
        """Whether any column is a whole number."""
        return self.integer > 0 or self.whole.size > 0

    @property
    def integrality(self) -> npt.NDArray[np.uint8]:
        """1 for a column that is a whole number, 0 for others."""
        kinds = np.zeros(self.cost.size, dtype=np.uint8)
        kinds[kinds.size - self.integer :] = 1
        kinds[self.whole] = 1
        return kinds

    def linear(self) -> Programme:
        """Return the same programme without whole numbers."""
        return replace(self, integer=0, whole=_nothing())

    def with_cost(self, cost: FloatArray) -> Programme:
        """Return the same programme with another aim."""
        return replace(self, cost=cost)


def programme_of(problem: Problem) -> Programme:
    """Return the programme whose optimum is the cheapest plan within all limits.

    It lets a battery charge and discharge at once, and the connection import and export at once
    where selling pays more than buying: see :mod:`optimizer.linear.directions`.
    """
    layout = Layout(len(problem.battery_ids), problem.steps, problem.peak_price_eur_per_kw > 0)
    matrix = _matrix(layout, _coefficients(problem, layout))
    row_low = np.zeros(layout.rows)
    row_low[: layout.cells] = first_row_kwh(problem)
    row_low[layout.balance_row() : layout.peak_row()] = problem.residual_kw
    row_high = row_low.copy()
    row_high[layout.peak_row() :] = np.inf
    low, high = _bounds(problem, layout)
    return Programme(layout, _costs(problem, layout), matrix, row_low, row_high, low, high)


def first_row_kwh(problem: Problem) -> FloatArray:
    """Return the right side of the rows of stored energy, shape ``(B x T,)`` [kWh]."""
    if problem.keeps_all:
        right = np.zeros(problem.charge_max_kw.shape)
        right[:, 0] = problem.soc_start_kwh
    else:
        right = -problem.step_h * problem.drain_kw
        right[:, 0] += problem.retention[:, 0] * problem.soc_start_kwh
    return right.ravel()


def exchange_range_kw(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return the least and the most the connection can exchange at each step [kW]."""
    least = problem.residual_kw - problem.discharge_max_kw.sum(axis=0)
    most = problem.residual_kw + problem.curtailable_kw + problem.charge_max_kw.sum(axis=0)
    if problem.runs:
        most = most + most_kw(problem.runs, problem.steps)
    return least, most


def flows_of(
    problem: Problem, layout: Layout, x: FloatArray, extension: Extension | None = None
) -> Flows:
    """Return the flows of a solution, each within its device's range."""
    shape = (layout.batteries, layout.steps)
    charge, discharge = x[layout.charge].reshape(shape), x[layout.discharge].reshape(shape)
    if extension is None:
        return within_ranges(problem, Flows(charge, discharge, x[layout.curtailed]))
    cut = _cut_by_home(problem, extension, x[extension.cut])
    starts = _chosen_starts(extension, x[extension.starts])
    return within_ranges(problem, Flows(charge, discharge, cut.sum(axis=0), cut, starts))


def _cut_by_home(problem: Problem, extension: Extension, cut: FloatArray) -> FloatArray:
    """Return the curtailment of each set shared by its homes in proportion, ``(H, T)`` [kW]."""
    possible = problem.curtailable_by_home_kw
    total = np.zeros_like(cut)
    np.add.at(total, extension.cut_class, possible)
    part = np.divide(cut, total, out=np.zeros_like(cut), where=total > 0)
    found: FloatArray = possible * np.clip(part, 0.0, 1.0)[extension.cut_class]
    return found


def _chosen_starts(extension: Extension, chosen: FloatArray) -> tuple[int, ...]:
    """Return the step each machine starts in: the place that most of it is in."""
    places = extension.places
    if places is None:
        return ()
    return tuple(places.step[places.most_chosen(chosen)].tolist())


def _costs(problem: Problem, layout: Layout) -> FloatArray:
    cost = np.zeros(layout.columns)
    cost[layout.discharge] = np.outer(problem.wear_eur_per_kwh, problem.step_h).ravel()
    last = cost[layout.stored][problem.steps - 1 :: problem.steps]
    last[:] = np.where(problem.end_is_fixed, 0.0, -problem.end_value_eur_per_kwh)
    cost[layout.imported] = problem.step_h * problem.buy_eur_per_kwh
    cost[layout.exported] = -problem.step_h * problem.sell_eur_per_kwh
    if layout.has_peak:
        cost[-1] = problem.peak_price_eur_per_kw
    return cost


def _bounds(problem: Problem, layout: Layout) -> tuple[FloatArray, FloatArray]:
    low = np.zeros(layout.columns)
    high = np.full(layout.columns, np.inf)
    high[layout.charge] = problem.charge_max_kw.ravel()
    high[layout.discharge] = problem.discharge_max_kw.ravel()
    low[layout.stored] = problem.floor_kwh.ravel()
    high[layout.stored] = problem.soc_max_kwh.ravel()
    low_end = low[layout.stored][problem.steps - 1 :: problem.steps]
    high_end = high[layout.stored][problem.steps - 1 :: problem.steps]
    fixed = problem.end_is_fixed
    low_end[fixed] = np.maximum(low_end[fixed], problem.soc_end_kwh[fixed])
    high_end[fixed] = np.minimum(high_end[fixed], problem.soc_end_kwh[fixed])
    high[layout.curtailed] = problem.curtailable_kw
    high[layout.imported] = problem.import_limit_kw
    high[layout.exported] = problem.export_limit_kw
    if layout.has_peak:
        low[-1] = problem.peak_so_far_kw
    return low, high


def _coefficients(problem: Problem, layout: Layout) -> FloatArray:
    charge = np.empty((layout.cells, 2))
    charge[:, 0] = (-problem.step_h * problem.gain).ravel()
    charge[:, 1] = -1.0
    discharge = np.empty((layout.cells, 2))
    discharge[:, 0] = (problem.step_h / problem.discharge_efficiency[:, None]).ravel()
    discharge[:, 1] = 1.0
    constants = _constants(layout)
    if not problem.keeps_all:
        constants = constants.copy()
        carried = constants[: 2 * layout.cells - layout.batteries]
        carried[carried < 0] = -problem.retention[:, 1:].ravel()
    return np.concatenate([charge.ravel(), discharge.ravel(), constants])


def _matrix(layout: Layout, coefficients: FloatArray) -> Matrix:
    """Return the matrix of a shape; for a small one, the same as for these coefficients before."""
    if coefficients.size <= _SMALL:
        return _small_matrix(layout, coefficients.tobytes())
    indptr, indices = _structure(layout)
    return csc_array((coefficients, indices, indptr), shape=(layout.rows, layout.columns))


@lru_cache(maxsize=16)
def _small_matrix(layout: Layout, coefficients: bytes) -> Matrix:
    indptr, indices = _structure(layout)
    return csc_array(
        (np.frombuffer(coefficients), indices, indptr), shape=(layout.rows, layout.columns)
    )


@lru_cache(maxsize=16)
def _constants(layout: Layout) -> FloatArray:
    """Return the coefficients that only depend on the shape, after those of the powers."""
    stored = np.tile([1.0, -1.0], (layout.batteries, layout.steps, 1))
    kept = np.ones(stored.shape, dtype=np.bool_)
    kept[:, -1, 1] = False
    imported = np.tile([1.0, -1.0][: 1 + layout.has_peak], layout.steps)
    minus = np.full(layout.steps, -1.0)
    peak = np.ones(layout.steps if layout.has_peak else 0)
    constants = np.concatenate([stored[kept], minus, imported, minus, peak])
    constants.flags.writeable = False
    return constants


@lru_cache(maxsize=16)
def _structure(layout: Layout) -> tuple[_IndexArray, _IndexArray]:
    """Return where the coefficients stand: column starts and row numbers."""
    cells, steps = layout.cells, layout.steps
    cell = np.arange(cells)
    balance = layout.balance_row() + np.arange(steps)
    peak = layout.peak_row() + np.arange(steps)
    power = np.stack([cell, layout.balance_row() + cell % max(steps, 1)], axis=1)
    carried = np.stack([cell, cell + 1], axis=1)
    kept = np.ones(carried.shape, dtype=np.bool_)
    kept[:, 1] = (cell + 1) % steps != 0
    imported = np.stack([balance, peak], axis=1)[:, : 1 + layout.has_peak]
    parts = [power.ravel(), power.ravel(), carried[kept], balance, imported.ravel(), balance]
    counts = np.concatenate(
        [
            np.full(2 * cells, 2),
            kept.sum(axis=1),
            np.ones(steps, dtype=np.intp),
            np.full(steps, 1 + layout.has_peak),
            np.ones(steps, dtype=np.intp),
        ]
    )
    if layout.has_peak:
        parts.append(peak)
        counts = np.append(counts, steps)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    indices = np.concatenate(parts).astype(np.int32)
    indptr.flags.writeable = False
    indices.flags.writeable = False
    return indptr, indices
