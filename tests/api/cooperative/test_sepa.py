"""SEPA files: valid against the published schema, read back the same, refused before the bank."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.payments.amounts import cents_of, euros
from api.cooperative.payments.sepa import Direction, Instruction, MandatePart, Order, Sequence
from api.cooperative.payments.sepa_reading import check_against, read_order
from api.cooperative.payments.sepa_text import sepa_text
from api.cooperative.payments.sepa_xml import SCHEMAS, pain_document
from api.cooperative.settings import Address
from tests.api.cooperative.paying import CREDITOR, HOME, OWN_IBAN, PAY_DAY, iban

MANDATE = MandatePart("M-0001", date(2026, 1, 5), Sequence.RECURRENT)
ONE = Instruction(
    "F2026-00001", "huis-1", "Zoë de Wit & Çelik", HOME, iban(1), 1205, "Afrekening", MANDATE
)
SEPA_SET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ ")


def order(*instructions: Instruction, direction: Direction = Direction.COLLECT) -> Order:
    creditor = CREDITOR if direction is Direction.COLLECT else ""
    name = "Wijkbedrijf"
    return Order(
        direction, "wijk-20260815-1", 0, PAY_DAY, name, HOME, OWN_IBAN, creditor, instructions
    )


@pytest.mark.parametrize("direction", list(Direction))
def test_a_file_is_valid_against_the_schema_of_its_format(direction: Direction) -> None:
    content = pain_document(order(ONE, direction=direction))

    root = etree.fromstring(content)
    assert etree.QName(root).namespace == f"urn:iso:std:iso:20022:tech:xsd:{SCHEMAS[direction]}"
    published = files("sepaxml") / "schemas" / f"{SCHEMAS[direction]}.xsd"
    etree.XMLSchema(etree.fromstring(published.read_bytes())).assertValid(root)


@pytest.mark.parametrize("direction", list(Direction))
def test_an_address_is_structured(direction: Direction) -> None:
    content = pain_document(order(ONE, direction=direction))

    assert b"<AdrLine>" not in content
    assert content.count(b"<TwnNm>Utrecht</TwnNm><Ctry>NL</Ctry>") == 2


def test_the_same_order_gives_the_same_bytes() -> None:
    assert pain_document(order(ONE)) == pain_document(order(ONE))


def test_first_and_recurrent_collections_stand_in_groups_of_their_own() -> None:
    first = replace(ONE, mandate=replace(MANDATE, sequence=Sequence.FIRST))
    second = replace(ONE, end_to_end="F2026-00002", cents=795)

    read = read_order(pain_document(order(first, second)))

    assert (read.count, read.control_cents) == (2, 2000)
    assert [(line.sequence, line.cents) for line in read.lines] == [("FRST", 1205), ("RCUR", 795)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (replace(ONE, cents=0), "huis-1: 0 cents: an amount is above zero"),
        (replace(ONE, cents=-5), "huis-1: -5 cents"),
        (replace(ONE, cents=500_001), "above the limit of 500000"),
        (replace(ONE, iban="NL91ABNA0417164301"), "huis-1: IBAN is not right"),
        (replace(ONE, address=replace(HOME, town=" ")), "needs a town"),
        (replace(ONE, address=replace(HOME, country="Nederland")), "two capitals"),
        (replace(ONE, mandate=None), "there is no mandate"),
        (replace(ONE, mandate=replace(MANDATE, signed=date(2026, 8, 16))), "signed after 2026-08"),
        (replace(ONE, mandate=replace(MANDATE, reference="M//1")), "mandate reference"),
        (replace(ONE, end_to_end="/F1"), "end-to-end id"),
        (replace(ONE, end_to_end="F" * 36), "end-to-end id"),
        (replace(ONE, name="\u200b"), "the name of huis-1 has no letter"),
    ],
)
def test_what_a_bank_would_refuse_is_refused_here(wrong: Instruction, message: str) -> None:
    with pytest.raises(BooksError, match=message) as refused:
        pain_document(order(wrong))

    assert "Wit" not in str(refused.value)
    assert wrong.iban not in str(refused.value)


def test_a_reference_stands_in_a_file_once() -> None:
    with pytest.raises(BooksError, match="stands there twice"):
        pain_document(order(ONE, replace(ONE, party="huis-2")))


def test_a_file_without_a_creditor_identifier_is_refused() -> None:
    with pytest.raises(BooksError, match=r"creditor_id in books\.toml"):
        pain_document(replace(order(ONE), creditor_id="NL00ZZZ123456780000"))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(BooksError, match="0 instructions"):
        pain_document(order())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<InstdAmt Ccy="EUR">12.05<', b'<InstdAmt Ccy="EUR">12.06<'),
        (b"<NbOfTxs>1<", b"<NbOfTxs>2<"),
        (iban(1).encode(), iban(2).encode()),
        (b">F2026-00001<", b">F2026-00009<"),
    ],
)
def test_a_file_that_says_something_else_than_was_ordered_is_found(old: bytes, new: bytes) -> None:
    content = pain_document(order(ONE))
    assert old in content

    with pytest.raises(TamperedError):
        check_against(order(ONE), content.replace(old, new))


@settings(max_examples=200)
@given(
    amounts=st.lists(st.integers(1, 500_000), min_size=1, max_size=12),
    text=st.text(max_size=200),
    direction=st.sampled_from(Direction),
)
def test_what_is_read_back_is_what_was_ordered(
    amounts: list[int], text: str, direction: Direction
) -> None:
    instructions = [
        replace(
            ONE,
            end_to_end=f"F{number}",
            party=f"huis-{number}",
            name=f"A{text}",
            text=f"A{text}",
            iban=iban(number),
            cents=cents,
        )
        for number, cents in enumerate(amounts)
    ]

    ordered = order(*instructions, direction=direction)
    content = pain_document(ordered)

    check_against(ordered, content)
    read = read_order(content)
    assert (read.count, read.control_cents) == (len(amounts), sum(amounts))
    assert all(line.cents > 0 for line in read.lines)
    assert all(set(line.name) | set(line.text) <= SEPA_SET for line in read.lines)


@given(st.integers(-(10**14), 10**14))
def test_cents_written_as_euros_are_read_the_same(cents: int) -> None:
    assert cents_of(euros(abs(cents))) == abs(cents)
    assert euros(-abs(cents)) == ("-" if cents else "") + euros(abs(cents))


@pytest.mark.parametrize("text", ["", "1,50", "-1", "1.005", "1e3", "NaN", "٣", "1" * 16])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BooksError):
        cents_of(text)


def test_letters_become_those_that_banks_know() -> None:
    # EPC217-08 conversion table: accents fall away, & becomes +, others a near neighbour.
    assert sepa_text("Zoë & Søren_Łuk@wijk", 70) == "Zoe + Soren-Luk(wijk"
    assert sepa_text("x" * 99, 70) == "x" * 70


def test_a_town_is_needed_of_the_cooperative_too() -> None:
    nowhere = Address("Wijkplein", "1", "3511 AA", "", "NL")
    with pytest.raises(BooksError, match=r"books\.toml"):
        pain_document(replace(order(ONE), address=nowhere))
