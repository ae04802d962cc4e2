"""What people read of their own home: sums, bars and comparisons of the time they lived there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from api.overview.day_file import DayFile
from api.overview.day_sums import BookedMonth, HomeDay, LineSum, Origin
from api.overview.lived import Bar, Sums, bar_of, lived_days, own_quarters, sums_of
from api.overview.periods import Period, Span, Step
from api.people.visitor import Visitor
from kwartier.interval import day_of
from kwartier.units import Wh

_LEAST_COMPARED_WH = 100
"""Less use than this compares with nothing [Wh]."""


class Standing(StrEnum):
    """How sure numbers are; the words of the statement."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    CORRECTED = "corrected"

    @property
    def is_booked(self) -> bool:
        """Whether it is in the books."""
        return self is not Standing.PROVISIONAL


@dataclass(frozen=True, slots=True)
class Comparison:
    """One's own use beside that of another period, over days that are whole in both.

    Attributes:
        period: The other period.
        days: How many days are compared.
        use_wh: Used on those days of this period [Wh].
        other_wh: Used on those of the other one [Wh].
        is_year_back: Whether the other period is the same one a year before.
    """

    period: Period
    days: int
    use_wh: Wh
    other_wh: Wh
    is_year_back: bool

    @property
    def percent(self) -> int:
        """How much more than in the other period; below zero is less [%]."""
        return round(100 * (self.use_wh - self.other_wh) / self.other_wh)


@dataclass(frozen=True, slots=True)
class OwnPeriod:
    """A home in a period.

    Attributes:
        home: Which home.
        period: Which period.
        sums: All of it; None when nothing is known.
        bars: Its bars, in order: quarters of a day, days, or months of a longer time.
        standing: How sure it is.
        paid_eur: What the shared energy cost, as on the statement where there is one.
        earned_eur: What the given energy earned, likewise.
        saved_eur: What the shared energy cost less than a supplier's.
        is_on_statement: Whether what was paid and earned stands like that on statements.
        before: Beside the period before; None when they share no whole day.
        year_before: Beside the same period a year before; None likewise.
        days: What is kept of its days.
    """

    home: str
    period: Period
    sums: Sums | None
    bars: tuple[Bar, ...]
    standing: Standing
    paid_eur: Decimal
    earned_eur: Decimal
    saved_eur: Decimal
    is_on_statement: bool
    before: Comparison | None
    year_before: Comparison | None
    days: tuple[HomeDay, ...]


def own_period(
    file: DayFile, visitor: Visitor, home: str, period: Period, now_s: float
) -> OwnPeriod:
    """Return what a visitor may read of a home in a period.

    Args:
        file: Where days are kept.
        visitor: Who asks; days on which they did not live there are left out.
        home: Which home.
        period: Which period.
        now_s: What time it is; what is to come is no gap [s].
    """
    days = lived_days(file, visitor, home, period)
    today = day_of(now_s)
    if period.span is Span.DAY:
        bars = own_quarters(file, visitor, home, period.first, now_s)
    else:
        bars = tuple(bar_of(step, days, visitor, home, today) for step in period.steps)
    sums = sums_of(days.values())
    booked = file.booked()
    paid, earned, is_on_statement = _money(file, visitor, home, period, days, booked)
    return OwnPeriod(
        home,
        period,
        sums if sums.days else None,
        bars,
        standing_of(days, booked),
        paid,
        earned,
        Decimal(sums.saved).scaleb(-6),
        is_on_statement,
        _compared(file, visitor, home, period, days, period.before),
        _compared(file, visitor, home, period, days, period.year_before),
        tuple(days.values()),
    )


def standing_of(days: Mapping[date, HomeDay], booked: Mapping[str, BookedMonth]) -> Standing:
    """Return how sure the sum of some days is: no surer than the least sure of them."""
    if not days or any(day.origin is Origin.RECORD for day in days.values()):
        return Standing.PROVISIONAL
    months = {f"{day:%Y-%m}" for day in days}
    corrected = any(booked[month].is_corrected for month in months if month in booked)
    return Standing.CORRECTED if corrected else Standing.FINAL


def _compared(
    file: DayFile,
    visitor: Visitor,
    home: str,
    period: Period,
    days: Mapping[date, HomeDay],
    other: Period,
) -> Comparison | None:
    others = lived_days(file, visitor, home, other)
    count = use_wh = other_wh = 0
    for day, one in days.items():
        alike = others.get(period.alike(day, other) or date.min)
        if alike is not None and one.is_whole and alike.is_whole:
            count, use_wh, other_wh = count + 1, use_wh + one.use_wh, other_wh + alike.use_wh
    if other_wh < _LEAST_COMPARED_WH:
        return None
    return Comparison(other, count, use_wh, other_wh, other == period.year_before)


def _money(
    file: DayFile,
    visitor: Visitor,
    home: str,
    period: Period,
    days: Mapping[date, HomeDay],
    booked: Collection[str],
) -> tuple[Decimal, Decimal, bool]:
    """Return what was paid and earned, of whole booked months what the statement says [EUR].

    The last one says whether all of it stands on statements.
    """
    months = {f"{step.first:%Y-%m}" for step in _whole_months(period)} & set(booked)
    lines = [one for one in file.lines(months, home) if one.party == visitor.party]
    told = {line.month for line in lines}
    rest = sums_of(day for date_, day in days.items() if f"{date_:%Y-%m}" not in told)
    paid, earned = _cents(lines, "buy", "levy"), _cents(lines, "sell", "battery")
    return (
        Decimal(rest.paid).scaleb(-6) + Decimal(paid) / 100,
        Decimal(rest.earned).scaleb(-6) + Decimal(earned) / 100,
        rest.days == 0,
    )


def _whole_months(period: Period) -> list[Step]:
    """Return the months that lie in a period from their first to their last day."""
    if period.span in {Span.DAY, Span.WEEK}:
        return []
    firsts = {day.replace(day=1) for day in (period.first, *period.days)}
    months = [Period.of(Span.MONTH, first) for first in sorted(firsts)]
    return [
        Step(month.first, month.end)
        for month in months
        if period.first <= month.first and month.end <= period.end
    ]


def _cents(lines: Iterable[LineSum], *charges: str) -> int:
    return sum(line.cents for line in lines if line.charge in charges)
