"""Nothing is sent to a battery before somebody else than its maker has looked at it.

A plan, or the prices under it, may be wrong in ways that nobody thought of, and would be wrong for
every battery at once. So each is held against what it must keep, by code that shares nothing with
the code that made it. What is refused is not sent, and what was sent before goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collectors.prices.model import HIGHEST_EUR_PER_MWH, LOWEST_EUR_PER_MWH
from optimizer.check import TOLERANCE, is_wish, may_give_way, violations_of
from optimizer.plan import Plan, Status, Violation
from optimizer.problem import BoolArray, FloatArray, Problem

_CONNECTIONS = ("grid", "groups", "homes", "calls")
_NEAR_KW = 1e-3
_LOWEST_EUR, _HIGHEST_EUR = float(LOWEST_EUR_PER_MWH) / 1000, float(HIGHEST_EUR_PER_MWH) / 1000


def refused_prices(eur_per_kwh: FloatArray) -> str | None:
    """Return why market prices are not planned with, or None [EUR/kWh]."""
    sane: BoolArray = (eur_per_kwh >= _LOWEST_EUR) & (eur_per_kwh <= _HIGHEST_EUR)
    if sane.all():
        return None
    first = int(np.flatnonzero(~sane)[0])
    return (
        f"a price of {eur_per_kwh[first]} EUR/kWh in {int((~sane).sum())} quarters, first {first} "
        f"from now, lies outside {_LOWEST_EUR:g} to {_HIGHEST_EUR:g}: look at the source of prices"
    )


def refused_plan(problem: Problem, found: Plan, without: Plan) -> str | None:
    """Return why a plan is not sent, or None.

    Args:
        problem: What was to be planned.
        found: The plan.
        without: What comes of the same quarters when no battery does anything.

    A plan keeps every law and every limit. Limits that cannot be kept may be broken: the band of a
    battery that begins outside it, and those of connection, groups and calls by no more than
    without any battery. That much is always reachable, as a battery outside its band can rest until
    there is room to return. A reserve is short only where the battery began so, or for the sake of
    a limit.
    """
    every = violations_of(problem, found)
    broken = tuple(each for each in every if not is_wish(each))
    for each in broken:
        if not may_give_way(each):
            return _told(each)
    short = _reserve_for_money(problem, found, every)
    if short is not None:
        return _told(short)
    if found.status in {Status.OPTIMAL, Status.FEASIBLE}:
        return _told(broken[0]) if broken else None
    outside = _outside(problem)
    for each in broken:
        if each.limit.startswith("batteries.") and _owner(each) not in outside:
            return _told(each)
    worse_kw = _grid_excess_kw(broken) - _grid_excess_kw(without.violations)
    if worse_kw > TOLERANCE * problem.steps:
        return f"the plan breaks the connection's limits by {worse_kw:g} kW more than no plan would"
    return None


def _reserve_for_money(
    problem: Problem, found: Plan, every: Sequence[Violation]
) -> Violation | None:
    """Return where a reserve is used though no limit asks for it, or None."""
    short = [each for each in every if is_wish(each)]
    if not short or _at_a_limit(problem, found):
        return None
    under = problem.soc_start_kwh < problem.reserve_kwh[:, 0] - TOLERANCE
    began_short = {name for name, low in zip(problem.battery_ids, under, strict=True) if low}
    return next((each for each in short if _owner(each) not in began_short), None)


def _at_a_limit(problem: Problem, found: Plan) -> bool:
    """Return whether the exchange is at a limit, of connection or group, anywhere."""
    if problem.boundaries is not None:
        return True
    over_in: BoolArray = found.import_kw >= problem.import_limit_kw - _NEAR_KW
    over_out: BoolArray = found.export_kw >= problem.export_limit_kw - _NEAR_KW
    return bool(over_in.any() or over_out.any())


def _outside(problem: Problem) -> set[str]:
    """Return the batteries that begin outside the band they should keep to."""
    low, high = problem.soc_min_kwh[:, 0], problem.soc_max_kwh[:, 0]
    start = problem.soc_start_kwh
    out: BoolArray = (start < low - TOLERANCE) | (start > high + TOLERANCE)
    return {name for name, is_out in zip(problem.battery_ids, out, strict=True) if is_out}


def _owner(broken: Violation) -> str:
    return broken.limit.removeprefix("batteries.").rpartition(".")[0]


def _grid_excess_kw(broken: Sequence[Violation]) -> float:
    return sum(each.excess for each in broken if each.limit.partition(".")[0] in _CONNECTIONS)


def _told(broken: Violation) -> str:
    return (
        f"the plan breaks {broken.limit} by {broken.excess:g} {broken.unit} in quarter "
        f"{broken.step}: it is not sent"
    )
