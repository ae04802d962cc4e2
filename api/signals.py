"""The moment signal, spoken from the plan in force; pages, stream and programs get the same one."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from api.measured import measured_kw
from api.plans import NeighbourhoodPlan, PlanBook, PlannedQuarter
from collectors.queries import Records
from kwartier.clock import Clock
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.model import Community
from kwartier.units import Wh
from optimizer.moment import Moment, MomentRules, Signal, Surplus, signal_of
from optimizer.nowcast import DEFAULT_NOWCAST, corrected
from optimizer.problem import FloatArray

AHEAD_S = 36 * 3600
"""How far the signal looks [s]."""
KEPT_S = 5.0
"""How long a signal that was made is told again [s]."""
MEASURED_AGE_S = 60.0
"""How long what was measured is taken as it was, within one quarter-hour [s]."""
BACK = 8
"""How many quarters back the day is looked at."""
SOLAR_SPREAD = 0.3
"""How far the sun may be off its forecast, nine times in ten, as a part of it."""
LEAST_KW_PER_HOME = 0.05
"""From which surplus on a moment can be good, for each home [kW]."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """The last quarters, and when they were looked at."""

    until: Quarter
    looked_at: float
    use_kw: FloatArray
    solar_kw: FloatArray


class Signals:
    """Tells the signal, and remembers the last one, so that it does not flutter."""

    def __init__(
        self, plans: PlanBook, community: Community, clock: Clock, records: Records | None = None
    ) -> None:
        """Speak from a plan book; safe to share between threads.

        Args:
            plans: What is expected, and what the batteries will take of it.
            community: The neighbourhood.
            clock: What time it is.
            records: How the day has gone so far; None leaves the plan's forecast as it is.
        """
        self._plans = plans
        self._clock = clock
        self._records = records
        self._rules = rules_of(community)
        self._lock = threading.Lock()
        self._previous: Signal | None = None
        self._made_at: float | None = None
        self._measured: _Measured | None = None
        self._begun_at = clock.monotonic_s()

    def now(self) -> Signal:
        """Return what is said now.

        Raises:
            StoreBusyError: The plans or the record cannot be read now.
        """
        asked_at, now_s = self._clock.monotonic_s(), self._clock.now_s()
        with self._lock:
            kept_s = KEPT_S if self._made_at is None else asked_at - self._made_at
            if self._previous is not None and kept_s < KEPT_S:
                return self._previous
            # From the day's first quarter on, or from a bit before midnight just after it.
            now = Quarter.containing(now_s)
            start_s = min(local_day(day_of(now_s))[0], now.start_s - BACK * QUARTER_S)
            end_s = now.start_s + AHEAD_S
            use_kw, solar_kw = self._last_quarters(now, asked_at)
            surplus = surplus_of(
                self._plans.covering(start_s, end_s), Quarter(start_s), end_s, now, use_kw, solar_kw
            )
            self._previous = signal_of(surplus, int(now_s), self._previous, self._rules)
            self._made_at = asked_at
            return self._previous

    def are_soon(self) -> bool:
        """Return whether nothing is known yet because the server has only just begun.

        Raises:
            StoreBusyError: The plans or the record cannot be read now.
        """
        begun = self._clock.monotonic_s() - self._begun_at < QUARTER_S
        return begun and self.now().state is Moment.UNKNOWN

    def _last_quarters(self, now: Quarter, asked_at: float) -> tuple[FloatArray, FloatArray]:
        kept = self._measured
        if kept is None or kept.until != now or asked_at - kept.looked_at >= MEASURED_AGE_S:
            if self._records is None:
                nothing = np.full(BACK, np.nan)
                found = nothing, nothing
            else:
                found = measured_kw(self._records, now.start_s - BACK * QUARTER_S, now.start_s)
            kept = self._measured = _Measured(now, asked_at, *found)
        return kept.use_kw, kept.solar_kw


def rules_of(community: Community) -> MomentRules:
    """Return when a surplus is worth a signal in a neighbourhood."""
    return rules_for(len(community.connections))


def rules_for(homes: int) -> MomentRules:
    """Return when a surplus is worth a signal among so many homes."""
    return MomentRules(least_kw=max(1.0, LEAST_KW_PER_HOME * homes))


def surplus_of(
    plan: NeighbourhoodPlan | None,
    start: Quarter,
    end_s: int,
    now: Quarter,
    use_kw: FloatArray,
    solar_kw: FloatArray,
) -> Surplus:
    """Return the solar power that nobody uses and no battery takes, as far as it is planned.

    Args:
        plan: What is planned.
        start: The first quarter.
        end_s: The end of the last one [s].
        now: The present quarter.
        use_kw: The use that was measured in the quarters just before it, shape ``(N,)`` [kW].
        solar_kw: The solar power likewise, shape ``(N,)`` [kW].
    """
    planned = {} if plan is None else {quarter.start_s: quarter for quarter in plan.quarters}
    count = (end_s - start.start_s) // QUARTER_S
    solar, use, charging = (np.full(count, np.nan) for _ in range(3))
    for place in range(count):
        quarter = planned.get(start.start_s + place * QUARTER_S)
        if quarter is not None:
            solar[place], use[place] = _kw(quarter.solar_wh), _kw(quarter.use_wh)
            charging[place] = _charging_kw(quarter)
    past = np.full((now.start_s - start.start_s) // QUARTER_S - use_kw.size, np.nan)
    solar = corrected(solar, np.concatenate([past, solar_kw]), DEFAULT_NOWCAST.solar)
    use = corrected(use, np.concatenate([past, use_kw]), DEFAULT_NOWCAST.use)
    likely = solar - use - charging
    spread = SOLAR_SPREAD * np.nan_to_num(solar)
    return Surplus(start, likely, likely - spread, likely + spread)


def _kw(energy_wh: Wh) -> float:
    return energy_wh * 3600 / QUARTER_S / 1000


def _charging_kw(quarter: PlannedQuarter) -> float:
    return max(0, quarter.battery_w) / 1000
