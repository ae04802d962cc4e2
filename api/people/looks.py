"""Looks: who read quarter-hours of a home, for the person whose they are."""

from __future__ import annotations

from datetime import date

from api.people.book import PeopleBook
from api.people.tables import LookRow
from api.people.visitor import Role, Visitor


def note_look(
    book: PeopleBook,
    visitor: Visitor,
    home: str,
    what: str,
    first_day: date,
    last_day: date,
    reason: str = "",
) -> None:
    """Write down that somebody read quarter-hours of a home; the row is never changed."""
    with book.writing() as desk:
        desk.session.add(
            LookRow(
                at_s=desk.at_s,
                account=visitor.account,
                as_what=_as_what(visitor, home),
                companion=visitor.companion,
                home=home,
                what=what,
                first_day=first_day,
                last_day=last_day,
                reason=reason,
            )
        )


def _as_what(visitor: Visitor, home: str) -> str:
    if visitor.companion is not None:
        return "companion"
    if visitor.ever_in(home):
        return Role.RESIDENT.value
    return min((role.value for role in visitor.roles), default="nobody")
