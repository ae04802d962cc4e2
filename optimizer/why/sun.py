"""Whether a plan's neighbourhood has sun to spare."""

from __future__ import annotations

from optimizer.plan import Plan
from optimizer.problem import BoolArray, Problem

_NOTHING_KW = 1e-6


def is_sun_left(problem: Problem, plan: Plan) -> BoolArray:
    """Return whether panels make more than homes use, shape ``(T,)``.

    Where that is not so and nothing is imported, what charges is fed by a battery.
    """
    made_kw = problem.pv_kw.sum(axis=0) - plan.curtailed_kw.sum(axis=0)
    left: BoolArray = made_kw - problem.load_kw.sum(axis=0) > _NOTHING_KW
    return left
