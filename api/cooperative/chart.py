"""The chart of accounts: which accounts there are, what they count and where they belong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import insert, select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.officers import Role
from api.cooperative.tables.ledger import ChartRow
from kwartier.ledger import Account, Unit

_KEPT = "chart of accounts"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}(?::[a-z0-9][a-z0-9_-]{0,31})?", re.ASCII)


class Kind(StrEnum):
    """Where an account stands on the balance sheet or in the result."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """One account of the chart.

    Attributes:
        name: Its name, such as ``coop:fees`` or ``receivable``.
        unit: What it counts.
        kind: Where it stands.
        takes_parts: Whether it has an account for each party or purpose, as in ``receivable:a``.
        dutch: Its name for the board.
        english: Its name in English.
        rgs: Its code in the Dutch reference chart RGS; empty for what is not money.
        rgs_sure: False where an accountant should look at the code.
    """

    name: str
    unit: Unit
    kind: Kind
    takes_parts: bool
    dutch: str
    english: str
    rgs: str
    rgs_sure: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account of an entry stands in the chart: its name there and the part of it."""

    chart: str
    part: str


def chart(desk: Desk) -> dict[str, ChartAccount]:
    """Return the accounts of the chart by name."""
    kept = desk.session.info.get(_KEPT)
    if isinstance(kept, dict):
        return kept
    found = {row.name: _account(row) for row in desk.session.scalars(select(ChartRow))}
    desk.session.info[_KEPT] = found
    return found


def place(desk: Desk, account: Account) -> Place:
    """Return where an account stands in the chart.

    Raises:
        BooksError: There is no such account, or it counts something else.
    """
    known = chart(desk)
    found = known.get(account.name)
    at = Place(account.name, "")
    if found is None or found.takes_parts:
        name, _, part = account.name.partition(":")
        found, at = known.get(name), Place(name, part)
        if found is None or not found.takes_parts or not part:
            raise BooksError(f"account {account}: the chart has none; open it first")
    if found.unit is not account.unit:
        raise BooksError(f"account {account} counts {found.unit}, not {account.unit}")
    return at


def open_account(desk: Desk, account: ChartAccount) -> None:
    """Add an account to the chart; it stays there.

    Raises:
        BooksError: Its name is none.
        ConflictError: The chart has one of this name.
    """
    desk.officer.need(Role.TREASURER, Role.BOARD)
    if _NAME.fullmatch(account.name) is None or (account.takes_parts and ":" in account.name):
        raise BooksError(
            f"account {account.name[:40]!r}: use a-z, 0-9, '_' and '-', with one ':' such as "
            "care:meals; one that takes parts has no ':'"
        )
    if account.name in chart(desk):
        raise ConflictError(f"account {account.name}: the chart has it already")
    desk.session.execute(
        insert(ChartRow).values(
            name=account.name,
            unit=account.unit,
            kind=account.kind,
            takes_parts=account.takes_parts,
            dutch=account.dutch,
            english=account.english,
            rgs=account.rgs,
            rgs_sure=account.rgs_sure,
        )
    )
    desk.session.info.pop(_KEPT, None)
    facts = {"unit": account.unit.value, "kind": account.kind.value, "rgs": account.rgs}
    record(desk, "chart.open", account.name, dict(facts))


def _account(row: ChartRow) -> ChartAccount:
    return ChartAccount(
        row.name,
        Unit(row.unit),
        Kind(row.kind),
        row.takes_parts,
        row.dutch,
        row.english,
        row.rgs,
        row.rgs_sure,
    )
