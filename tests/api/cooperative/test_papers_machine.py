"""The JSON of a statement: it keeps its schema, comes back equal, and refuses what is not one."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from api.cooperative.papers.machine import read_statement, statement_json, statement_schema
from api.cooperative.statement import Statement, StatementLine
from kwartier.errors import ContractError
from kwartier.wire import Json
from tests.api.cooperative import example_statements as examples

EXAMPLES = {each.party.id: each for each in examples.all_of_them()}
CENTS = st.integers(-(10**12), 10**12)
LINES = st.builds(
    lambda line, cents, energy_wh, decision: replace(
        line, amount_cents=cents, energy_wh=energy_wh, tariff_decision=decision
    ),
    st.sampled_from(examples.final().lines),
    CENTS,
    st.none() | st.integers(0, 10**12),
    st.text(st.characters(codec="utf-8"), max_size=40),
)


@pytest.mark.parametrize("party", EXAMPLES)
def test_a_statement_keeps_the_published_schema(party: str) -> None:
    schema = statement_schema()
    assert isinstance(schema, dict)
    Draft202012Validator.check_schema(schema)

    body = json.loads(statement_json(EXAMPLES[party]))

    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(schema, format_checker=checker).validate(body)


@pytest.mark.parametrize("party", EXAMPLES)
def test_a_statement_comes_back_equal_and_as_the_same_text(party: str) -> None:
    text = statement_json(EXAMPLES[party])

    again = read_statement(text)

    assert again == EXAMPLES[party]
    assert statement_json(again) == text


@settings(max_examples=200)
@given(st.lists(LINES, max_size=4), CENTS, st.fractions())
def test_whatever_stands_in_a_statement_comes_back(
    lines: list[StatementLine], cents: int, rate: Fraction
) -> None:
    made: Statement = replace(
        examples.final(),
        lines=tuple(lines),
        to_pay_cents=cents,
        vat=tuple(replace(each, rate=rate) for each in examples.final().vat),
    )

    assert read_statement(statement_json(made)) == made


def test_cents_and_watt_hours_are_whole_and_fractions_are_text() -> None:
    body = json.loads(statement_json(examples.final()))

    assert body["format"] == "kwartier.statement/1"
    assert body["lines"][0]["amount_cents"] == 969
    assert body["lines"][0]["energy_wh"] == 53832
    assert body["lines"][0]["price_eur"] == "0.18"
    assert {part["rate"] for part in body["vat"]} == {"21/100", "0/1"}


def test_a_statement_tells_nothing_of_where_the_books_are() -> None:
    assert set(json.loads(statement_json(examples.final()))["coop"]) == {
        "name",
        "address",
        "kvk",
        "vat_number",
        "iban",
        "creditor_id",
        "phone",
        "email",
    }


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("format",), "other/1", '"format" must be'),
        (("net_cents",), 1.0, "is no whole number"),
        (("net_cents",), True, "statement.net_cents: 'True' is not a whole number"),
        (("lines", 0, "tariff_from"), "1 juli", "statement.lines[0].tariff_from"),
        (("vat", 0, "rate"), "1/0", "statement.vat[0].rate"),
        (("vat", 0, "earned"), 1, "statement.vat[0].earned: '1' is not true or false"),
        (("lines", 0, "charge"), "gift", "statement.lines[0].charge"),
        (("party", "name"), None, "statement.party.name: 'None' is not text"),
        (("party", "colour"), "red", "statement.party: missing or unknown: colour"),
        (("connections",), {}, "statement.connections: '{}' is not a list"),
        (("coop",), "us", "statement.coop: 'us' is not an object"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_place(
    path: tuple[str | int, ...], value: Json, told: str
) -> None:
    body = json.loads(statement_json(examples.final()))
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value

    with pytest.raises(ContractError) as refused:
        read_statement(json.dumps(body))
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="statement"):
        read_statement(text)
