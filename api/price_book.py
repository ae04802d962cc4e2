"""The prices a plan reckons with: known ones, and for what is not known yet the day before."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from collectors.prices.model import PriceSource
from kwartier.errors import KwartierError
from kwartier.interval import QUARTER_S, Quarter, day_of
from kwartier.units import EpochS

_log = logging.getLogger(__name__)

_DAY_S = 86_400
_DAYS_BACK = 7
_KEPT_DAYS = 16
_ASK_AGAIN_S = 900.0


@dataclass(frozen=True, slots=True, eq=False)
class HorizonPrices:
    """Market prices over a horizon, before tax and mark-up.

    Attributes:
        eur_per_kwh: One a quarter, shape ``(T,)`` [EUR/kWh].
        known: Which of them are auction results, shape ``(T,)``; the rest are the newest known
            price of the same time of day.
    """

    eur_per_kwh: npt.NDArray[np.float64]
    known: npt.NDArray[np.bool_]


class PriceBook:
    """Asks a source once a day and remembers; safe to share between threads."""

    def __init__(self, source: PriceSource, otherwise_eur_per_kwh: float = 0.10) -> None:
        """Ask ``source``; with no price in a week the last resort is one flat price."""
        self._source = source
        self._otherwise = otherwise_eur_per_kwh
        self._lock = threading.Lock()
        self._days: dict[date, dict[EpochS, float]] = {}
        self._asked_s: dict[date, float] = {}
        self._away = False

    def over(self, start: Quarter, count: int, now_s: float) -> HorizonPrices:
        """Return the prices of ``count`` quarters from ``start``."""
        prices = np.empty(count)
        known = np.zeros(count, dtype=np.bool_)
        with self._lock:
            for place in range(count):
                at_s = start.start_s + place * QUARTER_S
                price = self._at(at_s, now_s)
                known[place] = price is not None
                prices[place] = self._like(at_s, now_s) if price is None else price
        return HorizonPrices(prices, known)

    def _like(self, at_s: EpochS, now_s: float) -> float:
        """Return the newest known price of the same time of day."""
        for back in range(1, _DAYS_BACK + 1):
            price = self._at(at_s - back * _DAY_S, now_s)
            if price is not None:
                return price
        return self._otherwise

    def _at(self, at_s: EpochS, now_s: float) -> float | None:
        day = day_of(at_s)
        if day not in self._days and now_s >= self._asked_s.get(day, -_ASK_AGAIN_S) + _ASK_AGAIN_S:
            self._asked_s[day] = now_s
            self._ask(day)
        return self._days.get(day, {}).get(at_s)

    def _ask(self, day: date) -> None:
        try:
            told = self._source.day(day)
        except KwartierError as error:
            if not self._away:
                _log.warning("no prices for %s, plans use older ones: %s", day, error)
            self._away = True
            return
        if self._away:
            _log.warning("prices are back")
        self._away = False
        self._days[day] = {
            quarter.start_s: float(price) / 1000
            for quarter, price in zip(told.quarters, told.eur_per_mwh, strict=True)
            if price is not None
        }
        for old in [known for known in self._days if known < day - timedelta(days=_KEPT_DAYS)]:
            del self._days[old]
            self._asked_s.pop(old, None)
