"""Memberships: who has a vote, in which class, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import or_, select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError, StateError
from api.cooperative.officers import CLERKS
from api.cooperative.registry.party_book import known_party
from api.cooperative.stamp import stamp
from api.cooperative.tables.registry import MembershipRow


class VoteClass(StrEnum):
    """How a membership counts: one member, one vote, whatever the money put in."""

    MEMBER = "member"
    """One vote."""
    SUPPORTER = "supporter"
    """Takes part without a vote."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership from a local day up to, not including, another; None has no end."""

    id: int
    party: str
    vote_class: VoteClass
    from_day: date
    to_day: date | None

    def holds(self, day: date) -> bool:
        """Return whether it is in force on a local day."""
        return self.from_day <= day and (self.to_day is None or day < self.to_day)


def add_member(
    desk: Desk, party: str, from_day: date, vote_class: VoteClass = VoteClass.MEMBER
) -> Membership:
    """Let a party be a member from a local day on; the same again changes nothing.

    Raises:
        ConflictError: It is a member then already.
    """
    desk.officer.need(*CLERKS)
    known_party(desk, party)
    for known in memberships(desk, party):
        if (known.from_day, known.vote_class) == (from_day, vote_class):
            return known
        if known.to_day is None or from_day < known.to_day:
            raise ConflictError(
                f"party {party} is a member from {known.from_day}: end that first with "
                f"`kwartier coop member end {party}`"
            )
    row = MembershipRow(
        party=party, vote_class=vote_class, from_day=from_day, to_day=None, **stamp(desk)
    )
    desk.session.add(row)
    desk.session.flush()
    record(desk, "member.add", party, {"vote_class": vote_class, "from": from_day.isoformat()})
    return _membership(row)


def end_member(desk: Desk, party: str, to_day: date) -> Membership:
    """End a membership: from that local day on the party is no member."""
    desk.officer.need(*CLERKS)
    row = desk.session.scalars(
        select(MembershipRow).where(MembershipRow.party == party, MembershipRow.to_day.is_(None))
    ).first()
    if row is None:
        raise StateError(f"party {party[:40]!r} is no member without an end")
    if to_day <= row.from_day:
        raise BooksError(f"party {party} is a member from {row.from_day}: end it later")
    row.to_day = to_day
    desk.session.flush()
    record(desk, "member.end", party, {"to": to_day.isoformat()})
    return _membership(row)


def memberships(desk: Desk, party: str | None = None) -> list[Membership]:
    """Return all memberships, or a party's, by party and first day."""
    query = select(MembershipRow).order_by(MembershipRow.party, MembershipRow.from_day)
    if party is not None:
        query = query.where(MembershipRow.party == party)
    return [_membership(row) for row in desk.session.scalars(query)]


def voters(desk: Desk, day: date) -> list[str]:
    """Return who has a vote on a local day, each once and by id: one member, one vote."""
    rows = desk.session.scalars(
        select(MembershipRow.party)
        .where(
            MembershipRow.vote_class == VoteClass.MEMBER,
            MembershipRow.from_day <= day,
            or_(MembershipRow.to_day.is_(None), MembershipRow.to_day > day),
        )
        .distinct()
        .order_by(MembershipRow.party)
    )
    return list(rows)


def _membership(row: MembershipRow) -> Membership:
    return Membership(row.id, row.party, VoteClass(row.vote_class), row.from_day, row.to_day)
