"""A person's own data in the book of people: all of it on request, and gone on request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import delete, func, select, update

from api.cooperative.canonical import canonical
from api.people.accounts import account_of, opened
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.companions import companions, end_companion
from api.people.consents import choices, withdraw_all
from api.people.errors import PeopleError, UnknownError
from api.people.forgetting import forget_days
from api.people.looks import Look, looks_at, looks_by
from api.people.steering import refusals
from api.people.tables import (
    AccountRow,
    ActRow,
    CardRow,
    CompanionRow,
    ErasureRow,
    GrantRow,
    MessageRow,
    PasskeyRow,
    PasswordRow,
    QuestionRow,
    RecoveryRow,
    SessionRow,
    StayRow,
    TokenRow,
    TotpRow,
    WishRow,
)
from api.people.visitor import Stay
from api.people.wishes import STATEMENTS
from kwartier.interval import instant_text
from kwartier.units import EpochS
from kwartier.wire import Json

MOST_ROWS = 10_000
"""The most rows of one kind in a person's own copy."""
Row = TypeVar(
    "Row",
    SessionRow,
    GrantRow,
    WishRow,
    MessageRow,
    QuestionRow,
    CardRow,
    PasswordRow,
    TotpRow,
    PasskeyRow,
)
"""A row that is one account's."""
_PROOFS = (SessionRow, CardRow, PasswordRow, TotpRow, PasskeyRow, RecoveryRow, TokenRow)
"""What opens an account."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Somebody asked to be forgotten.

    Attributes:
        id: Its number.
        account: The account that was erased at once.
        party: Their id in the books, which wait for the board.
        asked_at_s: When they asked [s].
        done_at_s: When the books were done [s]; None while they wait.
        done_by: Whose account carried it out; empty while it waits.
        kept: What had to stay, as JSON; empty while it waits.
    """

    id: int
    account: str
    party: str
    asked_at_s: EpochS
    done_at_s: EpochS | None
    done_by: str
    kept: str


def all_about(desk: PeopleDesk, account: str, stays: Sequence[Stay]) -> dict[str, Json]:
    """Return everything this book knows of a person, opened, for the person itself.

    What opens something is told by its dates only: passwords and codes are not known here.
    """
    row = desk.session.get(AccountRow, account)
    if row is None:
        raise UnknownError("there is no such account")
    known = opened(desk, row)
    return {
        "account": {
            "id": known.id,
            "name": known.name,
            "email": known.email,
            "party": known.party,
            "officer": known.officer,
            "language": known.language,
            "pictures": known.pictures,
            "made": instant_text(row.made_at_s),
        },
        "stays": [
            {"home": stay.home, "from": _time(stay.from_s), "until": _time(stay.until_s)}
            for stay in stays
        ],
        "ways_in": _ways_in(desk, account),
        "sessions": [
            {"way": each.way, "made": _time(each.made_at_s), "seen": _time(each.seen_at_s)}
            for each in _rows(desk, SessionRow, account)
        ],
        "roles": [
            {
                "role": each.role,
                "home": each.home,
                "from": _time(each.from_s),
                "until": _time(each.until_s),
                "ended": _time(each.ended_at_s),
            }
            for each in _rows(desk, GrantRow, account)
        ],
        "look_along": [
            {
                "name": each.name,
                "home": each.home,
                "from": _time(each.from_s),
                "until": _time(each.until_s),
                "ended": _time(each.ended_at_s),
                "seen": _time(each.seen_at_s),
            }
            for each in companions(desk, account)
        ],
        "choices": [
            {
                "home": each.home,
                "purpose": each.purpose.value,
                "from": _time(each.from_s),
                "until": _time(each.until_s),
            }
            for each in choices(desk, account)
        ],
        "no_to_steering": [
            {"home": each.home, "from": _time(each.from_s), "until": _time(each.until_s)}
            for each in refusals(desk, account, stays)
        ],
        "looks_at_my_data": [_told(look) for look in looks_at(desk, account, stays, MOST_ROWS)],
        "looks_by_me": [_told(look) for look in looks_by(desk, account, MOST_ROWS)],
        "messages_wanted": [
            {"kind": each.kind, "channel": each.channel, "since": _time(each.since_s)}
            for each in _rows(desk, WishRow, account)
        ],
        "messages": [
            {
                "kind": each.kind,
                "channel": each.channel,
                "about": each.subject,
                "facts": json.loads(desk.keys.open(each.facts)),
                "state": each.state,
                "made": _time(each.made_at_s),
                "done": _time(each.done_at_s),
            }
            for each in _rows(desk, MessageRow, account)
        ],
        "questions": [
            {
                "about": each.place,
                "text": desk.keys.open(each.text),
                "asked": _time(each.asked_at_s),
                "answer": desk.keys.open(each.answer) if each.answer else "",
                "answered": _time(each.answered_at_s),
            }
            for each in _rows(desk, QuestionRow, account)
        ],
        "acts": [
            {"at": _time(each.at_s), "act": each.act, "subject": each.subject}
            for each in desk.session.scalars(
                select(ActRow)
                .where((ActRow.account == account) | (ActRow.subject == account))
                .order_by(ActRow.id.desc())
                .limit(MOST_ROWS)
            )
        ],
        "exported": instant_text(desk.at_s),
    }


def erase_account(desk: PeopleDesk, account: str, stays: Sequence[Stay] = ()) -> None:
    """Forget a person at their own word: name, mail, texts, days, and whatever let them in.

    Looks and acts stay; they name the account by its id, which says nothing any more.

    Args:
        desk: The open book.
        account: Whose.
        stays: Where they lived by the books; what this book knows of it needs no telling.

    Raises:
        PeopleError: They still hold an office in the books; others depend on it.
    """
    known = account_of(desk, account)
    if known.officer:
        raise PeopleError("you are an officer in the books: have the board end that first")
    if known.ended_at_s is not None:
        return
    nothing = desk.keys.seal("")
    for each in companions(desk, account):
        end_companion(desk, account, account, each.id)
    withdraw_all(desk, account, account)
    desk.session.execute(
        update(CompanionRow).where(CompanionRow.account == account).values(name=nothing)
    )
    desk.session.execute(
        update(QuestionRow)
        .where(QuestionRow.account == account)
        .values(text=nothing, answer=nothing)
    )
    forget_days(desk, account, stays)
    # That a statement went out is remembered of the member, so that nobody sends it again.
    desk.session.execute(
        update(MessageRow)
        .where(
            MessageRow.account == account,
            MessageRow.kind.in_(STATEMENTS),
            MessageRow.party != "",
        )
        .values(account="", facts=desk.keys.seal("{}"))
    )
    for table in (*_PROOFS, WishRow, MessageRow, StayRow):
        desk.session.execute(delete(table).where(table.account == account))
    desk.session.execute(
        update(GrantRow)
        .where(GrantRow.account == account, GrantRow.ended_at_s.is_(None))
        .values(ended_at_s=desk.at_s)
    )
    row = desk.session.get_one(AccountRow, account)
    row.name = row.email = nothing
    row.party = row.email_fingerprint = None
    row.language, row.pictures = "", False
    row.ended_at_s = desk.at_s
    desk.session.flush()
    record(desk, account, "account.erase", account, {"party": known.party})
    if known.party:
        _ask(desk, account, known.party)


def erasures(desk: PeopleDesk, *, waiting: bool, limit: int, skip: int = 0) -> list[Erasure]:
    """Return who asked to be forgotten: those that wait, the oldest first, or those done."""
    rows = desk.session.scalars(
        select(ErasureRow)
        .where(ErasureRow.done_at_s.is_(None) if waiting else ErasureRow.done_at_s.is_not(None))
        .order_by(ErasureRow.id if waiting else ErasureRow.id.desc())
        .limit(limit)
        .offset(skip)
    )
    return [_erasure(row) for row in rows]


def waiting_erasures(desk: PeopleDesk) -> int:
    """Return how many requests wait for the board."""
    waiting = select(func.count()).select_from(ErasureRow).where(ErasureRow.done_at_s.is_(None))
    return desk.session.scalar(waiting) or 0


def erasure_of(desk: PeopleDesk, number: int) -> Erasure:
    """Return one request.

    Raises:
        UnknownError: There is none.
    """
    row = desk.session.get(ErasureRow, number)
    if row is None:
        raise UnknownError(f"request {number}: there is none")
    return _erasure(row)


def carry_out(
    desk: PeopleDesk, by: str, number: int, kept: Json, stays: Sequence[Stay] = ()
) -> None:
    """Write down that the books did what was asked, and what had to stay.

    Args:
        desk: The open book.
        by: Who carried it out.
        number: The request's.
        kept: What had to stay.
        stays: Where the party lived by the books: days since the request are forgotten as well.
    """
    row = desk.session.get_one(ErasureRow, erasure_of(desk, number).id)
    row.done_at_s, row.done_by, row.kept = desk.at_s, by, canonical(kept)
    desk.session.flush()
    forget_days(desk, row.account, stays)
    desk.session.execute(delete(MessageRow).where(MessageRow.party == row.party))
    record(desk, by, "erasure.done", str(number), {"account": row.account, "party": row.party})


def _ask(desk: PeopleDesk, account: str, party: str) -> None:
    row = ErasureRow(
        account=account, party=party, asked_at_s=desk.at_s, done_at_s=None, done_by="", kept=""
    )
    desk.session.add(row)
    desk.session.flush()
    record(desk, account, "erasure.ask", str(row.id), {"account": account, "party": party})


def _ways_in(desk: PeopleDesk, account: str) -> list[Json]:
    """Return how an account is opened, by dates."""
    told: list[Json] = [
        {"way": "card", "number": each.number, "made": _time(each.made_at_s)}
        for each in _rows(desk, CardRow, account)
    ]
    told += [
        {"way": "password", "login": desk.keys.open(each.login), "set": _time(each.set_at_s)}
        for each in _rows(desk, PasswordRow, account)
    ]
    told += [
        {"way": "authenticator", "confirmed": _time(each.confirmed_at_s)}
        for each in _rows(desk, TotpRow, account)
    ]
    told += [
        {
            "way": "passkey",
            "label": desk.keys.open(each.label) if each.label else "",
            "made": _time(each.made_at_s),
            "used": _time(each.used_at_s),
        }
        for each in _rows(desk, PasskeyRow, account)
    ]
    return told


def _rows(desk: PeopleDesk, table: type[Row], account: str) -> list[Row]:
    return list(
        desk.session.scalars(select(table).where(table.account == account).limit(MOST_ROWS))
    )


def _told(look: Look) -> Json:
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(look).items()
        if name != "at_s"
    } | {"at": instant_text(look.at_s)}


def _time(at_s: EpochS | None) -> str | None:
    return None if at_s is None else instant_text(at_s)


def _erasure(row: ErasureRow) -> Erasure:
    return Erasure(
        row.id, row.account, row.party, row.asked_at_s, row.done_at_s, row.done_by, row.kept
    )
