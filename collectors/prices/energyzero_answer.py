"""What EnergyZero answers: three shapes of prices, and several ways to say no.

Their public REST service gives each price with its start and end, quarters or hours; the GraphQL
service gives hours and may say ``errors`` under status 200; an older service gave hours by their
start only. Prices are in EUR/kWh. Only the market price is taken, without VAT where the answer
tells the two apart: what comes on top is a matter of the tariff.

Source:
    Answers recorded by github.com/klaasnicolaas/python-energyzero (tests/fixtures).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from collectors.prices.model import (
    TIMES_S,
    NoPricesError,
    PriceAnswerError,
    PriceQuarter,
    PriceRefusedError,
    PriceSeries,
    PriceSourceDownError,
    hour_of,
)
from collectors.prices.price_text import mwh_from_kwh, price_of
from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter, epoch_s, parse_instant
from kwartier.units import EpochS

MAX_ROWS = 4000
"""More prices than this (40 days of quarters) are not asked for, and not taken."""
HOUR_S = 3600

Told: TypeAlias = "bool | str | list[Told] | dict[str, Told] | None"
"""JSON whose numbers are still the text that was sent, so that nothing is rounded."""


def parse_answer(body: bytes) -> PriceSeries:
    """Return the quarters of an answer's market prices; an hour becomes four.

    Raises:
        NoPricesError: The answer is well formed and holds no price.
        PriceSourceDownError: The service says that it failed.
        PriceRefusedError: The service refused the question.
        PriceAnswerError: The answer has no shape that is known here.
    """
    told = _told(body)
    try:
        return _prices(told)
    except PriceAnswerError:
        raise
    except ContractError as error:
        raise PriceAnswerError(f"EnergyZero's answer: {error}") from error


def refusal(body: bytes) -> str:
    """Return what a refusing answer says, short enough for a message."""
    try:
        told = _told(body)
    except PriceAnswerError:
        return _shown(body.decode("utf-8", "replace"))
    return _shown(told.get("message", told))


def _prices(told: dict[str, Told]) -> PriceSeries:
    if "base" in told:
        return _series(_rest_row(row) for row in _rows(told, "base"))
    if "Prices" in told:
        return _series(_legacy_row(row) for row in _rows(told, "Prices"))
    if told.get("errors"):
        raise PriceSourceDownError(f"EnergyZero failed to answer: {_shown(told['errors'])}")
    if "data" in told:
        return _series(_graphql_row(row) for row in _graphql_rows(told["data"]))
    if "message" in told:
        raise PriceRefusedError(f"EnergyZero refused the question: {_shown(told['message'])}")
    raise PriceAnswerError(
        f"EnergyZero's answer has none of the keys 'base', 'data' and 'Prices': {_shown(told)}"
    )


def _series(prices: Iterable[list[PriceQuarter]]) -> PriceSeries:
    series = PriceSeries.of(price for quarters in prices for price in quarters)
    if not series:
        raise NoPricesError("EnergyZero has no prices for this time: ask again later")
    return series


def _rest_row(row: dict[str, Told]) -> list[PriceQuarter]:
    price = row.get("price")
    if not isinstance(price, dict):
        raise PriceAnswerError(f"EnergyZero's answer: 'price' is {_shown(price)}, not an object")
    return _spread(_instant(row, "start"), _instant(row, "end"), _price(price, "value"))


def _graphql_row(row: dict[str, Told]) -> list[PriceQuarter]:
    kind = row.get("type", "Electricity")
    if kind != "Electricity":
        raise PriceAnswerError(f"EnergyZero's answer prices {_shown(kind)}: ask for electricity")
    return _spread(_instant(row, "from"), _instant(row, "till"), _price(row, "energyPriceExcl"))


def _legacy_row(row: dict[str, Told]) -> list[PriceQuarter]:
    start_s = _instant(row, "readingDate")
    return _spread(start_s, start_s + HOUR_S, _price(row, "price"))


def _spread(start_s: EpochS, end_s: EpochS, eur_per_mwh: Decimal) -> list[PriceQuarter]:
    """Return the quarters between the ends of one price: one, or the four of an hour."""
    if end_s - start_s == QUARTER_S:
        return [PriceQuarter(Quarter(start_s), eur_per_mwh)]
    if end_s - start_s == HOUR_S and start_s % HOUR_S == 0:
        return hour_of(start_s, eur_per_mwh)
    raise PriceAnswerError(
        f"EnergyZero's answer has a price that holds for {(end_s - start_s) / 60:g} minutes from "
        f"{Quarter.containing(start_s)}: electricity is sold by the quarter or the hour"
    )


def _graphql_rows(data: Told) -> list[dict[str, Told]]:
    if not data:
        return []
    market = data.get("energyMarketPrices") if isinstance(data, dict) else None
    if not isinstance(market, dict):
        raise PriceAnswerError(
            f"EnergyZero's answer: 'data' holds no 'energyMarketPrices' but {_shown(data)}"
        )
    return _rows(market, "prices")


def _rows(told: dict[str, Told], name: str) -> list[dict[str, Told]]:
    rows = told.get(name)
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise PriceAnswerError(
            f"EnergyZero's answer: {name!r} must be a list of at most {MAX_ROWS} prices"
        )
    wrong = [row for row in rows if not isinstance(row, dict)]
    if wrong:
        raise PriceAnswerError(f"EnergyZero's answer: {name!r} holds {_shown(wrong[0])}")
    return [row for row in rows if isinstance(row, dict)]


def _instant(row: dict[str, Told], name: str) -> EpochS:
    text = row.get(name)
    if not isinstance(text, str):
        raise PriceAnswerError(f"EnergyZero's answer: a price has no {name!r}: {_shown(row)}")
    at_s = epoch_s(parse_instant(text))
    if at_s not in TIMES_S:
        raise PriceAnswerError(
            f"EnergyZero's answer: {name!r} is {_shown(text)}, which is no year of prices"
        )
    return at_s


def _price(row: dict[str, Told], name: str) -> Decimal:
    text = row.get(name)
    if not isinstance(text, str):
        raise PriceAnswerError(f"EnergyZero's answer: a price has no {name!r}: {_shown(row)}")
    return mwh_from_kwh(price_of(text))


def _told(body: bytes) -> dict[str, Told]:
    """Return a JSON object with its numbers as text."""
    try:
        told = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise PriceAnswerError(
            f"EnergyZero's answer is no JSON: {error}; it starts with "
            f"{_shown(body[:60].decode('utf-8', 'replace'))}"
        ) from error
    if not isinstance(told, dict):
        raise PriceAnswerError(f"EnergyZero's answer is no JSON object: {_shown(told)}")
    return told


def _shown(told: Told) -> str:
    """Return the beginning of what was told, as it may stand in a message."""
    return repr(told)[:120]
