"""Days of a home that are forgotten with who lived there: derived sums keep them apart no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from api.people.book import PeopleDesk
from api.people.tables import AccountRow, ForgottenRow, StayRow
from api.people.visitor import Stay
from kwartier.interval import day_of
from kwartier.units import EpochS

FORGOTTEN_DAYS = 830
"""How long it is remembered that a day is forgotten [days]: longer than any day is kept apart."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Days of a home that are kept apart no more.

    Attributes:
        home: Of which home.
        first_day: The first local day.
        last_day: The last one.
    """

    home: str
    first_day: date
    last_day: date

    def covers(self, home: str, day: date) -> bool:
        """Return whether a home's day is among them."""
        return self.home == home and self.first_day <= day <= self.last_day


def forget_days(desk: PeopleDesk, account: str, stays: Sequence[Stay]) -> None:
    """Have the days of somebody's stays be forgotten, but for those that others lived as well.

    Args:
        desk: The open book.
        account: Whose stays; those in this book come to those that are told.
        stays: Where they lived by the books.
    """
    rows = desk.session.scalars(select(StayRow).where(StayRow.account == account))
    own = {*stays, *(Stay(row.home, row.from_s, row.until_s) for row in rows)}
    for stay in sorted(own, key=lambda each: (each.home, each.from_s)):
        days = _days(stay, desk.at_s) - _lived_by_others(desk, account, stay.home)
        for first, last in _spans(days - _known(desk, stay.home)):
            desk.session.add(ForgottenRow(home=stay.home, first_day=first, last_day=last))
    desk.session.flush()


def forgotten(desk: PeopleDesk) -> list[Forgotten]:
    """Return every span of days that is kept apart no more."""
    rows = desk.session.scalars(select(ForgottenRow).order_by(ForgottenRow.id))
    return [Forgotten(row.home, row.first_day, row.last_day) for row in rows]


def _lived_by_others(desk: PeopleDesk, account: str, home: str) -> set[date]:
    rows = desk.session.scalars(
        select(StayRow)
        .join(AccountRow, AccountRow.id == StayRow.account)
        .where(StayRow.home == home, StayRow.account != account, AccountRow.ended_at_s.is_(None))
    )
    days: set[date] = set()
    for row in rows:
        days |= _days(Stay(row.home, row.from_s, row.until_s), desk.at_s)
    return days


def _known(desk: PeopleDesk, home: str) -> set[date]:
    """Return the days of a home that are forgotten already."""
    days: set[date] = set()
    for each in forgotten(desk):
        if each.home == home:
            count = (each.last_day - each.first_day).days + 1
            days |= {each.first_day + timedelta(days=place) for place in range(count)}
    return days


def _days(stay: Stay, now_s: EpochS) -> set[date]:
    """Return the local days of a stay up to today, as far back as any day is kept apart."""
    today = day_of(now_s)
    last = today if stay.until_s is None else min(today, day_of(stay.until_s - 1))
    first = max(day_of(stay.from_s), today - timedelta(days=FORGOTTEN_DAYS))
    return {first + timedelta(days=place) for place in range((last - first).days + 1)}


def _spans(days: set[date]) -> list[tuple[date, date]]:
    """Return days that follow each other as their first and last."""
    spans: list[tuple[date, date]] = []
    for day in sorted(days):
        if spans and day - spans[-1][1] == timedelta(days=1):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans
