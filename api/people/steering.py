"""A resident's own no to steering the battery at home, and the yes that ends it.

Leave itself is given at the handover and stands in the neighbourhood's file (``steered``). Who
lives there takes it back here, and may give it again: whatever the file says, a no holds until
somebody who lives there says yes. It is the home's, so it outlives who said it: a next resident is
asked anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select

from api.people.acts import record
from api.people.book import PeopleBook, PeopleDesk
from api.people.tables import SteeringRefusalRow
from kwartier.units import EpochS


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no that held in ``[from_s, until_s)``.

    Attributes:
        home: Of which home.
        from_s: From when [s].
        until_s: Until when [s]; None while it holds.
    """

    home: str
    from_s: EpochS
    until_s: EpochS | None


def refuse_steering(desk: PeopleDesk, account: str, home: str) -> None:
    """Write down that a home's batteries are steered no more; a second time changes nothing."""
    if refusal_of(desk, home) is not None:
        return
    desk.session.add(
        SteeringRefusalRow(home=home, account=account, from_s=desk.at_s, until_s=None, ended_by="")
    )
    desk.session.flush()
    record(desk, account, "steering.no", account, {"home": home})


def allow_steering(desk: PeopleDesk, account: str, home: str) -> None:
    """Write down that a home's batteries may be steered again; without a no nothing changes."""
    held = desk.session.scalars(_holding().where(SteeringRefusalRow.home == home)).first()
    if held is None:
        return
    held.until_s, held.ended_by = desk.at_s, account
    desk.session.flush()
    record(desk, account, "steering.yes", account, {"home": home})


def refusal_of(desk: PeopleDesk, home: str) -> Refusal | None:
    """Return the no that holds for a home; None where there is none."""
    row = desk.session.scalars(_holding().where(SteeringRefusalRow.home == home)).first()
    return None if row is None else _refusal(row)


def refusals(desk: PeopleDesk, account: str) -> list[Refusal]:
    """Return every no that somebody said or ended, the oldest first."""
    said = (SteeringRefusalRow.account == account) | (SteeringRefusalRow.ended_by == account)
    rows = select(SteeringRefusalRow).where(said).order_by(SteeringRefusalRow.id)
    return [_refusal(row) for row in desk.session.scalars(rows)]


def homes_refusing(book: PeopleBook) -> frozenset[str]:
    """Return the homes whose batteries are steered no more.

    Raises:
        StoreBusyError: The book cannot be reached now.
    """
    with book.reading() as desk:
        return frozenset(row.home for row in desk.session.scalars(_holding()))


def _holding() -> Select[SteeringRefusalRow]:
    return select(SteeringRefusalRow).where(SteeringRefusalRow.until_s.is_(None))


def _refusal(row: SteeringRefusalRow) -> Refusal:
    return Refusal(row.home, row.from_s, row.until_s)
