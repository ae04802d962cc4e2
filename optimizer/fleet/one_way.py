"""A fleet in which every battery has one direction at a time, and how much better it could be.

Where energy has a negative value it pays to charge and discharge at once, as the detour burns
energy. A battery that may not do so alternates. So first charge and discharge share one power (see
:mod:`optimizer.fleet.turns`): that is a linear programme still, and nothing with one direction
each is cheaper. What it costs that steps are whole is added to that bound (see
:mod:`optimizer.fleet.whole_steps`). Then the shares of each step become directions: a battery
charges in a step where the sum of its shares passes a whole number. Batteries begin that sum at
different places, evenly spread, so that together they charge in each step about as much as the
shares say. With directions fixed the fleet is planned once more, exactly.

Where that is not near enough to the bound, prices outside of windows of negative prices are taken
from the plan, and directions and prices in them from schedules of each battery (see
:mod:`optimizer.fleet.directing`); and so again, a few times. Every bound holds, and every plan is
one, so the highest and the cheapest are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimizer.fleet.certificate import cheapest_proven
from optimizer.fleet.directing import Directing
from optimizer.fleet.interior import bound, walk
from optimizer.fleet.outside import (
    Prices,
    prices_now,
    prices_of_a_plan,
    put_between,
    tell_by_charging,
)
from optimizer.fleet.shape import Fleet, fleet_of
from optimizer.fleet.whole_steps import whole_step_eur
from optimizer.linear.directions import risky_cells
from optimizer.linear.flows import Flows, cost_eur, end_value_eur, stored_kwh
from optimizer.linear.local_prices import LocalPrices
from optimizer.problem import BoolArray, FloatArray, Problem

_NEAR = 1e-7
"""How near the bound comes to the best of the shared programme: far below what directions cost."""
_MISSED = 1e-4
"""What equations may miss: nothing is planned from what they say but directions."""
_SPREAD = 0.6180339887498949
"""Multiples of the golden ratio, without their whole parts, lie evenly however many there are."""
_BEGINNINGS = (0.0, 0.5)
"""Where the sum of the largest battery begins; the second where no plan of the first is proven."""
ENOUGH = 1e-3
"""A gap beside the cost at which no better directions are looked for."""
_NEARLY = 1.25
"""A gap over what is enough at which finer cells are tried before better directions."""
_AGAIN = 8
_PART = 0.5
"""How far prices outside of windows go from the best bound's to a plan's, after the first time; a
quarter as far where that gives no better bound."""
_TINY_EUR = 1e-12
"""Asked for less than this, directions are looked for as often as they may be."""
_MOST_MOVES = 25_000
"""Batteries times steps in windows up to which schedules are looked for, over all times."""


@dataclass(frozen=True, slots=True, eq=False)
class OneWay:
    """Flows with one direction at a time.

    Attributes:
        flows: Within all limits, the cheapest with their directions.
        prices: Those that prove it, given the directions.
        cost_eur: What they cost, less the worth of what is stored at the end.
        gap_eur: What flows with other directions can cost less at most.
    """

    flows: Flows
    prices: LocalPrices
    cost_eur: float
    gap_eur: float


def one_way_flows(
    problem: Problem,
    enough: float = ENOUGH,
    again: int = _AGAIN,
    left_s: Callable[[], float] = lambda: np.inf,
) -> OneWay | None:
    """Return cheap flows in which no battery charges while it discharges, or None.

    Args:
        problem: What is to be planned.
        enough: A gap beside the cost at which no better directions are looked for.
        again: How often they are looked for at most.
        left_s: Says how much time is left; none is begun that would take longer [s].
    """
    risky = risky_cells(problem)
    fleet = fleet_of(problem, risky)
    if fleet is None:
        return None
    with np.errstate(all="ignore"):  # a bound holds whatever the prices are
        walk(fleet, _NEAR, _MISSED)
        least = bound(fleet)
        if not np.isfinite(least):
            return None
        shares = charging_shares(problem, fleet)
        for begun in _BEGINNINGS:
            forward = directions_of_shares(problem, risky, shares, begun)
            best = _with(problem, risky, forward)
            if best is not None:
                break
        else:
            return None
        directing = Directing(fleet)
        again = min(again, _MOST_MOVES // max(directing.moves, 1))
        if again and directing.moves:
            goal = _Goal(problem, risky, enough, again, left_s)
            best, least = _improved(goal, fleet, directing, best, forward, least)
        else:
            least += whole_step_eur(fleet)
    return replace(best, gap_eur=max(best.cost_eur - least, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Goal:
    """What is looked for: a plan of the problem within a gap, so many times at most, in time."""

    problem: Problem
    risky: BoolArray
    enough: float
    again: int
    left_s: Callable[[], float]

    def over(self, best: OneWay, least: float) -> float:
        """Return the gap as a multiple of what is enough."""
        most = self.enough * max(1.0, abs(best.cost_eur))
        return (best.cost_eur - least) / max(most, _TINY_EUR)


def _improved(
    goal: _Goal, fleet: Fleet, directing: Directing, best: OneWay, forward: BoolArray, least: float
) -> tuple[OneWay, float]:
    """Return better flows and a better bound from schedules of each battery.

    Args:
        goal: What is looked for.
        fleet: The programme with shared powers; its prices are changed.
        directing: Schedules in its windows.
        best: Flows to begin with.
        forward: Their directions, shape ``(B, T)``.
        least: What no flows cost less than [EUR].
    """
    proof, newest, part, proven, fine = prices_now(fleet), best, _PART, least, None
    once, left_s, late = goal.again == 1, goal.left_s(), False
    if left_s <= 0.0:
        return best, least + whole_step_eur(fleet)
    for time in range(goal.again):
        before_s, left_s = left_s, goal.left_s()
        late = left_s < before_s - left_s
        if late:
            break
        if fine is not proof and time and 1.0 < goal.over(best, max(least, proven)) <= _NEARLY:
            proven, fine = max(proven, _finely(fleet, proof, directing.inside)), proof
        if goal.over(best, max(least, proven)) <= 1.0:
            return best, max(least, proven)
        plan = prices_of_a_plan(goal.problem, fleet, newest.prices)
        put_between(fleet, proof, plan, part if time else 0.0, directing.inside)
        forward = directing.directions(forward)
        tell_by_charging(fleet, directing.inside)
        here = bound(fleet) + whole_step_eur(fleet, fine=once)
        if here > least:
            proof, least = prices_now(fleet), here
        else:
            part /= 4
        found = _with(goal.problem, goal.risky, forward)
        if found is None:
            break
        newest = found
        best = min(best, newest, key=lambda one: one.cost_eur)
    if not (once or late) and fine is not proof and goal.over(best, max(least, proven)) > 1.0:
        proven = max(proven, _finely(fleet, proof, directing.inside))
    return best, max(least, proven)


def _finely(fleet: Fleet, proof: Prices, inside: BoolArray) -> float:
    """Return the bound of the best prices in the finest cells [EUR]."""
    put_between(fleet, proof, proof, 0.0, inside)
    return bound(fleet) + whole_step_eur(fleet, fine=True)


def _with(problem: Problem, risky: BoolArray, forward: BoolArray) -> OneWay | None:
    """Return the cheapest flows that charge at most where they run forward, with no gap yet."""
    proven = cheapest_proven(directed(problem, risky, forward))
    if proven is None:
        return None
    flows = proven.flows
    stored = stored_kwh(problem, flows.charge_kw, flows.discharge_kw)
    cost = cost_eur(problem, flows) - end_value_eur(problem, stored)
    return OneWay(flows, proven.prices, cost, np.inf)


def directed(problem: Problem, risky: BoolArray, forward: BoolArray) -> Problem:
    """Return a problem in which risky steps charge at most where they run forward, and only there.

    Args:
        problem: What is to be planned.
        risky: Where a direction is chosen, shape ``(B, T)``.
        forward: Where it is to charge, shape ``(B, T)``.
    """
    return replace(
        problem,
        charge_max_kw=np.where(risky & ~forward, 0.0, problem.charge_max_kw),
        discharge_max_kw=np.where(risky & forward, 0.0, problem.discharge_max_kw),
    )


def charging_shares(problem: Problem, fleet: Fleet) -> FloatArray:
    """Return the part of its use that each battery spends on charging, shape ``(B, T)``."""
    shares = np.empty_like(problem.charge_max_kw)
    for kinds, block in zip(fleet.members, fleet.blocks, strict=True):
        charge, discharge, _ = block.powers.values / np.maximum(block.powers.width, 1e-9)
        used = charge + discharge
        part = np.divide(charge, used, out=np.full(used.shape, 0.5), where=used > 1e-6)
        fleet.kinds.shared(part, kinds, shares)
    return shares


def directions_of_shares(
    problem: Problem, risky: BoolArray, shares: FloatArray, first: float
) -> BoolArray:
    """Return where batteries charge, if anything, shape ``(B, T)``.

    Args:
        problem: What is planned.
        risky: Where a direction is to be chosen, shape ``(B, T)``.
        shares: The part of each step that is spent on charging, shape ``(B, T)``.
        first: Where the sum of the largest battery begins.
    """
    largest = np.argsort(-problem.charge_max_kw.max(axis=1), kind="stable")
    begun = np.empty(largest.size)
    begun[largest] = (np.arange(largest.size) * _SPREAD + first) % 1.0
    here = np.where(risky, shares, 0.0)
    sums = np.cumsum(here, axis=1) + begun[:, None]
    passed: BoolArray = np.floor(sums) > np.floor(sums - here)
    return passed
