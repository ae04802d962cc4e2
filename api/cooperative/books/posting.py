"""Posting: once, in balance, in an open month, without a gap; taking back: whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from sqlalchemy import bindparam, func, insert, select

from api.cooperative.books.journal import (
    JOURNAL_LIMIT_CENTS,
    MANUAL,
    WRITE_OFF,
    Journal,
    Posted,
    entry,
)
from api.cooperative.canonical import digest
from api.cooperative.chain import POSTED, record
from api.cooperative.chart import place
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError, NotAllowedError, StateError
from api.cooperative.four_eyes import Matter, approval
from api.cooperative.links import Chain, signed_text
from api.cooperative.officers import SYSTEM, Role
from api.cooperative.periods import checked_period, is_locked, period_of
from api.cooperative.tables.base import Base
from api.cooperative.tables.ledger import EntryRow, PostingRow
from kwartier.wire import Json

REVERSAL = "reversal"
"""Source of an entry that takes another back."""
_LARGEST = 10**15
_ENTRIES = Base.metadata.tables[EntryRow.__tablename__]
_OF_KEY = select(_ENTRIES.c.id, _ENTRIES.c.number, _ENTRIES.c.hash, _ENTRIES.c.body_hash).where(
    _ENTRIES.c.source == bindparam("source"), _ENTRIES.c.key == bindparam("key")
)
_LAST = select(_ENTRIES.c.id, _ENTRIES.c.hash).order_by(_ENTRIES.c.id.desc()).limit(1)
_LAST_NUMBER = select(func.max(_ENTRIES.c.number)).where(_ENTRIES.c.year == bindparam("year"))
_NEW_POSTING = insert(Base.metadata.tables[PostingRow.__tablename__])
_NEW_ENTRY = insert(_ENTRIES)
_BY_HAND: Mapping[str, Matter] = MappingProxyType(
    {MANUAL: Matter.JOURNAL, WRITE_OFF: Matter.WRITE_OFF}
)


def post(desk: Desk, journal: Journal) -> Posted:
    """Write an entry into the ledger, or find it there.

    The same journal twice is one entry; its source and key with other words are refused.

    Raises:
        ConflictError: Source and key were used for something else.
        StateError: The month of its day is locked, or what it reverses was reversed before.
        NotAllowedError: It is a write-off or a large journal by hand that no second person
            approved, or the officer may not write.
        BooksError: An account is not in the chart, or an amount is out of bounds.
    """
    if desk.officer != SYSTEM:
        desk.officer.need(Role.TREASURER, Role.BOARD, Role.BOOKKEEPER)
    body_hash = digest(journal_body(journal))
    named = {"source": journal.source, "key": journal.key}
    before = desk.session.execute(_OF_KEY, named).first()
    if before is not None:
        if before.body_hash != body_hash:
            raise ConflictError(
                f"{journal.source} {journal.key} is entry {before.id} with other contents: "
                "reverse that one, and post this one under a key of its own"
            )
        return Posted(before.id, before.number, before.hash, replayed=True)
    _check(desk, journal)
    return _write(desk, journal, body_hash)


def reverse(desk: Desk, entry_id: int, day: date, reason: str) -> Posted:
    """Take an entry back whole: the same lines with every sign turned.

    Args:
        desk: Where, by whom and when.
        entry_id: The entry's place in the ledger.
        day: The day the reversal is booked on; its month must be open.
        reason: Why, in words.

    Raises:
        StateError: It was reversed before, with other words, or the month is locked.
    """
    return post(desk, reversal(desk, entry_id, day, reason))


def reversal(desk: Desk, entry_id: int, day: date, reason: str) -> Journal:
    """Return the journal that takes an entry back, so that a second person can look at it."""
    booked = entry(desk, entry_id)
    old = booked.journal
    by_hand = old.source in _BY_HAND
    return Journal(
        old.source if by_hand else REVERSAL,
        f"{REVERSAL}-{entry_id}" if by_hand else str(entry_id),
        day,
        old.entry.reversed(f"reversal of {old.entry.reference}"),
        reason,
        old.service_period or booked.period,
        old.decision,
        entry_id,
        old.item,
    )


def journal_body(journal: Journal) -> Json:
    """Return what a second person approves of a journal, and what its key stands for."""
    return {
        "source": journal.source,
        "key": journal.key,
        "day": journal.day.isoformat(),
        "reference": journal.entry.reference,
        "reason": journal.reason,
        "service_period": journal.service_period,
        "decision": journal.decision,
        "reverses": journal.reverses,
        "item": journal.item,
        "lines": [
            [line.account.name, line.account.unit.value, line.amount, line.cost_centre.value]
            for line in journal.entry.lines
        ],
    }


def approved_matter(journal: Journal) -> Matter | None:
    """Return as what a second person must approve a journal, or None when nobody must."""
    matter = _BY_HAND.get(journal.source)
    debit = sum(line.amount for line in journal.entry.lines if line.amount > 0)
    if matter is Matter.JOURNAL and debit <= JOURNAL_LIMIT_CENTS:
        return None
    return matter


def _check(desk: Desk, journal: Journal) -> None:
    if not journal.source or not journal.key:
        raise BooksError("a journal needs a source and a key, so that it is posted once")
    if not journal.reason.strip():
        raise BooksError(f"{journal.source} {journal.key}: say why, in reason")
    if journal.service_period:
        checked_period(journal.service_period)
    if is_locked(desk, period_of(journal.day)):
        raise StateError(
            f"{journal.source} {journal.key}: {period_of(journal.day)} is locked; book it in an "
            "open month with service_period"
        )
    for line in journal.entry.lines:
        if abs(line.amount) > _LARGEST:
            raise BooksError(f"{journal.entry.reference}: {line.amount} is out of bounds")
    matter = approved_matter(journal)
    if matter is None:
        return
    if approval(desk, matter, journal.key, journal_body(journal)) is None:
        raise NotAllowedError(
            f"{journal.source} {journal.key} needs a second person: propose it as {matter} first"
        )


def _write(desk: Desk, journal: Journal, body_hash: str) -> Posted:
    """Write postings first and their entry last: the database then looks whether they balance."""
    last = desk.session.execute(_LAST).first()
    place_in_ledger, previous = (last.id + 1, last.hash) if last else (1, "")
    number = 1 + (desk.session.scalar(_LAST_NUMBER, {"year": journal.day.year}) or 0)
    lines = _lines(desk, journal, place_in_ledger)
    row = {
        "id": place_in_ledger,
        "year": journal.day.year,
        "number": number,
        "day": journal.day,
        "period": period_of(journal.day),
        "service_period": journal.service_period,
        "source": journal.source,
        "key": journal.key,
        "body_hash": body_hash,
        "reference": journal.entry.reference,
        "item": journal.item,
        "reason": journal.reason,
        "decision": journal.decision,
        "reverses": journal.reverses,
        "officer": desk.officer.id,
        "at_s": desk.at_s,
    }
    signed = signed_text([list(row.values()), [list(line.values()) for line in lines]])
    link = desk.keys.link(Chain.LEDGER, previous, signed)
    desk.session.execute(_NEW_POSTING, lines)
    desk.session.execute(_NEW_ENTRY, row | {"hash": link})
    facts: Json = {
        "source": journal.source,
        "key": journal.key,
        "hash": link,
        "decision": journal.decision,
    }
    record(desk, POSTED, str(place_in_ledger), facts)
    return Posted(place_in_ledger, number, link, replayed=False)


def _lines(desk: Desk, journal: Journal, entry_id: int) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for number, line in enumerate(journal.entry.lines, 1):
        at = place(desk, line.account)
        lines.append(
            {
                "entry": entry_id,
                "line": number,
                "chart": at.chart,
                "part": at.part,
                "unit": line.account.unit.value,
                "amount": line.amount,
                "cost_centre": line.cost_centre.value,
            }
        )
    return lines
