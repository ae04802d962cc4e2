"""Limits that give way: first as little as can be, then as cheaply as that allows.

Powers of batteries and panels never give way: a device cannot do more than it can. What can is, in
this order of importance: the limits of the connection (kW times hours over them), the band of
stored energy (kWh outside it, added over the steps) and the wanted end (kWh). The weights of the
three are so far apart that a lower one is never bought with a higher one: a kWh more in the battery
ends at most T steps outside the band, so one grid kWh outweighs it ten times.

Stored energy stays between the lowest and the highest edge of its band (or the start, when that is
outside), so no battery is filled beyond what it holds to relieve a connection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import block_array, csc_array

from optimizer.problem import FloatArray, Problem
from optimizer.programme import Matrix, Programme, exchange_range_kw

_STEP_APART = 10.0
_MOST_LOST = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Softened:
    """A programme with a column for each excess, and what those columns weigh.

    Attributes:
        programme: Its cost is that of the plan; an excess is free.
        weights: What an excess weighs, one number a column; zero for all other columns.
        kinds: Three rows that add up the excess of the connection, the band and the end.
    """

    programme: Programme
    weights: FloatArray
    kinds: Matrix


def softened(problem: Problem, programme: Programme) -> Softened:
    """Return the programme in which limits may be broken.

    Appended columns: import over its limit, export over its limit (T each), stored energy under
    and over its band (B x T each), and under and over the wanted end (B each).
    """
    layout = programme.layout
    steps, cells, batteries = layout.steps, layout.cells, layout.batteries
    least, most = exchange_range_kw(problem)
    lowest, highest = _edges(problem)
    in_band = problem.soc_min_kwh - lowest, highest - problem.soc_max_kwh
    at_end = np.where(problem.end_is_fixed, np.inf, 0.0)
    excess_high = np.concatenate(
        [
            np.maximum(most, 0.0),
            np.maximum(-least, 0.0),
            in_band[0].ravel(),
            in_band[1].ravel(),
            at_end,
            at_end,
        ]
    )
    low, high = programme.low.copy(), programme.high.copy()
    low[layout.stored] = lowest.ravel()
    high[layout.stored] = highest.ravel()
    end = np.where(problem.end_is_fixed, problem.soc_end_kwh, 0.0)
    soft = replace(
        programme,
        cost=np.concatenate(
            [
                programme.cost,
                programme.cost[layout.imported],
                programme.cost[layout.exported],
                np.zeros(2 * cells + 2 * batteries),
            ]
        ),
        matrix=_matrix(programme),
        row_low=np.concatenate(
            [
                programme.row_low,
                problem.soc_min_kwh.ravel(),
                np.where(problem.end_is_fixed, end, -np.inf),
            ]
        ),
        row_high=np.concatenate(
            [
                programme.row_high,
                problem.soc_max_kwh.ravel(),
                np.where(problem.end_is_fixed, end, np.inf),
            ]
        ),
        low=np.concatenate([low, np.zeros(excess_high.size)]),
        high=np.concatenate([high, excess_high]),
        has_excess=True,
    )
    sizes = [2 * steps, 2 * cells, 2 * batteries]
    return Softened(soft, _weights(problem, programme, sizes), _kinds(programme, sizes))


def capped(soft: Softened, least: FloatArray, *, room: float) -> Programme:
    """Return the programme that breaks no kind of limit more than a least-breaking solution.

    Args:
        soft: The softened programme.
        least: A solution that breaks limits least.
        room: What is added to each total for the solver's tolerance, relative above 1.
    """
    totals: FloatArray = np.asarray(soft.kinds @ least, dtype=np.float64)
    return replace(
        soft.programme,
        matrix=csc_array(block_array([[soft.programme.matrix], [soft.kinds]], format="csc")),
        row_low=np.concatenate([soft.programme.row_low, np.full(totals.size, -np.inf)]),
        row_high=np.concatenate([soft.programme.row_high, totals + room * np.maximum(1.0, totals)]),
    )


def _edges(problem: Problem) -> tuple[FloatArray, FloatArray]:
    start = problem.soc_start_kwh
    lowest = np.minimum(problem.soc_min_kwh.min(axis=1), start)
    highest = np.maximum(problem.soc_max_kwh.max(axis=1), start)
    ones = np.ones((1, problem.steps))
    return lowest[:, None] * ones, highest[:, None] * ones


def _matrix(programme: Programme) -> Matrix:
    layout = programme.layout
    steps, cells, batteries = layout.steps, layout.cells, layout.batteries
    excess = csc_array((layout.rows, 2 * steps + 2 * cells + 2 * batteries))
    step = np.arange(steps)
    balance = layout.balance_row() + step
    rows, columns = np.concatenate([balance, balance]), np.arange(2 * steps)
    values = np.repeat([1.0, -1.0], steps)
    if layout.has_peak:
        rows = np.concatenate([rows, layout.peak_row() + step])
        columns = np.concatenate([columns, step])
        values = np.concatenate([values, np.full(steps, -1.0)])
    excess = csc_array((values, (rows, columns)), shape=excess.shape)
    cell, battery = np.arange(cells), np.arange(batteries)
    band = csc_array(
        (np.ones(cells), (cell, layout.stored.start + cell)), shape=(cells, layout.columns)
    )
    last = layout.stored.start + (battery + 1) * steps - 1
    end = csc_array((np.ones(batteries), (battery, last)), shape=(batteries, layout.columns))
    under_over = np.repeat([1.0, -1.0], cells)
    band_excess = csc_array(
        (under_over, (np.tile(cell, 2), 2 * steps + np.arange(2 * cells))),
        shape=(cells, excess.shape[1]),
    )
    end_excess = csc_array(
        (
            np.repeat([1.0, -1.0], batteries),
            (np.tile(battery, 2), 2 * steps + 2 * cells + np.arange(2 * batteries)),
        ),
        shape=(batteries, excess.shape[1]),
    )
    return csc_array(
        block_array(
            [[programme.matrix, excess], [band, band_excess], [end, end_excess]], format="csc"
        )
    )


def _weights(problem: Problem, programme: Programme, sizes: list[int]) -> FloatArray:
    kept = problem.charge_efficiency * problem.discharge_efficiency
    least_kept = max(float(kept.min(initial=1.0)), 1.0 - _MOST_LOST)
    of_band = _STEP_APART / least_kept
    of_grid = _STEP_APART * of_band * problem.steps / least_kept
    weights = [problem.interval_h * of_grid, of_band, 1.0]
    return np.concatenate([np.zeros(programme.cost.size), np.repeat(weights, sizes)])


def _kinds(programme: Programme, sizes: list[int]) -> Matrix:
    before, total = programme.cost.size, sum(sizes)
    columns = before + np.arange(total)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    return csc_array((np.ones(total), (rows, columns)), shape=(len(sizes), before + total))
