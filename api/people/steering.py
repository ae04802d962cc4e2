"""A resident's own no to steering the battery at home, and the yes that ends it.

Leave itself is given at the handover and stands in the neighbourhood's file (``steered``). Who
lives there takes it back here, and may give it again: whatever the file says, a no holds until
somebody who lives there says yes. It is the home's, so it outlives who said it: a next resident is
asked anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select

from api.people.acts import record
from api.people.book import PeopleBook, PeopleDesk
from api.people.tables import SteeringRefusalRow
from api.people.visitor import Stay
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
    # Where the clock was set back since, it held for no time at all.
    held.until_s, held.ended_by = max(desk.at_s, held.from_s), account
    desk.session.flush()
    record(desk, account, "steering.yes", account, {"home": home})


def refusal_of(desk: PeopleDesk, home: str) -> Refusal | None:
    """Return the no that holds for a home; None where there is none."""
    row = desk.session.scalars(_holding().where(SteeringRefusalRow.home == home)).first()
    return None if row is None else _refusal(row)


def refusals(desk: PeopleDesk, account: str, stays: Sequence[Stay]) -> list[Refusal]:
    """Return every no that somebody said or ended, the oldest first, while they lived there.

    What came before or after is of who lived there then.

    Args:
        desk: The open book.
        account: Whose.
        stays: Where they lived, and when.
    """
    said = (SteeringRefusalRow.account == account) | (SteeringRefusalRow.ended_by == account)
    rows = desk.session.scalars(
        select(SteeringRefusalRow).where(said).order_by(SteeringRefusalRow.id)
    )
    found = (_within(_refusal(row), stay, desk.at_s) for row in rows for stay in stays)
    return [each for each in found if each is not None]


def homes_refusing(book: PeopleBook) -> frozenset[str]:
    """Return the homes whose batteries are steered no more.

    Raises:
        StoreBusyError: The book cannot be reached now.
    """
    with book.reading() as desk:
        return frozenset(row.home for row in desk.session.scalars(_holding()))


def _holding() -> Select[SteeringRefusalRow]:
    return select(SteeringRefusalRow).where(SteeringRefusalRow.until_s.is_(None))


def _within(refusal: Refusal, stay: Stay, now_s: EpochS) -> Refusal | None:
    """Return the part of a no in which somebody lived there; None where there is none."""
    if refusal.home != stay.home:
        return None
    left_s = stay.until_s if stay.until_s is not None and stay.until_s <= now_s else None
    ends = [each for each in (refusal.until_s, left_s) if each is not None]
    from_s, until_s = max(refusal.from_s, stay.from_s), min(ends, default=None)
    if until_s is not None and until_s < from_s:
        return None
    return Refusal(refusal.home, from_s, until_s)


def _refusal(row: SteeringRefusalRow) -> Refusal:
    return Refusal(row.home, row.from_s, row.until_s)
