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
        reason: Why there is no VAT; empty where there is.
        reason_code: The same as a code of the VATEX list, where it has one.
    """

    category: str
    rate: Fraction
    base_cents: int
    vat_cents: int
    reason: str
    reason_code: str


WITHOUT_VAT = {
    "kor": (
        "E",
        "Kleineondernemersregeling, artikel 25 Wet op de omzetbelasting 1968",
        "",
    ),
    "reverse": ("AE", "Btw verlegd", "VATEX-EU-AE"),
    "none": ("O", "De leverancier is geen ondernemer voor de btw", "VATEX-EU-O"),
}
"""Category, reason and its code, by the VAT status of who sells."""


def tax_groups(paper: LegalPaper) -> list[TaxGroup]:
    """Return a paper's VAT by category and rate; VAT codes of one rate stand together."""
    rates = dict.fromkeys(vat.rate for vat in paper.vat)
    told = []
    for rate in rates:
        of_rate = [vat for vat in paper.vat if vat.rate == rate]
        category, reason, code = _category(paper, rate)
        base_cents = sum(vat.base_cents for vat in of_rate)
        vat_cents = sum(vat.vat_cents for vat in of_rate)
        told.append(TaxGroup(category, rate, base_cents, vat_cents, reason, code))
    return told


def tax_of(paper: LegalPaper, line: StatementLine) -> TaxGroup:
    """Return the group a line stands in."""
    rate = paper.rate_of(line)
    (group,) = (group for group in tax_groups(paper) if group.rate == rate)
    return group


def _category(paper: LegalPaper, rate: Fraction) -> tuple[str, str, str]:
    if rate:
        return "S", "", ""
    return WITHOUT_VAT.get(paper.seller.vat_status, ("Z", "", ""))
