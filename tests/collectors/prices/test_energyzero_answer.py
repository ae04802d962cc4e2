from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.answers import AnswerError, NothingToldError, RefusedError, SourceDownError
from collectors.prices.energyzero_answer import parse_answer
from kwartier.errors import KwartierError
from kwartier.interval import Quarter
from tests.collectors.prices.answers import GRAPHQL_ERROR, LEGACY, REFUSED, graphql, rest

MIDNIGHT = Quarter.parse("2026-06-30T22:00:00Z")


def test_a_rest_answer_of_quarters_gives_market_prices_per_mwh_exactly() -> None:
    prices = parse_answer(rest(MIDNIGHT.start_s, ["0.07994", "-0.0001", "0"]))

    assert prices.over(MIDNIGHT.start_s, MIDNIGHT.next(4).start_s) == (
        Decimal("79.94"),
        Decimal("-0.1"),
        Decimal(0),
        None,
    )


def test_a_rest_answer_of_hours_spreads_over_four_quarters_each() -> None:
    prices = parse_answer(rest(MIDNIGHT.start_s, ["0.077495", "0.074315"], length_s=3600))

    told = prices.over(MIDNIGHT.start_s, MIDNIGHT.next(8).start_s)
    assert told == (Decimal("77.495"),) * 4 + (Decimal("74.315"),) * 4


def test_a_graphql_answer_gives_the_price_without_vat() -> None:
    body = graphql(("2026-06-30T22:00:00Z", "2026-06-30T23:00:00Z", 0.107))

    told = parse_answer(body).over(MIDNIGHT.start_s, MIDNIGHT.next(4).start_s)

    assert told == (Decimal(107),) * 4


def test_the_older_service_gave_hours_by_their_start() -> None:
    first = Quarter.parse("2022-12-06T22:00:00Z")

    told = parse_answer(LEGACY).over(first.start_s, first.next(8).start_s)

    assert told == (Decimal(310),) * 4 + (Decimal(-50),) * 4


def test_errors_under_status_200_are_a_service_that_failed() -> None:
    with pytest.raises(SourceDownError, match="internal_server_error"):
        parse_answer(GRAPHQL_ERROR)


def test_a_refused_question_is_told_in_the_words_of_the_service() -> None:
    with pytest.raises(RefusedError, match="does not match regex"):
        parse_answer(REFUSED)


@pytest.mark.parametrize(
    "body", [rest(MIDNIGHT.start_s, []), graphql(), b'{"data": []}', b'{"Prices": []}']
)
def test_a_well_formed_answer_without_prices_says_that_there_are_none(body: bytes) -> None:
    with pytest.raises(NothingToldError, match="ask again later"):
        parse_answer(body)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "no JSON"),
        (b"<html>gateway time-out</html>", "no JSON: .*<html>"),
        (b'{"base": [{"start": "2026-0', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "none of the keys"),
        (b'{"base": 7}', "'base' must be a list"),
        (b'{"base": [7]}', "'base' holds '7'"),
        (b'{"base": [{"start": "2026-06-30T22:00:00Z"}]}', "'price' is None"),
        (b'{"data": {"gas": []}}', "no 'energyMarketPrices'"),
        (rest(MIDNIGHT.start_s, ["0,08"]), "'0,08' is no number"),
        (rest(MIDNIGHT.start_s, ["NaN"]), "'NaN' is no number"),
        (rest(MIDNIGHT.start_s, ["87.5"]), "87500 EUR/MWh lies outside"),
        (rest(MIDNIGHT.start_s + 60, ["0.1"]), "not the start of a quarter"),
        (rest(MIDNIGHT.start_s + 900, ["0.1"], length_s=3600), "holds for 60 minutes"),
        (rest(MIDNIGHT.start_s, ["0.1"], length_s=86_400), "holds for 1440 minutes"),
        (rest(MIDNIGHT.start_s, ["0.1"]).replace(b"22:15:00Z", b"22:15:00"), "has no offset"),
        (LEGACY.replace(b"T23:00:00Z", b"T22:00:00Z"), "has two prices"),
        (LEGACY.replace(b"-0.05", b"Infinity"), "'Infinity' is no number"),
        (LEGACY.replace(b"-0.05", b"true"), "has no 'price'"),
        (LEGACY.replace(b"-0.05", b"1e99"), "lies outside"),
        (LEGACY.replace(b"-0.05", b"1" * 5000), "is no number"),
        (LEGACY.replace(b"2022-12-06T22:00:00Z", b"0001-01-01T00:00:00+14:00"), "outside the y"),
        (LEGACY.replace(b"2022-12-06T22:00:00Z", b"0001-01-01T00:00:00Z"), "no year of prices"),
        (graphql(("2026-06-30T22:00:00Z", "2026-06-30T23:00:00Z", 0.1)).replace(
            b'"Electricity"', b'"Gas"'), "prices 'Gas'"),
    ],
)  # fmt: skip
def test_an_answer_of_no_known_shape_is_refused_with_what_is_wrong(body: bytes, named: str) -> None:
    with pytest.raises(AnswerError, match=named):
        parse_answer(body)


def outcome(body: bytes) -> str:
    """Return what became of an answer: prices, or an error of ours short enough to log."""
    try:
        return f"{len(parse_answer(body))} prices"
    except KwartierError as error:
        return str(error)[:600] if len(str(error)) < 600 else ""


PIECES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["base", "Prices", "data", "errors", "energyMarketPrices", "prices", "price",
                 "value", "start", "end", "from", "till", "energyPriceExcl", "readingDate", "type"]
            ),
            inner | st.just("2026-06-30T22:00:00Z") | st.just("2026-06-30T22:15:00Z"),
            max_size=5,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(told=PIECES)
def test_no_json_whatever_ends_in_anything_but_prices_or_a_named_error(told: object) -> None:
    assert outcome(json.dumps(told).encode())


@given(cut=st.integers(0, 400), noise=st.binary(max_size=8))
def test_no_damaged_answer_ends_in_anything_but_prices_or_a_named_error(
    cut: int, noise: bytes
) -> None:
    whole = rest(MIDNIGHT.start_s, ["0.1", "0.2"])

    assert outcome(whole[:cut] + noise + whole[cut + 3 :])


@given(milli=st.lists(st.integers(-999_999, 9_999_999), min_size=1, max_size=50))
def test_every_price_arrives_to_the_last_digit(milli: list[int]) -> None:
    per_kwh = [f"{Decimal(price).scaleb(-6):f}" for price in milli]

    prices = parse_answer(rest(MIDNIGHT.start_s, per_kwh))

    assert [price.eur_per_mwh for price in prices] == [Decimal(price) / 1000 for price in milli]


RECORDED = [
    # name, quarters or the error, first and last price: read off the recorded files by eye
    ("rest_electricity_quarter_response", 288, "79.94", "7.08"),
    ("rest_electricity_hour_response", 288, "77.495", "88.85"),
    ("graphql_energy", 96, "107", "99.79"),
    ("legacy_energy", 100, "310", "310"),
    ("graphql_energy_no_prices", NothingToldError, "", ""),
    ("graphql_no_data", NothingToldError, "", ""),
    ("graphql_gas", AnswerError, "", ""),
    ("rest_gas_day_response", AnswerError, "", ""),
    ("graphql_gql_error", SourceDownError, "", ""),
    ("rest_error_response", RefusedError, "", ""),
]


@pytest.mark.parametrize(("name", "expected", "first", "last"), RECORDED)
def test_every_recorded_answer_becomes_quarters_or_a_named_error(
    shared_data: Path, name: str, expected: int | type[KwartierError], first: str, last: str
) -> None:
    body = (shared_data / "prices" / "responses" / f"energyzero_{name}.json").read_bytes()

    if isinstance(expected, int):
        told = list(parse_answer(body))
        assert len(told) == expected
        assert (told[0].eur_per_mwh, told[-1].eur_per_mwh) == (Decimal(first), Decimal(last))
    else:
        with pytest.raises(expected):
            parse_answer(body)
