"""The best solution of a programme in which everything goes one way at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.linear.directions import (
    Directions,
    leaning,
    of_batteries,
    two_way_cells,
    with_directions,
    with_fixed,
)
from optimizer.linear.many_whole import near_the_best
from optimizer.linear.one_at_a_time import improved
from optimizer.linear.one_battery import best_course
from optimizer.linear.programme import Programme
from optimizer.linear.solve import NoAnswerError, Solution, Solver
from optimizer.linear.switches import is_whole, with_chosen
from optimizer.problem import Problem

_NEAR = 1e-4
"""How near its bound, beside its cost, a battery's course is taken without a search."""


def directed(
    problem: Problem, programme: Programme, directions: Directions, solver: Solver
) -> Solution | None:
    """Return the best solution with one direction at a time, or None where there is none.

    Where no direction is in question the linear programme comes first: it may be whole by itself.
    Where whole numbers are many a solution near the best is enough.
    Once directions are known they are fixed and solved again: whole numbers are whole only within
    a tolerance. A search that ended before its proof is held against the directions the linear
    programme leans to, and then each battery in turn is let do its best. A single battery needs no
    search.
    """
    near = near_the_best(problem, programme, directions, solver)
    if near is not None:
        return near
    found = _searched(problem, programme, directions, solver)
    if found is None or found.is_proven or not directions.cells.size:
        return found
    better = improved(problem, programme, found, solver)
    return replace(better, bound=min(found.bound, better.cost))


def _searched(
    problem: Problem, programme: Programme, directions: Directions, solver: Solver
) -> Solution | None:
    if directions.count == 0:
        linear = solver.solve(programme.linear())
        if linear is None or is_whole(programme, linear.x):
            return linear
        nearest = solver.solve(with_chosen(programme, linear.x))
        if nearest is not None and replace(nearest, bound=linear.bound).is_proven:
            return replace(nearest, bound=linear.bound)
    elif (alone := _of_one_battery(problem, programme, solver)) is not None:
        return alone
    try:
        searched = solver.solve(with_directions(programme, problem, directions))
    except NoAnswerError:
        searched = None
    else:
        if searched is None:
            return None
    tries = []
    if searched is not None:
        forward = searched.x[searched.x.size - directions.count :] > 0.5
        chosen = with_chosen(programme, searched.x)
        tries.append(_tried(solver, with_fixed(chosen, directions, forward=forward)))
    bound = -np.inf if searched is None else searched.bound
    if searched is None or not searched.is_proven:
        relaxed = _tried(solver, with_directions(programme, problem, directions).linear())
        tries.append(_leaning(problem, programme, directions, relaxed, solver))
        bound = max(bound, -np.inf if relaxed is None else relaxed.bound)
    solved = [one for one in tries if one is not None]
    if not solved:
        if searched is None:
            raise NoAnswerError("time ran out before any plan with one direction at a time")
        return replace(searched, x=searched.x[: programme.cost.size])
    best = min(solved, key=lambda one: one.cost)
    return replace(best, bound=min(bound, best.cost))


def _of_one_battery(problem: Problem, programme: Programme, solver: Solver) -> Solution | None:
    """Return a solution of a single battery near its bound; None where a search has to look."""
    course = solver.timed(lambda: best_course(problem, programme))
    if course is None:
        return None
    everywhere = of_batteries(problem, two_way_cells(problem))
    forward = course.forward[everywhere.cells]
    found = _tried(solver, with_fixed(programme, everywhere, forward=forward))
    if found is None:
        return None
    found = replace(found, bound=min(course.bound, found.cost))
    near = found.cost - found.bound <= _NEAR * max(1.0, abs(found.cost))
    return found if near else None


def _tried(solver: Solver, programme: Programme) -> Solution | None:
    """Return a solution, or None where there is none or time is out: there may be another."""
    try:
        return solver.solve(programme)
    except NoAnswerError:
        return None


def _leaning(
    problem: Problem,
    programme: Programme,
    directions: Directions,
    relaxed: Solution | None,
    solver: Solver,
) -> Solution | None:
    if relaxed is None:
        return None
    forward = leaning(problem, programme.layout, directions, relaxed.x)
    chosen = with_chosen(programme, relaxed.x)
    return _tried(solver, with_fixed(chosen, directions, forward=forward))
