"""What services of day-ahead prices have in common: a far side, and days cut from answers."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import date
from typing import Self

from collectors.answers import AnswerError, NothingToldError
from collectors.outside import FarSide, Patience
from collectors.prices.model import PriceDay, PriceQuarter, PriceSeries, cut_day
from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE, Zone


class FarPrices(ABC):
    """A service of day-ahead prices; use it as a context, or close it."""

    name: str
    """As settings and logs have it."""
    who: str
    """As people call it."""

    def __init__(
        self,
        base_url: str,
        patience: Patience | None = None,
        zone: Zone = HOME_ZONE,
        pause: Callable[[float], None] = time.sleep,
        secret: str = "",
    ) -> None:
        """Prepare to ask; nothing is sent yet."""
        self._zone = zone
        self._far = FarSide(self.who, base_url, patience, pause, secret)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._far.close()

    def day(self, day: date) -> PriceDay:
        """Return the market prices of a local day; raises as ``PriceSource.day`` does."""
        return cut_day(self.around(day), day, self._zone, self.who)

    @abstractmethod
    def around(self, day: date) -> PriceSeries:
        """Return all that is told when a day is asked for; often the days beside it too."""


def told_series(
    rows: Iterable[Iterable[PriceQuarter]], who: str, asked: str = "this time"
) -> PriceSeries:
    """Return the quarters of an answer's rows, which may be read while they are gone through.

    Raises:
        NothingToldError: There are none.
        AnswerError: A row is no price, or a quarter has two.
    """
    try:
        series = PriceSeries.of(quarter for quarters in rows for quarter in quarters)
    except AnswerError:
        raise
    except ContractError as error:
        raise AnswerError(f"{who}'s answer: {error}") from error
    if not series:
        raise NothingToldError(f"{who} has no prices for {asked}: ask again later")
    return series
