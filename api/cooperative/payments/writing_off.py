"""What a party need not pay any more: proposed by one officer, approved by a second person."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from api.cooperative.books import WRITE_OFF, Journal, Posted, journal_body, post
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.four_eyes import Matter, Proposal, approve, proposal, propose
from api.cooperative.officers import CLERKS, DECIDERS
from api.cooperative.payments.items import OpenItem, Part
from api.cooperative.payments.open_book import open_items, reserved, settle
from api.cooperative.periods import open_day
from api.cooperative.tables.ledger import DocumentRow
from api.cooperative.tables.payments import ItemSettlementRow
from kwartier.interval import day_of
from kwartier.ledger import Account, Entry, Line

WRITE_OFFS = Account("coop:write_offs")
"""Where the cooperative bears it."""
_SOURCE = "write_off"


def propose_write_off(desk: Desk, document: str, reason: str) -> Proposal:
    """Propose to write off what a paper leaves open; nothing is booked before it is approved.

    Raises:
        BooksError: Nothing is open on it, or the cooperative is the one who owes.
        StateError: It stands in a payment file that waits.
    """
    desk.officer.need(*CLERKS)
    item = _item(desk, document)
    if (item.document, item.account) in reserved(desk):
        raise StateError(f"{document} stands in a payment file that waits: withdraw that first")
    day = open_day(desk, day_of(desk.at_s))
    journal = _journal(desk, item, day, reason)
    return propose(desk, Matter.WRITE_OFF, journal.key, journal_body(journal))


def write_off(desk: Desk, proposal_id: int) -> Posted:
    """Approve somebody else's proposal to write off, and book it.

    Raises:
        NotAllowedError: It is the officer's own, or the same person's.
        StateError: The paper was settled in another way since, or it is no write-off.
    """
    desk.officer.need(*DECIDERS)
    proposed = proposal(desk, proposal_id)
    body = proposed.body
    if proposed.matter is not Matter.WRITE_OFF or not isinstance(body, dict):
        raise StateError(f"proposal {proposal_id} is about {proposed.matter}, not a write-off")
    document = str(body["item"])
    item = _item(desk, document)
    journal = _journal(desk, item, date.fromisoformat(str(body["day"])), str(body["reason"]))
    if journal_body(journal) != body:
        raise StateError(f"{document} leaves another amount open than was proposed: propose anew")
    approve(desk, proposal_id, proposed.body_hash)
    posted = post(desk, journal)
    settle(desk, [Part(item, item.rest)], _SOURCE, journal.key, posted.id)
    record(desk, "payment.write_off", document, {"cents": item.rest, "entry": posted.id})
    return posted


def _journal(desk: Desk, item: OpenItem, day: date, reason: str) -> Journal:
    before = desk.session.scalar(
        select(func.count())
        .select_from(ItemSettlementRow)
        .where(ItemSettlementRow.document == item.document, ItemSettlementRow.source == _SOURCE)
    )
    lines = (Line(WRITE_OFFS, item.rest), Line(Account(item.account), -item.rest))
    entry = Entry(f"write-off {item.document}", lines)
    key = f"{item.document}-{(before or 0) + 1}"
    return Journal(WRITE_OFF, key, day, entry, reason, item=item.document)


def _item(desk: Desk, document: str) -> OpenItem:
    party = desk.session.scalar(select(DocumentRow.party).where(DocumentRow.name == document))
    if party is None:
        raise BooksError(f"paper {document[:40]!r}: there is none")
    for item in open_items(desk, party):
        if item.document == document and item.rest > 0:
            return item
    raise BooksError(f"paper {document}: a member owes nothing on it")
