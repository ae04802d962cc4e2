"""The papers the law asks for: invoice, self-billed purchase note, and the credit note of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction

from api.cooperative.errors import BooksError
from api.cooperative.settings import Address
from api.cooperative.statement import Charge, CoopPart, PartyPart, Statement, StatementLine, VatLine

EARNED = frozenset({Charge.SELL, Charge.BATTERY})
"""The charges of which the cooperative is the buyer."""


class LegalKind(StrEnum):
    """Which paper it is."""

    INVOICE = "invoice"
    """The cooperative bills the member."""
    PURCHASE = "purchase"
    """The member bills the cooperative, which writes the paper: self-billing."""
    INVOICE_CREDIT = "invoice-credit"
    """Takes an invoice back."""
    PURCHASE_CREDIT = "purchase-credit"
    """Takes a self-billed purchase note back."""


@dataclass(frozen=True, slots=True)
class LegalParty:
    """One side of an invoice, as the law wants it named.

    Attributes:
        id: The member's id; empty for the cooperative.
        vat_status: ``none``, ``kor`` (small-business scheme), ``registered`` or ``reverse``.
    """

    id: str
    name: str
    address: Address
    kvk: str
    oin: str
    vat_number: str
    vat_status: str
    email: str
    phone: str
    iban: str


@dataclass(frozen=True, slots=True)
class LegalPaper:
    """An invoice in numbers; a credit note keeps the original's amounts and names it.

    Attributes:
        kind: Which paper it is; on a credit note every amount counts the other way.
        number: Its number in its series.
        issued: Its date.
        due: When it is paid, or None.
        first: First local day of the supply.
        last: Last local day of the supply.
        seller: Who supplied.
        buyer: Who was supplied.
        lines: What was supplied.
        vat: VAT by code; one rate may stand under several codes.
        net_cents: The lines together.
        vat_cents: The VAT together.
        mandate: Mandate under which it is collected, or empty.
        creditor_id: Who collects, or empty.
        original: Number of the paper a credit note takes back.
        original_issued: That paper's date.
        reason: Why it is taken back, in words for the member.
    """

    kind: LegalKind
    number: str
    issued: date
    due: date | None
    first: date
    last: date
    seller: LegalParty
    buyer: LegalParty
    lines: tuple[StatementLine, ...]
    vat: tuple[VatLine, ...]
    net_cents: int
    vat_cents: int
    mandate: str = ""
    creditor_id: str = ""
    original: str = ""
    original_issued: date | None = None
    reason: str = ""

    @property
    def total_cents(self) -> int:
        """What it comes to, VAT included; the amount a credit note takes back."""
        return self.net_cents + self.vat_cents

    @property
    def is_credit(self) -> bool:
        """Whether it takes another paper back."""
        return self.kind in {LegalKind.INVOICE_CREDIT, LegalKind.PURCHASE_CREDIT}

    @property
    def is_self_billed(self) -> bool:
        """Whether the buyer writes it for the seller."""
        return self.kind in {LegalKind.PURCHASE, LegalKind.PURCHASE_CREDIT}

    def rate_of(self, line: StatementLine) -> Fraction:
        """Return the VAT rate of a line, as a part."""
        for vat in self.vat:
            if vat.code == line.vat_code:
                return vat.rate
        raise BooksError(
            f"paper {self.number}: a line stands under VAT code {line.vat_code!r}, of which the "
            "statement has no VAT: compute the run again"
        )


def invoice_of(statement: Statement) -> LegalPaper | None:
    """Return the invoice for what the member owes, or None as long as it has no number."""
    if not statement.invoice_number or statement.issued is None:
        return None
    paper = _paper(statement, LegalKind.INVOICE, statement.invoice_number, statement.issued)
    return replace(
        paper,
        mandate=statement.mandate,
        creditor_id=statement.coop.creditor_id if statement.mandate else "",
    )


def purchase_of(statement: Statement) -> LegalPaper | None:
    """Return the self-billed note for what the member earned, or None without a number."""
    if not statement.purchase_number or statement.issued is None:
        return None
    return _paper(statement, LegalKind.PURCHASE, statement.purchase_number, statement.issued)


def credit_of(original: LegalPaper, number: str, issued: date, reason: str) -> LegalPaper:
    """Return the credit note that takes a paper back to the cent.

    Raises:
        BooksError: The original is a credit note itself: write a new invoice instead.
    """
    if original.is_credit:
        raise BooksError(
            f"paper {original.number} is a credit note and cannot be credited: issue a new invoice"
        )
    kind = LegalKind.PURCHASE_CREDIT if original.is_self_billed else LegalKind.INVOICE_CREDIT
    return replace(
        original,
        kind=kind,
        number=number,
        issued=issued,
        due=None,
        original=original.number,
        original_issued=original.issued,
        reason=reason,
    )


def _paper(statement: Statement, kind: LegalKind, number: str, issued: date) -> LegalPaper:
    earned = kind is LegalKind.PURCHASE
    coop, member = _coop(statement.coop), _member(statement.party)
    lines = tuple(line for line in statement.lines if (line.charge in EARNED) is earned)
    vat = tuple(line for line in statement.vat if line.earned is earned)
    net_cents = statement.earned_cents if earned else statement.net_cents
    vat_cents = statement.earned_vat_cents if earned else statement.vat_cents
    _check_sums(number, (lines, vat), (net_cents, vat_cents))
    return LegalPaper(
        kind,
        number,
        issued,
        statement.due,
        statement.first,
        statement.last,
        member if earned else coop,
        coop if earned else member,
        lines,
        vat,
        net_cents,
        vat_cents,
    )


def _check_sums(
    number: str,
    parts: tuple[tuple[StatementLine, ...], tuple[VatLine, ...]],
    told: tuple[int, int],
) -> None:
    lines, vat = parts
    found = sum(line.amount_cents for line in lines), sum(line.vat_cents for line in vat)
    if found != told:
        raise BooksError(
            f"paper {number}: its lines come to {found[0]} cents and {found[1]} cents VAT, the "
            f"statement says {told[0]} and {told[1]}: do not print it, compute the run again"
        )


def _coop(coop: CoopPart) -> LegalParty:
    return LegalParty(
        "",
        coop.name,
        coop.address,
        coop.kvk,
        "",
        coop.vat_number,
        "registered" if coop.vat_number else "none",
        coop.email,
        coop.phone,
        coop.iban,
    )


def _member(party: PartyPart) -> LegalParty:
    return LegalParty(
        party.id,
        party.name,
        party.address,
        party.kvk,
        party.oin,
        party.vat_number,
        party.vat_status,
        party.email,
        "",
        "",
    )
