"""A fleet in which every battery has one direction at a time, and how much better it could be.

Where energy has a negative value it pays to charge and discharge at once, as the detour burns
energy. A battery that may not do so alternates. So first charge and discharge share one power (see
:mod:`optimizer.fleet.turns`): that is a linear programme still, and nothing with one direction
each is cheaper. What it costs that steps are whole is added to that bound (see
:mod:`optimizer.fleet.whole_steps`). Then the shares of each step become directions: a battery
charges in a step where the sum of its shares passes a whole number. Batteries begin that sum at
different places, evenly spread, so that together they charge in each step about as much as the
shares say. With directions fixed the fleet is planned once more, exactly.

Where there is time, prices outside of windows of negative prices are taken from a plan, and
directions and prices in them from schedules of each battery (see :mod:`optimizer.fleet.directing`);
and so again, a few times. Every bound holds, and every plan is one, so the highest (see
:mod:`optimizer.fleet.highest`) and the cheapest are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from optimizer.fleet.certificate import Proven, cheapest_proven
from optimizer.fleet.directing import Directing
from optimizer.fleet.highest import Highest
from optimizer.fleet.interior import bound, walk
from optimizer.fleet.laps import Laps
from optimizer.fleet.outside import (
    prices_now,
    prices_of_a_plan,
    put_between,
    tell_by_charging,
)
from optimizer.fleet.shape import Fleet, fleet_of
from optimizer.fleet.whole_steps import whole_step_eur
from optimizer.fleet.windows import moves_in
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
_AGAIN = 24
_PART = 0.5
"""How far prices outside of windows go from the best bound's to a plan's, after the first time; a
quarter as far where that gives no better bound."""
_MOST_MOVES = 60_000
"""Batteries times steps in windows up to which schedules are looked for, over all times."""
_FIRST_ROUND, _LATER, _PROOF, _FINE = 3.0, 0.5, 0.4, 2.5
"""What the first round takes beside what was done before it, what later rounds and a proof take
beside the first round, and a proof in fine cells beside another, unless they were measured."""
_Cheapest: TypeAlias = Callable[[Problem], Proven | None]


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
    cheapest: _Cheapest = cheapest_proven,
) -> OneWay | None:
    """Return cheap flows in which no battery charges while it discharges, or None.

    Args:
        problem: What is to be planned.
        enough: A gap beside the cost at which no better directions are looked for.
        again: How often they are looked for at most.
        left_s: Says how much time is left; none is begun that would take longer [s].
        cheapest: Plans a fleet whose directions are fixed.
    """
    laps = Laps(left_s)
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
        moves = moves_in(fleet)
        again = min(again, _MOST_MOVES // max(moves, 1))
        if again and moves and laps.fits(_FIRST_ROUND * laps.lap()):
            goal = _Goal(problem, risky, enough, again, laps, cheapest)
            forward = directions_of_shares(problem, risky, shares, _BEGINNINGS[0])
            if (found := _improved(goal, fleet, forward, least)) is not None:
                return found
        least = max(least, bound(fleet) + whole_step_eur(fleet))
        for begun in _BEGINNINGS:
            forward = directions_of_shares(problem, risky, shares, begun)
            best = _with(problem, risky, forward, cheapest)
            if best is not None:
                return replace(best, gap_eur=max(best.cost_eur - least, 0.0))
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Goal:
    """What is looked for: a plan of the problem within a gap, so many times at most, in time."""

    problem: Problem
    risky: BoolArray
    enough: float
    again: int
    laps: Laps
    cheapest: _Cheapest

    def is_met(self, best: OneWay, least: float) -> bool:
        """Return whether a plan is near enough to a bound."""
        return best.cost_eur - least <= self.enough * max(1.0, abs(best.cost_eur))


def _improved(goal: _Goal, fleet: Fleet, forward: BoolArray, least: float) -> OneWay | None:
    """Return cheap flows and their gap from schedules of each battery, or None.

    Args:
        goal: What is looked for.
        fleet: The programme with shared powers; its prices are changed.
        forward: Directions outside of its windows, shape ``(B, T)``.
        least: What no flows cost less than [EUR].
    """
    directing = Directing(fleet)
    highest = Highest(fleet, directing, least, prices_now(fleet))
    best, plan, part = None, highest.prices, _PART
    proof_s, failed = 0.0, False
    goal.laps.lap()
    for time in range(goal.again):
        put_between(fleet, highest.prices, plan, part if time else 0.0, directing.inside)
        forward = directing.directions(forward)
        tell_by_charging(fleet, directing.inside)
        if not highest.look():
            part /= 4
        newest = _with(goal.problem, goal.risky, forward, goal.cheapest)
        if newest is not None:
            plan = prices_of_a_plan(goal.problem, fleet, newest.prices)
            best = newest if best is None or newest.cost_eur < best.cost_eur else best
        elif failed:
            break
        failed = newest is None  # other directions may have a plan that can be proven
        round_s = goal.laps.lap()
        if not time:
            proof_s, round_s = _PROOF * round_s, _LATER * round_s
        if best is not None and goal.is_met(best, highest.likely):
            proof_s = _proved(goal, highest) if highest.is_open else proof_s
            if goal.is_met(best, highest.proven):
                break
        if not goal.laps.fits(round_s + proof_s):
            break
    if best is None:
        return None
    while not goal.is_met(best, highest.proven):
        if not (highest.is_open or (highest.is_coarse and goal.laps.fits(proof_s))):
            break
        proof_s = _proved(goal, highest)
    return replace(best, gap_eur=max(best.cost_eur - highest.proven, 0.0))


def _proved(goal: _Goal, highest: Highest) -> float:
    """Prove what the best prices do; return how long a proof takes from there on [s]."""
    highest.prove()
    took_s = goal.laps.lap()
    return _FINE * took_s if highest.is_coarse else took_s


def _with(
    problem: Problem, risky: BoolArray, forward: BoolArray, cheapest: _Cheapest
) -> OneWay | None:
    """Return the cheapest flows that charge at most where they run forward, with no gap yet."""
    proven = cheapest(directed(problem, risky, forward))
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
