"""Better directions of a few batteries: each in turn does its best while the others stay.

A search over hundreds of directions that ends before its proof leaves off anywhere. With the
others as they are a single battery has one best course (see :mod:`optimizer.linear.one_battery`),
found at once, so a few times round the batteries takes less than a second. The highest import stays
what it is. Where the connection has a direction to choose as well, nothing is known of a battery by
itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.linear.directions import of_batteries, two_way_cells, with_fixed
from optimizer.linear.flows import Flows, exchange_kw
from optimizer.linear.one_battery import best_course
from optimizer.linear.programme import Programme, flows_of, programme_of
from optimizer.linear.solve import NoAnswerError, Solution, Solver
from optimizer.model.part import part_of
from optimizer.problem import Problem

_ROUNDS = 3
_BETTER = 1e-5
"""A round that saves no more than this part of the cost is the last."""
_OVER_KW = 1e-9


def improved(
    problem: Problem, programme: Programme, solution: Solution, solver: Solver
) -> Solution:
    """Return a solution that costs no more, with one direction each; its bound is none.

    Args:
        problem: What is planned.
        programme: Its programme within all limits, without whole numbers.
        solution: One of its solutions, in which nothing runs both ways.
        solver: The time it has left is kept to.
    """
    best = solution
    everywhere = of_batteries(problem, two_way_cells(problem))
    if everywhere.steps.size or not _is_plain(problem, programme):
        return best
    for _ in range(_ROUNDS):
        flows = flows_of(problem, programme.layout, best.x)
        for row in range(len(problem.battery_ids)):
            if solver.patience_s(programme) <= 0:
                return best
            flows = _with_best(problem, flows, row, solver)
        forward = (flows.charge_kw >= flows.discharge_kw).ravel()[everywhere.cells]
        try:
            found = solver.solve(with_fixed(programme, everywhere, forward=forward))
        except NoAnswerError:
            break
        if found is None or found.cost >= best.cost:
            break
        little = best.cost - found.cost <= _BETTER * max(1.0, abs(best.cost))
        best = found
        if little:
            break
    return best


def _is_plain(problem: Problem, programme: Programme) -> bool:
    return (
        problem.is_one_connection
        and not problem.sessions
        and not problem.heat_pumps
        and not programme.has_whole
        and programme.cost.size == programme.layout.columns
    )


def _with_best(problem: Problem, flows: Flows, row: int, solver: Solver) -> Flows:
    """Return the flows in which one battery does its best beside the others."""
    alone = _alone(problem, flows, row)
    programme = programme_of(alone)
    course = solver.timed(lambda: best_course(alone, programme))
    if course is None:
        return flows
    everywhere = of_batteries(alone, two_way_cells(alone))
    forward = course.forward[everywhere.cells]
    try:
        found = solver.solve(with_fixed(programme, everywhere, forward=forward))
    except NoAnswerError:
        return flows
    if found is None:
        return flows
    own = flows_of(alone, programme.layout, found.x)
    charge, discharge = flows.charge_kw.copy(), flows.discharge_kw.copy()
    charge[row], discharge[row] = own.charge_kw[0], own.discharge_kw[0]
    return Flows(charge, discharge, own.curtailed_kw)


def _alone(problem: Problem, flows: Flows, row: int) -> Problem:
    """Return the problem of one battery; what the others draw is a home's."""
    drawn = (flows.charge_kw - flows.discharge_kw).sum(axis=0)
    drawn -= flows.charge_kw[row] - flows.discharge_kw[row]
    peak = max(float(exchange_kw(problem, flows).max()), problem.peak_so_far_kw, 0.0) + _OVER_KW
    most_in = problem.import_limit_kw
    if problem.peak_price_eur_per_kw > 0:
        most_in = np.minimum(most_in, peak)
    return replace(
        part_of(problem, problem.home_ids, [problem.battery_ids[row]]),
        home_ids=(*problem.home_ids, "\0"),
        load_kw=np.vstack([problem.load_kw, np.maximum(drawn, 0.0)]),
        pv_kw=np.vstack([problem.pv_kw, np.maximum(-drawn, 0.0)]),
        curtailable=np.append(problem.curtailable, np.zeros(1, dtype=np.bool_)),
        import_limit_kw=most_in,
        peak_price_eur_per_kw=0.0,
    )
