"""What the ledger shows: balances, a member's account, a fund, cost centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from api.cooperative.database import Desk
from api.cooperative.tables.ledger import EntryRow, PostingRow
from api.cooperative.tables.ledger_views import (
    CostCentreView,
    FundView,
    MemberAccountView,
    TrialBalanceView,
)
from kwartier.ledger import Account, CostCentre, Unit

_ANEW = {"populate_existing": True}
"""A balance that was read before in the same transaction may have moved."""


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One line of an account, with what it holds after.

    Attributes:
        account: The account.
        entry: The entry's place in the ledger.
        day: The day it is booked on.
        service_period: The month it is about; empty where that is the day's own.
        reference: What it is about.
        item: What it opens or settles; empty when it says nothing.
        amount: Debit above zero, credit below.
        balance: What the account holds after it.
        cost_centre: Part of the neighbourhood's life.
        reason: Why.
        decision: The decision it follows from.
        reverses: The entry it takes back.
    """

    account: Account
    entry: int
    day: date
    service_period: str
    reference: str
    item: str
    amount: int
    balance: int
    cost_centre: CostCentre
    reason: str
    decision: str
    reverses: int | None


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is still to pay or to be paid on a party's account.

    Attributes:
        account: The account.
        item: What opened it: a paper's number, or the entry's reference.
        day: Since when.
        amount: What it was.
        open: What is left of it, with the same sign.
    """

    account: Account
    item: str
    day: date
    amount: int
    open: int


@dataclass(frozen=True, slots=True)
class FundStatement:
    """A fund over some time: what came in, what went out, what it holds; all above zero.

    Attributes:
        fund: Its purpose, such as ``levy``.
        inflow: What came in.
        outflow: What went out.
        holds: What it holds now.
        lines: Its lines as they stand in the ledger, where a fund's credit is below zero.
    """

    fund: str
    inflow: int
    outflow: int
    holds: int
    lines: tuple[AccountLine, ...]


@dataclass(frozen=True, slots=True)
class CentreBalance:
    """What one cost centre has on one account."""

    cost_centre: CostCentre
    account: Account
    balance: int


def trial_balance(desk: Desk, until: date | None = None) -> dict[Account, int]:
    """Return what each account holds, by name; for each unit it sums to zero.

    Args:
        desk: Where to look.
        until: The last day that counts; all days without one.
    """
    if until is None:
        rows = desk.session.scalars(select(TrialBalanceView).execution_options(**_ANEW))
        found = {Account(row.account, Unit(row.unit)): row.balance for row in rows}
        return dict(sorted(found.items()))
    chosen = (
        select(PostingRow.chart, PostingRow.part, PostingRow.unit, func.sum(PostingRow.amount))
        .join(EntryRow, EntryRow.id == PostingRow.entry)
        .where(EntryRow.day <= until)
        .group_by(PostingRow.chart, PostingRow.part, PostingRow.unit)
    )
    held = {
        Account(f"{name}:{part}" if part else name, Unit(unit)): int(total)
        for name, part, unit, total in desk.session.execute(chosen)
    }
    return dict(sorted(held.items()))


def member_account(desk: Desk, party: str) -> list[AccountLine]:
    """Return every line of a party's accounts, account by account, each with its balance."""
    view = MemberAccountView
    chosen = select(view).where(view.part == party)
    chosen = chosen.order_by(view.account, view.entry, view.line)
    return [_line(row) for row in desk.session.scalars(chosen.execution_options(**_ANEW))]


def open_items(desk: Desk, party: str) -> list[OpenItem]:
    """Return what is still open on a party's accounts, the oldest first.

    A line settles the item it names; what is left over settles the oldest items first.

    Source:
        Burgerlijk Wetboek 6:43: the debtor names what is paid, else the oldest debt.
    """
    by_account: dict[Account, list[AccountLine]] = {}
    for line in member_account(desk, party):
        by_account.setdefault(line.account, []).append(line)
    return [item for lines in by_account.values() for item in _open(lines)]


def fund_statement(desk: Desk, fund: str = "levy") -> FundStatement:
    """Return what came into a fund, what went out and what it holds."""
    chosen = select(FundView).where(FundView.account == f"fund:{fund}")
    chosen = chosen.order_by(FundView.entry, FundView.line)
    lines = [_line(row) for row in desk.session.scalars(chosen.execution_options(**_ANEW))]
    # A reversal makes the side smaller that it takes back, and does not fill the other one.
    came_in = [line for line in lines if (line.amount < 0) == (line.reverses is None)]
    inflow = -sum(line.amount for line in came_in)
    holds = -sum(line.amount for line in lines)
    return FundStatement(fund, inflow, inflow - holds, holds, tuple(lines))


def cost_centres(desk: Desk) -> list[CentreBalance]:
    """Return what each cost centre has on each account."""
    view = CostCentreView
    chosen = select(view).order_by(view.cost_centre, view.account)
    rows = desk.session.scalars(chosen.execution_options(**_ANEW))
    return [
        CentreBalance(
            CostCentre(row.cost_centre), Account(row.account, Unit(row.unit)), row.balance
        )
        for row in rows
    ]


def _line(row: MemberAccountView | FundView) -> AccountLine:
    return AccountLine(
        Account(row.account, Unit(row.unit)),
        row.entry,
        row.day,
        row.service_period,
        row.reference,
        row.item,
        row.amount,
        row.balance,
        CostCentre(row.cost_centre),
        row.reason,
        row.decision,
        row.reverses,
    )


def _open(lines: Sequence[AccountLine]) -> list[OpenItem]:
    """Return the open items of one account: by the item named, then the oldest first."""
    item_of: dict[int, str] = {}
    first: dict[str, AccountLine] = {}
    left: dict[str, int] = {}
    for line in lines:
        item = item_of.get(line.reverses or 0) or line.item or line.reference
        item_of[line.entry] = item
        first.setdefault(item, line)
        left[item] = left.get(item, 0) + line.amount
    _settle_oldest(left)
    return [
        OpenItem(first[item].account, item, first[item].day, first[item].amount, rest)
        for item, rest in left.items()
        if rest
    ]


def _settle_oldest(left: dict[str, int]) -> None:
    """Let what is above zero and what is below settle each other, in the order they came."""
    debits = [item for item, rest in left.items() if rest > 0]
    owing = [item for item, rest in left.items() if rest < 0]
    while debits and owing:
        settled = min(left[debits[0]], -left[owing[0]])
        left[debits[0]] -= settled
        left[owing[0]] += settled
        if not left[debits[0]]:
            debits.pop(0)
        if not left[owing[0]]:
            owing.pop(0)
