"""The books: lines and entries of whole units that sum to zero, or do not exist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from kwartier.errors import KwartierError


class Unit(StrEnum):
    """What an account counts; one entry never mixes two."""

    EUR_CENT = "EUR_cent"
    """Euro cents."""
    WIJK_CENT = "WIJK_cent"
    """Hundredths of the neighbourhood's own voucher."""
    WH = "Wh"
    """Watt-hours, for the statistics."""


class CostCentre(StrEnum):
    """What part of the neighbourhood's life an amount belongs to."""

    ENERGY = "energy"
    CARE = "care"
    GREEN = "green"
    MOBILITY = "mobility"
    GENERAL = "general"
    """The company itself: bank costs, audit, insurance."""


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """One account of the chart, such as ``receivable:A``, and what it counts."""

    name: str
    unit: Unit = Unit.EUR_CENT

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Line:
    """One amount on one account; debit is above zero, credit below.

    Attributes:
        account: Where it is written.
        amount: Whole units of the account.
        cost_centre: What part of the neighbourhood's life it belongs to.
    """

    account: Account
    amount: int
    cost_centre: CostCentre = CostCentre.ENERGY

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise LedgerError(f"line on {self.account} holds {self.amount!r}: whole units only")


@dataclass(frozen=True, slots=True)
class Entry:
    """Two lines or more in one unit that sum to zero; never changed, only reversed.

    Attributes:
        reference: What it is about, such as ``invoice A``.
        lines: What it moves.

    Source:
        Conventions C14 and C15 of docs/settlement.md.
    """

    reference: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        if len(self.lines) < 2:
            raise LedgerError(f"entry {self.reference!r} has fewer than two lines")
        units = sorted({line.account.unit for line in self.lines})
        if len(units) > 1:
            raise LedgerError(f"entry {self.reference!r} mixes {' and '.join(units)}")
        total = sum(line.amount for line in self.lines)
        if total:
            raise LedgerError(f"entry {self.reference!r} is off by {total} {units[0]}")

    def reversed(self, reference: str) -> Entry:
        """Return the entry that undoes this one: the same lines, every sign turned."""
        return Entry(reference, tuple(replace(line, amount=-line.amount) for line in self.lines))


class LedgerError(KwartierError):
    """A line or an entry that no book may hold."""


def balances(entries: Iterable[Entry]) -> dict[Account, int]:
    """Return what each account holds after some entries, in order of the accounts' names."""
    held: dict[Account, int] = {}
    for entry in entries:
        for line in entry.lines:
            held[line.account] = held.get(line.account, 0) + line.amount
    return dict(sorted(held.items()))
