"""The week to come on one sheet: good hours as a grid, and what the last week brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from api.house import House
from api.overview.own import own_period
from api.overview.periods import Period, Span
from api.people.visitor import Visitor
from api.week import DayMoments
from kwartier.interval import HOME_ZONE, day_of
from kwartier.units import Wh
from optimizer.moment import Moment

HOURS = range(8, 21)
"""The hours on the sheet: when people are up and the sun may shine."""


@dataclass(frozen=True, slots=True)
class WeekRow:
    """One day of the sheet.

    Attributes:
        day: Which.
        hours: What is expected of each hour of ``HOURS``.
        sentence: What is said instead of the hours: ``unknown`` or ``none``; empty with a good one.
    """

    day: date
    hours: tuple[Moment, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class LastWeek:
    """What the last whole week brought a home."""

    shared_wh: Wh
    saved_eur: Decimal


def week_rows(days: tuple[DayMoments, ...]) -> list[WeekRow]:
    """Return the rows of the sheet."""
    rows = []
    for day in days:
        by_hour = {
            datetime.fromtimestamp(hour.start_s, HOME_ZONE).hour: hour.state for hour in day.hours
        }
        hours = tuple(by_hour.get(hour, Moment.UNKNOWN) for hour in HOURS)
        sentence = ""
        if Moment.GOOD not in hours:
            sentence = "unknown" if set(hours) == {Moment.UNKNOWN} else "none"
        rows.append(WeekRow(day.date, hours, sentence))
    return rows


def last_week(house: House, visitor: Visitor) -> LastWeek | None:
    """Return what the week before this one brought the visitor's home, where that is kept."""
    if house.overview is None or visitor.home is None:
        return None
    now_s = house.clock.now_s()
    period = Period.of(Span.WEEK, day_of(now_s) - timedelta(days=7))
    own = own_period(house.overview.days, visitor, visitor.home, period, now_s)
    if own.sums is None:
        return None
    return LastWeek(own.sums.bought_wh, own.saved_eur)


def week_values(
    house: House, days: tuple[DayMoments, ...], home: str, last: LastWeek | None
) -> dict[str, object]:
    """Return everything that the sheet asks for.

    Args:
        house: The neighbourhood.
        days: What is expected.
        home: Whose sheet; empty for one in the hallway.
        last: What the last week brought that home, where it is known.
    """
    return {
        "rows": week_rows(days),
        "columns": tuple(HOURS),
        "first": days[0].date,
        "final": days[-1].date,
        "home": home,
        "last": last,
        "phone": house.help_line.phone,
        "phone_hours": house.help_line.hours,
        "place": house.community.name,
    }
