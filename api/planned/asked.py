"""Answers why a battery does not do something else; bounded in work, and for few a minute."""

from __future__ import annotations

import threading
from collections import OrderedDict
from enum import StrEnum

from api.attempts import Attempts
from api.people.errors import TooOftenError
from api.planned.kept import LastPlan, Planned
from kwartier.clock import Clock
from kwartier.errors import InputError, TemporaryError
from kwartier.units import EpochS
from optimizer.dispatch import plan
from optimizer.plan import Action, Plan
from optimizer.problem import Problem
from optimizer.why.why_not import WhyNot, why_not

MOST_NEW, WINDOW_S = 20, 600.0
"""How many questions nobody asked before one visitor has in some time [s]."""
KEPT = 400
"""How many answers to the newest plan are remembered."""
PATIENCE_S = 2.0
"""The most one programme of an answer may take [s]."""
QUEUE_S = 10.0
"""How long a question waits for those before it [s]: one is worked on at a time."""


class Wanted(StrEnum):
    """What may be asked for: an action as plans or as reasons name it."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    HOLD = "hold"
    IDLE = "idle"
    """As plans of the neighbourhood call waiting."""

    @property
    def action(self) -> Action:
        """The action it means."""
        return Action.HOLD if self is Wanted.IDLE else Action(self.value)


class NotPlannedError(InputError):
    """Nothing is planned for what was asked: the message says from when to when there is a plan."""


class BusyError(TemporaryError):
    """Too many questions at once."""


class PlanQuestions:
    """Answers questions about the newest plan; safe to share between threads."""

    def __init__(self, last: LastPlan, clock: Clock) -> None:
        """Answer about what ``last`` remembers."""
        self._last = last
        self._attempts = Attempts(clock, MOST_NEW, WINDOW_S)
        self._lock, self._work = threading.Lock(), threading.Lock()
        self._plan = ""
        self._known: OrderedDict[tuple[str, int, Action], WhyNot] = OrderedDict()

    def why_not(
        self, who: str, battery: str, at_s: EpochS, asked: Action
    ) -> tuple[Planned, WhyNot]:
        """Return the plan that is in force and why a battery does not do something in it.

        Args:
            who: The visitor, for counting.
            battery: The battery's id.
            at_s: An instant in the quarter-hour that is asked about [s].
            asked: What it might do instead.

        Raises:
            NotPlannedError: There is no plan, or it does not reach that instant.
            InputError: There is no such battery.
            TooOftenError: The visitor asked too much; it says how long to wait.
            BusyError: Others asked too much; try again.
        """
        planned = self._last.newest()
        if planned is None:
            raise NotPlannedError("nothing was planned since the start: try again in a few minutes")
        step = planned.step_at(at_s)
        if step is None:
            other = "a later" if at_s < planned.start_s else "an earlier"
            raise NotPlannedError(f"the plan does not reach that quarter-hour: ask for {other} one")
        key = battery, step, asked
        known = self._remembered(planned, key)
        if known is not None:
            return planned, known
        if battery not in planned.problem.battery_ids:
            raise InputError("there is no such battery in the plan: ask about one of the plan's")
        wait_s = self._attempts.wait_s(who)
        if wait_s:
            raise TooOftenError(wait_s)
        if not self._work.acquire(timeout=QUEUE_S):
            raise BusyError("many people ask at this moment")
        try:
            known = self._remembered(planned, key)
            if known is None:
                known = why_not(planned.problem, planned.made, battery, step, asked, _patient)
                self._remember(planned, key, known)
        finally:
            self._work.release()
        return planned, known

    def _remembered(self, planned: Planned, key: tuple[str, int, Action]) -> WhyNot | None:
        with self._lock:
            return self._known.get(key) if self._plan == planned.name else None

    def _remember(self, planned: Planned, key: tuple[str, int, Action], answer: WhyNot) -> None:
        with self._lock:
            if self._plan != planned.name:
                self._plan = planned.name
                self._known.clear()
            self._known[key] = answer
            while len(self._known) > KEPT:
                self._known.popitem(last=False)


def _patient(problem: Problem) -> Plan:
    return plan(problem, time_limit_s=PATIENCE_S)
