"""What EnergyZero answers: three shapes of prices, and several ways to say no.

Their public REST service gives each price with its start and end, quarters or hours; the GraphQL
service gives hours and may say ``errors`` under status 200; an older service gave hours by their
start only. Prices are in EUR/kWh. Only the market price is taken, without VAT where the answer
tells the two apart: what comes on top is a matter of the tariff.

Source:
    Answers recorded by github.com/klaasnicolaas/python-energyzero (tests/fixtures).
"""

from __future__ import annotations

from decimal import Decimal

from collectors.answers import (
    AnswerError,
    RefusedError,
    SourceDownError,
    Told,
    json_object,
    json_rows,
    shown,
)
from collectors.prices.far_prices import told_series
from collectors.prices.model import HOUR_S, PriceQuarter, PriceSeries, spread
from collectors.prices.price_text import mwh_from_kwh, price_of, stamp_s

MAX_ROWS = 4000
"""More prices than this (40 days of quarters) are not asked for, and not taken."""

WHO = "EnergyZero"


def parse_answer(body: bytes) -> PriceSeries:
    """Return the quarters of an answer's market prices; an hour becomes four.

    Raises:
        NothingToldError: The answer is well formed and holds no price.
        SourceDownError: The service says that it failed.
        RefusedError: The service refused the question.
        AnswerError: The answer has no shape that is known here.
    """
    told = json_object(body, WHO)
    if "base" in told:
        return told_series((_rest_row(row) for row in _rows(told, "base")), WHO)
    if "Prices" in told:
        return told_series((_legacy_row(row) for row in _rows(told, "Prices")), WHO)
    if told.get("errors"):
        raise SourceDownError(f"{WHO} failed to answer: {shown(told['errors'])}")
    if "data" in told:
        return told_series((_graphql_row(row) for row in _graphql_rows(told["data"])), WHO)
    if "message" in told:
        raise RefusedError(f"{WHO} refused the question: {shown(told['message'])}")
    raise AnswerError(
        f"{WHO}'s answer has none of the keys 'base', 'data' and 'Prices': {shown(told)}"
    )


def _rest_row(row: dict[str, Told]) -> list[PriceQuarter]:
    price = row.get("price")
    if not isinstance(price, dict):
        raise AnswerError(f"{WHO}'s answer: 'price' is {shown(price)}, not an object")
    start_s, end_s = stamp_s(row.get("start"), WHO), stamp_s(row.get("end"), WHO)
    return spread(start_s, end_s, _price(price, "value"), WHO)


def _graphql_row(row: dict[str, Told]) -> list[PriceQuarter]:
    kind = row.get("type", "Electricity")
    if kind != "Electricity":
        raise AnswerError(f"{WHO}'s answer prices {shown(kind)}: this is not electricity")
    start_s, end_s = stamp_s(row.get("from"), WHO), stamp_s(row.get("till"), WHO)
    return spread(start_s, end_s, _price(row, "energyPriceExcl"), WHO)


def _legacy_row(row: dict[str, Told]) -> list[PriceQuarter]:
    start_s = stamp_s(row.get("readingDate"), WHO)
    return spread(start_s, start_s + HOUR_S, _price(row, "price"), WHO)


def _graphql_rows(data: Told) -> list[dict[str, Told]]:
    if not data:
        return []
    market = data.get("energyMarketPrices") if isinstance(data, dict) else None
    if not isinstance(market, dict):
        raise AnswerError(f"{WHO}'s answer: 'data' holds no 'energyMarketPrices' but {shown(data)}")
    return _rows(market, "prices")


def _rows(told: dict[str, Told], name: str) -> list[dict[str, Told]]:
    return json_rows(told.get(name), name, WHO, MAX_ROWS)


def _price(row: dict[str, Told], name: str) -> Decimal:
    text = row.get(name)
    if not isinstance(text, str):
        raise AnswerError(f"{WHO}'s answer: a price has no {name!r}: {shown(row)}")
    return mwh_from_kwh(price_of(text))
