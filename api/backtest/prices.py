"""Prices beside measured quarters; those of another year by whole weeks, so that weekdays meet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from collectors.prices.model import PriceSeries
from kwartier.errors import InputError
from kwartier.interval import QUARTER_S, day_of
from kwartier.units import EpochS
from optimizer.forecast import DAY
from optimizer.forecasting.history import LocalQuarters, by_day, local_quarters
from optimizer.problem import FloatArray

WEEK_DAYS = 7
_YEAR_DAYS = 52 * WEEK_DAYS
_EPOCH = date(1970, 1, 1)
MOST_WEEKS = 5200
MOST_DAYS = 10_000
"""The longest span of prices that is laid beside meters: 27 years."""


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """Market prices beside quarters.

    Attributes:
        eur_per_kwh: One a quarter, shape ``(T,)``; NaN where there is none.
        weeks: By how many weeks they were moved; 0 where they stand at their own time.
        said: That in a sentence.
    """

    eur_per_kwh: FloatArray
    weeks: int
    said: str


def laid_beside(
    prices: PriceSeries,
    start_s: EpochS,
    count: int,
    weeks: int | None = None,
    middle: tuple[date, date] | None = None,
) -> Laid:
    """Return the price of each quarter from ``start_s`` on.

    Args:
        prices: The auction's.
        start_s: The first quarter.
        count: How many.
        weeks: By how many weeks prices are moved; None finds the number that brings the middle of
            the judged days nearest to its day of the year.
        middle: The first and the last judged day; all quarters where None.

    Raises:
        InputError: There are no prices, or none meets a quarter.
    """
    if not prices:
        raise InputError("there are no prices to reckon with: give a file with at least one row")
    clock = local_quarters(start_s, count)
    first, last = middle or (_day(int(clock.day[0])), _day(int(clock.day[-1])))
    table, table_day = _table(prices)
    if weeks is None:
        weeks = _weeks_between(prices, first, last)
    if not -MOST_WEEKS <= weeks <= MOST_WEEKS:
        raise InputError(f"--prices-shift {weeks}: give {-MOST_WEEKS} to {MOST_WEEKS} weeks")
    found = _own(prices, start_s, count) if weeks == 0 else np.full(count, np.nan)
    if weeks:
        for turn in (0, -_YEAR_DAYS, _YEAR_DAYS):
            lacking = np.isnan(found)
            moved = _moved(table, table_day, clock, weeks * WEEK_DAYS + turn)
            found[lacking] = moved[lacking]
    if np.isnan(found).all():
        raise InputError(
            f"no price meets a quarter from {first} to {last}: give prices of those days, or "
            "--prices-shift WEEKS"
        )
    return Laid(found, weeks, _said(weeks, first, last))


def _weeks_between(prices: PriceSeries, first: date, last: date) -> int:
    """Return by how many weeks prices are moved to meet days; 0 where most meet already."""
    days = Counter(day_of(price.quarter.start_s) for price in prices)
    wanted = [first + timedelta(days=place) for place in range((last - first).days + 1)]
    if 2 * sum(day in days for day in wanted) >= len(wanted):
        return 0
    years: Counter[int] = Counter()
    for day, quarters in days.items():
        years[day.year] += quarters
    lender = years.most_common(1)[0][0]
    middle = first + (last - first) // 2
    there = middle.replace(year=lender, day=min(middle.day, 28))
    return round((there - middle.replace(day=min(middle.day, 28))).days / WEEK_DAYS)


def _own(prices: PriceSeries, start_s: EpochS, count: int) -> FloatArray:
    found = np.full(count, np.nan)
    for price in prices:
        place = (price.quarter.start_s - start_s) // QUARTER_S
        if 0 <= place < count:
            found[place] = float(price.eur_per_mwh) / 1000
    return found


def _table(prices: PriceSeries) -> tuple[FloatArray, int]:
    """Return prices as one local day a row, and the first of those days."""
    starts_s = [price.quarter.start_s for price in prices]
    first_s, last_s = min(starts_s), max(starts_s)
    count = (last_s - first_s) // QUARTER_S + 1
    if count > MOST_DAYS * DAY:
        raise InputError(f"prices span {count // DAY} days: give at most {MOST_DAYS}")
    clock = local_quarters(first_s, count)
    return by_day(clock, _own(prices, first_s, count), 0, count), int(clock.day[0])


def _moved(table: FloatArray, table_day: int, clock: LocalQuarters, days: int) -> FloatArray:
    """Return the price so many days later at the same time on the clock."""
    rows = clock.day + days - table_day
    inside = (rows >= 0) & (rows < len(table))
    found = np.full(rows.size, np.nan)
    found[inside] = table[rows[inside], clock.slot[inside]]
    return found


def _said(weeks: int, first: date, last: date) -> str:
    if weeks == 0:
        return "prices stand at their own time"
    there = [day + timedelta(weeks=weeks) for day in (first, last)]
    return (
        f"prices are those of {abs(weeks)} weeks {'later' if weeks > 0 else 'earlier'} at the same "
        f"time on the clock: {first} takes {there[0]}, {last} takes {there[1]}; where that year "
        "has none, 52 weeks earlier or later"
    )


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)
