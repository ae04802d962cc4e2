"""Whole numbers beside directions: machines that start once, devices with a least power.

A linear programme may start a machine in halves, or run a device below the least it can. What it
gets wrong gets whole numbers: a switch for each step of a device, 1 where it runs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import block_array, coo_array, csc_array

from optimizer.linear.flows import Flows
from optimizer.linear.programme import Programme
from optimizer.problem import BoolArray, FloatArray, Problem

_WHOLE = 1e-9
"""A number this near a whole one is one."""
_RUNS_KW = 1e-7


def below_least(problem: Problem, flows: Flows) -> BoolArray:
    """Return which stores charge with less than their least power at any step, shape ``(B,)``."""
    least = problem.charge_min_kw
    if not any(least.strides):
        return np.zeros(least.shape[0], dtype=np.bool_)
    charge = flows.charge_kw
    below = (charge > _RUNS_KW) & (charge < least - _RUNS_KW)
    return np.asarray(below.any(axis=1))


def with_switches(programme: Programme, problem: Problem, stores: BoolArray) -> Programme:
    """Return the programme with a switch for each step at which some stores have a least power.

    ``least * z <= charge <= most * z``.
    """
    cells = np.flatnonzero((problem.charge_min_kw > 0) & stores[:, None])
    if not cells.size:
        return programme
    count, place = cells.size, np.arange(cells.size)
    charge = csc_array(
        coo_array(
            (np.ones(count), (place, programme.layout.charge.start + cells)),
            shape=(count, programme.cost.size),
        )
    )

    def diagonal(power_kw: FloatArray) -> csc_array[np.float64]:
        return csc_array((-power_kw.ravel()[cells], (place, place)), shape=(count, count))

    matrix = block_array(
        [
            [programme.matrix, None],
            [charge, diagonal(problem.charge_max_kw)],
            [charge, diagonal(problem.charge_min_kw)],
        ],
        format="csc",
    )
    nothing, unlimited = np.zeros(count), np.full(count, np.inf)
    return replace(
        programme,
        cost=np.concatenate([programme.cost, nothing]),
        matrix=csc_array(matrix),
        row_low=np.concatenate([programme.row_low, -unlimited, nothing]),
        row_high=np.concatenate([programme.row_high, nothing, unlimited]),
        low=np.concatenate([programme.low, nothing]),
        high=np.concatenate([programme.high, np.ones(count)]),
        whole=np.concatenate([programme.whole, programme.cost.size + place]),
        switches=np.stack([programme.cost.size + place, programme.layout.charge.start + cells]),
    )


def is_whole(programme: Programme, x: FloatArray) -> bool:
    """Return whether the columns that are to be whole numbers are."""
    chosen = x[programme.whole]
    return bool((np.abs(chosen - chosen.round()) <= _WHOLE).all())


def with_chosen(programme: Programme, x: FloatArray) -> Programme:
    """Return the programme whose whole numbers are those that a solution is nearest to.

    A machine starts where most of it does, and a device that runs at all is on.
    """
    if not programme.whole.size:
        return programme
    low, high = programme.low.copy(), programme.high.copy()
    low[programme.whole] = high[programme.whole] = x[programme.whole].round().clip(0.0, 1.0)
    switch, charge = programme.switches
    low[switch] = high[switch] = x[charge] > _RUNS_KW
    return with_starts(replace(programme.linear(), low=low, high=high), x)


def with_starts(programme: Programme, x: FloatArray) -> Programme:
    """Return the programme in which each machine starts where most of it does in a solution."""
    extension = programme.extension
    if extension is None or extension.places is None:
        return programme
    low, high = programme.low.copy(), programme.high.copy()
    chosen = extension.starts[extension.places.most_chosen(x[extension.starts])]
    low[extension.starts] = high[extension.starts] = 0.0
    low[chosen] = high[chosen] = 1.0
    return replace(programme, low=low, high=high)
