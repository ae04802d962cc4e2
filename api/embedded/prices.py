"""Prices for a street that is not there: shaped like a sunny Dutch day, and made up."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal

from collectors.prices.model import PriceDay
from kwartier.interval import HOME_ZONE, quarters_of_day

_EUR_PER_MWH = (
    78, 74, 71, 69, 70, 78, 96, 112, 98, 62, 34, 12,
    -4, -9, -2, 15, 44, 86, 128, 151, 146, 124, 104, 89,
)  # fmt: skip
"""One a clock hour [EUR/MWh]."""


class MadeUpPrices:
    """A source of prices that needs no internet; the same day always has the same prices."""

    def day(self, day: date) -> PriceDay:
        """Return the prices of a day."""
        quarters = quarters_of_day(day)
        return PriceDay(
            day,
            tuple(quarters),
            tuple(
                self._price(day, datetime.fromtimestamp(quarter.start_s, HOME_ZONE))
                for quarter in quarters
            ),
        )

    def _price(self, day: date, local: datetime) -> Decimal:
        """Return a price that runs from hour to hour, moved a little by the day."""
        before, after = _EUR_PER_MWH[local.hour], _EUR_PER_MWH[(local.hour + 1) % 24]
        between = before + (after - before) * local.minute // 60
        digest = hashlib.blake2s(day.isoformat().encode(), digest_size=1).digest()
        return Decimal(between + digest[0] % 21 - 10)
