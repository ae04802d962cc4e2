"""The moment signal, spoken from the plan in force; pages, stream and programs get the same one."""

from __future__ import annotations

import threading

import numpy as np

from api.plans import NeighbourhoodPlan, PlanBook, PlannedQuarter
from kwartier.clock import Clock
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.model import Community
from kwartier.units import Wh
from optimizer.moment import MomentRules, Signal, Surplus, signal_of

AHEAD_S = 36 * 3600
"""How far the signal looks [s]."""
KEPT_S = 5.0
"""How long a signal that was made is told again [s]."""
SOLAR_SPREAD = 0.3
"""How far the sun may be off its forecast, nine times in ten, as a part of it."""
LEAST_KW_PER_HOME = 0.05
"""From which surplus on a moment can be good, for each home [kW]."""


class Signals:
    """Tells the signal, and remembers the last one, so that it does not flutter."""

    def __init__(self, plans: PlanBook, community: Community, clock: Clock) -> None:
        """Speak from a plan book; safe to share between threads."""
        self._plans = plans
        self._clock = clock
        self._rules = rules_of(community)
        self._lock = threading.Lock()
        self._previous: Signal | None = None
        self._made_at: float | None = None

    def now(self) -> Signal:
        """Return what is said now."""
        asked_at, now_s = self._clock.monotonic_s(), self._clock.now_s()
        with self._lock:
            kept_s = KEPT_S if self._made_at is None else asked_at - self._made_at
            if self._previous is not None and kept_s < KEPT_S:
                return self._previous
            start_s, _ = local_day(day_of(now_s))
            end_s = Quarter.containing(now_s).start_s + AHEAD_S
            surplus = surplus_of(self._plans.covering(start_s, end_s), Quarter(start_s), end_s)
            self._previous = signal_of(surplus, int(now_s), self._previous, self._rules)
            self._made_at = asked_at
            return self._previous


def rules_of(community: Community) -> MomentRules:
    """Return when a surplus is worth a signal in a neighbourhood of this size."""
    return MomentRules(least_kw=max(1.0, LEAST_KW_PER_HOME * len(community.connections)))


def surplus_of(plan: NeighbourhoodPlan | None, start: Quarter, end_s: int) -> Surplus:
    """Return the solar power that nobody uses and no battery takes, as far as it is planned."""
    planned = {} if plan is None else {quarter.start_s: quarter for quarter in plan.quarters}
    count = (end_s - start.start_s) // QUARTER_S
    likely, spread = np.full(count, np.nan), np.zeros(count)
    for place in range(count):
        quarter = planned.get(start.start_s + place * QUARTER_S)
        if quarter is not None:
            likely[place] = _kw(quarter.solar_wh - quarter.use_wh) - _charging_kw(quarter)
            spread[place] = SOLAR_SPREAD * _kw(quarter.solar_wh)
    return Surplus(start, likely, likely - spread, likely + spread)


def _kw(energy_wh: Wh) -> float:
    return energy_wh * 3600 / QUARTER_S / 1000


def _charging_kw(quarter: PlannedQuarter) -> float:
    return max(0, quarter.battery_w) / 1000
