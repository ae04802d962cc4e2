"""Auditfile Financieel 4.0 written piece by piece, so that a big year needs no more memory.

Source:
    XML Auditfile Financieel, XSD 4.0 (package 4.0.3), published by the Belastingdienst.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import BinaryIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from api.cooperative.auditfile.year import (
    AuditYear,
    Control,
    JournalPart,
    Relation,
    Transaction,
    TransactionLine,
)
from api.cooperative.errors import TamperedError
from api.cooperative.payments.amounts import euros

NAMESPACE = (
    "http://www.odb.belastingdienst.nl/Belastingdienst/BCPP/1.1/structures/XmlauditfileXAF_4.0"
)
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_xaf(sink: BinaryIO, year: AuditYear, journals: Iterable[JournalPart]) -> None:
    """Write one book year to a file.

    Args:
        sink: Where to.
        year: All but the transactions.
        journals: The transactions; what they come to is compared with ``year.control``.

    Raises:
        TamperedError: They come to something else, or one of them is off; the file is no good.
    """
    xml = _Xml(sink)
    with xml.document(), xml.element("auditfile", xmlns=NAMESPACE):
        _header(xml, year)
        with xml.element("company"):
            _company(xml, year)
            _relations(xml, year)
            _accounts(xml, year)
            _vat_codes(xml, year)
            _periods(xml, year.year)
            _opening(xml, year)
            with xml.element("transactions"):
                _control(xml, year.control)
                amounts = (c for journal in journals for c in _journal(xml, journal, year.year))
                found = Control.of(amounts)
    if found != year.control or found.debit_cents != found.credit_cents:
        raise TamperedError(f"the transactions come to {found}, the ledger to {year.control}")


class _Xml:
    """Elements one after another, into a file."""

    def __init__(self, sink: BinaryIO) -> None:
        self._writer = XMLGenerator(sink, encoding="utf-8")

    @contextmanager
    def document(self) -> Iterator[None]:
        self._writer.startDocument()
        yield
        self._writer.endDocument()

    @contextmanager
    def element(self, name: str, **attributes: str) -> Iterator[None]:
        self._writer.startElement(name, AttributesImpl(attributes))
        yield
        self._writer.endElement(name)

    def leaf(self, name: str, text: str, longest: int = 9999) -> None:
        with self.element(name):
            self._writer.characters(_NOT_IN_XML.sub(" ", text)[:longest])

    def given(self, name: str, text: str, longest: int = 9999) -> None:
        """Write an element that may be left out, unless it would be empty."""
        if text:
            self.leaf(name, text, longest)

    def amount(self, amount: str, side: str, cents: int) -> None:
        """Write an amount and its side, which never have a sign."""
        self.leaf(amount, euros(abs(cents)))
        self.leaf(side, "C" if cents < 0 else "D")


def _header(xml: _Xml, year: AuditYear) -> None:
    with xml.element("header"):
        xml.leaf("fiscalYear", f"{year.year:04d}")
        xml.leaf("startDate", date(year.year, 1, 1).isoformat())
        xml.leaf("endDate", date(year.year, 12, 31).isoformat())
        xml.leaf("curCode", "EUR")
        xml.leaf("dateCreated", year.made.isoformat())
        xml.leaf("softwareDesc", "kwartier")
        xml.leaf("softwareVersion", year.software, 20)
        xml.given("RGSVersion", year.rgs_version, 20)


def _company(xml: _Xml, year: AuditYear) -> None:
    company, address = year.company, year.company.address
    xml.given("Commercenr", company.kvk, 100)
    xml.leaf("companyName", company.name, 255)
    xml.leaf("taxRegistrationCountry", address.country)
    xml.leaf("taxRegIdent", company.vat_number, 30)
    with xml.element("streetAddress"):
        xml.given("streetname", address.street, 100)
        xml.given("number", address.number, 15)
        xml.given("city", address.town, 50)
        xml.given("postalCode", address.postcode, 10)
        xml.given("country", address.country)


def _relations(xml: _Xml, year: AuditYear) -> None:
    with xml.element("customersSuppliers"):
        for relation in year.relations:
            _relation(xml, relation)


def _relation(xml: _Xml, relation: Relation) -> None:
    with xml.element("customerSupplier"):
        xml.leaf("custSupID", relation.id)
        xml.given("custSupName", relation.name, 50)
        xml.given("commerceNr", relation.kvk, 100)
        xml.given("taxRegIdent", relation.vat_number, 30)
        xml.leaf("custSupTp", relation.kind)
        xml.amount("opBalDesc", "opBalTp", relation.opening_cents)
        xml.amount("clBalDesc", "clBalTp", relation.closing_cents)


def _accounts(xml: _Xml, year: AuditYear) -> None:
    """Write the chart; a reference code that several accounts share stands with the first."""
    told: set[str] = set()
    with xml.element("generalLedger"):
        for account in year.accounts:
            with xml.element("ledgerAccount"):
                xml.leaf("accID", account.id)
                xml.leaf("accDesc", account.text, 255)
                xml.leaf("accTp", "B" if account.of_balance else "P")
                xml.given("RGScode", "" if account.rgs in told else account.rgs)
            told.add(account.rgs)


def _vat_codes(xml: _Xml, year: AuditYear) -> None:
    with xml.element("vatCodes"):
        for code in year.vat_codes:
            with xml.element("vatCode"):
                xml.leaf("vatID", code.id)
                xml.leaf("vatDesc", code.text, 100)
                xml.given("vatToPayAccID", code.to_pay)
                xml.given("vatToClaimAccID", code.to_claim)


def _periods(xml: _Xml, year: int) -> None:
    with xml.element("periods"):
        for month in range(1, 13):
            with xml.element("period"):
                xml.leaf("periodNumber", str(month))
                xml.leaf("startDatePeriod", date(year, month, 1).isoformat())
                last = monthrange(year, month)[1]
                xml.leaf("endDatePeriod", date(year, month, last).isoformat())


def _opening(xml: _Xml, year: AuditYear) -> None:
    with xml.element("openingBalance"):
        _control(xml, Control.of(cents for _, cents in year.opening))
        for number, (account, cents) in enumerate(year.opening, start=1):
            with xml.element("obLine"):
                xml.leaf("nr", str(number))
                xml.leaf("accID", account)
                xml.amount("amnt", "amntTp", cents)


def _control(xml: _Xml, control: Control) -> None:
    xml.leaf("linesCount", str(control.lines))
    xml.leaf("totalDebit", euros(control.debit_cents))
    xml.leaf("totalCredit", euros(control.credit_cents))


def _journal(xml: _Xml, journal: JournalPart, year: int) -> Iterator[int]:
    """Write a journal, and tell each amount that was written [cents]."""
    with xml.element("journal"):
        xml.leaf("jrnID", journal.id)
        xml.leaf("desc", journal.text)
        xml.leaf("jrnTp", journal.kind)
        for transaction in journal.transactions:
            off = sum(line.cents for line in transaction.lines)
            if off or transaction.day.year != year:
                raise TamperedError(f"entry {transaction.number} is off, or not of {year}")
            _transaction(xml, transaction)
            yield from (line.cents for line in transaction.lines)


def _transaction(xml: _Xml, transaction: Transaction) -> None:
    with xml.element("transaction"):
        xml.leaf("nr", transaction.number)
        xml.leaf("desc", transaction.text)
        xml.leaf("periodNumber", str(transaction.day.month))
        xml.leaf("trDt", transaction.day.isoformat())
        xml.given("User", transaction.officer)
        for number, line in enumerate(transaction.lines, start=1):
            with xml.element("trLine"):
                _line(xml, number, line, transaction)


def _line(xml: _Xml, number: int, line: TransactionLine, transaction: Transaction) -> None:
    xml.leaf("nr", str(number))
    xml.leaf("accID", line.account)
    xml.leaf("docRef", transaction.document, 255)
    xml.leaf("effDate", transaction.day.isoformat())
    xml.amount("amnt", "amntTp", line.cents)
    xml.given("custSupID", line.relation)
    xml.given("invRef", line.invoice, 255)
    xml.given("cost", line.cost_centre)
