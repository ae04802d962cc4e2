"""Consents: a person's own yes for one purpose and one home; every yes and no stays written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, select

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import PeopleError
from api.people.tables import AccountRow, ConsentChoiceRow
from kwartier.units import EpochS


class Purpose(StrEnum):
    """For what a person's own values may be used, by their own choice; without a yes it is no."""

    COMPARISON = "comparison"
    """Compare my home with a group of homes."""
    RESEARCH = "research"
    """Research, without names."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A yes that held in ``[from_s, until_s)``.

    Attributes:
        home: For which home.
        purpose: For what.
        from_s: From when [s].
        until_s: Until when [s]; None while it holds.
    """

    home: str
    purpose: Purpose
    from_s: EpochS
    until_s: EpochS | None


def choose(desk: PeopleDesk, by: str, account: str, home: str, purpose: str, yes: bool) -> None:  # noqa: FBT001 - a choice is what it is about
    """Write down a person's yes or no for a home; the same answer twice changes nothing.

    Raises:
        PeopleError: There is no such purpose.
    """
    wanted = known_purpose(purpose)
    held = desk.session.scalars(
        _holding(wanted).where(ConsentChoiceRow.account == account, ConsentChoiceRow.home == home)
    ).first()
    if yes == (held is not None):
        return
    if held is not None:
        held.until_s = desk.at_s
    else:
        desk.session.add(
            ConsentChoiceRow(
                account=account, home=home, purpose=wanted, from_s=desk.at_s, until_s=None
            )
        )
    desk.session.flush()
    record(desk, by, "consent.yes" if yes else "consent.no", account, {"home": home, "for": wanted})


def withdraw_all(desk: PeopleDesk, by: str, account: str) -> None:
    """End every yes of a person."""
    for held in choices(desk, account):
        if held.until_s is None:
            choose(desk, by, account, held.home, held.purpose, yes=False)


def chose(desk: PeopleDesk, account: str, purpose: str) -> bool:
    """Return whether a person said yes to something, for any home of theirs."""
    wanted = _holding(known_purpose(purpose)).where(ConsentChoiceRow.account == account)
    return desk.session.scalars(wanted).first() is not None


def who_chose(desk: PeopleDesk, purpose: str) -> frozenset[tuple[str, str]]:
    """Return each (account, home) that said yes to something; ended accounts are not in it."""
    rows = desk.session.scalars(
        _holding(known_purpose(purpose))
        .join(AccountRow, AccountRow.id == ConsentChoiceRow.account)
        .where(AccountRow.ended_at_s.is_(None))
    )
    return frozenset((row.account, row.home) for row in rows)


def choices(desk: PeopleDesk, account: str) -> list[Choice]:
    """Return every yes of a person, the oldest first, also those that ended."""
    rows = desk.session.scalars(
        select(ConsentChoiceRow)
        .where(ConsentChoiceRow.account == account)
        .order_by(ConsentChoiceRow.id)
    )
    return [Choice(row.home, Purpose(row.purpose), row.from_s, row.until_s) for row in rows]


def known_purpose(purpose: str) -> Purpose:
    """Return a purpose by its name.

    Raises:
        PeopleError: There is no such purpose.
    """
    try:
        return Purpose(purpose)
    except ValueError:
        known = ", ".join(Purpose)
        raise PeopleError(f"purpose {purpose[:40]!r}: there is none; one of {known}") from None


def _holding(purpose: Purpose) -> Select[ConsentChoiceRow]:
    return select(ConsentChoiceRow).where(
        ConsentChoiceRow.purpose == purpose, ConsentChoiceRow.until_s.is_(None)
    )
