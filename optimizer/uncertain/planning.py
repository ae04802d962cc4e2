"""Plans that reckon with errors: by scenarios, or with room kept at limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from optimizer.dispatch import TIME_LIMIT_S, plan
from optimizer.linear.solve import NoAnswerError, Solver
from optimizer.plan import Plan, Status
from optimizer.problem import FloatArray, Problem
from optimizer.uncertain.reserve import guarded
from optimizer.uncertain.scenarios import Range, Scenarios
from optimizer.uncertain.two_stage import Caution, Common, can_be_shared, first_steps

TOGETHER = 4
"""The first hour is done whatever comes."""
_ROOM_KWH = 1e-7
_PARTS = (1.0, 0.5)


def plan_under(
    problem: Problem,
    scenarios: Scenarios,
    *,
    together: int = TOGETHER,
    caution: Caution | None = None,
    make: Callable[[Problem], Plan] = plan,
    solver: Solver | None = None,
) -> Plan:
    """Return a plan whose first steps are the best on average over what may come.

    Later steps are the cheapest for what is expected, from there on. Where scenarios cannot be
    planned (:func:`optimizer.uncertain.two_stage.can_be_shared`), where no plan keeps the limits
    in all of them, and where all expect the same, it is the plan without scenarios.

    Args:
        problem: What is expected.
        scenarios: What may come instead.
        together: How many steps are common to all.
        caution: How much dear days count beyond their likelihood; None is not at all.
        make: Makes a plan for what is expected.
        solver: Solves the programme of all scenarios.
    """
    if scenarios.expects_the_same or not can_be_shared(problem) or not problem.battery_ids:
        return make(problem)
    try:
        common = first_steps(problem, scenarios, together, solver or Solver(TIME_LIMIT_S), caution)
    except NoAnswerError:
        return make(problem)
    if common is None:
        return make(problem)
    made = make(_held_to(problem, common.stored_kwh))
    if made.status in {Status.RELAXED, Status.FALLBACK}:
        return make(problem)
    return replace(made, stored_value_eur_per_kwh=_worth(made, common))


def plan_guarded(
    problem: Problem,
    told: Range,
    *,
    is_tracked: bool = False,
    make: Callable[[Problem], Plan] = plan,
) -> Plan:
    """Return a plan that keeps room at limits for nine errors out of ten.

    Where that much room cannot be kept, half of it is, and else none.

    Args:
        problem: What is expected.
        told: How far what comes may be off.
        is_tracked: Whether a layer below the plan follows the meter; then only what is stored
            gets room.
        make: Makes a plan.
    """
    for part in _PARTS:
        narrower = guarded(problem, told, part, is_tracked=is_tracked)
        if narrower is problem:
            break
        made = make(narrower)
        if made.status in {Status.OPTIMAL, Status.FEASIBLE}:
            return made
    return make(problem)


def _held_to(problem: Problem, stored_kwh: FloatArray) -> Problem:
    """Return the problem with stored energy held to a course in its first steps."""
    steps = stored_kwh.shape[1]
    low, high = problem.soc_min_kwh.copy(), problem.soc_max_kwh.copy()
    kept = np.clip(stored_kwh, low[:, :steps], high[:, :steps])
    low[:, :steps] = np.maximum(kept - _ROOM_KWH, low[:, :steps])
    high[:, :steps] = np.minimum(kept + _ROOM_KWH, high[:, :steps])
    return replace(problem, soc_min_kwh=low, soc_max_kwh=high)


def _worth(made: Plan, common: Common) -> FloatArray | None:
    if made.stored_value_eur_per_kwh is None:
        return None
    worth = made.stored_value_eur_per_kwh.copy()
    worth[:, : common.worth_eur_per_kwh.shape[1]] = common.worth_eur_per_kwh
    return worth
