"""Open items as they stand in the books: every numbered paper, less what was settled of it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from api.cooperative.books import trial_balance
from api.cooperative.chain import Fault
from api.cooperative.database import Desk
from api.cooperative.documents import Series
from api.cooperative.payments.items import OpenItem, Part
from api.cooperative.stamp import stamp
from api.cooperative.tables.ledger import DocumentRow
from api.cooperative.tables.payments import (
    ItemSettlementRow,
    PaymentInstructionRow,
    PaymentPartRow,
    PaymentStepRow,
)

RETURNED = "return"
"""Source of what was opened again because the bank took a payment back."""
_OWED, _EARNED = "receivable", "payable"


def open_items(desk: Desk, party: str = "", *, with_closed: bool = False) -> list[OpenItem]:
    """Return what is open per paper, the oldest first.

    What a member owes stands on ``receivable:PARTY``, what a member earned on ``payable:PARTY``;
    a credit note stands where the paper stands that it takes back.

    Args:
        desk: Where to look.
        party: Whose; everybody's when empty.
        with_closed: Whether papers of which nothing is left are told too.
    """
    credited = aliased(DocumentRow)
    chosen = select(
        DocumentRow.name,
        DocumentRow.party,
        DocumentRow.run,
        DocumentRow.day,
        DocumentRow.amount_cents,
        func.coalesce(credited.series, DocumentRow.series),
    ).outerjoin(credited, credited.name == DocumentRow.credits)
    settled = _settled(desk, party)
    if party:
        chosen = chosen.where(DocumentRow.party == party)
    items = []
    rows = desk.session.execute(chosen.order_by(DocumentRow.day, DocumentRow.name))
    for name, owner, run, day, amount, series in rows:
        earned = series == Series.PURCHASE
        account = f"{_EARNED if earned else _OWED}:{owner}"
        cents = -amount if earned else amount
        item = OpenItem(owner, name, account, run, day, cents, settled.get((name, account), 0))
        if item.rest or with_closed:
            items.append(item)
    return items


def settle(desk: Desk, parts: Iterable[Part], source: str, reference: str, entry: int) -> None:
    """Write down what was taken off some items, or opened again.

    Args:
        desk: Where, by whom and when.
        parts: How much of which; opened again when against the item's sign.
        source: By what: ``release``, ``return``, ``match``, ``set_off`` or ``write_off``.
        reference: Which one.
        entry: The entry that moved it in the ledger.
    """
    for part in parts:
        desk.session.add(
            ItemSettlementRow(
                document=part.item.document,
                account=part.item.account,
                party=part.item.party,
                cents=part.cents,
                source=source,
                reference=reference,
                entry=entry,
                **stamp(desk),
            )
        )


def reserved(desk: Desk) -> frozenset[tuple[str, str]]:
    """Return paper and account of what stands in a file that is drafted and not yet released."""
    over = select(PaymentStepRow.file).where(PaymentStepRow.state.in_(("released", "withdrawn")))
    rows = desk.session.execute(
        select(PaymentPartRow.document, PaymentPartRow.account)
        .join(PaymentInstructionRow, PaymentInstructionRow.id == PaymentPartRow.instruction)
        .where(PaymentInstructionRow.file.not_in(over))
    )
    return frozenset((document, account) for document, account in rows)


def came_back(desk: Desk) -> frozenset[tuple[str, str]]:
    """Return paper and account of what the bank took back once."""
    rows = desk.session.execute(
        select(ItemSettlementRow.document, ItemSettlementRow.account).where(
            ItemSettlementRow.source == RETURNED
        )
    )
    return frozenset((document, account) for document, account in rows)


def attempts(desk: Desk) -> dict[tuple[str, str], int]:
    """Return how often a paper was taken up in a file, by paper and account."""
    rows = desk.session.execute(
        select(
            PaymentPartRow.document, PaymentPartRow.account, func.max(PaymentPartRow.attempt)
        ).group_by(PaymentPartRow.document, PaymentPartRow.account)
    )
    return {(document, account): number for document, account, number in rows}


def check_items(desk: Desk) -> list[Fault]:
    """Return where open items and the ledger disagree; there is nothing when all is well."""
    left: dict[str, int] = {}
    for item in open_items(desk):
        left[item.account] = left.get(item.account, 0) + item.rest
    held = {
        account.name: cents
        for account, cents in trial_balance(desk).items()
        if account.name.partition(":")[0] in (_OWED, _EARNED)
    }
    return [
        Fault(f"open items of {name}", f"{left.get(name, 0)} cents, the ledger {held.get(name, 0)}")
        for name in sorted({*left, *held})
        if left.get(name, 0) != held.get(name, 0)
    ]


def _settled(desk: Desk, party: str) -> dict[tuple[str, str], int]:
    chosen = select(
        ItemSettlementRow.document, ItemSettlementRow.account, func.sum(ItemSettlementRow.cents)
    ).group_by(ItemSettlementRow.document, ItemSettlementRow.account)
    if party:
        chosen = chosen.where(ItemSettlementRow.party == party)
    return {
        (document, account): int(cents) for document, account, cents in desk.session.execute(chosen)
    }
