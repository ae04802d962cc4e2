"""What the next line of a bank's statement can be about, as the books know it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.payments.files import FileState
from api.cooperative.payments.items import OpenItem, Part
from api.cooperative.payments.matching import Sent, Standing
from api.cooperative.payments.open_book import RETURNED, open_items
from api.cooperative.payments.sepa import Direction
from api.cooperative.tables.payments import (
    BankMatchRow,
    ItemSettlementRow,
    PaymentFileRow,
    PaymentInstructionRow,
    PaymentPartRow,
    PaymentStepRow,
)
from api.cooperative.tables.registry import MandateRow, PayoutAccountRow


def standing(desk: Desk) -> Standing:
    """Return released files, open items and known accounts, for matching."""
    state = Standing(accounts=_accounts(desk))
    everything = open_items(desk, with_closed=True)
    for item in everything:
        state.items.setdefault(item.party, []).append(item)
    files = _released(desk)
    for file in files.values():
        state.files[file.message] = file.number
        state.uncleared[file.number] = _sign(file) * file.cents
    shown: dict[int, list[int]] = {}
    for number, instruction, cents in _moved(desk):
        if number in files and cents * _sign(files[number]) > 0:
            state.uncleared[number] -= cents
        if instruction is not None:
            shown.setdefault(instruction, []).append(cents)
    refused = _refused(desk)
    for sent in _sent(desk, files, {(item.document, item.account): item for item in everything}):
        if sent.end_to_end in refused:
            state.uncleared[sent.file] -= sent.bank_cents
            state.sent[sent.end_to_end] = replace(sent, cleared=True, returned=True)
        else:
            state.sent[sent.end_to_end] = _with_history(sent, shown.get(sent.id, []))
    return state


def _sign(file: PaymentFileRow) -> int:
    """Return 1 for a file that brings money in, -1 for one that takes it out."""
    return 1 if file.direction == Direction.COLLECT else -1


def _with_history(sent: Sent, shown: list[int]) -> Sent:
    return replace(
        sent,
        cleared=any(cents * sent.bank_cents > 0 for cents in shown),
        returned=any(cents * sent.bank_cents < 0 for cents in shown),
    )


def _refused(desk: Desk) -> frozenset[str]:
    """Return end-to-end ids of what the bank refused before it booked anything."""
    rows = desk.session.scalars(
        select(ItemSettlementRow.reference).where(ItemSettlementRow.source == RETURNED)
    )
    return frozenset(rows)


def _released(desk: Desk) -> dict[int, PaymentFileRow]:
    rows = desk.session.scalars(
        select(PaymentFileRow)
        .join(PaymentStepRow, PaymentStepRow.file == PaymentFileRow.number)
        .where(PaymentStepRow.state == FileState.RELEASED)
    )
    return {row.number: row for row in rows}


def _moved(desk: Desk) -> list[tuple[int, int | None, int]]:
    """Return what the bank showed of files so far: file, instruction and cents."""
    rows = desk.session.execute(
        select(BankMatchRow.file, BankMatchRow.instruction, BankMatchRow.cents).where(
            BankMatchRow.file.is_not(None)
        )
    )
    return [(file, instruction, cents) for file, instruction, cents in rows if file is not None]


def _sent(
    desk: Desk, files: dict[int, PaymentFileRow], items: dict[tuple[str, str], OpenItem]
) -> list[Sent]:
    parts: dict[int, list[Part]] = {}
    for row in desk.session.scalars(select(PaymentPartRow).order_by(PaymentPartRow.id)):
        item = items[row.document, row.account]
        parts.setdefault(row.instruction, []).append(Part(item, row.cents))
    rows = desk.session.scalars(
        select(PaymentInstructionRow).where(PaymentInstructionRow.file.in_(files))
    )
    return [
        Sent(
            row.id,
            row.file,
            row.party,
            Direction(files[row.file].direction),
            row.end_to_end,
            row.mandate,
            row.cents,
            tuple(parts[row.id]),
        )
        for row in rows
    ]


def _accounts(desk: Desk) -> dict[str, frozenset[str]]:
    """Return parties by the fingerprint of every account they were ever known by."""
    found: dict[str, set[str]] = {}
    for table in (MandateRow, PayoutAccountRow):
        for party, fingerprint in desk.session.execute(select(table.party, table.iban_fingerprint)):
            found.setdefault(fingerprint, set()).add(party)
    return {fingerprint: frozenset(parties) for fingerprint, parties in found.items()}
