"""The prices a plan reckons with: known ones, and for what is not known yet the day before."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from collectors.answers import NothingToldError
from collectors.prices.model import PriceSource
from kwartier.errors import KwartierError
from kwartier.interval import QUARTER_S, Quarter, day_of, quarters_of_day, same_time_before
from kwartier.units import EpochS

_log = logging.getLogger(__name__)

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
    """Asks a source for each day once and remembers; safe to share between threads.

    A day that is not known whole is asked for again after some time, and a source that cannot be
    reached is left alone for as long.
    """

    def __init__(
        self,
        source: PriceSource,
        otherwise_eur_per_kwh: float = 0.10,
        *,
        ask_again_s: float = _ASK_AGAIN_S,
        fresh_s: float = float("inf"),
    ) -> None:
        """Ask ``source``.

        Args:
            source: Knows the prices.
            otherwise_eur_per_kwh: With no price in a week, the last resort [EUR/kWh].
            ask_again_s: How long until a day that is not known whole is asked for again [s].
            fresh_s: How long a day that is known whole is believed; a source that mends what it
                told, or takes it back, is heard after that [s].
        """
        self._source = source
        self._ask_again_s = ask_again_s
        self._fresh_s = fresh_s
        self._otherwise = otherwise_eur_per_kwh
        self._lock = threading.Lock()
        self._days: dict[date, dict[EpochS, float]] = {}
        self._asked_s: dict[date, float] = {}
        self._away_since_s: float | None = None

    @property
    def source(self) -> PriceSource:
        """Who knows the prices; asked directly for days long past, which are not remembered."""
        return self._source

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
            price = self._at(same_time_before(at_s, back), now_s)
            if price is not None:
                return price
        return self._otherwise

    def _at(self, at_s: EpochS, now_s: float) -> float | None:
        day = day_of(at_s)
        if self._may_ask(day, now_s):
            self._ask(day, now_s)
        return self._days.get(day, {}).get(at_s)

    def _may_ask(self, day: date, now_s: float) -> bool:
        """Return whether a day is not known whole and was not asked for just before.

        A wall clock that is set back makes no wait longer than it was meant to be.
        """
        asked_s = self._asked_s.get(day, float("-inf"))
        waits = any(
            0 <= now_s - since_s < self._ask_again_s
            for since_s in (asked_s, self._away_since_s)
            if since_s is not None
        )
        if waits:
            return False
        stale = not 0 <= now_s - asked_s < self._fresh_s
        return stale or len(self._days.get(day, ())) < len(quarters_of_day(day))

    def _ask(self, day: date, now_s: float) -> None:
        self._forget_before(day_of(now_s) - timedelta(days=_KEPT_DAYS))
        self._asked_s[day] = now_s
        try:
            told = self._source.day(day)
        except NothingToldError as error:
            _log.info("no prices yet: %s", error)
            self._days.pop(day, None)
            self._note_away(None, "")
            return
        except KwartierError as error:
            self._note_away(now_s, f"no prices for {day}, plans use older ones: {error}")
            return
        self._note_away(None, "")
        self._days[day] = {
            quarter.start_s: float(price) / 1000
            for quarter, price in zip(told.quarters, told.eur_per_mwh, strict=True)
            if price is not None
        }

    def _note_away(self, since_s: float | None, why: str) -> None:
        """Say once that the source went away, and once that it is back."""
        if since_s is not None and self._away_since_s is None:
            _log.warning(why)
        elif since_s is None and self._away_since_s is not None:
            _log.warning("prices are back")
        self._away_since_s = since_s

    def _forget_before(self, first: date) -> None:
        for known in (self._days, self._asked_s):
            for old in [day for day in known if day < first]:
                del known[old]
