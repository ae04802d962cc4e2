"""The door to HiGHS: a programme in, a solution and its prices out.

HiGHS answers by its own interface where highspy is installed, and else, or where that fails, by
SciPy's: the same solver, a little slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csc_array, vstack

from kwartier.errors import KwartierError
from optimizer.linear.answer import Answer, End
from optimizer.linear.programme import Programme
from optimizer.problem import FloatArray

if TYPE_CHECKING:
    from optimizer.linear.warm import Highs

_Answer = TypeVar("_Answer")
Stopwatch: TypeAlias = Callable[[], float]
"""Seconds that only rise; the caller's, as nothing here reads a clock."""

GAP = 1e-7
"""A plan is proven once it is this close to the bound, relative to its cost."""
_EFFORT = 15_000_000
"""Nodes of a search at most, times its columns and the root of its whole numbers: 2 to 7 s for
batteries of a street [measured]. A count is the same in any process, unlike a time."""
HAS_HIGHSPY = find_spec("highspy") is not None
_OPTIMAL, _INFEASIBLE = 0, 2


class NoAnswerError(KwartierError):
    """The solver gave neither a solution nor the proof that there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Columns of a programme, what they cost, and a bound that no solution goes below.

    Attributes:
        x: One number a column.
        cost: What they cost.
        bound: No solution costs less; minus infinity where that is not known.
        row_price: What one more on the right of each row adds to the cost; None where that is not
            known, as with whole numbers.
    """

    x: FloatArray
    cost: float
    bound: float
    row_price: FloatArray | None = None

    @property
    def is_proven(self) -> bool:
        """Whether the cost is at the bound."""
        return self.cost - self.bound <= 10 * GAP * max(1.0, abs(self.cost))


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Where a search over whole numbers begins, and how far it goes.

    Attributes:
        start: A solution that is known, one number a column.
        gap: It ends this close to the bound, relative to the cost.
        nodes: It ends after so many nodes: the same in any process, unlike a time.
        looks: Whether it looks for solutions far from the one that is known.
    """

    start: FloatArray
    gap: float
    nodes: int
    looks: bool = False


@dataclass(slots=True)
class Solver:
    """Solves programmes within a time limit, and adds up how long it takes.

    Attributes:
        time_limit_s: The most that all programmes of :meth:`one_plan` may take together; without
            it or without a stopwatch the most that each may take [s].
        stopwatch: The caller's; None measures nothing.
        through_scipy: Whether SciPy's interface is taken also where highspy is installed.
        effort: What a search over whole numbers may take (see :func:`nodes_within`).
        seconds: What was spent in the solver until now [s].
    """

    time_limit_s: float
    stopwatch: Stopwatch | None = None
    through_scipy: bool = field(default=not HAS_HIGHSPY, kw_only=True)
    effort: float = field(default=_EFFORT, kw_only=True)
    seconds: float = field(default=0.0, init=False)
    _ends_s: float | None = field(default=None, init=False)

    @contextmanager
    def one_plan(self) -> Iterator[None]:
        """Hold the programmes solved within to one time limit, where there is a stopwatch."""
        if self.stopwatch:
            self._ends_s = self.stopwatch() + self.time_limit_s
        try:
            yield
        finally:
            self._ends_s = None

    def afresh(self) -> Solver:
        """Return a solver with the time that this one has left, and nothing kept from before."""
        solver = Solver(
            self.time_limit_s,
            self.stopwatch,
            through_scipy=self.through_scipy,
            effort=self.effort,
        )
        solver._ends_s = self._ends_s
        return solver

    def patience_s(self, programme: Programme) -> float:
        """Return how long a programme may take [s].

        A search over whole numbers gets half of what is left, so that there is time to make a plan
        of what it found, and for the searches that follow when it left something wrong.
        """
        left_s = self.left_s()
        if not np.isfinite(left_s):
            return self.time_limit_s
        return left_s / 2 if programme.has_whole else left_s

    def left_s(self) -> float:
        """Return how much is left for this plan [s]; endless where nothing measures it."""
        if self.stopwatch is None or self._ends_s is None:
            return np.inf
        return max(0.0, self._ends_s - self.stopwatch())

    def timed(self, work: Callable[[], _Answer]) -> _Answer:
        """Return what other work in the solver's place gives, and add up how long that takes."""
        started = self.stopwatch() if self.stopwatch else 0.0
        answer = work()
        if self.stopwatch:
            self.seconds += self.stopwatch() - started
        return answer

    def solve(self, programme: Programme) -> Solution | None:
        """Return the best solution found, or None where there is none.

        Raises:
            NoAnswerError: Time ran out without a solution, or the solver failed.
        """
        if (programme.low > programme.high).any():
            return None
        return self.timed(lambda: self._solved(programme))

    def search(self, programme: Programme, search: Search) -> Solution | None:
        """Return the best solution of a search that begins at one, or None where it gave none.

        Only where highspy is installed: SciPy's interface takes no solution to begin at.
        """
        assert not self.through_scipy

        def searched() -> Solution | None:
            highs = new_highs()
            highs.load(programme)
            highs.begin_search(search.gap, search.nodes, search.start, looks=search.looks)
            found = highs.run(self.patience_s(programme))
            if found.x is None:
                return None
            return solution_of(programme, found)

        return self.timed(searched)

    def _solved(self, programme: Programme) -> Solution | None:
        limit_s = self.patience_s(programme)
        if self.through_scipy:
            return _by_scipy(programme, limit_s, self.effort)
        # A new object each time: the same programme gives the same solution, whatever came before.
        highs = new_highs()
        highs.load(programme)
        if programme.has_whole:
            highs.hold_to(nodes_within(self.effort, programme))
        found = highs.run(limit_s)
        if found.end is End.FAILED:
            return _by_scipy(programme, self.patience_s(programme), self.effort)
        return solution_of(programme, found)


def nodes_within(effort: float, programme: Programme) -> int:
    """Return how many nodes an effort is: columns and the root of whole numbers make them dear."""
    whole = max(int(np.count_nonzero(programme.integrality)), 1)
    return max(int(effort / (programme.cost.size * math.sqrt(whole))), 1)


def new_highs() -> Highs:
    """Return HiGHS by its own interface, with nothing in it yet."""
    from optimizer.linear.warm import Highs

    return Highs(GAP)


def solution_of(programme: Programme, found: Answer) -> Solution | None:
    """Return the best solution of a programme, or None where there is none.

    Raises:
        NoAnswerError: Time ran out without a solution, or the solver failed.
    """
    if found.end is End.INFEASIBLE:
        return None
    if found.x is None:
        raise NoAnswerError(f"HiGHS gave no solution: {found.message}")
    cost = float(programme.cost @ found.x)
    if found.end is End.OPTIMAL:
        return Solution(
            found.x, cost, found.bound if programme.has_whole else cost, found.row_price
        )
    # Cut short, a linear programme proves nothing: neither its cost nor its prices.
    return Solution(found.x, cost, found.bound if programme.has_whole else -np.inf)


def _by_scipy(programme: Programme, time_limit_s: float, effort: float) -> Solution | None:
    if not programme.has_whole:
        return _linear_by_scipy(programme, time_limit_s)
    found = milp(
        programme.cost,
        integrality=programme.integrality,
        bounds=Bounds(programme.low, programme.high),
        constraints=LinearConstraint(programme.matrix, programme.row_low, programme.row_high),
        options={
            "time_limit": time_limit_s,
            "mip_rel_gap": GAP,
            "node_limit": nodes_within(effort, programme),
        },
    )
    if found.status == _INFEASIBLE:
        return None
    x: FloatArray | None = found.x
    # SciPy has no status for a limit of nodes; where there are numbers, they are a solution.
    if x is None:
        raise NoAnswerError(f"HiGHS gave no solution: {found.message}")
    cost = float(programme.cost @ x)
    bound: float | None = found.mip_dual_bound
    if bound is None:
        bound = cost if found.status == _OPTIMAL else -np.inf
    return Solution(x, cost, bound)


def _linear_by_scipy(programme: Programme, time_limit_s: float) -> Solution | None:
    """Return the solution with its prices, which only SciPy's interface for linear plans gives."""
    fixed = programme.row_low == programme.row_high
    over = ~fixed & np.isfinite(programme.row_high)
    under = ~fixed & np.isfinite(programme.row_low)
    by_row = programme.matrix.tocsr()
    found = linprog(  # type: ignore[call-overload]  # its types know no sparse matrix
        programme.cost,
        A_ub=csc_array(vstack([by_row[over], -by_row[under]])),
        b_ub=np.concatenate([programme.row_high[over], -programme.row_low[under]]),
        A_eq=csc_array(by_row[fixed]),
        b_eq=programme.row_low[fixed],
        bounds=np.stack([programme.low, programme.high], axis=1),
        method="highs-ds",
        options={"time_limit": time_limit_s, "presolve": False},
    )
    if found.status == _INFEASIBLE:
        return None
    x: FloatArray | None = found.x
    if found.status != _OPTIMAL or x is None:
        raise NoAnswerError(f"HiGHS gave no solution: {found.message}")
    price = np.zeros(fixed.size)
    price[fixed] = found.eqlin.marginals
    price[over] = found.ineqlin.marginals[: over.sum()]
    price[under] -= found.ineqlin.marginals[over.sum() :]
    cost = float(programme.cost @ x)
    return Solution(x, cost, cost, price)
