"""The plan for batteries and panels behind one connection: the cheapest, and always one.

Decided in this order: the linear programme as it is, by :mod:`optimizer.fleet` where batteries are
many, with limits that give way only where they cannot all be met; where it charges and discharges
at once and no repair puts that right, directions from schedules and short searches; whole numbers
for what is still wrong; and a simple rule when the solver gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.check import is_wish, may_give_way, violations_of
from optimizer.even.evenly import evened
from optimizer.explain import reasons_of
from optimizer.fallback import by_rule
from optimizer.fleet.certificate import SMALLEST, cheapest_proven
from optimizer.fleet.few import few_leaning, few_one_way
from optimizer.fleet.one_way import OneWay, one_way_flows
from optimizer.linear.directed import directed
from optimizer.linear.directions import (
    Directions,
    bounded,
    of_batteries,
    of_the_connection,
    risky_cells,
    two_way_cells,
)
from optimizer.linear.extension import extended
from optimizer.linear.flows import (
    Flows,
    cost_eur,
    cut_by_home_kw,
    end_value_eur,
    exchange_kw,
    stored_kwh,
)
from optimizer.linear.local_prices import LocalPrices, local_prices
from optimizer.linear.many_whole import is_many
from optimizer.linear.one_battery import is_one_battery
from optimizer.linear.programme import Programme, flows_of, programme_of
from optimizer.linear.repair import OVERLAP_KW, has_overlap, overlap_kw, without_free_overlap
from optimizer.linear.soften import Softened, capped, softened
from optimizer.linear.solve import NoAnswerError, Solution, Solver, Stopwatch
from optimizer.linear.switches import below_least, is_whole, with_switches
from optimizer.plan import Plan, Seconds, Status
from optimizer.problem import BoolArray, FloatArray, Problem

TIME_LIMIT_S = 15.0
"""The most a plan may take in the solver [s]; a linear programme rarely needs a second."""
_ROOMS = (0.0, 1e-9, 1e-7)
_ATTEMPTS = 5
_PROVEN = 1e-6
"""A fleet with one direction each is proven the cheapest this close to its bound."""


@dataclass(frozen=True, slots=True)
class _Found:
    flows: Flows
    status: Status
    gap_eur: float | None
    prices: LocalPrices | None = None


def plan(
    problem: Problem, *, time_limit_s: float = TIME_LIMIT_S, stopwatch: Stopwatch | None = None
) -> Plan:
    """Return the cheapest plan within all limits, or the one that breaks them least.

    Import and export never run together, also where selling pays more than buying. The same
    problem gives the same plan, unless a time limit cuts a search short.

    Args:
        problem: Homes, batteries, prices and limits.
        time_limit_s: The most that all programmes may take together in the solver; without a
            stopwatch, the most that each may take [s].
        stopwatch: Seconds that only rise, such as ``time.perf_counter``; None measures nothing.

    Returns:
        A plan that keeps every law of :mod:`optimizer.check`; its status says how good it is.
    """
    started = stopwatch() if stopwatch else 0.0
    solver = Solver(time_limit_s, stopwatch)
    made = planned_by(solver, problem)
    made = replace(made, reasons=reasons_of(problem, made))
    if stopwatch is None:
        return made
    build = stopwatch() - started - solver.seconds
    return replace(made, seconds=Seconds(build, solver.seconds))


def planned_by(solver: Solver, problem: Problem) -> Plan:
    """Return the plan that :func:`plan` makes, by a solver of one's own and without reasons."""
    with solver.one_plan():
        try:
            made = _finished(problem, _evened(problem, _cheapest(problem, solver)))
        except NoAnswerError:
            made = _by_rule(problem)
    if any(not may_give_way(broken) for broken in made.violations):
        return _by_rule(problem)
    return made


def _cheapest(problem: Problem, solver: Solver) -> _Found:
    fleet = _of_a_fleet(problem, solver)
    if fleet is not None:
        if not _runs_both_ways(problem, fleet):
            return fleet
        one_way = _of_a_fleet_one_way(problem, solver)
        return one_way or _decided(problem, _programme(problem), fleet, solver)
    programme = _programme(problem)
    switched = _likely_switched(problem, programme, solver)
    first = with_switches(programme, problem, switched)
    found = _with_limits(problem, first, _directions(problem), solver)
    few = _of_a_few_one_way(problem, programme, found, solver)
    return few or _decided(problem, programme, found, solver, switched)


def _programme(problem: Problem) -> Programme:
    return extended(problem, bounded(problem, programme_of(problem)))


def _runs_both_ways(problem: Problem, found: _Found) -> bool:
    """Return whether something charges and discharges at once that may not."""
    return problem.exclusive and has_overlap(found.flows)


def _likely_switched(problem: Problem, programme: Programme, solver: Solver) -> BoolArray:
    """Return the stores that get switches at once, as other whole numbers are asked for anyway."""
    none = np.zeros(len(problem.battery_ids), dtype=np.bool_)
    if not programme.whole.size or not problem.charge_min_kw.any():
        return none
    linear = solver.solve(programme.linear())
    if linear is None or is_whole(programme, linear.x):
        return none
    flows = flows_of(problem, programme.layout, linear.x, programme.extension)
    return _every_if_many(problem, programme, below_least(problem, flows))


def _every_if_many(problem: Problem, programme: Programme, switched: BoolArray) -> BoolArray:
    """Return the stores that get switches: every one with a least power where that takes many.

    Many are not proven the cheapest, and such a plan may break what the linear plan did not.
    """
    every = np.asarray(problem.charge_min_kw.any(axis=1))
    return every if is_many(with_switches(programme, problem, switched)) else switched


def _evened(problem: Problem, found: _Found) -> _Found:
    """Return the even plan among those of the same cost; that of a fleet is even already."""
    if len(problem.battery_ids) >= SMALLEST or not problem.is_one_connection:
        return found
    return replace(found, flows=evened(problem, found.flows))


def _decided(
    problem: Problem,
    programme: Programme,
    found: _Found,
    solver: Solver,
    already: BoolArray | None = None,
) -> _Found:
    """Return the plan with whole numbers for what the linear programme got wrong."""
    cells = np.zeros(problem.charge_max_kw.shape, dtype=np.bool_)
    none = np.zeros(len(problem.battery_ids), dtype=np.bool_)
    switched = none if already is None else already.copy()
    for attempt in range(_ATTEMPTS):
        overlaps = _runs_both_ways(problem, found)
        below = below_least(problem, found.flows)
        if not overlaps and not below.any():
            break
        if overlaps:
            cells[_cells_to_decide(problem, found, attempt)] = True
        switched |= below if attempt < _ATTEMPTS - 1 else True
        switched = _every_if_many(problem, programme, switched)
        found = _with_limits(
            problem,
            with_switches(programme, problem, switched),
            _directions(problem, cells),
            solver,
        )
    return found


def _directions(problem: Problem, cells: BoolArray | None = None) -> Directions:
    """Return cells and steps that get one direction; homes on their own meters have their own."""
    found = of_the_connection(problem) if cells is None else of_batteries(problem, cells)
    if problem.sharing is None:
        return found
    return Directions(found.cells, np.zeros(0, dtype=np.intp))


def _of_a_fleet(problem: Problem, solver: Solver) -> _Found | None:
    if len(problem.battery_ids) < SMALLEST or solver.time_limit_s <= 0:
        return None
    proven = solver.timed(lambda: cheapest_proven(problem))
    return _Found(proven.flows, Status.OPTIMAL, 0.0, proven.prices) if proven else None


def _of_a_fleet_one_way(problem: Problem, solver: Solver) -> _Found | None:
    return _one_way(problem, solver.timed(lambda: one_way_flows(problem, left_s=solver.left_s)))


def _of_a_few_one_way(
    problem: Problem, programme: Programme, found: _Found, solver: Solver
) -> _Found | None:
    """Return the plan of a few batteries where the linear one overlaps, unless limits give way.

    Where time may run out a plan that is soon made comes first, and is taken if there is no other.
    """
    if found.status is not Status.OPTIMAL or not _runs_both_ways(problem, found):
        return None
    if is_one_battery(problem, programme):
        return None
    fresh = solver.afresh()
    soon = None
    if np.isfinite(solver.left_s()):
        soon = solver.timed(lambda: few_leaning(problem, programme, found.flows, fresh))
    few = solver.timed(lambda: few_one_way(problem, programme, fresh))
    return _one_way(problem, few or (soon if solver.left_s() <= 0 else None))


def _one_way(problem: Problem, found: OneWay | None) -> _Found | None:
    if found is None or has_overlap(found.flows):
        return None
    proven = found.gap_eur <= _PROVEN * max(1.0, abs(cost_eur(problem, found.flows)))
    status = Status.OPTIMAL if proven else Status.FEASIBLE
    return _Found(found.flows, status, 0.0 if proven else found.gap_eur, found.prices)


def _cells_to_decide(problem: Problem, found: _Found, attempt: int) -> BoolArray:
    """Return the cells that get one direction in the next attempt, shape ``(B, T)``.

    First those at negative prices and at steps with an overlap, then all at which one could pay,
    and at last, should rounding have hidden one, all there are.
    """
    if attempt == _ATTEMPTS - 1:
        return two_way_cells(problem)
    risky = risky_cells(problem) if problem.is_one_connection else two_way_cells(problem)
    if attempt == _ATTEMPTS - 2 or found.status is Status.FEASIBLE:
        return risky
    overlaps = overlap_kw(found.flows).max(axis=0) > OVERLAP_KW
    negative = (problem.buy_eur_per_kwh < 0) | (problem.sell_eur_per_kwh < 0)
    likely: BoolArray = risky & np.logical_or(overlaps, negative)
    return likely


def _with_limits(
    problem: Problem, programme: Programme, directions: Directions, solver: Solver
) -> _Found:
    """Return the cheapest flows within the limits, or within the least they must give way."""
    status = Status.OPTIMAL
    solution = directed(problem, programme, directions, solver)
    if solution is None:
        status = Status.RELAXED
        solution = _relaxed(problem, softened(problem, programme), directions, solver)
    elif not solution.is_proven:
        status = Status.FEASIBLE
    flows = flows_of(problem, programme.layout, solution.x, programme.extension)
    if problem.is_one_connection:
        one_way = without_free_overlap(problem, flows)
        # What is left of a car's charge may be less than it can do.
        flows = flows if below_least(problem, one_way).any() else one_way
    prices = (
        None
        if solution.row_price is None or problem.sharing is not None
        else local_prices(problem, programme.layout, solution.row_price)
    )
    return _Found(flows, status, _gap_eur(solution), prices)


def _gap_eur(solution: Solution) -> float | None:
    """Return how much less another solution could cost at most; None where no bound is known."""
    if solution.is_proven:
        return 0.0
    return solution.cost - solution.bound if np.isfinite(solution.bound) else None


def _relaxed(problem: Problem, soft: Softened, directions: Directions, solver: Solver) -> Solution:
    """Return the cheapest solution among those that break limits least, kind after kind.

    When time is up, what was settled until then stands: it breaks the most important limits least.
    """
    first, *others = soft.kinds
    solution = _capped(problem, soft, [], first, directions, solver)
    if solution is None:
        raise NoAnswerError("no flows at all keep to what the devices can do")
    totals = [float(first @ solution.x)]
    cost = soft.programme.cost
    try:
        for kind in others:
            if kind @ solution.x > 0:
                solution = _capped(problem, soft, totals, kind, directions, solver) or solution
            totals.append(float(kind @ solution.x))
        cheapest = _capped(problem, soft, totals, cost, directions, solver)
    except NoAnswerError:
        cheapest = None
    return cheapest or Solution(solution.x, float(cost @ solution.x), -np.inf)


def _capped(
    problem: Problem,
    soft: Softened,
    totals: list[float],
    aim: FloatArray,
    directions: Directions,
    solver: Solver,
) -> Solution | None:
    """Return the best solution for an aim, with no more room over the totals than it takes."""
    for room in _ROOMS:
        programme = capped(soft, totals, room=room).with_cost(aim)
        solution = directed(problem, programme, directions, solver)
        if solution is not None or not totals:
            return solution
    return None


def _by_rule(problem: Problem) -> Plan:
    return _finished(problem, _Found(by_rule(problem), Status.FALLBACK, None))


def _finished(problem: Problem, found: _Found) -> Plan:
    """Return the plan of flows: everything that follows from them is reckoned afresh."""
    flows = found.flows
    net_kw = exchange_kw(problem, flows)
    soc_kwh = stored_kwh(problem, flows.charge_kw, flows.discharge_kw)
    made = Plan(
        status=found.status,
        cost_eur=cost_eur(problem, flows),
        end_value_eur=end_value_eur(problem, soc_kwh),
        charge_kw=flows.charge_kw,
        discharge_kw=flows.discharge_kw,
        soc_kwh=soc_kwh,
        import_kw=np.maximum(net_kw, 0.0),
        export_kw=np.maximum(-net_kw, 0.0),
        curtailed_kw=cut_by_home_kw(problem, flows),
        peak_kw=float(max(net_kw.max(), 0.0)),
        gap_eur=found.gap_eur,
        local_price_eur_per_kwh=found.prices.used if found.prices else None,
        stored_value_eur_per_kwh=found.prices.stored if found.prices else None,
        starts=flows.starts,
    )
    broken = violations_of(problem, made)
    if made.status is Status.RELAXED and all(map(is_wish, broken)):
        made = replace(made, status=Status.OPTIMAL if made.gap_eur == 0 else Status.FEASIBLE)
    return replace(made, violations=broken)
