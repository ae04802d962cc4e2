"""One programme for several days that may come: the first steps are common to all of them.

The blocks are those of ``programme_of``, one a scenario, which differ by what is taken
beyond what is expected. Columns of batteries in the common steps are one and the same column in all
blocks: what is done now is done whatever comes. What comes later is decided once it is known, so
each scenario has powers, exchange and peak of its own.

It is linear: later steps may lose energy by charging and discharging at once where prices are below
zero, which a plan for real would not do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csc_array

from optimizer.linear.programme import Layout, Programme, programme_of
from optimizer.linear.solve import NoAnswerError, Solution, Solver
from optimizer.problem import FloatArray, Problem, RowArray
from optimizer.uncertain.scenarios import Scenarios


@dataclass(frozen=True, slots=True)
class Caution:
    """How much the dear days count beyond their likelihood.

    Attributes:
        weight: 0 plans for the mean of all days, 1 for the dearest part alone.
        part: Which part of the days is the dearest, such as 0.3 for three in ten.

    Source:
        R. T. Rockafellar and S. Uryasev, Optimization of conditional value-at-risk, Journal of Risk
        2 (2000), equation 17.
    """

    weight: float = 0.5
    part: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Common:
    """What is done in the steps that all scenarios share.

    Attributes:
        charge_kw: Shape ``(B, N)``.
        discharge_kw: Shape ``(B, N)``.
        stored_kwh: After each step, shape ``(B, N)``.
        worth_eur_per_kwh: What one more kWh stored saves on average, shape ``(B, N)``.
        each_eur: What each scenario costs, less the worth of what is stored at its end, ``(S,)``.
        expected_eur: The mean of these by weight.
    """

    charge_kw: FloatArray
    discharge_kw: FloatArray
    stored_kwh: FloatArray
    worth_eur_per_kwh: FloatArray
    each_eur: FloatArray
    expected_eur: float


def can_be_shared(problem: Problem) -> bool:
    """Return whether a problem has only what scenarios are planned for.

    Not so where selling pays more than buying, where machines, limits of homes or meters of their
    own need whole numbers, and with chargers that have a least power or reserves with a price.
    """
    return (
        problem.is_one_connection
        and not problem.priced_reserve_cells.size
        and not problem.charge_min_kw.any()
        and bool((problem.sell_eur_per_kwh <= problem.buy_eur_per_kwh).all())
    )


def first_steps(
    problem: Problem,
    scenarios: Scenarios,
    together: int,
    solver: Solver,
    caution: Caution | None = None,
) -> Common | None:
    """Return what is best to do in the common steps, or None where no plan keeps all limits.

    Args:
        problem: What is expected; see :func:`can_be_shared`.
        scenarios: What may come instead.
        together: How many steps are common to all.
        solver: Solves the programme.
        caution: How much dear days count beyond their likelihood; None is not at all.

    Raises:
        NoAnswerError: Time ran out, or the solver failed.
    """
    blocks = _Blocks(programme_of(problem), scenarios, min(together, problem.steps))
    programme = blocks.programme()
    if caution is not None and caution.weight > 0:
        programme = _cautious(programme, blocks, scenarios, caution)
    return _answer(problem, blocks, scenarios, solver.solve(programme))


class _Blocks:
    """A block a scenario, joined in the columns of batteries in the common steps."""

    def __init__(self, one: Programme, scenarios: Scenarios, together: int) -> None:
        """Number columns and rows: those of the first scenario are as they were."""
        layout = one.layout
        self._one = one
        self._scenarios = scenarios
        count = scenarios.weight.size
        cell = np.arange(layout.cells).reshape(layout.batteries, layout.steps)[:, :together]
        self.charge: RowArray = layout.charge.start + cell
        self.discharge: RowArray = layout.discharge.start + cell
        self.stored: RowArray = layout.stored.start + cell
        common = np.concatenate([self.charge, self.discharge, self.stored], axis=None)
        self.rows_of_stored: RowArray = cell
        self.columns = _numbers(count, one.cost.size, common)
        self.rows = _numbers(count, one.row_low.size, cell.ravel())

    def programme(self) -> Programme:
        """Return the joined programme; its cost is the mean by weight."""
        one, weight = self._one, self._scenarios.weight
        columns, rows = int(self.columns.max()) + 1, int(self.rows.max()) + 1
        cost = np.zeros(columns)
        np.add.at(cost, self.columns, weight[:, None] * one.cost)
        low, high = np.empty(columns), np.empty(columns)
        low[self.columns], high[self.columns] = one.low, one.high
        row_low, row_high = np.empty(rows), np.empty(rows)
        row_low[self.rows], row_high[self.rows] = one.row_low, one.row_high
        balance = self._balance_rows(one.layout)
        row_low[balance] += self._scenarios.more_kw
        row_high[balance] += self._scenarios.more_kw
        body = one.matrix.tocoo()
        # A row of stored energy in a common step is the same in all blocks: it stands there once.
        kept = np.ones((weight.size, body.data.size), dtype=np.bool_)
        kept[1:] = ~np.isin(body.row, self.rows_of_stored)
        at = (self.rows[:, body.row][kept], self.columns[:, body.col][kept])
        values = np.broadcast_to(body.data, kept.shape)[kept]
        matrix = csc_array(coo_array((values, at), shape=(rows, columns)))
        return Programme(one.layout, cost, matrix, row_low, row_high, low, high)

    def each_eur(self, x: FloatArray) -> FloatArray:
        """Return what each scenario costs, shape ``(S,)``."""
        costs: FloatArray = x[self.columns] @ self._one.cost
        return costs

    @property
    def cost_of_one(self) -> FloatArray:
        """The cost of the columns of one block."""
        return self._one.cost

    def _balance_rows(self, layout: Layout) -> RowArray:
        return self.rows[:, layout.balance_row() : layout.balance_row() + layout.steps]


def _numbers(count: int, size: int, common: RowArray) -> RowArray:
    """Return the number of each place in each block, shape ``(count, size)``; common ones once."""
    own = np.ones(size, dtype=np.bool_)
    own[common] = False
    rank = np.cumsum(own) - 1
    found = np.tile(np.arange(size), (count, 1))
    for block in range(1, count):
        found[block, own] = size + (block - 1) * int(own.sum()) + rank[own]
    return found


def _cautious(
    programme: Programme, blocks: _Blocks, scenarios: Scenarios, caution: Caution
) -> Programme:
    """Return the programme with the mean of the dearest days in its cost.

    Columns: a level, and how far each scenario's cost goes over it. Rows: cost minus level minus
    excess is at most zero.
    """
    count, first = scenarios.weight.size, programme.cost.size
    rows = np.repeat(np.arange(count), blocks.cost_of_one.size)
    dear = csc_array(
        coo_array(
            (np.tile(blocks.cost_of_one, count), (rows, blocks.columns.ravel())),
            shape=(count, first),
        )
    ).tocoo()
    body = programme.matrix.tocoo()
    over = np.arange(count)
    below = programme.row_low.size + over
    matrix = coo_array(
        (
            np.concatenate([body.data, dear.data, np.full(2 * count, -1.0)]),
            (
                np.concatenate([body.row, programme.row_low.size + dear.row, below, below]),
                np.concatenate([body.col, dear.col, np.full(count, first), first + 1 + over]),
            ),
        ),
        shape=(programme.row_low.size + count, first + 1 + count),
    )
    tail = caution.weight / caution.part * scenarios.weight
    return replace(
        programme,
        cost=np.concatenate([(1 - caution.weight) * programme.cost, [caution.weight], tail]),
        matrix=csc_array(matrix),
        row_low=np.concatenate([programme.row_low, np.full(count, -np.inf)]),
        row_high=np.concatenate([programme.row_high, np.zeros(count)]),
        low=np.concatenate([programme.low, [-np.inf], np.zeros(count)]),
        high=np.concatenate([programme.high, np.full(count + 1, np.inf)]),
    )


def _answer(
    problem: Problem, blocks: _Blocks, scenarios: Scenarios, solution: Solution | None
) -> Common | None:
    if solution is None:
        return None
    if solution.row_price is None:
        raise NoAnswerError("the programme of all scenarios came without prices")
    x = solution.x
    each = blocks.each_eur(x)
    if problem.peak_price_eur_per_kw > 0:
        each = each - problem.peak_price_eur_per_kw * problem.peak_so_far_kw
    return Common(
        x[blocks.charge],
        x[blocks.discharge],
        x[blocks.stored],
        -solution.row_price[blocks.rows_of_stored],
        each,
        float(scenarios.weight @ each),
    )
