"""A solution near the best where whole numbers are many, and how near it is.

A switch a step for each device with a least power makes a search of many seconds, which go to the
last tenths of a per cent and to their proof. Here a solution is made in three strides. A *dive*
solves the linear programme again and again, a few undecided switches settled each time, warm from
the last. A search *around* it leaves open only the switches on which the dive and the linear
programme differ. What was chosen is solved once more, as whole numbers are whole only within a
tolerance. The bound is that of the linear programme. Every limit but the caller's time is a count,
so the same problem gives the same solution.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.linear.answer import End
from optimizer.linear.directions import Directions, leaning, with_directions, with_fixed
from optimizer.linear.programme import Programme
from optimizer.linear.solve import NoAnswerError, Search, Solution, Solver, new_highs
from optimizer.linear.switches import with_chosen, with_starts
from optimizer.problem import BoolArray, FloatArray, Problem, RowArray

MANY = 300
"""More switches than this are planned by strides; fewer are proven the cheapest."""
_RUNS_KW = 1e-7
_WHOLE = 1e-6
_AT_A_TIME = 2
_DIVES = 150
"""Programmes in one dive at most; each takes some 10 ms and settles switches of each device."""
_GAP, _NODES = 3e-4, 40
"""Where the search around a dive ends: relative to the cost, and in nodes."""


def is_many(programme: Programme) -> bool:
    """Return whether a programme within its limits has many switches."""
    return programme.switches.shape[1] > MANY and programme.first_excess is None


def near_the_best(
    problem: Problem, programme: Programme, directions: Directions, solver: Solver
) -> Solution | None:
    """Return a solution near the best with a bound; None where numbers are few, or none is found.

    Args:
        problem: What is planned.
        programme: Its programme with switches, whole in many columns.
        directions: What goes one way at a time.
        solver: Nothing is found through SciPy's interface, which takes no start.
    """
    if solver.through_scipy or not is_many(programme):
        return None
    whole = with_directions(programme, problem, directions)
    dive = solver.timed(lambda: _dived(problem, whole, solver))
    if dive is None:
        return None
    found = _settled(problem, programme, directions, dive.x, solver)
    if found is None:
        return None
    bound = float(whole.cost @ dive.linear)
    if (proven := replace(found, bound=min(bound, found.cost))).is_proven:
        return replace(proven, x=found.x[: programme.cost.size])
    around = _around(problem, whole, dive.linear, found.x)
    near = solver.search(around, Search(found.x, _GAP, _NODES))
    if near is not None and near.cost < found.cost:
        found = _settled(problem, programme, directions, near.x, solver) or found
    return Solution(found.x[: programme.cost.size], found.cost, min(bound, found.cost))


@dataclass(frozen=True, slots=True, eq=False)
class _Dive:
    """Where a dive began and ended: the linear solution, and one with every switch settled."""

    linear: FloatArray
    x: FloatArray


def _dived(problem: Problem, whole: Programme, solver: Solver) -> _Dive | None:
    """Return a dive, or None where it ran aground: out of time, or nothing left within limits."""
    linear, highs = whole.linear(), new_highs()
    highs.load(linear)
    answer = highs.run(solver.patience_s(linear))
    if answer.end is not End.OPTIMAL or answer.x is None:
        return None
    first = x = answer.x
    settled = with_starts(linear, x)
    for _ in range(_DIVES):
        switches = _undecided(problem, settled, x)
        tried = _nearest(problem, settled, switches, x)
        highs.change_to(tried)
        answer = highs.run(solver.patience_s(tried))
        if answer.end is End.INFEASIBLE:
            # What was left out was needed: all of them run.
            tried = _switched(settled, on=switches, off=switches[:0])
            highs.change_to(tried)
            answer = highs.run(solver.patience_s(tried))
        if answer.end is not End.OPTIMAL or answer.x is None:
            return None
        settled, x = tried, answer.x
        if not _below_least(problem, settled, x).any():
            return _Dive(first, x)
    return None


def _least_kw(problem: Problem, programme: Programme) -> FloatArray:
    cells = programme.switches[1] - programme.layout.charge.start
    return np.asarray(problem.charge_min_kw.ravel()[cells])


def _below_least(problem: Problem, programme: Programme, x: FloatArray) -> BoolArray:
    """Return which switches stand for a power between nothing and the least, shape ``(N,)``."""
    power, least = x[programme.switches[1]], _least_kw(problem, programme)
    below: BoolArray = (power > _RUNS_KW) & (power < least - _RUNS_KW)
    return below


def _undecided(problem: Problem, programme: Programme, x: FloatArray) -> RowArray:
    """Return the surest switches of each device that runs below its least power somewhere."""
    switch, charge = programme.switches
    open_ones = programme.low[switch] < programme.high[switch]
    places = np.flatnonzero(_below_least(problem, programme, x) & open_ones)
    part = x[charge[places]] / _least_kw(problem, programme)[places]
    device = (charge[places] - programme.layout.charge.start) // programme.layout.steps
    order = np.lexsort((places, -np.abs(part - 0.5), device))
    ranked = device[order]
    nth = np.arange(order.size) - np.searchsorted(ranked, ranked)
    found: RowArray = places[order[nth < _AT_A_TIME]]
    return found


def _nearest(problem: Problem, programme: Programme, places: RowArray, x: FloatArray) -> Programme:
    """Return the programme in which some switches are what they are nearest to."""
    power = x[programme.switches[1, places]]
    on = 2.0 * power >= _least_kw(problem, programme)[places]
    return _switched(programme, on=places[on], off=places[~on])


def _switched(programme: Programme, *, on: RowArray, off: RowArray) -> Programme:
    switch = programme.switches[0]
    low, high = programme.low.copy(), programme.high.copy()
    low[switch[on]] = 1.0
    high[switch[off]] = 0.0
    return replace(programme, low=low, high=high)


def _settled(
    problem: Problem,
    programme: Programme,
    directions: Directions,
    x: FloatArray,
    solver: Solver,
) -> Solution | None:
    """Return the best solution with the switches, starts and directions of another."""
    forward = leaning(problem, programme.layout, directions, x)
    chosen = with_chosen(programme, x[: programme.cost.size])
    try:
        found = solver.solve(with_fixed(chosen, directions, forward=forward))
    except NoAnswerError:
        return None
    if found is None or not np.isfinite(found.bound):
        return None
    return replace(found, x=np.concatenate([found.x, forward]))


def _around(problem: Problem, whole: Programme, linear: FloatArray, found: FloatArray) -> Programme:
    """Return the programme in which what two solutions agree on is settled.

    Switches are compared by what runs: a linear programme leaves a switch anywhere.
    """
    switch, charge = whole.switches
    on = found[charge] > _RUNS_KW
    same = ~_below_least(problem, whole, linear) & ((linear[charge] > _RUNS_KW) == on)
    low, high = whole.low.copy(), whole.high.copy()
    low[switch[same]] = high[switch[same]] = on[same]
    if whole.extension is not None:
        starts = whole.extension.starts
        starts = starts[np.abs(linear[starts] - found[starts]) < _WHOLE]
        low[starts] = high[starts] = found[starts].round()
    return replace(whole, low=low, high=high)
