"""Papers that were printed once for all tests, and what stands on them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from lxml import html
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, PdfObject

from api.cooperative.papers.legal import LegalPaper, credit_of, invoice_of, purchase_of
from api.cooperative.papers.pdf import legal_pdf, statement_pdf
from api.cooperative.statement import Statement
from tests.api.cooperative import example_statements as examples

STATEMENTS = {each.party.id: each for each in examples.all_of_them()}
"""The examples, by member."""
ON_PAPER = ("lid-014", "lid-031", "school-01")
"""Members whose letters are really printed; the others are read as the page they are made of."""
EURO = re.compile(r"(-?)€\s?(-?\d+(?:\.\d+)?)")
"""An amount on paper, once its thousands are joined."""
ENERGY = re.compile(r"(?<![\d.])(\d+)\.(\d{3})(?!\d)")
"""A number with three decimals, likewise."""


@cache
def letter_of(party: str) -> bytes:
    """Return a member's letter."""
    return statement_pdf(STATEMENTS[party])


def legal_papers(statement: Statement) -> list[LegalPaper]:
    """Return a statement's invoice and purchase note, and the credit note of each."""
    made = [paper for paper in (invoice_of(statement), purchase_of(statement)) if paper]
    notes = [
        credit_of(paper, f"C2026-{at:04d}", paper.last, "De meterstand was niet goed.")
        for at, paper in enumerate(made, start=1)
    ]
    return [*made, *notes]


@cache
def legal_of(party: str) -> dict[str, bytes]:
    """Return a member's legal papers by number."""
    statement = STATEMENTS[party]
    return {paper.number: legal_pdf(paper, statement) for paper in legal_papers(statement)}


def page_text(page: str) -> str:
    """Return everything that can be read on a page of HTML, on one line."""
    body = html.document_fromstring(page).find("body")
    assert body is not None
    return " ".join(" ".join(str(part) for part in body.itertext()).split())


def text_of(pdf: bytes) -> str:
    """Return everything that can be read on a paper, on one line."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def amounts_in(text: str, *, english: bool = False) -> set[Decimal]:
    """Return every amount of money in a text."""
    return {
        Decimal(f"{minus}{amount}".replace("--", "-"))
        for minus, amount in EURO.findall(_joined(text, english=english))
    }


def energies_in(text: str, *, english: bool = False) -> set[int]:
    """Return every energy in a text, to the watt-hour [Wh]."""
    without_money = EURO.sub("", _joined(text, english=english))
    return {int(whole + rest) for whole, rest in ENERGY.findall(without_money)}


def _joined(text: str, *, english: bool) -> str:
    """Return a text whose numbers have no thousands and a point before their decimals."""
    thousands, point = (",", ".") if english else (".", ",")
    joined = re.sub(rf"(?<=\d)\{thousands}(?=\d{{3}})", "", text)
    return re.sub(rf"(?<=\d)\{point}(?=\d)", ".", joined)


def entry(of: PdfObject | None, *names: str) -> PdfObject:
    """Return what stands under some names, one within the other."""
    for name in names:
        told = None if of is None else of.get_object()
        assert isinstance(told, DictionaryObject), name
        of = told[name]
    found = None if of is None else of.get_object()
    assert found is not None
    return found


def parts_of(pdf: bytes) -> list[DictionaryObject]:
    """Return the structure elements of a tagged PDF, in the order they are read."""
    reader = PdfReader(io.BytesIO(pdf))
    return list(_elements(entry(reader.trailer, "/Root", "/StructTreeRoot")))


def _elements(element: object) -> Iterator[DictionaryObject]:
    if isinstance(element, IndirectObject):
        element = element.get_object()
    if isinstance(element, ArrayObject):
        for kid in element:
            yield from _elements(kid)
    elif isinstance(element, DictionaryObject):
        if "/S" in element:
            yield element
        if "/K" in element:
            yield from _elements(element["/K"])
