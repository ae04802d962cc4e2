"""The rules that an e-invoice is checked against before it leaves, in code of our own.

The published rule sets of EN 16931 and Peppol are larger; the tests run the UBL schema and the
rules of EN 16931 over what is written here. Not checked anywhere offline: whether the receiver
is registered with Peppol, and whether a number is really that of the party named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from kwartier.errors import ContractError

INVOICE = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
CREDIT_NOTE = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
SPACES = {"cac": CAC, "cbc": CBC}
NUMBERS = {"0106": re.compile(r"\d{8}"), "0190": re.compile(r"\d{20}")}
"""How a number of each scheme looks."""
SLACK = Decimal("0.02")
"""How far quantity times price may be from a line's amount (PEPPOL-EN16931-R120)."""
SIDES = {
    "AccountingSupplierParty": ("NL-R-002", "NL-R-003"),
    "AccountingCustomerParty": ("NL-R-004", "NL-R-005"),
}
"""The Dutch rules on each side's address and number."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What an e-invoice breaks.

    Attributes:
        rule: The rule's published name, such as ``BR-CO-10``.
        place: Where in the paper.
        told: What is wrong and what to do.
    """

    rule: str
    place: str
    told: str


def remarks(xml: bytes) -> list[Remark]:
    """Return what an e-invoice breaks of the rules that are checked here.

    Raises:
        ContractError: It is no XML.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise ContractError(f"e-invoice: no XML: {error}") from error
    return [*_sums(root), *_tax(root), *_lines(root), *_sides(root), *_references(root)]


def _sums(root: etree._Element) -> Iterator[Remark]:
    total = "cac:LegalMonetaryTotal/cbc:"
    lines = sum(
        (_amount(line, "cbc:LineExtensionAmount") for line in _invoice_lines(root)), Decimal(0)
    )
    told = {
        name: _amount(root, f"{total}{name}")
        for name in (
            "LineExtensionAmount",
            "TaxExclusiveAmount",
            "TaxInclusiveAmount",
            "PayableAmount",
        )
    }
    tax = _amount(root, "cac:TaxTotal/cbc:TaxAmount")
    subtotals = root.iterfind("cac:TaxTotal/cac:TaxSubtotal", SPACES)
    parts = sum((_amount(part, "cbc:TaxAmount") for part in subtotals), Decimal(0))
    for rule, name, wanted in (
        ("BR-CO-10", "LineExtensionAmount", lines),
        ("BR-CO-13", "TaxExclusiveAmount", told["LineExtensionAmount"]),
        ("BR-CO-15", "TaxInclusiveAmount", told["TaxExclusiveAmount"] + tax),
        ("BR-CO-16", "PayableAmount", told["TaxInclusiveAmount"]),
    ):
        if told[name] != wanted:
            yield Remark(rule, name, f"{told[name]} should be {wanted}: compute the run again")
    if tax != parts:
        yield Remark("BR-CO-14", "TaxTotal", f"{tax} should be {parts}: compute the run again")


def _tax(root: etree._Element) -> Iterator[Remark]:
    if not root.findall("cac:TaxTotal/cac:TaxSubtotal", SPACES):
        yield Remark("BR-CO-18", "TaxTotal", "there is no VAT breakdown: give the lines a VAT code")
    for part in root.iterfind("cac:TaxTotal/cac:TaxSubtotal", SPACES):
        category = part.findtext("cac:TaxCategory/cbc:ID", "", SPACES)
        percent = Decimal(part.findtext("cac:TaxCategory/cbc:Percent", "0", SPACES))
        base, tax = _amount(part, "cbc:TaxableAmount"), _amount(part, "cbc:TaxAmount")
        if abs(base * percent / 100 - tax) >= 1:
            yield Remark("BR-CO-17", f"VAT {percent}%", f"{tax} is not {percent}% of {base}")
        reason = part.findtext("cac:TaxCategory/cbc:TaxExemptionReason", "", SPACES)
        if category in {"E", "AE", "O"} and not reason:
            yield Remark(f"BR-{category}-10", "VAT", "there is no reason why there is no VAT")
        sellers = root.findtext(
            "cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID", "", SPACES
        )
        if category in {"S", "Z", "E", "AE"} and not sellers:
            yield Remark(
                f"BR-{category}-02", "AccountingSupplierParty", "record the seller's VAT number"
            )


def _lines(root: etree._Element) -> Iterator[Remark]:
    found = _invoice_lines(root)
    if not found:
        yield Remark("BR-16", "InvoiceLine", "there is no line: there is nothing to bill")
    for line in found:
        place = f"line {line.findtext('cbc:ID', '', SPACES)}"
        price = _amount(line, "cac:Price/cbc:PriceAmount")
        quantity = _amount(line, "cbc:InvoicedQuantity") + _amount(line, "cbc:CreditedQuantity")
        amount = _amount(line, "cbc:LineExtensionAmount")
        if price < 0:
            yield Remark("BR-27", place, f"price {price} is below zero: turn the quantity's sign")
        if abs(price * quantity - amount) > SLACK:
            yield Remark(
                "PEPPOL-EN16931-R120", place, f"{quantity} x {price} is not {amount}: compute again"
            )


def _sides(root: etree._Element) -> Iterator[Remark]:
    for side, (address_rule, number_rule) in SIDES.items():
        party = f"cac:{side}/cac:Party/"
        for name in ("StreetName", "CityName", "PostalZone"):
            if not root.findtext(f"{party}cac:PostalAddress/cbc:{name}", "", SPACES).strip():
                yield Remark(address_rule, side, f"{name} is empty: complete the party's address")
        for path in ("cbc:EndpointID", "cac:PartyLegalEntity/cbc:CompanyID"):
            number = root.find(f"{party}{path}", SPACES)
            scheme = "" if number is None else number.get("schemeID", "")
            looks = NUMBERS.get(scheme)
            if number is None or looks is None or not looks.fullmatch(number.text or ""):
                yield Remark(
                    number_rule, side, "there is no KvK number of 8 or OIN of 20 digits: record it"
                )


def _references(root: etree._Element) -> Iterator[Remark]:
    if not root.findtext("cbc:BuyerReference", "", SPACES):
        yield Remark("PEPPOL-EN16931-R003", "BuyerReference", "give the party an id")
    original = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"
    if etree.QName(root).localname == "CreditNote" and not root.findtext(original, "", SPACES):
        yield Remark("NL-R-001", "BillingReference", "a credit note names what it takes back")
    if root.find("cac:PaymentMeans", SPACES) is None:
        yield Remark("NL-R-007", "PaymentMeans", "say how it is paid")


def _invoice_lines(root: etree._Element) -> list[etree._Element]:
    return [child for child in root if child.find("cac:Price", SPACES) is not None]


def _amount(within: etree._Element, path: str) -> Decimal:
    """Return the amount at a path; nothing there counts 0."""
    return Decimal(within.findtext(path, "0", SPACES) or "0")
