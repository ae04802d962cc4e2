"""Day-ahead prices from the ENTSO-E transparency platform; it asks for a key, which is free.

Source:
    Address, parameters and area codes of the platform's RESTful interface guide.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from collectors.answers import RefusedError
from collectors.outside import Patience
from collectors.prices.entsoe_answer import WHO, parse_entsoe
from collectors.prices.far_prices import FarPrices
from collectors.prices.model import PriceSeries
from kwartier.errors import SettingsError
from kwartier.interval import HOME_ZONE, Zone, local_day
from kwartier.units import EpochS

BASE_URL = "https://web-api.tp.entsoe.eu"
PATH = "/api"
AREAS = {
    "NL": "10YNL----------L",
    "BE": "10YBE----------2",
    "DE-LU": "10Y1001A1001A82H",
    "AT": "10YAT-APG------L",
    "FR": "10YFR-RTE------C",
}
"""The energy identification code of each bidding zone."""


class Entsoe(FarPrices):
    """A source of day-ahead prices for one bidding zone."""

    name = "entsoe"
    who = WHO

    def __init__(
        self,
        token: str,
        base_url: str = BASE_URL,
        patience: Patience | None = None,
        area: str = "NL",
        zone: Zone = HOME_ZONE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask with a key; nothing is sent yet, and the key stands in no message.

        Raises:
            SettingsError: The area is not known.
        """
        if area not in AREAS:
            raise SettingsError(f"area {area[:20]!r} is not known: use {', '.join(AREAS)}")
        super().__init__(base_url, patience, zone, pause, token)
        self._token = token
        self._code = AREAS[area]

    def around(self, day: date) -> PriceSeries:
        """Return what is told of a day."""
        start_s, end_s = local_day(day, self._zone)
        answer = self._far.get(
            PATH,
            {
                "securityToken": self._token,
                "documentType": "A44",
                "in_Domain": self._code,
                "out_Domain": self._code,
                "periodStart": _minute(start_s),
                "periodEnd": _minute(end_s),
            },
        )
        if answer.status in {401, 403}:
            raise RefusedError(f"{WHO} does not accept the key: look at token_file")
        # A refusal is XML too, and says more than its status does.
        body = answer.body if answer.status == 400 else self._far.whole(answer, str(day))
        return parse_entsoe(body)


def _minute(at_s: EpochS) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y%m%d%H%M")
