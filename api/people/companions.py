"""Companions: somebody a resident lets look along with one home, for a while.

The code is both the link's end and what is typed: twelve letters of 31, which is 59 bits. Only a
hash with the house's own key is kept, so a stolen book does not open anything.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import DeniedError, PeopleError, UnknownError
from api.people.looks import COMPANION, note_companion
from api.people.sessions import open_session
from api.people.tables import CompanionRow, SessionRow
from kwartier.interval import day_of, local_day
from kwartier.units import EpochS

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a code is made of: nothing that can be read as something else."""
LETTERS = 12
MOST_LIVE = 5
"""How many people may look along at once."""
USUAL_DAYS, MOST_DAYS = 14, 90
"""How long somebody may look along, if nothing else is chosen, and at most [days]."""
MOST_NAME = 60


class CompanionState(StrEnum):
    """How a helper's link is."""

    NEW = "new"
    """It was not used yet."""
    LIVE = "live"
    OVER = "over"
    """Its last day has passed."""
    ENDED = "ended"
    """The resident ended it."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A helper's link.

    Attributes:
        id: Its number.
        account: Who lets them look along.
        home: At which home.
        name: The helper's name, as the resident wrote it. Personal.
        from_s: From when [s].
        until_s: Until when [s].
        ended_at_s: When the resident ended it [s]; None while they did not.
        seen_at_s: When it was last used [s]; None when never.
        state: How it is now.
    """

    id: int
    account: str
    home: str
    name: str
    from_s: EpochS
    until_s: EpochS
    ended_at_s: EpochS | None
    seen_at_s: EpochS | None
    state: CompanionState

    @property
    def holds(self) -> bool:
        """Whether it opens now."""
        return self.state in {CompanionState.NEW, CompanionState.LIVE}


def invite(
    desk: PeopleDesk, by: str, account: str, home: str, name: str, days: int = USUAL_DAYS
) -> str:
    """Return the code with which somebody may look along until the end of a local day.

    Args:
        desk: The open book.
        by: Who does it.
        account: The resident.
        home: Their home.
        name: The helper's name.
        days: How many local days after today.

    Raises:
        PeopleError: The name or the days are no such thing, or enough people look along.
    """
    told = " ".join(name.split())
    if not 1 <= len(told) <= MOST_NAME or not told.isprintable():
        raise PeopleError(f"name: write one of 1 to {MOST_NAME} letters")
    if not 1 <= days <= MOST_DAYS:
        raise PeopleError(f"days {days}: 1 to {MOST_DAYS} are allowed")
    if sum(each.holds for each in companions(desk, account)) >= MOST_LIVE:
        raise PeopleError(f"{MOST_LIVE} people look along already: end one first")
    code = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    row = CompanionRow(
        account=account,
        home=home,
        name=desk.keys.seal(told),
        hash=_kept(desk, code),
        from_s=desk.at_s,
        until_s=local_day(day_of(desk.at_s + days * 86_400))[1],
        ended_at_s=None,
        seen_at_s=None,
    )
    desk.session.add(row)
    desk.session.flush()
    record(desk, by, "companion.add", account, {"id": row.id, "home": home, "until_s": row.until_s})
    return "-".join(code[place : place + 4] for place in range(0, LETTERS, 4))


def companions(desk: PeopleDesk, account: str) -> list[Companion]:
    """Return everybody whom a resident let look along, the newest first."""
    rows = desk.session.scalars(
        select(CompanionRow)
        .where(CompanionRow.account == account)
        .order_by(CompanionRow.id.desc())
        .limit(100)
    )
    return [_companion(desk, row) for row in rows]


def companion_of(desk: PeopleDesk, code: str) -> Companion:
    """Return the link that a code opens now.

    Raises:
        DeniedError: There is none, or it is over; it does not say which.
    """
    letters = "".join(letter for letter in code[:64].upper() if letter in ALPHABET)
    row = desk.session.scalars(
        select(CompanionRow).where(CompanionRow.hash == _kept(desk, letters))
    ).first()
    found = None if row is None else _companion(desk, row)
    if found is None or not found.holds:
        raise DeniedError("this code opens nothing: ask who gave it to you for a new one")
    return found


def come_along(desk: PeopleDesk, companion: Companion) -> str:
    """Return the id of a helper's new session, which only reads and ends with the link."""
    note_companion(desk, companion.id)
    record(desk, companion.account, "companion.come", companion.account, {"id": companion.id})
    return open_session(desk, companion.account, COMPANION, companion=companion.id)


def end_companion(desk: PeopleDesk, by: str, account: str, number: int) -> None:
    """End a link and every session that came by it; ending it again changes nothing.

    Raises:
        UnknownError: It is not this resident's.
    """
    row = desk.session.get(CompanionRow, number)
    if row is None or row.account != account:
        raise UnknownError(f"companion {number}: there is none of yours")
    desk.session.execute(delete(SessionRow).where(SessionRow.companion == number))
    if row.ended_at_s is None:
        row.ended_at_s = desk.at_s
        desk.session.flush()
        record(desk, by, "companion.end", account, {"id": number})


def _kept(desk: PeopleDesk, letters: str) -> str:
    return desk.keys.fingerprint(f"companion {letters}")


def _companion(desk: PeopleDesk, row: CompanionRow) -> Companion:
    if row.ended_at_s is not None:
        state = CompanionState.ENDED
    elif row.until_s <= desk.at_s:
        state = CompanionState.OVER
    else:
        state = CompanionState.NEW if row.seen_at_s is None else CompanionState.LIVE
    return Companion(
        row.id,
        row.account,
        row.home,
        desk.keys.open(row.name),
        row.from_s,
        row.until_s,
        row.ended_at_s,
        row.seen_at_s,
        state,
    )
