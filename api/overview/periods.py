"""Which days a page is about: a day, a week from Monday, a month, a year, or one's own choice."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from kwartier.errors import InputError

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""The days that can be asked for."""
MOST_DAYS = 800
"""The longest period of one's own choice [days]."""
_BY_DAY = 62
"""A chosen period of at most so many days is shown day by day."""
_DAY = timedelta(days=1)
_WEEKS_OF_YEAR = timedelta(days=364)


class PeriodError(InputError):
    """A period that cannot be asked for; the message says what can."""


class Span(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a period: the days of ``[first, end)``."""

    first: date
    end: date


@dataclass(frozen=True, slots=True)
class Period:
    """The local days of ``[first, end)``.

    Attributes:
        span: How long it is.
        first: The first day.
        end: The day after the last one.
    """

    span: Span
    first: date
    end: date

    @classmethod
    def of(cls, span: Span, day: date) -> Self:
        """Return the day, week, month or year in which a day lies.

        Raises:
            PeriodError: The day lies outside the days that can be asked for.
        """
        assert span is not Span.CHOSEN
        if not FIRST_DAY <= day <= LAST_DAY:
            raise PeriodError(f"{day} lies outside the days kept here")
        if span is Span.WEEK:
            monday = day - timedelta(days=day.weekday())
            return cls(span, monday, monday + timedelta(days=7))
        if span is Span.MONTH:
            first = day.replace(day=1)
            return cls(span, first, first + timedelta(days=monthrange(day.year, day.month)[1]))
        if span is Span.YEAR:
            return cls(span, date(day.year, 1, 1), date(day.year + 1, 1, 1))
        return cls(span, day, day + _DAY)

    @classmethod
    def chosen(cls, first: date, last: date) -> Self:
        """Return the days from one up to and including another.

        Raises:
            PeriodError: The last one comes before the first, or there are too many.
        """
        if not FIRST_DAY <= first <= last <= LAST_DAY:
            raise PeriodError(f"{first} to {last}: the last day must not come before the first")
        if (last - first).days >= MOST_DAYS:
            raise PeriodError(f"{first} to {last}: choose at most {MOST_DAYS} days")
        return cls(Span.CHOSEN, first, last + _DAY)

    @property
    def last(self) -> date:
        """The last day."""
        return self.end - _DAY

    @property
    def days(self) -> Iterator[date]:
        """Its days, in order."""
        return (self.first + timedelta(days=place) for place in range((self.end - self.first).days))

    @property
    def before(self) -> Period:
        """The period before it, of the same kind."""
        if self.span is Span.CHOSEN:
            return Period(self.span, self.first - (self.end - self.first), self.first)
        return Period.of(self.span, self.first - _DAY)

    @property
    def after(self) -> Period:
        """The period after it, of the same kind."""
        if self.span is Span.CHOSEN:
            return Period(self.span, self.end, self.end + (self.end - self.first))
        return Period.of(self.span, self.end)

    @property
    def year_before(self) -> Period:
        """The same period a year before; a day and a week keep their days of the week."""
        if self.span in {Span.DAY, Span.WEEK}:
            return Period(self.span, self.first - _WEEKS_OF_YEAR, self.end - _WEEKS_OF_YEAR)
        return Period(self.span, _year_back(self.first), _year_back(self.end))

    @property
    def is_by_month(self) -> bool:
        """Whether its bars are months."""
        long = (self.end - self.first).days > _BY_DAY
        return self.span is Span.YEAR or (self.span is Span.CHOSEN and long)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its bars: months, or days."""
        if not self.is_by_month:
            return tuple(Step(day, day + _DAY) for day in self.days)
        steps, first = [], self.first
        while first < self.end:
            end = min(self.end, Period.of(Span.MONTH, first).end)
            steps.append(Step(first, end))
            first = end
        return tuple(steps)

    def alike(self, day: date, other: Period) -> date | None:
        """Return the day of another period that compares with a day of this one; None for none.

        Days of a month compare by their number, those of a year by month and number.
        """
        if self.span is Span.YEAR:
            try:
                found = day.replace(year=other.first.year)
            except ValueError:
                return None
        else:
            found = other.first + (day - self.first)
        return found if other.first <= found < other.end else None


def _year_back(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)
