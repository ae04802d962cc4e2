"""The tax categories of EN 16931 on a paper: which rate, and why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from api.cooperative.papers.legal import LegalPaper
from api.cooperative.statement import StatementLine


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """Everything of a paper under one category and rate.

    Attributes:
        category: S standard, Z zero, E exempt, AE reverse charge, O outside the scope (UNCL 5305).
        rate: As a part, such as 21/100.
        base_cents: The net cents.
        vat_cents: The VAT.
        why: Why there is no VAT, as a key of ``CATEGORIES``; empty where there is.
        reason_code: The same as a code of the VATEX list, where it has one.
    """

    category: str
    rate: Fraction
    base_cents: int
    vat_cents: int
    why: str
    reason_code: str


CATEGORIES = {
    "kor": ("E", ""),
    "exempt": ("E", ""),
    "reverse_charge": ("AE", "VATEX-EU-AE"),
    "reverse": ("AE", "VATEX-EU-AE"),
    "none": ("O", "VATEX-EU-O"),
    "zero": ("Z", ""),
}
"""Category and code of the reason, by the VAT status of who sells, else by the VAT code."""


def tax_groups(paper: LegalPaper) -> list[TaxGroup]:
    """Return a paper's VAT by category and rate; VAT codes of one rate stand together."""
    rates = dict.fromkeys(vat.rate for vat in paper.vat)
    told = []
    for rate in rates:
        of_rate = [vat for vat in paper.vat if vat.rate == rate]
        base_cents = sum(vat.base_cents for vat in of_rate)
        vat_cents = sum(vat.vat_cents for vat in of_rate)
        why = "" if rate else why_without(paper)
        category, code = CATEGORIES[why] if why else ("S", "")
        told.append(TaxGroup(category, rate, base_cents, vat_cents, why, code))
    return told


def tax_of(paper: LegalPaper, line: StatementLine) -> TaxGroup:
    """Return the group a line stands in."""
    rate = paper.rate_of(line)
    (group,) = (group for group in tax_groups(paper) if group.rate == rate)
    return group


def why_without(paper: LegalPaper) -> str:
    """Return why a paper has lines without VAT, as a key of ``CATEGORIES``; empty if it has none.

    Who sells decides: a small business, a buyer who owes the VAT, or no business at all. Only
    then the VAT code itself does.
    """
    codes = [vat.code for vat in paper.vat if not vat.rate]
    for key in (paper.seller.vat_status, *codes):
        if codes and key in CATEGORIES:
            return key
    return "zero" if codes else ""
