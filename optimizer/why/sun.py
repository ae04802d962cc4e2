"""Whether a plan's neighbourhood has sun to spare, or too little of it."""

from __future__ import annotations

from optimizer.plan import Plan
from optimizer.problem import BoolArray, Problem, StoreKind

_NOTHING_KW = 1e-6


def is_sun_left(problem: Problem, plan: Plan) -> BoolArray:
    """Return whether panels make more than homes use, shape ``(T,)``.

    Where that is not so and nothing is imported, what charges is fed by a battery.
    """
    made_kw = problem.pv_kw.sum(axis=0) - plan.curtailed_kw.sum(axis=0)
    left: BoolArray = made_kw - problem.load_kw.sum(axis=0) > _NOTHING_KW
    return left


def is_sun_short(problem: Problem, plan: Plan) -> BoolArray:
    """Return whether all but batteries use more than panels make, shape ``(T,)``.

    Where that is not so and nothing is exported, what a battery gives goes into another one.
    """
    rows = [row for row, kind in enumerate(problem.store_kinds) if kind is StoreKind.BATTERY]
    batteries_kw = (plan.charge_kw[rows] - plan.discharge_kw[rows]).sum(axis=0)
    short: BoolArray = plan.import_kw - plan.export_kw - batteries_kw > _NOTHING_KW
    return short
