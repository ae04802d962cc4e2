"""Answers of our own making, in the shapes that EnergyZero's were recorded in."""

from __future__ import annotations

import json
from collections.abc import Sequence

from kwartier.interval import instant_text


def rest(start_s: int, eur_per_kwh: Sequence[str], length_s: int = 900) -> bytes:
    """The public REST service: text prices with start and end, in four lists."""
    rows = [
        {
            "start": instant_text(start_s + place * length_s),
            "end": instant_text(start_s + (place + 1) * length_s),
            "price": {"value": price},
        }
        for place, price in enumerate(eur_per_kwh)
    ]
    taxed = [{**row, "price": {"value": "9.99"}} for row in rows]
    return json.dumps(
        {
            "interval": 1 if length_s == 900 else 2,
            "range": {"start": instant_text(start_s), "end": instant_text(start_s)},
            "base": rows,
            "base_with_vat": taxed,
            "all_in": taxed,
            "all_in_with_vat": taxed,
        }
    ).encode()


def graphql(*rows: tuple[str, str, float]) -> bytes:
    """The GraphQL service: numbers, hours, taxes beside them."""
    prices = [
        {
            "energyPriceExcl": price,
            "energyPriceIncl": 9.99,
            "from": start,
            "till": end,
            "isAverage": False,
            "type": "Electricity",
            "vat": 0.21,
            "additionalCosts": [{"name": "Energy tax", "priceExcl": 0.1, "priceIncl": 0.121}],
        }
        for start, end, price in rows
    ]
    market = {"averageExcl": 0.1, "averageIncl": 0.12, "prices": prices}
    return json.dumps({"data": {"energyMarketPrices": market}}).encode()


GRAPHQL_ERROR = b"""{"errors": [{"message": "internal_server_error",
 "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR"}}], "data": null}"""

REFUSED = rb"""{"code": 3, "message": "invalid Date: value does not match regex", "details": []}"""

LEGACY = b"""{"Prices": [{"price": 0.31, "readingDate": "2022-12-06T22:00:00Z"},
 {"price": -0.05, "readingDate": "2022-12-06T23:00:00Z"}],
 "intervalType": 4, "average": 0.13,
 "fromDate": "2022-12-06T23:00:00Z", "tillDate": "2022-12-07T22:59:59.999Z"}"""
