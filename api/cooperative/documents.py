"""Numbered papers: invoices, credit notes and self-billed purchases, without a gap."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import bindparam, func, insert, select

from api.cooperative.canonical import canonical, text_digest
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError, TamperedError
from api.cooperative.officers import SYSTEM, Role
from api.cooperative.tables.base import Base
from api.cooperative.tables.ledger import DocumentRow
from kwartier.wire import Json

_CENTS = "_cents"
_TABLE = Base.metadata.tables[DocumentRow.__tablename__]
_NEW = insert(_TABLE)
_LAST_NUMBER = select(func.max(_TABLE.c.number)).where(
    _TABLE.c.series == bindparam("series"), _TABLE.c.year == bindparam("year")
)


class Series(StrEnum):
    """Which row of numbers; a statement has none."""

    INVOICE = "F"
    """What a member owes."""
    CREDIT = "C"
    """What takes back another paper, to the cent."""
    PURCHASE = "I"
    """What a member earned, billed by the cooperative in the member's name."""


@dataclass(frozen=True, slots=True)
class Document:
    """A numbered paper.

    Attributes:
        number: Its name on paper, such as ``F2026-00012``.
        series: Its row of numbers.
        party: Whose it is.
        day: Its date.
        amount_cents: What it comes to, VAT included; a credit note has the other sign.
        body: What stands on it.
        body_hash: The hash of that.
        entry: The entry it belongs to, if any.
        run: The run it belongs to; empty without one.
        replaces: Number of the paper it takes the place of or takes back; empty without one.
    """

    number: str
    series: Series
    party: str
    day: date
    amount_cents: int
    body: Json
    body_hash: str
    entry: int | None
    run: str
    replaces: str


def issue(
    desk: Desk,
    series: Series,
    party: str,
    day: date,
    body: Json,
    entry: int | None,
    run: str = "",
    replaces: str = "",
) -> Document:
    """Give a paper the next number of its series and year, in this transaction.

    Args:
        desk: Where, by whom and when.
        series: Its row of numbers; a credit note is made by ``credit``, or names in ``replaces``
            what it takes back and mirrors it to the cent.
        party: Whose it is; an id.
        day: Its date; the year of it names the series.
        body: What stands on it: an object with ``amount_cents``, what it comes to, VAT included.
            Names and addresses stay in the registry.
        entry: The entry it belongs to.
        run: The run it belongs to.
        replaces: Number of the paper it takes the place of.

    Raises:
        BooksError: The body has no whole ``amount_cents``, or a credit note mirrors nothing.
    """
    _may_write(desk)
    amount = _amount(series, body)
    number = 1 + (desk.session.scalar(_LAST_NUMBER, {"series": series, "year": day.year}) or 0)
    text = canonical(body)
    made = Document(
        f"{series}{day.year}-{number:05d}",
        series,
        party,
        day,
        amount,
        body,
        text_digest(text),
        entry,
        run,
        replaces,
    )
    desk.session.execute(
        _NEW,
        {
            "series": series,
            "year": day.year,
            "number": number,
            "name": made.number,
            "party": party,
            "day": day,
            "amount_cents": amount,
            "body": text,
            "body_hash": made.body_hash,
            "entry": entry,
            "run": run,
            "replaces": replaces,
            "credits": replaces if series is Series.CREDIT else None,
            "officer": desk.officer.id,
            "at_s": desk.at_s,
        },
    )
    record(desk, "document.issue", made.number, _facts(made))
    return made


def credit(desk: Desk, number: str, day: date, reason: str, entry: int | None = None) -> Document:
    """Issue the credit note that takes back a paper to the cent; one for each paper.

    Args:
        desk: Where, by whom and when.
        number: The paper's number.
        day: The credit note's date.
        reason: Why, in words for the member.
        entry: The entry that reverses the paper's.

    Raises:
        StateError: The paper was credited before, or is itself a credit note.
    """
    paper = document(desk, number)
    if paper.series is Series.CREDIT:
        raise StateError(f"{number} is a credit note: issue the right paper anew instead")
    before = desk.session.scalar(select(DocumentRow.name).where(DocumentRow.credits == number))
    if before is not None:
        raise StateError(f"{number} was credited before, by {before}")
    body = mirrored(paper.body)
    assert isinstance(body, dict), number
    return issue(
        desk,
        Series.CREDIT,
        paper.party,
        day,
        body | {"credits": number, "reason": reason},
        entry,
        paper.run,
        number,
    )


def mirrored(body: Json) -> Json:
    """Return a body with the sign of every amount turned: what is named ``…_cents``."""
    if isinstance(body, list):
        return [mirrored(each) for each in body]
    if not isinstance(body, dict):
        return body
    return {
        name: -value
        if name.endswith(_CENTS) and isinstance(value, int) and not isinstance(value, bool)
        else mirrored(value)
        for name, value in body.items()
    }


def document(desk: Desk, number: str) -> Document:
    """Return one paper.

    Raises:
        BooksError: There is none of this number.
    """
    row = desk.session.scalar(select(DocumentRow).where(DocumentRow.name == number))
    if row is None:
        raise BooksError(f"paper {number}: there is none")
    return _opened(row)


def documents(
    desk: Desk, run: str | None = None, party: str | None = None, series: Series | None = None
) -> list[Document]:
    """Return papers in order of their numbers: of one run, one party or one series."""
    chosen = select(DocumentRow).order_by(DocumentRow.series, DocumentRow.year, DocumentRow.number)
    if run is not None:
        chosen = chosen.where(DocumentRow.run == run)
    if party is not None:
        chosen = chosen.where(DocumentRow.party == party)
    if series is not None:
        chosen = chosen.where(DocumentRow.series == series)
    return [_opened(row) for row in desk.session.scalars(chosen)]


def _opened(row: DocumentRow) -> Document:
    if text_digest(row.body) != row.body_hash:
        raise TamperedError(f"paper {row.name} was changed after it was issued: stop and look")
    body: Json = json.loads(row.body)
    return Document(
        row.name,
        Series(row.series),
        row.party,
        row.day,
        row.amount_cents,
        body,
        row.body_hash,
        row.entry,
        row.run,
        row.replaces,
    )


def _amount(series: Series, body: Json) -> int:
    amount = body.get("amount_cents") if isinstance(body, dict) else None
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise BooksError(
            f"paper of series {series}: its body needs amount_cents, whole cents, VAT included"
        )
    return amount


def _facts(made: Document) -> Json:
    return {
        "party": made.party,
        "amount_cents": made.amount_cents,
        "body_hash": made.body_hash,
        "entry": made.entry,
        "run": made.run,
        "replaces": made.replaces,
    }


def _may_write(desk: Desk) -> None:
    if desk.officer != SYSTEM:
        desk.officer.need(Role.TREASURER, Role.BOARD, Role.BOOKKEEPER)
