"""The door to SciPy's HiGHS: a programme in, a solution out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from kwartier.errors import KwartierError
from optimizer.problem import FloatArray
from optimizer.programme import Programme

_Answer = TypeVar("_Answer")
Stopwatch: TypeAlias = Callable[[], float]
"""Seconds that only rise; the caller's, as nothing here reads a clock."""

GAP = 1e-7
"""A plan is proven once it is this close to the bound, relative to its cost."""
_OPTIMAL, _LIMIT, _INFEASIBLE = 0, 1, 2


class NoAnswerError(KwartierError):
    """The solver gave neither a solution nor the proof that there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Columns of a programme, what they cost, and a bound that no solution goes below."""

    x: FloatArray
    cost: float
    bound: float

    @property
    def is_proven(self) -> bool:
        """Whether the cost is at the bound."""
        return self.cost - self.bound <= 10 * GAP * max(1.0, abs(self.cost))


@dataclass(slots=True)
class Solver:
    """Solves programmes, each within a time limit, and adds up how long it takes.

    Attributes:
        time_limit_s: The most one programme may take [s].
        stopwatch: The caller's; None measures nothing.
        seconds: What was spent in the solver until now [s].
    """

    time_limit_s: float
    stopwatch: Stopwatch | None = None
    seconds: float = field(default=0.0, init=False)

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
        started = self.stopwatch() if self.stopwatch else 0.0
        integer = np.zeros(programme.cost.size, dtype=np.uint8)
        integer[integer.size - programme.integer :] = 1
        found = milp(
            programme.cost,
            integrality=integer,
            bounds=Bounds(programme.low, programme.high),
            constraints=LinearConstraint(programme.matrix, programme.row_low, programme.row_high),
            options={
                "time_limit": self.time_limit_s,
                "mip_rel_gap": GAP,
                # A linear plan has little to presolve: leaving it out saves 10 to 30 % [measured].
                "presolve": programme.integer > 0,
            },
        )
        if self.stopwatch:
            self.seconds += self.stopwatch() - started
        if found.status == _INFEASIBLE:
            return None
        x: FloatArray | None = found.x
        if found.status not in {_OPTIMAL, _LIMIT} or x is None:
            raise NoAnswerError(f"HiGHS gave no solution: {found.message}")
        cost = float(programme.cost @ x)
        bound: float | None = found.mip_dual_bound
        return Solution(x, cost, cost if programme.integer == 0 or bound is None else bound)
