"""Answers of our own making, in the shapes that EnergyZero's were recorded in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

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


def nordpool(start_s: int, eur_per_mwh: Sequence[float], length_s: int = 900) -> bytes:
    """Nord Pool's portal: UTC stamps under a delivery date, numbers by area."""
    rows = [
        {
            "deliveryStart": instant_text(start_s + place * length_s),
            "deliveryEnd": instant_text(start_s + (place + 1) * length_s),
            "entryPerArea": {"NL": price},
        }
        for place, price in enumerate(eur_per_mwh)
    ]
    return json.dumps({"market": "DayAhead", "multiAreaEntries": rows, "currency": "EUR"}).encode()


def awattar(start_s: int, eur_per_mwh: Sequence[float]) -> bytes:
    """aWATTar: milliseconds, hours, the unit in every row."""
    rows = [
        {
            "start_timestamp": (start_s + place * 3600) * 1000,
            "end_timestamp": (start_s + (place + 1) * 3600) * 1000,
            "marketprice": price,
            "unit": "Eur/MWh",
        }
        for place, price in enumerate(eur_per_mwh)
    ]
    return json.dumps({"object": "list", "data": rows, "url": "/de/v1/marketdata"}).encode()


def period(start: str, end: str, step: str, points: Mapping[int, str]) -> str:
    """One period of an ENTSO-E series; positions that are left out are left out."""
    rows = "".join(
        f"<Point><position>{place}</position><price.amount>{price}</price.amount></Point>"
        for place, price in points.items()
    )
    return (
        f"<Period><timeInterval><start>{start}</start><end>{end}</end></timeInterval>"
        f"<resolution>{step}</resolution>{rows}</Period>"
    )


def series(*periods: str, sequence: str = "", curve: str = "A03", unit: str = "MWH") -> str:
    """One ENTSO-E series; with two auctions each has its sequence."""
    name = "classificationSequence_AttributeInstanceComponent.position"
    told = f"<{name}>{sequence}</{name}>" if sequence else ""
    return (
        "<TimeSeries><mRID>1</mRID><currency_Unit.name>EUR</currency_Unit.name>"
        f"<price_Measure_Unit.name>{unit}</price_Measure_Unit.name>{told}"
        f"<curveType>{curve}</curveType>{''.join(periods)}</TimeSeries>"
    )


def entsoe(*all_series: str, version: str = "7:3") -> bytes:
    """An ENTSO-E document of prices; the version of its namespace changes now and then."""
    space = f"urn:iec62325.351:tc57wg16:451-3:publicationdocument:{version}"
    body = "".join(all_series)
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Publication_MarketDocument xmlns="{space}">'
        f"<type>A44</type>{body}</Publication_MarketDocument>"
    ).encode()


def entsoe_no(text: str, version: str = "8:1") -> bytes:
    """An ENTSO-E acknowledgement: code 999, and a text that tells why."""
    space = f"urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:{version}"
    return (
        f'<Acknowledgement_MarketDocument xmlns="{space}"><Reason><code>999</code>'
        f"<text>{text}</text></Reason></Acknowledgement_MarketDocument>"
    ).encode()
