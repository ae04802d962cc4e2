"""What an audit file tells of one book year, before it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from api.cooperative.settings import Address


class JournalKind(StrEnum):
    """Kinds of journals, as XAF 4.0 spells them."""

    BANK = "B"
    MEMORIAL = "M"
    PURCHASE = "P"
    SALES = "S"
    OTHER = "Z"


class RelationKind(StrEnum):
    """Whether a party buys, sells, or does both, as XAF 4.0 spells it."""

    BOTH = "B"
    CUSTOMER = "C"
    SUPPLIER = "S"


@dataclass(frozen=True, slots=True)
class Company:
    """Whose books they are."""

    name: str
    kvk: str
    vat_number: str
    address: Address


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """One account of the chart.

    Attributes:
        id: Its name, at most 35 characters.
        text: What it is, in words.
        of_balance: Whether it stands on the balance sheet; the others are of profit and loss.
        rgs: Its code in the Dutch reference chart; empty without one.
    """

    id: str
    text: str
    of_balance: bool
    rgs: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """A customer or supplier, by id; name and numbers only of organisations.

    Attributes:
        id: The party's id.
        kind: Whether it buys or sells.
        opening_cents: What it owed at the start of the year; below zero what it was owed.
        closing_cents: The same at the end.
        name: The organisation's name; empty for a person.
        kvk: The organisation's number in the trade register.
        vat_number: The organisation's VAT number.
    """

    id: str
    kind: RelationKind
    opening_cents: int
    closing_cents: int
    name: str = ""
    kvk: str = ""
    vat_number: str = ""


@dataclass(frozen=True, slots=True)
class VatCode:
    """A VAT code, and the accounts its tax stands on."""

    id: str
    text: str
    to_pay: str = ""
    to_claim: str = ""


@dataclass(frozen=True, slots=True)
class TransactionLine:
    """One amount of a transaction.

    Attributes:
        account: The account's id.
        cents: Debit above zero, credit below.
        relation: Whose, where it stands on a party's account.
        invoice: Number of that party's paper; empty without one.
        cost_centre: Part of the neighbourhood's life.
    """

    account: str
    cents: int
    relation: str = ""
    invoice: str = ""
    cost_centre: str = ""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One entry of the ledger.

    Attributes:
        number: Its number in the ledger, which has no gaps.
        text: What it is about.
        day: Its day, within the year.
        officer: Who wrote it, by id.
        document: What it rests on: a paper, a payment file, a line of the bank.
        lines: What it moves; they sum to zero.
    """

    number: str
    text: str
    day: date
    officer: str
    document: str
    lines: tuple[TransactionLine, ...]


@dataclass(frozen=True, slots=True)
class JournalPart:
    """The transactions of one journal, in order; they are read once."""

    id: str
    text: str
    kind: JournalKind
    transactions: Iterable[Transaction]


@dataclass(frozen=True, slots=True)
class Control:
    """How many lines there are and what both sides come to, as the file says in front."""

    lines: int
    debit_cents: int
    credit_cents: int

    @classmethod
    def of(cls, amounts: Iterable[int]) -> Control:
        """Return the control totals of some amounts; debit is above zero."""
        lines = debit = credit = 0
        for cents in amounts:
            lines += 1
            debit += max(cents, 0)
            credit += max(-cents, 0)
        return cls(lines, debit, credit)


@dataclass(frozen=True, slots=True)
class AuditYear:
    """One book year, all but its transactions.

    Attributes:
        year: The calendar year that is the book year.
        made: The day the file is made.
        software: The version of the program.
        rgs_version: The version of the reference chart; empty when it is not known.
        company: Whose books they are.
        accounts: The chart.
        relations: Who stands on it.
        vat_codes: The VAT codes in force in the year.
        opening: What balance accounts held at the start, by account; zeros are left out.
        control: What the transactions come to.
    """

    year: int
    made: date
    software: str
    rgs_version: str
    company: Company
    accounts: tuple[LedgerAccount, ...]
    relations: tuple[Relation, ...]
    vat_codes: tuple[VatCode, ...]
    opening: tuple[tuple[str, int], ...]
    control: Control
