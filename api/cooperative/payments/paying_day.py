"""On which day a bank moves money: TARGET days, and the day a run's papers name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from api.cooperative.documents import Document, Series

_DAY = timedelta(days=1)
_FIXED = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})
"""Month and day on which TARGET is closed every year."""
_SATURDAY = 5


def paying_day(due: date | None, today: date) -> date:
    """Return when money moves: on the due day, or as soon as a bank can.

    Args:
        due: The day that stands on the papers; None where none does.
        today: The day in the Netherlands.

    Returns:
        The due day, or the next TARGET day where it is none; never before the second TARGET day
        from today on, for a bank wants a SEPA Core collection one TARGET day before.

    Source:
        EPC016-06, SEPA Core rulebook: one day for first and recurrent collections alike.
    """
    soonest = target_day(target_day(today) + _DAY)
    return soonest if due is None else max(soonest, target_day(due))


def target_day(day: date) -> date:
    """Return a day on which TARGET is open: this one, or the next.

    Source:
        European Central Bank, long-term calendar of TARGET closing days since 2002: weekends,
        1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December.
    """
    while not _is_open(day):
        day += _DAY
    return day


def last_due(papers: Iterable[Document]) -> date | None:
    """Return the latest due day that stands on papers; a credit note has none."""
    found = [_due(paper) for paper in papers if paper.series is not Series.CREDIT]
    return max((day for day in found if day is not None), default=None)


def _due(paper: Document) -> date | None:
    statement = paper.body.get("statement") if isinstance(paper.body, dict) else None
    due = statement.get("due") if isinstance(statement, dict) else None
    return date.fromisoformat(due) if isinstance(due, str) else None


def _is_open(day: date) -> bool:
    easter = _easter(day.year)
    closed = (easter - 2 * _DAY, easter + _DAY)
    return day.weekday() < _SATURDAY and (day.month, day.day) not in _FIXED and day not in closed


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar.

    Source:
        J. Meeus, Astronomical Algorithms, chapter 8.
    """
    golden, (century, within) = year % 19, divmod(year, 100)
    leaps, rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - moon + 15) % 30
    quarters, odd = divmod(within, 4)
    weekday = (32 + 2 * rest + 2 * quarters - epact - odd) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
