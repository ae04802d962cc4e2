"""Day-ahead prices from aWATTar, without an account: Germany and Austria, by the hour.

Source:
    The service's own description at www.awattar.de/services/api: instants in milliseconds since
    1970, prices in EUR/MWh before tax, some days at once.
"""

from __future__ import annotations

from datetime import date

from collectors.answers import AnswerError, Told, is_whole, json_object, json_rows, shown
from collectors.prices.far_prices import FarPrices, told_series
from collectors.prices.model import TIMES_S, PriceQuarter, PriceSeries, spread
from collectors.prices.price_text import price_of
from kwartier.interval import local_day
from kwartier.units import EpochS

WHO = "aWATTar"
URLS = {"DE-LU": "https://api.awattar.de", "AT": "https://api.awattar.at"}
"""The service of each bidding zone."""
PATH = "/v1/marketdata"
MAX_ROWS = 1000
UNIT = "eur/mwh"


class Awattar(FarPrices):
    """A source of day-ahead prices for Germany or Austria; for the Netherlands it says nothing."""

    name = "awattar"
    who = WHO

    def around(self, day: date) -> PriceSeries:
        """Return what is told of a day."""
        start_s, end_s = local_day(day, self._zone)
        question = {"start": str(start_s * 1000), "end": str(end_s * 1000)}
        return parse_awattar(self._far.whole(self._far.get(PATH, question), str(day)))


def parse_awattar(body: bytes) -> PriceSeries:
    """Return the quarters of an answer's prices; an hour becomes four.

    Raises:
        NothingToldError: The answer is well formed and holds no price.
        AnswerError: The answer has no shape that is known here, or another unit.
    """
    rows = json_rows(json_object(body, WHO).get("data"), "data", WHO, MAX_ROWS)
    return told_series((_row(row) for row in rows), WHO)


def _row(row: dict[str, Told]) -> list[PriceQuarter]:
    unit = row.get("unit")
    if not isinstance(unit, str) or unit.lower() != UNIT:
        raise AnswerError(f"{WHO}'s answer: the unit is {shown(unit)}, not Eur/MWh")
    price = row.get("marketprice")
    if not isinstance(price, str):
        raise AnswerError(f"{WHO}'s answer: a row has no 'marketprice': {shown(row)}")
    start_s, end_s = _instant(row, "start_timestamp"), _instant(row, "end_timestamp")
    return spread(start_s, end_s, price_of(price), WHO)


def _instant(row: dict[str, Told], name: str) -> EpochS:
    text = row.get(name)
    if not isinstance(text, str) or not is_whole(text, 15) or int(text) % 1000:
        raise AnswerError(f"{WHO}'s answer: {name!r} is {shown(text)}, no whole second in ms")
    if int(text) // 1000 not in TIMES_S:
        raise AnswerError(f"{WHO}'s answer: {name!r} is {shown(text)}, which is no year of prices")
    return int(text) // 1000
