"""E-invoices for organisations: UBL 2.1 as Peppol BIS Billing 3.0 and NLCIUS (SI-UBL 2.0).

What the cooperative bills goes out as Peppol BIS Billing 3.0, or as NLCIUS where a receiver asks
for it; what it bills itself on a member's behalf as Peppol BIS Self-Billing 3.0 (type 389, credit
note 261). Amounts are whole cents turned into text; there is no float on the way.

Source:
    OASIS UBL 2.1; EN 16931-1; OpenPeppol BIS Billing 3.0, rules PEPPOL-EN16931 and NL-R.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction

from lxml import etree

from api.cooperative.errors import BooksError
from api.cooperative.papers.legal import LegalPaper, LegalParty
from api.cooperative.papers.machine import cents_text
from api.cooperative.papers.tax import TaxGroup, tax_groups, tax_of
from api.cooperative.papers.ubl_rules import CAC, CBC, CREDIT_NOTE, INVOICE, remarks
from api.cooperative.papers.wording import MOST_DECIMALS, wording
from api.cooperative.statement import StatementLine
from kwartier.units import kwh_text


class Customization(StrEnum):
    """Which agreement on UBL an e-invoice follows."""

    PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
    NLCIUS = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"
    SELF_BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0"


PROFILES = {
    Customization.PEPPOL: "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
    Customization.NLCIUS: "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
    Customization.SELF_BILLING: "urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0",
}
"""The business process of each agreement."""
KVK, OIN = "0106", "0190"
"""Schemes of the trade register and of public bodies (ISO 6523)."""
DIRECT_DEBIT, TRANSFER, STANDING_AGREEMENT = "59", "58", "57"
"""Means of payment (UNCL 4461); under a standing agreement the statement sets amounts off."""


def takes_e_invoice(paper: LegalPaper) -> bool:
    """Return whether both sides can be addressed: each has a KvK number or an OIN."""
    return all(_legal_id(party) is not None for party in (paper.seller, paper.buyer))


def ubl_xml(paper: LegalPaper, customization: Customization | None = None) -> bytes:
    """Return the e-invoice or credit note.

    Args:
        paper: The paper; see :func:`takes_e_invoice`.
        customization: The agreement it follows; by itself self-billing for what the member
            delivered, else Peppol BIS Billing.

    Raises:
        BooksError: It would break a rule; the message names rule, place and remedy.
    """
    if not takes_e_invoice(paper):
        raise BooksError(
            f"paper {paper.number}: an e-invoice needs a KvK number or an OIN of both sides: "
            "complete the party, or send the PDF"
        )
    by_itself = Customization.SELF_BILLING if paper.is_self_billed else Customization.PEPPOL
    root = _document(paper, customization or by_itself)
    xml: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    broken = remarks(xml)
    if broken:
        first = broken[0]
        raise BooksError(
            f"paper {paper.number}: the e-invoice breaks {first.rule} at {first.place}: "
            f"{first.told}"
        )
    return xml


def _document(paper: LegalPaper, customization: Customization) -> etree._Element:
    credit = paper.is_credit
    space = CREDIT_NOTE if credit else INVOICE
    kind = "CreditNote" if credit else "Invoice"
    root = etree.Element(f"{{{space}}}{kind}", nsmap={"ubl": space, "cac": CAC, "cbc": CBC})
    _text(root, "CustomizationID", customization)
    _text(root, "ProfileID", PROFILES[customization])
    _text(root, "ID", paper.number)
    _text(root, "IssueDate", paper.issued.isoformat())
    if paper.due is not None and not credit:
        _text(root, "DueDate", paper.due.isoformat())
    _text(root, f"{kind}TypeCode", _type_code(paper))
    _text(root, "Note", _note(paper))
    _text(root, "DocumentCurrencyCode", "EUR")
    _text(root, "BuyerReference", (paper.seller if paper.is_self_billed else paper.buyer).id)
    period = _part(root, "InvoicePeriod")
    _text(period, "StartDate", paper.first.isoformat())
    _text(period, "EndDate", paper.last.isoformat())
    if credit:
        _original(root, paper, with_date=customization is not Customization.NLCIUS)
    outside = any(group.category == "O" for group in tax_groups(paper))
    for name, party in (
        ("AccountingSupplierParty", paper.seller),
        ("AccountingCustomerParty", paper.buyer),
    ):
        creditor = paper.creditor_id if party is paper.seller else ""
        _party(_part(root, name), party, creditor, with_vat=not outside)
    _payment(root, paper)
    _tax_total(root, paper)
    _totals(root, paper)
    for at, line in enumerate(paper.lines, start=1):
        _line(_part(root, f"{kind}Line"), paper, (at, line))
    return root


def _type_code(paper: LegalPaper) -> str:
    """Return the kind of document (UNCL 1001)."""
    if paper.is_self_billed:
        return "261" if paper.is_credit else "389"
    return "381" if paper.is_credit else "380"


def _note(paper: LegalPaper) -> str:
    """Return what a reader must know: that it is self-billed, or why it is taken back."""
    words = wording("nl")
    told = [paper.reason] if paper.reason else []
    if paper.is_self_billed:
        told.insert(0, words.say("legal.selfbilled"))
    told.append(words.period(paper.first, paper.last))
    return ". ".join(told)


def _original(root: etree._Element, paper: LegalPaper, *, with_date: bool) -> None:
    """Name the paper that is taken back; NLCIUS advises against its date (BR-NL-24)."""
    reference = _part(_part(root, "BillingReference"), "InvoiceDocumentReference")
    _text(reference, "ID", paper.original)
    if with_date and paper.original_issued is not None:
        _text(reference, "IssueDate", paper.original_issued.isoformat())


def _party(parent: etree._Element, party: LegalParty, creditor: str, *, with_vat: bool) -> None:
    """Write one side; out of the scope of VAT its VAT number may not stand there (BR-O-02)."""
    legal_id = _legal_id(party)
    assert legal_id is not None
    scheme, number = legal_id
    told = _part(parent, "Party")
    _text(told, "EndpointID", number, {"schemeID": scheme})
    if creditor:
        _text(_part(told, "PartyIdentification"), "ID", creditor, {"schemeID": "SEPA"})
    _text(_part(told, "PartyName"), "Name", party.name)
    address = _part(told, "PostalAddress")
    _text(address, "StreetName", f"{party.address.street} {party.address.number}".strip())
    _text(address, "CityName", party.address.town)
    _text(address, "PostalZone", party.address.postcode)
    _text(_part(address, "Country"), "IdentificationCode", party.address.country or "NL")
    if party.vat_number and with_vat:
        tax = _part(told, "PartyTaxScheme")
        _text(tax, "CompanyID", party.vat_number)
        _text(_part(tax, "TaxScheme"), "ID", "VAT")
    legal = _part(told, "PartyLegalEntity")
    _text(legal, "RegistrationName", party.name)
    _text(legal, "CompanyID", number, {"schemeID": scheme})
    if party.phone or party.email:
        contact = _part(told, "Contact")
        if party.phone:
            _text(contact, "Telephone", party.phone)
        if party.email:
            _text(contact, "ElectronicMail", party.email)


def _legal_id(party: LegalParty) -> tuple[str, str] | None:
    """Return scheme and number; a public body is addressed by its OIN."""
    if party.oin:
        return OIN, party.oin
    return (KVK, party.kvk) if party.kvk else None


def _payment(root: etree._Element, paper: LegalPaper) -> None:
    means = _part(root, "PaymentMeans")
    if paper.is_self_billed or paper.is_credit or not paper.seller.iban:
        _text(means, "PaymentMeansCode", STANDING_AGREEMENT)
    elif paper.mandate:
        _text(means, "PaymentMeansCode", DIRECT_DEBIT)
        _text(_part(means, "PaymentMandate"), "ID", paper.mandate)
    else:
        _text(means, "PaymentMeansCode", TRANSFER)
        _text(means, "PaymentID", paper.number)
        _text(_part(means, "PayeeFinancialAccount"), "ID", paper.seller.iban.replace(" ", ""))
    if paper.due is None and not paper.is_credit and paper.total_cents > 0:
        _text(_part(root, "PaymentTerms"), "Note", "Zie de afrekening.")


def _tax_total(root: etree._Element, paper: LegalPaper) -> None:
    total = _part(root, "TaxTotal")
    _amount(total, "TaxAmount", paper.vat_cents)
    for group in tax_groups(paper):
        part = _part(total, "TaxSubtotal")
        _amount(part, "TaxableAmount", group.base_cents)
        _amount(part, "TaxAmount", group.vat_cents)
        _category(_part(part, "TaxCategory"), group, with_reason=True)


def _category(parent: etree._Element, group: TaxGroup, *, with_reason: bool) -> None:
    _text(parent, "ID", group.category)
    if group.category != "O":
        _text(parent, "Percent", _decimal(group.rate * 100))
    if with_reason and group.category in {"E", "AE", "O"}:
        if group.reason_code:
            _text(parent, "TaxExemptionReasonCode", group.reason_code)
        _text(parent, "TaxExemptionReason", wording("nl").say(f"without.{group.why}"))
    _text(_part(parent, "TaxScheme"), "ID", "VAT")


def _totals(root: etree._Element, paper: LegalPaper) -> None:
    totals = _part(root, "LegalMonetaryTotal")
    _amount(totals, "LineExtensionAmount", paper.net_cents)
    _amount(totals, "TaxExclusiveAmount", paper.net_cents)
    _amount(totals, "TaxInclusiveAmount", paper.total_cents)
    _amount(totals, "PayableAmount", paper.total_cents)


def _line(told: etree._Element, paper: LegalPaper, numbered: tuple[int, StatementLine]) -> None:
    """Write a line; a price below zero becomes a quantity below zero (BR-27)."""
    at, line = numbered
    words = wording("nl")
    quantity, unit, price = _quantity(line)
    _text(told, "ID", str(at))
    if line.connection:
        _text(told, "Note", f"{words.say('sheet.connection')} {line.connection}")
    name = "CreditedQuantity" if paper.is_credit else "InvoicedQuantity"
    _text(told, name, quantity, {"unitCode": unit})
    _amount(told, "LineExtensionAmount", line.amount_cents)
    item = _part(told, "Item")
    _text(item, "Description", _described(line))
    _text(item, "Name", words.say(f"charge.legal.{line.charge}"))
    _category(_part(item, "ClassifiedTaxCategory"), tax_of(paper, line), with_reason=False)
    _text(_part(told, "Price"), "PriceAmount", price, {"currencyID": "EUR"})


def _described(line: StatementLine) -> str:
    words = wording("nl")
    told = words.say(
        "lines.tariff",
        tariff=line.tariff,
        day=words.day(line.tariff_from),
        decision=line.tariff_decision,
    )
    return told[:1].upper() + told[1:]


def _quantity(line: StatementLine) -> tuple[str, str, str]:
    """Return quantity, unit and price; the fee of some days is one piece at its amount."""
    if line.energy_wh is None:
        sign = "-" if line.amount_cents < 0 else ""
        return f"{sign}1", "C62", cents_text(abs(line.amount_cents))
    price = Fraction(line.price_eur)
    sign = "-" if price < 0 else ""
    return f"{sign}{kwh_text(line.energy_wh)}", "KWH", _decimal(abs(price))


def _decimal(value: Fraction) -> str:
    """Return an exact decimal text, rounded only where its decimals never end."""
    decimals = next(
        (count for count in range(MOST_DECIMALS) if (value * 10**count).denominator == 1),
        MOST_DECIMALS,
    )
    whole, rest = divmod(round(value * 10**decimals), 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)


def _part(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{CAC}}}{name}")


def _text(
    parent: etree._Element, name: str, text: str, attributes: Mapping[str, str] | None = None
) -> None:
    made = etree.SubElement(parent, f"{{{CBC}}}{name}", dict(attributes or {}))
    made.text = "".join(letter if ord(letter) >= 32 else " " for letter in text)


def _amount(parent: etree._Element, name: str, cents: int) -> None:
    _text(parent, name, cents_text(cents), {"currencyID": "EUR"})
