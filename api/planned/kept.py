"""The newest plan with the problem it solves, for as long as the process lives."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from kwartier.interval import QUARTER_S
from kwartier.model import Battery
from kwartier.units import EpochS
from optimizer.plan import Plan
from optimizer.problem import Problem


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it was made from.

    Attributes:
        name: The plan's name, as it stands in the plan book.
        start_s: Its first quarter's start [s].
        problem: The neighbourhood: homes with a planned battery apart, all others as one or as one
            for each group; its batteries, prices and limits.
        made: The plan.
        home_batteries: The batteries of homes, with what the neighbourhood's file allowed then; by
            their id.
        refusing: The homes whose residents had taken their leave back themselves.
    """

    name: str
    start_s: EpochS
    problem: Problem
    made: Plan
    home_batteries: Mapping[str, Battery] = field(default_factory=dict)
    refusing: frozenset[str] = frozenset()

    @property
    def end_s(self) -> EpochS:
        """The last quarter's end [s]."""
        return self.start_s + self.problem.steps * QUARTER_S

    def step_at(self, at_s: float) -> int | None:
        """Return the step that holds an instant, or None where the plan does not reach."""
        if not self.start_s <= at_s < self.end_s:
            return None
        return int(at_s - self.start_s) // QUARTER_S

    def at_s(self, step: int) -> EpochS:
        """Return a step's start [s]."""
        return self.start_s + step * QUARTER_S


class LastPlan:
    """Remembers the newest plan; safe to share between threads. A new process knows none yet."""

    def __init__(self) -> None:
        """Begin without one."""
        self._lock = threading.Lock()
        self._kept: Planned | None = None

    def keep(self, planned: Planned) -> None:
        """Remember a plan instead of the one before."""
        with self._lock:
            self._kept = planned

    def newest(self) -> Planned | None:
        """Return the newest plan, or None when none was made since the start."""
        with self._lock:
            return self._kept
