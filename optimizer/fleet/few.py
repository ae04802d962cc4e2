"""One direction each for a few batteries: the way of fleets, and then searches of so many nodes.

What is proven of a fleet holds for a few batteries too, but of few each counts, and steps are
coarse: the plan can be better, and for the fewest the bound as well. So three more strides follow.
Each battery in turn does its best (see :mod:`optimizer.linear.one_at_a_time`). Then a search over
whole numbers opens the directions of a few neighbouring steps, while those of all others stay and
powers are free: the steps go by in windows, once and again with windows moved by half. At last a
search over all directions begins at that plan, where they are few enough to raise the bound. Where
they are more and the gap is wide, one node of such a search takes the place of both.

How far each goes is a count that follows from the problem, so the same problem gives the same plan
in any process and on any machine. A clock ends a stride only where the caller's time is out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from optimizer.fleet.certificate import Proven
from optimizer.fleet.one_way import ENOUGH, OneWay, one_way_flows
from optimizer.fleet.shape import fleet_of
from optimizer.linear.directions import (
    Directions,
    leaning,
    of_batteries,
    risky_cells,
    two_way_cells,
    with_directions,
    with_fixed,
)
from optimizer.linear.flows import Flows, cost_eur, end_value_eur, stored_kwh
from optimizer.linear.local_prices import local_prices
from optimizer.linear.one_at_a_time import improved
from optimizer.linear.programme import IntArray, Programme, flows_of, programme_of
from optimizer.linear.repair import without_free_overlap
from optimizer.linear.solve import (
    GAP,
    NoAnswerError,
    Search,
    Solution,
    Solver,
    nodes_within,
)
from optimizer.problem import BoolArray, Problem

_FEWEST = 32
"""With no more directions than this in question a search proves the best soon by itself."""
_AGAIN = 12
"""Rounds of the way of fleets: more of them find little where batteries are few."""
_GAP = 1e-4
"""Where the search in one window ends, beside the cost."""
_CELLS = 30
"""Directions in one window: batteries times steps."""
_NODES = 20
"""After so many it ends in any case."""
_MOST_WINDOWS, _LEAST_WINDOWS = 16, 4
_ALL_WINDOWS = 5_000
"""How many are searched at most, and that times batteries and steps: 1 to 2 s. Where that leaves
fewer than four, each takes too long for what it finds [measured]."""
_MOST_WHOLE = 160
"""Directions up to which a search over all of them raises the bound [measured]."""
_EFFORT = 4_000_000
"""Of that search: about a second (see :func:`optimizer.linear.solve.nodes_within`)."""
_WIDE, _MOST_WIDE = 0.01, 500
"""A gap beside the value of what is exchanged at which, with up to so many directions, one node of
a search with its own ways to find solutions does more than windows: at flat prices [measured]."""


def few_one_way(problem: Problem, programme: Programme, solver: Solver) -> OneWay | None:
    """Return cheap flows in which no battery charges while it discharges, or None.

    Args:
        problem: What is to be planned; it has a plan within all limits.
        programme: Its programme, without whole numbers.
        solver: One that keeps nothing from one programme to the next.
    """
    risky = risky_cells(problem)
    if risky.sum() <= _FEWEST or programme.has_whole:
        return None
    fleet = one_way_flows(
        problem,
        again=_AGAIN,
        left_s=solver.left_s,
        cheapest=lambda directed: _cheapest(directed, solver),
    )
    if fleet is None:
        return None
    everywhere = of_batteries(problem, two_way_cells(problem))
    few = _Few(problem, programme, solver, everywhere, risky)
    forward = fleet.flows.charge_kw >= fleet.flows.discharge_kw
    begun = few.directed(forward.ravel()[everywhere.cells])
    if begun is None:
        return fleet
    best = improved(problem, programme, begun, solver)
    best = replace(best, bound=fleet.cost_eur - fleet.gap_eur + few.so_far_eur)
    if best.row_price is None:  # cut short
        return fleet
    if not solver.through_scipy:
        best = few.at_one_node(best) if few.is_wide(best) else few.searched(few.by_windows(best))
    return few.told(best)


def few_leaning(
    problem: Problem, programme: Programme, linear: Flows, solver: Solver
) -> OneWay | None:
    """Return flows in the directions that the linear plan leans to, or None; they are soon found.

    Args:
        problem: What is to be planned; it has a plan within all limits.
        programme: Its programme, without whole numbers.
        linear: The cheapest of its flows, in which batteries may charge while they discharge.
        solver: One that keeps nothing from one programme to the next.
    """
    risky = risky_cells(problem)
    if programme.has_whole or fleet_of(problem, risky) is None:
        return None
    everywhere = of_batteries(problem, two_way_cells(problem))
    few = _Few(problem, programme, solver, everywhere, risky)
    forward = linear.charge_kw >= linear.discharge_kw
    found = few.directed(forward.ravel()[everywhere.cells])
    if found is None:
        return None
    least = cost_eur(problem, linear) - end_value_eur(
        problem, stored_kwh(problem, linear.charge_kw, linear.discharge_kw)
    )
    return few.told(replace(found, bound=least + few.so_far_eur))


@dataclass(frozen=True, slots=True, eq=False)
class _Few:
    """Searches for better directions; a solution carries the bound on all of them.

    Attributes:
        problem: What is planned.
        programme: Its programme, without whole numbers.
        solver: What solves.
        everywhere: Every step at which a battery can both charge and discharge.
        risky: Where an overlap could pay, shape ``(B, T)``.
    """

    problem: Problem
    programme: Programme
    solver: Solver
    everywhere: Directions
    risky: BoolArray

    @property
    def so_far_eur(self) -> float:
        """What a programme counts for the peak that was there already [EUR]."""
        return self.problem.peak_price_eur_per_kw * self.problem.peak_so_far_kw

    def told(self, best: Solution) -> OneWay:
        """Return the flows of a solution with prices, and how far it is from its bound."""
        assert best.row_price is not None
        flows = flows_of(self.problem, self.programme.layout, best.x)
        prices = local_prices(self.problem, self.programme.layout, best.row_price)
        gap_eur = max(best.cost - best.bound, 0.0)
        return OneWay(flows, prices, best.cost - self.so_far_eur, gap_eur)

    def directed(self, forward: BoolArray) -> Solution | None:
        """Return the cheapest solution with a direction everywhere, or None; it has prices."""
        chosen = with_fixed(self.programme, self.everywhere, forward=forward)
        try:
            found = self.solver.solve(chosen)
        except NoAnswerError:
            return None
        return None if found is None or found.row_price is None else found

    def by_windows(self, best: Solution) -> Solution:
        """Return a solution that costs no more, from searches in one window after another."""
        left = min(_MOST_WINDOWS, _ALL_WINDOWS // self.risky.size)
        if left < _LEAST_WINDOWS:
            return best
        while True:
            before = best.cost
            for cells in self._windows():
                if left == 0 or self._is_over(best):
                    return best
                left -= 1
                best = self._search(best, cells, Search(best.x, _GAP, _NODES))[0]
            if best.cost >= before:
                return best

    def searched(self, best: Solution) -> Solution:
        """Return a solution that costs no more, and its bound, from a search over all directions.

        Only where these are few: of many, none of any sensible length raises the bound.
        """
        count = int(self.risky.sum())
        if count > _MOST_WHOLE or best.is_proven or self.solver.left_s() <= 0:
            return best
        opened = of_batteries(self.problem, self.risky)
        whole = with_directions(self.programme, self.problem, opened)
        return self._raised(best, Search(best.x, GAP, nodes_within(_EFFORT, whole)))

    def is_wide(self, best: Solution) -> bool:
        """Return whether directions are many and the gap is wide."""
        problem, layout = self.problem, self.programme.layout
        net_kw = best.x[layout.imported] - best.x[layout.exported]
        value_eur = float((problem.step_h * np.abs(problem.buy_eur_per_kwh * net_kw)).sum())
        count = int(self.risky.sum())
        return _MOST_WHOLE < count <= _MOST_WIDE and best.cost - best.bound > _WIDE * value_eur

    def at_one_node(self, best: Solution) -> Solution:
        """Return a solution that costs no more, and its bound, from the first node of a search."""
        return self._raised(best, Search(best.x, _GAP, 1, looks=True))

    def _raised(self, best: Solution, search: Search) -> Solution:
        found, bound = self._search(best, self.risky, search)
        return replace(found, bound=min(max(best.bound, bound), found.cost))

    def _is_over(self, best: Solution) -> bool:
        near = best.cost - best.bound <= ENOUGH * max(1.0, abs(best.cost))
        return near or self.solver.left_s() <= 0

    def _windows(self) -> Iterator[BoolArray]:
        """Give risky cells of neighbouring steps, the lowest prices first, then moved by half."""
        places = np.flatnonzero(self.risky.any(axis=0))
        wide = max(_CELLS // self.risky.shape[0], 2)
        for begun in (0, -(wide // 2)):
            firsts = range(begun, places.size, wide)
            windows = [places[max(first, 0) : first + wide] for first in firsts]
            for inside in sorted(windows, key=self._mean_price):
                cells = np.zeros_like(self.risky)
                cells[:, inside] = self.risky[:, inside]
                yield cells

    def _mean_price(self, steps: IntArray) -> float:
        return float(self.problem.buy_eur_per_kwh[steps].mean())

    def _search(self, best: Solution, cells: BoolArray, search: Search) -> tuple[Solution, float]:
        """Return the best solution with other directions in some cells, and what none goes below.

        Args:
            best: Where the search begins.
            cells: What is open, shape ``(B, T)``; other risky cells keep their directions.
            search: How far it goes.

        Cells that are not risky run as they like: what overlaps there is put right at no cost.
        """
        problem, layout = self.problem, self.programme.layout
        others = of_batteries(problem, self.risky & ~cells)
        opened = of_batteries(problem, cells)
        others_forward = leaning(problem, layout, others, best.x)
        chosen = with_fixed(self.programme, others, forward=others_forward)
        begun = np.concatenate([search.start, leaning(problem, layout, opened, search.start)])
        whole = with_directions(chosen, problem, opened)
        found = self.solver.search(whole, replace(search, start=begun))
        if found is None:
            return best, -np.inf
        better = self.directed(leaning(problem, layout, self.everywhere, found.x))
        if better is None or better.cost >= best.cost:
            return best, found.bound
        return replace(better, bound=best.bound), found.bound


def _cheapest(problem: Problem, solver: Solver) -> Proven | None:
    """Return the cheapest flows by HiGHS, or None: few batteries are sooner planned by it."""
    programme = programme_of(problem)
    try:
        found = solver.solve(programme)
    except NoAnswerError:
        return None
    if found is None or found.row_price is None:
        return None
    flows = without_free_overlap(problem, flows_of(problem, programme.layout, found.x))
    return Proven(flows, local_prices(problem, programme.layout, found.row_price))
