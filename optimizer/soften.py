"""Limits that give way: first as little as can be, then as cheaply as that allows.

Powers of batteries and panels never give way: a device cannot do more than it can. What can is, in
this order of importance: the limits of the connection (kW over them, added over the steps), the
band of stored energy (kWh outside it, added over the steps) and the wanted end (kWh). The three are
settled one after the other: no weight puts a sum of the second beyond the price of the first, as a
per cent saved on losses may take any number of kWh outside a band.

Stored energy stays between the lowest and the highest edge of its band (or the start, when that is
outside), so no battery is filled beyond what it holds to relieve a connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import block_array, csc_array

from optimizer.problem import FloatArray, Problem
from optimizer.programme import Matrix, Programme, exchange_range_kw


@dataclass(frozen=True, slots=True, eq=False)
class Softened:
    """A programme with a column for each excess, and what adds them up, most important first.

    Attributes:
        programme: Its cost is that of the plan; an excess is free.
        kinds: What adds up the excess of the connection, of the band and of the end, one number a
            column each.
    """

    programme: Programme
    kinds: tuple[FloatArray, ...]


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
    return Softened(soft, _kinds(programme.cost.size, sizes))


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


def _kinds(before: int, sizes: list[int]) -> tuple[FloatArray, ...]:
    places = np.concatenate([np.full(before, -1), np.repeat(np.arange(len(sizes)), sizes)])
    return tuple((places == kind).astype(np.float64) for kind in range(len(sizes)))
