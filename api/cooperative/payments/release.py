"""Payment files released by a second person, written out for the bank, or taken back."""

from __future__ import annotations

from types import MappingProxyType

from sqlalchemy import select

from api.cooperative import registry
from api.cooperative.books import Journal, post
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import NotAllowedError, StateError
from api.cooperative.four_eyes import (
    Matter,
    Proposal,
    approval,
    approve,
    reject,
    waiting_proposal,
)
from api.cooperative.officers import CLERKS, DECIDERS
from api.cooperative.payments.files import (
    FileState,
    PaymentFile,
    content_of,
    file_body,
    payment_file,
    take_step,
)
from api.cooperative.payments.items import OpenItem, Part, account_lines
from api.cooperative.payments.open_book import open_items, settle
from api.cooperative.payments.sepa import Direction
from api.cooperative.periods import open_day
from api.cooperative.tables.payments import PaymentInstructionRow, PaymentPartRow
from kwartier.ledger import Account, Entry, Line

TRANSIT = MappingProxyType(
    {
        Direction.COLLECT: Account("transit:mandates"),
        Direction.PAY_OUT: Account("transit:payouts"),
    }
)
"""Where money stands between a released file and the bank's statement."""
SOURCE = "payment"
"""Source of the entry of a released file; its key is the file's name at the bank."""


def release(desk: Desk, number: int) -> PaymentFile:
    """Release a payment file somebody else drafted, and book it as on its way; twice is once.

    Raises:
        NotAllowedError: It is the officer's own file, or the same person's.
        StateError: It was withdrawn, or one of its papers was settled since: withdraw it.
        TamperedError: Its bytes are not what was drafted.
    """
    desk.officer.need(*DECIDERS)
    file = payment_file(desk, number)
    if file.state in (FileState.RELEASED, FileState.SENT):
        return file
    if file.state is FileState.WITHDRAWN:
        raise StateError(f"payment file {number} was withdrawn: draft a new one")
    if desk.officer.id == file.drafted_by:
        raise NotAllowedError(f"{desk.officer.id} drafted payment file {number}: ask another")
    content_of(desk, file)
    _approved(desk, file)
    parts = _parts_still_open(desk, file)
    lines = account_lines(parts)
    on_its_way = Line(TRANSIT[file.direction], -sum(line.amount for line in lines))
    entry = Entry(f"{file.direction.value} {file.message}", (*lines, on_its_way))
    reason = f"payment file {file.message} released"
    day = open_day(desk, file.day)
    posted = post(desk, Journal(SOURCE, file.message, day, entry, reason))
    settle(desk, parts, "release", file.message, posted.id)
    _use_mandates(desk, file)
    take_step(desk, number, FileState.RELEASED, posted.id)
    record(desk, "payment.release", file.message, file_body(file))
    return payment_file(desk, number)


def export(desk: Desk, number: int) -> bytes:
    """Return the bytes of a released file for the bank; the same ones every time, each logged.

    Raises:
        StateError: It was not released.
    """
    desk.officer.need(*CLERKS)
    file = payment_file(desk, number)
    if file.state not in (FileState.RELEASED, FileState.SENT):
        raise StateError(
            f"payment file {number} is {file.state.value}: a second person releases it first"
        )
    content = content_of(desk, file)
    if file.state is FileState.RELEASED:
        take_step(desk, number, FileState.SENT)
    record(desk, "payment.export", file.message, {"sha256": file.sha256})
    return content


def withdraw(desk: Desk, number: int, reason: str) -> PaymentFile:
    """Take back a file that was not released; its papers can be drafted anew.

    Raises:
        StateError: It was released: what the bank does with it comes back on its statement.
    """
    desk.officer.need(*CLERKS)
    file = payment_file(desk, number)
    if file.state is not FileState.DRAFTED:
        raise StateError(f"payment file {number} is {file.state.value}: too late to withdraw it")
    waiting = _waiting(desk, file)
    if waiting is not None:
        reject(desk, waiting.id, reason)
    take_step(desk, number, FileState.WITHDRAWN)
    record(desk, "payment.withdraw", file.message, {"reason": reason})
    return payment_file(desk, number)


def _approved(desk: Desk, file: PaymentFile) -> None:
    """Approve a file as this officer, unless somebody else did so before."""
    body = file_body(file)
    if approval(desk, Matter.PAYMENT, file.message, body) is not None:
        return
    waiting = _waiting(desk, file)
    if waiting is None:
        raise StateError(f"payment file {file.number} was refused: withdraw it, and draft anew")
    approve(desk, waiting.id, waiting.body_hash)
    if approval(desk, Matter.PAYMENT, file.message, body) is None:
        raise StateError(f"payment file {file.number}: another body was proposed: withdraw it")


def _waiting(desk: Desk, file: PaymentFile) -> Proposal | None:
    return waiting_proposal(desk, Matter.PAYMENT, file.message)


def _parts_still_open(desk: Desk, file: PaymentFile) -> tuple[Part, ...]:
    """Return what a file takes of which items, as long as they still leave that much open."""
    items = {(each.document, each.account): each for each in open_items(desk)}
    rows = desk.session.scalars(
        select(PaymentPartRow)
        .join(PaymentInstructionRow, PaymentInstructionRow.id == PaymentPartRow.instruction)
        .where(PaymentInstructionRow.file == file.number)
        .order_by(PaymentPartRow.id)
    )
    return tuple(_part(row, items.get((row.document, row.account)), file) for row in rows)


def _part(row: PaymentPartRow, item: OpenItem | None, file: PaymentFile) -> Part:
    rest = item.rest if item else 0
    if item is None or rest * row.cents <= 0 or abs(row.cents) > abs(rest):
        raise StateError(
            f"payment file {file.number}: {row.document} leaves {rest} cents open, the file takes "
            f"{row.cents}; it was settled since: withdraw the file and draft anew"
        )
    return Part(item, row.cents)


def _use_mandates(desk: Desk, file: PaymentFile) -> None:
    mandates = desk.session.scalars(
        select(PaymentInstructionRow.mandate)
        .where(PaymentInstructionRow.file == file.number, PaymentInstructionRow.mandate != "")
        .order_by(PaymentInstructionRow.id)
    )
    for reference in list(mandates):
        registry.use_mandate(desk, reference, file.day)
