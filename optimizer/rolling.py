"""Plans one after the other: each begins where the last of its shape ended.

A horizon that moves on by a quarter asks nearly the same question again. The solver's model is kept
and only what changed is told, so that most of the work is already done. Cost and limits are those
of :func:`optimizer.dispatch.plan`; where several plans cost the same, which one comes may hang on
the plans before it. The same problems in the same order give the same plans, bit for bit.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.dispatch import TIME_LIMIT_S, planned_by
from optimizer.linear.answer import End
from optimizer.linear.programme import Layout, Programme
from optimizer.linear.solve import Solution, Solver, Stopwatch, new_highs, solution_of
from optimizer.plan import Plan
from optimizer.problem import Problem

if TYPE_CHECKING:
    from optimizer.linear.warm import Highs

_MOST_SHAPES = 8
"""How many models are kept: those that were not asked for longest are forgotten."""


class Rolling:
    """A planner that remembers; for one thread.

    It serves one neighbourhood or several: each shape (batteries, steps, rows) has its model.
    """

    def __init__(
        self, *, time_limit_s: float = TIME_LIMIT_S, stopwatch: Stopwatch | None = None
    ) -> None:
        """Prepare it.

        Args:
            time_limit_s: The most that all programmes of one plan may take together; without a
                stopwatch, the most that each may take [s].
            stopwatch: Seconds that only rise; None measures nothing.
        """
        self._solver = _Keeping(time_limit_s, stopwatch)

    def plan(self, problem: Problem) -> Plan:
        """Return the cheapest plan; :func:`optimizer.explain.reasons_of` adds its reasons."""
        return planned_by(self._solver, problem)

    @property
    def solver(self) -> Solver:
        """The solver that remembers, for other programmes of the same loop."""
        return self._solver

    def forget(self) -> None:
        """Forget what came before: the next plan is the one that a new planner makes."""
        self._solver.kept.clear()


@dataclass(slots=True)
class _Keeping(Solver):
    """A solver that keeps the models of linear programmes, by their shape."""

    kept: OrderedDict[tuple[Layout, int, int], Highs] = field(
        default_factory=OrderedDict, init=False
    )

    def _solved(self, programme: Programme) -> Solution | None:
        if self.through_scipy or programme.has_whole:
            return super(_Keeping, self)._solved(programme)
        shape = programme.layout, programme.row_low.size, programme.matrix.data.size
        highs = self.kept.pop(shape, None) or new_highs()
        highs.change_to(programme)
        found = highs.run(self.patience_s(programme))
        if found.end is End.FAILED:  # from where it began; not kept, and asked afresh
            return super(_Keeping, self)._solved(programme)
        self.kept[shape] = highs
        if len(self.kept) > _MOST_SHAPES:
            self.kept.popitem(last=False)
        return solution_of(programme, found)
