"""Payment files as they stand in the books: what they move, and how far they are."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.payments.sepa import Direction
from api.cooperative.payments.sepa_reading import read_order
from api.cooperative.stamp import stamp
from api.cooperative.tables.payments import (
    PaymentContentRow,
    PaymentFileRow,
    PaymentStepRow,
)
from kwartier.wire import Json


class FileState(StrEnum):
    """How far a payment file is."""

    DRAFTED = "drafted"
    """It waits for a second person."""
    RELEASED = "released"
    """A second person released it; it is booked as on its way."""
    SENT = "sent"
    """It was written out for the bank."""
    WITHDRAWN = "withdrawn"
    """It was taken back before it was released."""


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """A payment file.

    Attributes:
        number: Its number in the books.
        message: Its name at the bank.
        direction: Which way the money goes.
        run: The run whose papers it pays.
        day: When the money is to move.
        sha256: The hash of its bytes.
        count: How many instructions it holds.
        cents: What they come to.
        state: How far it is.
        drafted_by: Who drafted it.
        released_by: Who released it; empty before.
    """

    number: int
    message: str
    direction: Direction
    run: str
    day: date
    sha256: str
    count: int
    cents: int
    state: FileState
    drafted_by: str
    released_by: str = ""


def payment_files(desk: Desk) -> list[PaymentFile]:
    """Return all payment files, the oldest first."""
    rows = desk.session.scalars(select(PaymentFileRow).order_by(PaymentFileRow.number))
    return [_opened(desk, row) for row in rows]


def payment_file(desk: Desk, number: int) -> PaymentFile:
    """Return one payment file.

    Raises:
        BooksError: There is none of this number.
    """
    row = desk.session.get(PaymentFileRow, number)
    if row is None:
        raise BooksError(f"payment file {number}: there is none; see `kwartier coop pay show`")
    return _opened(desk, row)


def file_body(file: PaymentFile) -> Json:
    """Return what a second person approves of a payment file."""
    return {
        "message": file.message,
        "direction": file.direction.value,
        "day": file.day.isoformat(),
        "sha256": file.sha256,
        "count": file.count,
        "cents": file.cents,
    }


def seal_content(desk: Desk, number: int, content: bytes) -> None:
    """Keep a file's bytes, sealed."""
    sealed = desk.keys.seal(base64.b64encode(content).decode())
    desk.session.add(PaymentContentRow(file=number, sealed=sealed))


def content_of(desk: Desk, file: PaymentFile) -> bytes:
    """Return a file's bytes, the same for ever.

    Raises:
        TamperedError: They are not what was drafted, in hash, count or sum.
        BooksError: They were cleared away after the years the law asks for.
    """
    row = desk.session.get(PaymentContentRow, file.number)
    if row is None:
        raise BooksError(f"payment file {file.number}: its bytes were cleared away")
    content = base64.b64decode(desk.keys.open(row.sealed))
    read = read_order(content)
    found = (content_hash(content), read.count, read.control_cents, read.message)
    if found != (file.sha256, file.count, file.cents, file.message):
        raise TamperedError(f"payment file {file.number} is not what was drafted: stop and look")
    return content


def content_hash(content: bytes) -> str:
    """Return the hash by which a file's bytes are known."""
    return hashlib.sha256(content).hexdigest()


def take_step(desk: Desk, number: int, state: FileState, entry: int | None = None) -> None:
    """Write down that a file went a step further."""
    desk.session.add(PaymentStepRow(file=number, state=state, entry=entry, **stamp(desk)))
    desk.session.flush()


def _opened(desk: Desk, row: PaymentFileRow) -> PaymentFile:
    steps = desk.session.execute(
        select(PaymentStepRow.state, PaymentStepRow.recorded_by)
        .where(PaymentStepRow.file == row.number)
        .order_by(PaymentStepRow.id)
    ).all()
    by_state = {FileState(state): officer for state, officer in steps}
    return PaymentFile(
        row.number,
        row.message,
        Direction(row.direction),
        row.run,
        row.day,
        row.sha256,
        row.instructions,
        row.cents,
        FileState(steps[-1].state),
        by_state[FileState.DRAFTED],
        by_state.get(FileState.RELEASED, ""),
    )
