"""What is played again: measured use and sun, prices, and since when each price was known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kwartier.errors import InputError
from kwartier.interval import HOME_ZONE, QUARTER_S, Zone
from optimizer.forecast import DAY
from optimizer.forecasting.history import (
    MAX_QUARTERS,
    IntArray,
    LocalQuarters,
    Weather,
    local_quarters,
)
from optimizer.problem import BoolArray, FloatArray

AUCTION_SLOT = 52
"""Tomorrow's prices are known from 13:00 on the wall clock: the 52nd quarter of a day."""
_LENDING_DAYS = 14
"""So many days back a price is looked for where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A neighbourhood quarter after quarter; NaN where nothing was measured.

    Attributes:
        start_s: The start of the first quarter [s since 1970 UTC].
        use_kw: What all homes used, shape ``(T,)`` [kW].
        sun_kw: What all roofs made, shape ``(T,)`` [kW].
        buy_eur_per_kwh: What a kWh from the grid costs, shape ``(T,)``; NaN where no auction told.
        sell_eur_per_kwh: What a kWh to the grid earns, shape ``(T,)``.
        weather: What was forecast of the weather; None without.
        zone: Whose clock people live by.
        clock: Day and quarter of the day by that clock, reckoned here.
    """

    start_s: int
    use_kw: FloatArray
    sun_kw: FloatArray
    buy_eur_per_kwh: FloatArray
    sell_eur_per_kwh: FloatArray
    weather: Weather | None = None
    zone: Zone = HOME_ZONE
    clock: LocalQuarters = field(init=False)

    def __post_init__(self) -> None:
        count = self.use_kw.size
        parts = (self.use_kw, self.sun_kw, self.buy_eur_per_kwh, self.sell_eur_per_kwh)
        if any(part.shape != (count,) for part in parts) or not 1 <= count <= MAX_QUARTERS:
            raise InputError(
                f"a course has {[part.shape for part in parts]} quarters of use, sun and prices: "
                f"give 1 to {MAX_QUARTERS} of each"
            )
        if self.start_s % QUARTER_S:
            raise InputError(f"a course starts at {self.start_s} s: start on a quarter-hour")
        clock = local_quarters(self.start_s, count, self.zone)
        object.__setattr__(self, "clock", clock)

    @property
    def quarters(self) -> int:
        """The number of quarters, T."""
        return self.use_kw.size

    @property
    def residual_kw(self) -> FloatArray:
        """Use minus sun, shape ``(T,)`` [kW]."""
        residual: FloatArray = self.use_kw - self.sun_kw
        return residual

    @property
    def is_known(self) -> BoolArray:
        """Whether use and sun were measured, shape ``(T,)``."""
        known: BoolArray = ~np.isnan(self.residual_kw)
        return known


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Prices as a plan may see them, and as energy is paid for.

    A price that no auction told is that of the same time of day on the day before: for what is not
    known yet as for an hour that is missing for good, as the planner does it live.

    Attributes:
        buy: What is paid, shape ``(T,)`` [EUR/kWh].
        sell: What is earned, shape ``(T,)`` [EUR/kWh].
        absent: Quarters without a price of their own, shape ``(T,)``.
    """

    buy: FloatArray
    sell: FloatArray
    absent: BoolArray
    _known_to: IntArray
    _before: IntArray

    def seen(self, now: int, steps: int, *, all_known: bool) -> tuple[FloatArray, FloatArray]:
        """Return the prices that a plan reckons with at the start of a quarter, ``(steps,)`` each.

        Args:
            now: The first quarter of the plan.
            steps: How many.
            all_known: With hindsight.
        """
        places = np.arange(now, now + steps)
        if not all_known:
            known_to = self._known_to[now]
            # Two rounds reach two days ahead, further than a plan looks beyond the auction.
            for _ in range(3):
                late = places >= known_to
                if not late.any():
                    break
                places[late] = self._before[places[late]]
        return self.buy[places], self.sell[places]


def prices_of(course: Course) -> Prices:
    """Return the prices of a course.

    Raises:
        InputError: No quarter before one without a price has one.
    """
    day, slot = course.clock.day, course.clock.slot
    before = same_time_before(course.clock)
    absent = np.isnan(course.buy_eur_per_kwh) | np.isnan(course.sell_eur_per_kwh)
    source = np.arange(course.quarters)
    for _ in range(_LENDING_DAYS):
        lacking = absent[source]
        if not lacking.any():
            break
        source[lacking] = before[source[lacking]]
    lacking = absent[source]
    if lacking.any():
        place = int(np.flatnonzero(lacking)[0])
        raise InputError(
            f"the quarter that starts at {course.start_s + place * QUARTER_S} s has no price, nor "
            "has one at its time of day in the two weeks before: give more prices"
        )
    until = np.where(slot >= AUCTION_SLOT, day + 1, day)
    known_to = np.searchsorted(day, until, side="right").astype(np.int64)
    buy, sell = course.buy_eur_per_kwh[source], course.sell_eur_per_kwh[source]
    return Prices(buy, sell, absent, known_to, before)


def same_time_before(clock: LocalQuarters) -> IntArray:
    """Return where the same time on the wall clock was the day before, shape ``(T,)``.

    Of the hour that comes twice it is the second, of the one that is skipped 96 quarters before;
    on the first day it is the quarter itself.
    """
    count = clock.day.size
    row = clock.day - clock.day[0]
    table = np.full((int(row[-1]) + 2, DAY), -1, dtype=np.int64)
    table[row + 1, clock.slot] = np.arange(count)
    found = table[row, clock.slot]
    plain = np.arange(count) - DAY
    chosen = np.where(found >= 0, found, plain)
    return np.where(chosen >= 0, chosen, np.arange(count))
