"""Plans of a backtest that reckon with errors, as a way of steering asks."""

from __future__ import annotations

from optimizer.backtest.policies import Minds
from optimizer.backtest.ranges import Ranges
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.rolling import Rolling
from optimizer.uncertain.planning import plan_guarded, plan_under
from optimizer.uncertain.scenarios import scenarios_of
from optimizer.uncertain.two_stage import Caution


class Minding:
    """A planner that knows how far what is expected may be off."""

    def __init__(self, minds: Minds, ranges: Ranges, rolling: Rolling) -> None:
        """Plan as a way of steering minds errors.

        Args:
            minds: Which errors.
            ranges: How far forecasts were off until now.
            rolling: Makes the plans.
        """
        self._minds = minds
        self._ranges = ranges
        self._rolling = rolling

    def plan(self, problem: Problem, now: int) -> Plan:
        """Return the plan made at the start of a quarter; without a range that of no errors."""
        told = self._ranges.at(now, problem.steps)
        if told is None or self._minds is Minds.NOTHING:
            return self._rolling.plan(problem)
        if self._minds is Minds.LIMITS:
            return plan_guarded(problem, told, is_tracked=True, make=self._rolling.plan)
        return plan_under(
            problem,
            scenarios_of(told, problem.step_h),
            caution=Caution() if self._minds is Minds.DEAR_DAYS else None,
            make=self._rolling.plan,
            solver=self._rolling.solver,
        )
