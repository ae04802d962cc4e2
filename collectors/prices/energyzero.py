"""Day-ahead prices from EnergyZero, without an account: by REST in quarters, by GraphQL in hours.

Source:
    Addresses and parameters as used by github.com/klaasnicolaas/python-energyzero 5
    (src/energyzero/api): REST one local day a question, ``date`` as dd-mm-yyyy; GraphQL from
    instant to instant, electricity by the hour only.
"""

from __future__ import annotations

from datetime import date

from collectors.answers import Told
from collectors.prices.energyzero_answer import WHO, parse_answer
from collectors.prices.far_prices import FarPrices
from collectors.prices.model import PriceSeries
from kwartier.interval import instant_text, local_day

REST_URL = "https://public.api.energyzero.nl"
REST_PATH = "/public/v1/prices"
GRAPHQL_URL = "https://api.energyzero.nl"
GRAPHQL_PATH = "/v1/gql"

_QUERY = (
    "query EnergyMarketPrices($input: EnergyMarketPricesInput!) { energyMarketPrices(input: $input)"
    " { prices { energyPriceExcl from till type } } }"
)


class EnergyZero(FarPrices):
    """A source of day-ahead prices for the Netherlands."""

    name = "energyzero"
    who = WHO

    def around(self, day: date) -> PriceSeries:
        """Return all that is told when a day is asked for; often the days beside it too."""
        question = {
            "energyType": "ENERGY_TYPE_ELECTRICITY",
            "date": day.strftime("%d-%m-%Y"),
            "interval": "INTERVAL_QUARTER",
        }
        return parse_answer(self._far.whole(self._far.get(REST_PATH, question), str(day)))


class EnergyZeroGraphql(FarPrices):
    """The older way to ask EnergyZero: a price an hour, spread over its four quarters."""

    name = "energyzero_graphql"
    who = WHO

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
