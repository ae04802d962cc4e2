"""What the bank refused before it booked anything, as its own message (pain.002) tells."""

from __future__ import annotations

from dataclasses import replace

from api.cooperative.books import Journal, Posted, post
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.officers import CLERKS
from api.cooperative.payments.items import account_lines
from api.cooperative.payments.open_book import RETURNED, settle
from api.cooperative.payments.release import TRANSIT
from api.cooperative.payments.standing import standing
from api.cooperative.periods import open_day
from kwartier.interval import day_of
from kwartier.ledger import Entry, Line

SOURCE = "refused"
"""Source of the entry of a refused instruction; its key is the end-to-end id."""


def refuse(desk: Desk, end_to_end: str, reason: str) -> Posted:
    """Open again what an instruction was to settle, because the bank refused to move it.

    A payment that the bank booked and took back needs none of this: its statement says so.

    Args:
        desk: Where, by whom and when.
        end_to_end: The instruction's reference.
        reason: The bank's code, such as ``AC04``.

    Raises:
        BooksError: No released file holds such an instruction.
        StateError: The bank booked it already, or it was refused before.
    """
    desk.officer.need(*CLERKS)
    sent = standing(desk).sent.get(end_to_end)
    if sent is None:
        raise BooksError(f"{end_to_end[:40]!r} stands in no released payment file")
    if sent.cleared or sent.returned:
        raise StateError(f"{end_to_end}: the bank has booked it, or refused it before")
    opened = tuple(replace(part, cents=-part.cents) for part in sent.parts)
    lines = (*account_lines(opened), Line(TRANSIT[sent.direction], -sent.bank_cents))
    what = f"{end_to_end} refused by the bank: {reason}"
    day = open_day(desk, day_of(desk.at_s))
    posted = post(
        desk, Journal(SOURCE, end_to_end, day, Entry(f"refused {end_to_end}", lines), what)
    )
    settle(desk, opened, RETURNED, end_to_end, posted.id)
    record(desk, "payment.refused", end_to_end, {"reason": reason, "cents": sent.cents})
    return posted
