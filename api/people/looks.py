"""Looks: who read quarter-hours of a home, for the person whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, false, or_, select

from api.people.book import PeopleBook, PeopleDesk
from api.people.tables import CompanionRow, LookRow
from api.people.visitor import Role, Stay, Visitor
from kwartier.interval import day_of, local_day
from kwartier.units import EpochS

COMPANION = "companion"
"""As what a helper looks."""
ALONG = "along"
"""What a helper's first look of a day is called in the log."""
MOST_REASON = 500
"""The most letters of a reason."""


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody read quarter-hours.

    Attributes:
        id: Its number; later looks have higher ones.
        at_s: When [s].
        as_what: As what they looked: a role, or ``companion``.
        companion: The helper's name, where it was one's own helper; empty otherwise. Personal.
        home: Of which home.
        what: What was read, such as ``quarters``.
        first_day: The first local day that was read.
        last_day: The last one.
        reason: Why, in their own words; empty where none is asked.
    """

    id: int
    at_s: EpochS
    as_what: str
    companion: str
    home: str
    what: str
    first_day: date
    last_day: date
    reason: str


def note_look(
    book: PeopleBook,
    visitor: Visitor,
    home: str,
    what: str,
    first_day: date,
    last_day: date,
    reason: str = "",
) -> None:
    """Write down that somebody read quarter-hours of a home; the row is never changed.

    The same look of the same helper is written down once a day; everybody else's each time.
    """
    with book.writing() as desk:
        if visitor.companion is not None and _noted_today(
            desk, visitor.companion, home, what, first_day, last_day
        ):
            return
        add_look(
            desk,
            visitor.account,
            _as_what(visitor, home),
            visitor.companion,
            home,
            what,
            (first_day, last_day),
            reason,
        )


def add_look(
    desk: PeopleDesk,
    account: str,
    as_what: str,
    companion: int | None,
    home: str,
    what: str,
    days: tuple[date, date],
    reason: str = "",
) -> None:
    """Add a look to the log, in the transaction of what it is about."""
    desk.session.add(
        LookRow(
            at_s=desk.at_s,
            account=account,
            as_what=as_what,
            companion=companion,
            home=home,
            what=what,
            first_day=days[0],
            last_day=days[1],
            reason=reason[:MOST_REASON],
        )
    )
    desk.session.flush()


def note_companion(desk: PeopleDesk, number: int) -> None:
    """Write down that a helper is here; the first time on a local day it is a look as well."""
    row = desk.session.get(CompanionRow, number)
    if row is None:
        return
    today = day_of(desk.at_s)
    if row.seen_at_s is None or day_of(row.seen_at_s) != today:
        add_look(desk, row.account, COMPANION, row.id, row.home, ALONG, (today, today))
    row.seen_at_s = desk.at_s
    desk.session.flush()


def looks_at(
    desk: PeopleDesk, account: str, stays: Sequence[Stay], limit: int, before: int | None = None
) -> list[Look]:
    """Return who looked at somebody's homes in the days they lived there, the newest first.

    Args:
        desk: The open book.
        account: Whose homes; what they looked at themselves is left out.
        stays: Where they lived, and when.
        limit: How many at most.
        before: Only looks with a lower number, for the next page.
    """
    wanted = (
        select(LookRow, CompanionRow.name)
        .outerjoin(
            CompanionRow,
            and_(CompanionRow.id == LookRow.companion, CompanionRow.account == account),
        )
        .where(
            or_(false(), *(_within(stay) for stay in stays)),
            or_(LookRow.account != account, LookRow.companion.is_not(None)),
        )
        .order_by(LookRow.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(LookRow.id < before)
    return [
        _look(row, desk.keys.open(name) if name else "")
        for row, name in desk.session.execute(wanted)
    ]


def looks_by(desk: PeopleDesk, account: str, limit: int) -> list[Look]:
    """Return what somebody looked at themselves, by an office they hold, the newest first."""
    rows = desk.session.scalars(
        select(LookRow)
        .where(LookRow.account == account, LookRow.companion.is_(None))
        .order_by(LookRow.id.desc())
        .limit(limit)
    )
    return [_look(row, "") for row in rows]


def _within(stay: Stay) -> ColumnElement[bool]:
    """Return the condition that a look is at days of a stay: the day of a move belongs to both."""
    since = day_of(stay.from_s)
    inside = and_(LookRow.home == stay.home, LookRow.last_day >= since)
    if stay.until_s is None:
        return inside
    return and_(inside, LookRow.first_day <= day_of(stay.until_s - 1))


def _noted_today(
    desk: PeopleDesk, companion: int, home: str, what: str, first_day: date, last_day: date
) -> bool:
    since_s, _ = local_day(day_of(desk.at_s))
    wanted = select(LookRow.id).where(
        LookRow.companion == companion,
        LookRow.home == home,
        LookRow.what == what,
        LookRow.first_day == first_day,
        LookRow.last_day == last_day,
        LookRow.at_s >= since_s,
    )
    return desk.session.scalars(wanted.limit(1)).first() is not None


def _look(row: LookRow, companion: str) -> Look:
    return Look(
        row.id,
        row.at_s,
        row.as_what,
        companion,
        row.home,
        row.what,
        row.first_day,
        row.last_day,
        row.reason,
    )


def _as_what(visitor: Visitor, home: str) -> str:
    """Return as what somebody looks: with an office rather than as somebody who lives elsewhere."""
    if visitor.companion is not None:
        return COMPANION
    if visitor.ever_in(home):
        return Role.RESIDENT.value
    offices = visitor.roles - {Role.RESIDENT}
    return min((role.value for role in offices), default="nobody")
