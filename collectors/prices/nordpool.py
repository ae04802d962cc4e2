"""Day-ahead prices from Nord Pool's data portal, without an account; quarters or hours.

Source:
    Address and parameters as used by Home Assistant's nordpool integration (pynordpool): one
    delivery date a question, in CET; the answer's stamps are in UTC. Before publication the
    portal answers 204. The portal is no promised interface: its terms are Nord Pool's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from collectors.answers import AnswerError, NothingToldError, Told, json_object, json_rows, shown
from collectors.outside import Patience
from collectors.prices.far_prices import FarPrices, told_series
from collectors.prices.model import PriceQuarter, PriceSeries, spread
from collectors.prices.price_text import price_of, stamp_s
from kwartier.interval import HOME_ZONE, Zone

WHO = "Nord Pool"
BASE_URL = "https://dataportal-api.nordpoolgroup.com"
PATH = "/api/DayAheadPrices"
MAX_ROWS = 1000


class NordPool(FarPrices):
    """A source of day-ahead prices for one delivery area."""

    name = "nordpool"
    who = WHO

    def __init__(
        self,
        base_url: str = BASE_URL,
        patience: Patience | None = None,
        area: str = "NL",
        zone: Zone = HOME_ZONE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask for an area, such as ``NL``; nothing is sent yet."""
        super().__init__(base_url, patience, zone, pause)
        self._area = area

    def around(self, day: date) -> PriceSeries:
        """Return what is told of a delivery date."""
        question = {
            "date": day.isoformat(),
            "market": "DayAhead",
            "deliveryArea": self._area,
            "currency": "EUR",
        }
        body = self._far.whole(self._far.get(PATH, question), str(day))
        return parse_nordpool(body, self._area)


def parse_nordpool(body: bytes, area: str = "NL") -> PriceSeries:
    """Return the quarters of an answer's prices for an area; an hour becomes four.

    Raises:
        NothingToldError: The answer is well formed and holds no price for the area.
        AnswerError: The answer has no shape that is known here, or another currency.
    """
    if not body.strip():
        raise NothingToldError(f"{WHO} has no prices for this time: ask again later")
    told = json_object(body, WHO)
    if "multiAreaEntries" not in told:
        raise AnswerError(f"{WHO}'s answer has no 'multiAreaEntries': {shown(told)}")
    if told.get("currency", "EUR") != "EUR":
        raise AnswerError(f"{WHO}'s answer is in {shown(told['currency'])}: ask for EUR")
    rows = json_rows(told["multiAreaEntries"], "multiAreaEntries", WHO, MAX_ROWS)
    return told_series((_row(row, area) for row in rows), WHO, f"{area} at this time")


def _row(row: dict[str, Told], area: str) -> list[PriceQuarter]:
    prices = row.get("entryPerArea")
    if not isinstance(prices, dict):
        raise AnswerError(f"{WHO}'s answer: a row has no 'entryPerArea': {shown(row)}")
    price = prices.get(area)
    if price is None:
        return []
    start_s, end_s = stamp_s(row.get("deliveryStart"), WHO), stamp_s(row.get("deliveryEnd"), WHO)
    return spread(start_s, end_s, _price(price), WHO)


def _price(told: Told) -> Decimal:
    if not isinstance(told, str):
        raise AnswerError(f"{WHO}'s answer: a price is {shown(told)}, no number")
    return price_of(told)
