"""The closed loop: look, plan, act, and go on with what the batteries really hold.

One walk is one way of steering over one stretch of quarters. Nothing of it hangs on another
stretch, so that many can be walked at once and give what one after the other would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from optimizer.backtest.course import Course, Prices, prices_of
from optimizer.backtest.following import Now, Step, power_kw
from optimizer.backtest.foresight import Foresight, Hindsight
from optimizer.backtest.minding import Minding
from optimizer.backtest.policies import Plans, Policy, Sees
from optimizer.backtest.stores import QUARTER_H, Stores
from optimizer.forecast import DAY
from optimizer.plan import Plan
from optimizer.problem import FloatArray, Grid, Home, Problem, problem_of
from optimizer.uncertain.peak_level import DAYS, PeakLevel, storage_of

HORIZON = 144
"""How far a plan looks, as live: a day and a half of quarters."""
WARM_UP = 2 * DAY
"""Quarters that are walked before a stretch, so that it starts with what would be stored then."""
BEYOND = 3 * DAY
"""Quarters that the least possible looks beyond a stretch."""
_WORTH_QUANTILE = 0.35
_LEAST_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Connection:
    """What the neighbourhood's connection bears, and what its peak costs.

    Attributes:
        import_limit_kw: The most it may take.
        export_limit_kw: The most it may give.
        peak_price_eur_per_kw: Price of the month's highest quarter.
    """

    import_limit_kw: float = np.inf
    export_limit_kw: float = np.inf
    peak_price_eur_per_kw: float = 0.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Quarters ``[first, end)`` that are judged; those before only warm up."""

    first: int
    end: int
    warm_up: int = WARM_UP


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """What was done in the quarters of a stretch.

    Attributes:
        charge_kw: What all batteries took, shape ``(N,)``.
        discharge_kw: What they gave, shape ``(N,)``.
        wear_eur: What giving it cost, shape ``(N,)``.
        stored_kwh: What was stored after each quarter, shape ``(N,)``.
        before_kwh: What was stored before the first.
        plan_age: Quarters since the plan in force was made, shape ``(N,)``; NaN without one.
        plans: How many plans were made.
        failed: How often none could be made; the last one stayed in force.
        seconds: What planning took, by the stopwatch handed in; 0 without one.
    """

    charge_kw: FloatArray
    discharge_kw: FloatArray
    wear_eur: FloatArray
    stored_kwh: FloatArray
    before_kwh: float
    plan_age: FloatArray
    plans: int
    failed: int
    seconds: float


@dataclass(slots=True, eq=False)
class Walk:
    """One way of steering, over one stretch.

    Attributes:
        course: What is played again.
        stores: The batteries.
        connection: The connection.
        policy: The way.
        foresight: What can be expected at each moment.
        make: Makes a plan.
        stopwatch: Seconds that only rise; None measures nothing.
        minding: Makes a plan in its stead, for a way that minds errors of what is expected.
    """

    course: Course
    stores: Stores
    connection: Connection
    policy: Policy
    foresight: Foresight
    make: Callable[[Problem], Plan]
    stopwatch: Callable[[], float] | None = None
    minding: Minding | None = None
    _prices: Prices = field(init=False)
    _plan: Plan | None = field(default=None, init=False)
    _made_at: int = field(default=0, init=False)
    _expected_kw: FloatArray = field(default_factory=lambda: np.empty(0), init=False)
    _level: PeakLevel = field(default_factory=PeakLevel, init=False)
    _peak_kw: float = field(default=np.inf, init=False)
    _plans: int = field(default=0, init=False)
    _failed: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._prices = prices_of(self.course)
        if self.policy.sees is Sees.ACTUAL:
            self.foresight = Hindsight(self.course, self.foresight)

    def over(self, stretch: Stretch, show: Callable[[int], None] = lambda _: None) -> Walked:
        """Return what is done in the quarters of a stretch.

        Args:
            stretch: Which.
            show: Is told how many quarters were walked, warm-up included.
        """
        course, stores = self.course, self.stores
        start = max(0, stretch.first - stretch.warm_up)
        count = stretch.end - start
        if self.policy.plans is Plans.AT_ONCE:
            self._plan_at(start, stores.start_kwh, min(stretch.end + BEYOND, course.quarters), 0.0)
        powers = np.zeros((count, len(stores.batteries)))
        held = np.empty(count)
        age = np.full(count, np.nan)
        stored = stores.start_kwh
        before_kwh = float(stored.sum())
        residual = course.residual_kw
        month, peak_kw = -1, 0.0
        months = months_of(course)
        for place in range(count):
            now = start + place
            if months[now] != month:
                month, peak_kw = int(months[now]), 0.0
            if now == stretch.first:
                before_kwh = float(stored.sum())
            if self._is_due(now, start):
                self._plan_at(now, stored, now + HORIZON, peak_kw)
            if not np.isnan(residual[now]):
                step = self._step(now)
                powers[place] = power_kw(
                    self.policy.follows, stores, stored, step, self._now(now, residual[now])
                )
                stored = stores.after(stored, powers[place])
                peak_kw = max(peak_kw, residual[now] + float(powers[place].sum()))
            held[place] = stored.sum()
            if self._plan is not None and self.policy.plans is not Plans.AT_ONCE:
                age[place] = now - self._made_at
            if place % DAY == DAY - 1:
                show(place + 1)
        kept = powers[stretch.first - start :]
        given = np.maximum(-kept, 0.0)
        return Walked(
            np.maximum(kept, 0.0).sum(axis=1),
            given.sum(axis=1),
            QUARTER_H * given @ stores.wear_eur_per_kwh,
            held[stretch.first - start :],
            before_kwh,
            age[stretch.first - start :],
            self._plans,
            self._failed,
            self._seconds,
        )

    def _is_due(self, now: int, start: int) -> bool:
        if self.policy.plans is Plans.QUARTERLY:
            return True
        if self.policy.plans is not Plans.DAILY:
            return False
        day = self.course.clock.day
        return now == start or self._plan is None or day[now] != day[now - 1]

    def _plan_at(self, now: int, stored: FloatArray, end: int, peak_kw: float) -> None:
        """Make a plan, or keep the last one where nothing is known to make one of."""
        end = min(end, self.course.quarters)
        steps = end - now
        if steps < _LEAST_AHEAD:
            return
        use, sun = self.foresight.at(now, steps)
        if np.isnan(use).any() or np.isnan(sun).any():
            self._failed += 1
            return
        hindsight = self.policy.sees is Sees.ACTUAL
        buy, sell = self._prices.seen(now, steps, all_known=hindsight)
        worth = max(0.0, _quantile(buy, _WORTH_QUANTILE))
        if not hindsight:
            peak_kw = max(peak_kw, self._level_at(now, buy))
        started = self.stopwatch() if self.stopwatch else 0.0
        problem = problem_of(
            QUARTER_H,
            buy,
            sell,
            [Home("homes", np.maximum(use, 0.0), np.maximum(sun, 0.0))],
            self.stores.planned(stored, worth),
            self._grid(peak_kw),
            exclusive=self.policy.plans is not Plans.AT_ONCE,
        )
        self._plan = self.minding.plan(problem, now) if self.minding else self.make(problem)
        if self.stopwatch:
            self._seconds += self.stopwatch() - started
        self._made_at = now
        self._peak_kw = max(self._plan.peak_kw, peak_kw)
        self._expected_kw = use - sun
        self._plans += 1

    def _level_at(self, now: int, buy_eur_per_kwh: FloatArray) -> float:
        """Return the peak that the month will have anyway, by what was measured until now [kW]."""
        price = self.connection.peak_price_eur_per_kw
        if price <= 0:
            return 0.0
        return self._level.on(
            int(self.course.clock.day[now]),
            storage_of(self.stores.batteries),
            price,
            buy_eur_per_kwh,
            lambda: self.course.residual_kw[max(0, now - DAYS * DAY) : now],
        )

    def _grid(self, peak_kw: float) -> Grid:
        one = self.connection
        return Grid(one.import_limit_kw, one.export_limit_kw, one.peak_price_eur_per_kw, peak_kw)

    def _step(self, now: int) -> Step | None:
        """Return what the plan in force says of a quarter; None where it says nothing."""
        plan, place = self._plan, now - self._made_at
        if plan is None or place >= plan.import_kw.size:
            return None
        charge, discharge = plan.charge_kw[:, place], plan.discharge_kw[:, place]
        power = charge - discharge
        values = plan.stored_value_eur_per_kwh
        worth = None if values is None else values[:, place]
        return Step(
            power,
            float(self._expected_kw[place] + power.sum()),
            worth,
            self._peak_kw if self.connection.peak_price_eur_per_kw > 0 else np.inf,
        )

    def _now(self, now: int, residual_kw: float) -> Now:
        return Now(
            residual_kw,
            self._prices.buy[now],
            self._prices.sell[now],
            self.connection.import_limit_kw,
            self.connection.export_limit_kw,
        )


def _quantile(values: FloatArray, part: float) -> float:
    """Return a quantile as ``np.quantile`` does, ten times as fast: it is asked each quarter."""
    place = part * (values.size - 1)
    low = int(place)
    high = min(low + 1, values.size - 1)
    ordered = np.partition(values, (low, high))
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def months_of(course: Course) -> FloatArray:
    """Return the month of each quarter by the wall clock, counted on, shape ``(T,)``."""
    months: FloatArray = (
        course.clock.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.float64)
    )
    return months
