"""The sunlight that was told, laid beside a history: of each day what was told when it began."""

from __future__ import annotations

import numpy as np

from collectors.weather.book import SqliteWeather
from collectors.weather.model import Measure
from kwartier.interval import QUARTER_S, Quarter
from kwartier.units import EpochS
from optimizer.forecasting.history import Weather
from optimizer.problem import FloatArray

_DAY_S = 86_400
_DAY = _DAY_S // QUARTER_S


class ToldWeather:
    """Reads the book of weather; remembers days gone by, of which nothing new is told."""

    def __init__(self, book: SqliteWeather) -> None:
        """Read from ``book``."""
        self._book = book
        self._days: dict[EpochS, tuple[FloatArray, FloatArray]] = {}

    def over(self, start_s: EpochS, past: int, steps: int, now_s: float) -> Weather:
        """Return what was told of ``past`` quarters from ``start_s`` on and is of ``steps`` after.

        Raises:
            StoreBusyError: The book cannot be read now.
        """
        end_s = start_s + past * QUARTER_S
        first_s = start_s // _DAY_S * _DAY_S
        days = [self._day(day_s) for day_s in range(first_s, end_s, _DAY_S)]
        for old_s in [day_s for day_s in self._days if day_s < first_s]:
            del self._days[old_s]
        skipped = (start_s - first_s) // QUARTER_S
        parts = []
        for place, measure in enumerate((Measure.GHI_W_M2, Measure.TEMPERATURE_C)):
            known = [day[place] for day in days]
            before = np.concatenate([*known, np.empty(0)])[skipped : skipped + past]
            parts.append(np.concatenate([before, self._told(measure, end_s, steps, now_s)]))
        return Weather(*parts)

    def _day(self, day_s: EpochS) -> tuple[FloatArray, FloatArray]:
        if day_s not in self._days:
            self._days[day_s] = (
                self._told(Measure.GHI_W_M2, day_s, _DAY, day_s),
                self._told(Measure.TEMPERATURE_C, day_s, _DAY, day_s),
            )
        return self._days[day_s]

    def _told(self, measure: Measure, start_s: EpochS, count: int, now_s: float) -> FloatArray:
        told = self._book.expected(measure, Quarter(start_s), count, now_s)
        return np.array([np.nan if one is None else one for one in told])
