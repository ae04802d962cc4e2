"""Answers recorded elsewhere, where somebody has them: each becomes quarters or a named error.

``KWARTIER_SAMPLES`` names a folder with ``prices/responses`` in it; the recordings are not ours to
hand on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from collectors.answers import AnswerError, NothingToldError, RefusedError, SourceDownError
from collectors.prices.awattar import parse_awattar
from collectors.prices.energyzero_answer import parse_answer
from collectors.prices.entsoe_answer import parse_entsoe
from collectors.prices.file import read_prices
from collectors.prices.model import PriceSeries
from collectors.prices.nordpool import parse_nordpool
from kwartier.errors import KwartierError

FOLDER = os.environ.get("KWARTIER_SAMPLES", "")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="set KWARTIER_SAMPLES to a folder with recorded answers"
)

Told = tuple[int, str, str, str] | type[KwartierError]
READ: dict[str, tuple[Callable[[bytes], PriceSeries], Told]] = {
    "awattar_marketdata_de_2021-09-23.json": (
        parse_awattar, (96, "2021-09-23T13:00:00Z", "67.97", "178.4")),
    "constructed_entsoe_ack_no_data.xml": (parse_entsoe, NothingToldError),
    "constructed_entsoe_ack_too_much.xml": (parse_entsoe, RefusedError),
    "energyzero_graphql_energy.json": (
        parse_answer, (96, "2025-05-30T22:00:00Z", "-13.17", "192.37")),
    "energyzero_graphql_energy_no_prices.json": (parse_answer, NothingToldError),
    "energyzero_graphql_gas.json": (parse_answer, AnswerError),
    "energyzero_graphql_gql_error.json": (parse_answer, SourceDownError),
    "energyzero_graphql_no_data.json": (parse_answer, NothingToldError),
    "energyzero_legacy_energy.json": (
        parse_answer, (100, "2022-12-06T22:00:00Z", "260", "550")),
    "energyzero_rest_electricity_hour_response.json": (
        parse_answer, (288, "2025-12-15T23:00:00Z", "66.635", "119.36")),
    "energyzero_rest_electricity_quarter_response.json": (
        parse_answer, (288, "2025-12-15T23:00:00Z", "7.08", "173.75")),
    "energyzero_rest_error_response.json": (parse_answer, RefusedError),
    "energyzero_rest_gas_day_response.json": (parse_answer, AnswerError),
    "entsoe_a44_be_2024-10-06_15min_and_60min.xml": (
        parse_entsoe, (288, "2024-10-05T22:00:00Z", "-0.01", "159.2")),
    "entsoe_a44_be_2024-10-08_60min.xml": (
        parse_entsoe, (96, "2024-10-07T22:00:00Z", "47.05", "115.47")),
    "entsoe_a44_de-lu_2026-02-02_15min_two_auctions.xml": (
        parse_entsoe, (192, "2026-02-01T23:00:00Z", "76.02", "154.13")),
    "nordpool_dayahead_nl_2024-11-05.json": (
        parse_nordpool, (96, "2024-11-04T23:00:00Z", "83.63", "472.99")),
    "rendered_entsoe_a44_nl_2025-03-30_60min_23h.xml": (
        parse_entsoe, (92, "2025-03-29T23:00:00Z", "-33", "65")),
    "rendered_entsoe_a44_nl_2025-11-09_15min.xml": (
        parse_entsoe, (96, "2025-11-08T23:00:00Z", "80.5", "128.2")),
}  # fmt: skip
"""What each must become: how many quarters, the first, the lowest and the highest price."""
FILES = {"jeroen_nl_csv_2025-03-30_dst.csv": 92, "jeroen_nl_csv_2025-10-26_dst.csv": 96}
"""The second is a day of 100 quarters whose repeated hour its source lost."""


def responses() -> Path:
    return Path(FOLDER) / "prices" / "responses"


@pytest.mark.parametrize("name", READ)
def test_a_recorded_answer_becomes_quarters_or_a_named_error(name: str) -> None:
    parse, expected = READ[name]
    body = (responses() / name).read_bytes()
    if isinstance(expected, type):
        with pytest.raises(expected):
            parse(body)
        return
    count, first, lowest, highest = expected
    told = parse(body)
    prices = [price.eur_per_mwh for price in told]
    assert (len(told), str(next(iter(told)).quarter)) == (count, first)
    assert (min(prices), max(prices)) == (Decimal(lowest), Decimal(highest))


@pytest.mark.parametrize("name", FILES)
def test_a_recorded_file_has_its_quarters(name: str) -> None:
    assert len(read_prices(responses() / name)) == FILES[name]


def test_every_recorded_answer_is_tried() -> None:
    assert {path.name for path in responses().iterdir()} == READ.keys() | FILES.keys()
