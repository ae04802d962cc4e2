"""Day-ahead prices from EnergyZero, without an account: by REST in quarters, by GraphQL in hours.

Source:
    Addresses and parameters as used by github.com/klaasnicolaas/python-energyzero 5
    (src/energyzero/api): REST one local day a question, ``date`` as dd-mm-yyyy; GraphQL from
    instant to instant, electricity by the hour only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Self

from collectors.answers import Told
from collectors.outside import FarSide, Patience
from collectors.prices.energyzero_answer import WHO, parse_answer
from collectors.prices.model import PriceDay, PriceSeries, cut_day
from kwartier.interval import HOME_ZONE, Zone, instant_text, local_day

REST_URL = "https://public.api.energyzero.nl"
REST_PATH = "/public/v1/prices"
GRAPHQL_URL = "https://api.energyzero.nl"
GRAPHQL_PATH = "/v1/gql"

_QUERY = (
    "query EnergyMarketPrices($input: EnergyMarketPricesInput!) { energyMarketPrices(input: $input)"
    " { prices { energyPriceExcl from till type } } }"
)


class EnergyZero:
    """A source of day-ahead prices for the Netherlands; use it as a context, or close it."""

    name = "energyzero"

    def __init__(
        self,
        base_url: str = REST_URL,
        patience: Patience | None = None,
        zone: Zone = HOME_ZONE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask; nothing is sent yet."""
        self._zone = zone
        self._far = FarSide(WHO, base_url, patience, pause)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._far.close()

    def day(self, day: date) -> PriceDay:
        """Return the market prices of a local day; raises as ``PriceSource.day`` does."""
        return cut_day(self.around(day), day, self._zone, WHO)

    def around(self, day: date) -> PriceSeries:
        """Return all that is told when a day is asked for; often the days beside it too."""
        question = {
            "energyType": "ENERGY_TYPE_ELECTRICITY",
            "date": day.strftime("%d-%m-%Y"),
            "interval": "INTERVAL_QUARTER",
        }
        return parse_answer(self._far.whole(self._far.get(REST_PATH, question), str(day)))


class EnergyZeroGraphql:
    """The older way to ask EnergyZero: a price an hour, spread over its four quarters."""

    name = "energyzero_graphql"

    def __init__(
        self,
        base_url: str = GRAPHQL_URL,
        patience: Patience | None = None,
        zone: Zone = HOME_ZONE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask; nothing is sent yet."""
        self._zone = zone
        self._far = FarSide(WHO, base_url, patience, pause)

    def close(self) -> None:
        """Close the connections."""
        self._far.close()

    def day(self, day: date) -> PriceDay:
        """Return the market prices of a local day; raises as ``PriceSource.day`` does."""
        return cut_day(self.around(day), day, self._zone, WHO)

    def around(self, day: date) -> PriceSeries:
        """Return all that is told when a day is asked for."""
        start_s, end_s = local_day(day, self._zone)
        asked: Told = {
            "query": _QUERY,
            "operationName": "EnergyMarketPrices",
            "variables": {
                "input": {
                    "from": instant_text(start_s),
                    "till": instant_text(end_s),
                    "intervalType": "Hourly",
                    "type": "Electricity",
                }
            },
        }
        return parse_answer(self._far.whole(self._far.post_json(GRAPHQL_PATH, asked), str(day)))
