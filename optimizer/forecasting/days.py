"""Days in rows, as experts look at them: what was, what is usual, and at which level.

An expert forecasts one local day from the rows above it and nothing else, so that it can be asked
for days gone by as honestly as for today.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from optimizer.forecast import DAY
from optimizer.forecasting.history import History, by_day
from optimizer.problem import FloatArray

LOOKED_BACK = 70
"""Days of a history that are looked at: four weeks to learn from, each with six before it."""
LONGEST_DAY = 100
"""Quarters of the day on which the clock is put back."""
_NEAR = 6
_LEAST_RATIO, _MOST_RATIO = 0.3, 3.0

Sky: TypeAlias = Callable[[int, int], FloatArray]
"""Sunlight without clouds [W/m²] of so many quarters from a start [s] on."""
Kinds: TypeAlias = tuple[int, ...]
KIND_OF_DAY: Kinds = (0, 0, 0, 0, 0, 1, 2)
"""Work days are alike; Saturday and Sunday are each their own."""


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Local days in rows, quarters of the wall clock in columns.

    Attributes:
        first: The first row's day, in days since 1970-01-01.
        kw: Shape ``(D, 96)`` [kW]; NaN where it is not known. Rows of days to come are filled as
            they are forecast, so that the day after them has something to stand on.
        sky_w_per_m2: Sunlight without clouds, shape ``(D, 96)``; None where it is not asked.
        told_w_per_m2: Sunlight as it was told, shape ``(D, 96)``; None where nobody told.
        told_c: The air as it was told, shape ``(D, 96)`` [°C]; None likewise.
    """

    first: int
    kw: FloatArray
    sky_w_per_m2: FloatArray | None = None
    told_w_per_m2: FloatArray | None = None
    told_c: FloatArray | None = None
    _usual: dict[tuple[int, float, float], FloatArray] = field(default_factory=dict)

    def weekday(self, row: int) -> int:
        """Return 0 for a Monday, 6 for a Sunday."""
        return (self.first + row + 3) % 7

    def likeness(self, row: int, window: int, fades: float, unlike: float) -> FloatArray:
        """Return how much each of the days before counts for a day, the oldest first.

        Args:
            row: Which day.
            window: How many days before it, at most.
            fades: After how many days one counts for 1/e.
            unlike: What a day of another kind counts, against 1 for the same weekday.
        """
        rows = np.arange(max(0, row - window), row)
        weekdays = (self.first + rows + 3) % 7
        kinds = np.array(KIND_OF_DAY)
        same_kind = kinds[weekdays] == KIND_OF_DAY[self.weekday(row)]
        likeness = np.where(weekdays == self.weekday(row), 1.0, np.where(same_kind, 0.8, unlike))
        weights: FloatArray = np.exp(-(row - rows) / fades) * likeness
        return weights

    def usual(self, row: int, fades: float, unlike: float, *, window: int = 28) -> FloatArray:
        """Return the mean of the days before, weighed by age and likeness, shape ``(96,)`` [kW]."""
        known = self._usual.get((row, fades, unlike))
        if known is None:
            weights = self.likeness(row, window, fades, unlike)
            known = weighted_mean(self.kw[max(0, row - window) : row], weights)
            self._usual[row, fades, unlike] = known
        return known

    def level(
        self, row: int, fades: float, usual_fades: float, unlike: float, *, window: int = 10
    ) -> float:
        """Return how the last days were against what was usual for them: 1 as usual.

        Args:
            row: The day that is forecast.
            fades: After how many days one counts for 1/e.
            usual_fades: The same for what is usual.
            unlike: What a day of another kind counts in what is usual.
            window: How many days are compared, at most.
        """
        total = weight = 0.0
        for before in range(max(2, row - window), row):
            ratio = ratio_of(self.kw[before], self.usual(before, usual_fades, unlike))
            if ratio is not None:
                counts = float(np.exp(-(row - before) / fades))
                total += counts * float(np.log(ratio))
                weight += counts
        return float(np.exp(total / weight)) if weight else 1.0


def days_of(history: History, steps: int, sky: Sky | None = None) -> Days:
    """Return the last ten weeks of a history and the days to come, a day a row.

    The last day is laid out whole, wherever the steps end: an expert says the same of a day
    however far of it is asked.

    Args:
        history: What is known.
        steps: How many quarters are to come.
        sky: Sunlight without clouds.
    """
    now = history.kw.size
    clock = history.clock(steps + LONGEST_DAY)
    total = int(np.searchsorted(clock.day, clock.day[now + steps - 1] + 1))
    first = int(np.searchsorted(clock.day, clock.day[now] - LOOKED_BACK))
    kw = np.concatenate([history.kw, np.full(total - now, np.nan)])
    told = history.weather

    def rows(values: FloatArray | None) -> FloatArray | None:
        if values is None:
            return None
        whole = np.full(total, np.nan)
        whole[: min(total, values.size)] = values[:total]
        return by_day(clock, whole, first, total)

    return Days(
        int(clock.day[first]),
        by_day(clock, kw, first, total),
        rows(sky(history.start_s, total) if sky else None),
        rows(told.sun_w_per_m2 if told else None),
        rows(told.outside_c if told else None),
    )


def weighted_mean(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the mean of each column over what is known in it; NaN where nothing is."""
    counted = weights[:, None] * ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        mean: FloatArray = (counted * np.nan_to_num(rows)).sum(axis=0) / counted.sum(axis=0)
    return mean


def ratio_of(measured: FloatArray, expected: FloatArray) -> float | None:
    """Return measured to expected over the quarters that have both; None when that says nothing."""
    both = ~np.isnan(measured) & ~np.isnan(expected)
    below = float(expected[both].sum())
    above = float(measured[both].sum())
    if both.sum() < DAY // 8 or below <= 0 or above <= 0:
        return None
    return min(_MOST_RATIO, max(_LEAST_RATIO, above / below))


def smooth(day: FloatArray, width: float) -> FloatArray:
    """Return a day with each quarter drawn to those beside it, by a bell of that width."""
    if width <= 0:
        return day
    bell = np.exp(-(np.arange(-_NEAR, _NEAR + 1) ** 2) / (2 * width * width))
    around = np.concatenate([day[-_NEAR:], day, day[:_NEAR]])
    known = ~np.isnan(around)
    with np.errstate(invalid="ignore"):
        drawn: FloatArray = np.convolve(np.where(known, around, 0.0), bell, "valid") / np.convolve(
            known.astype(np.float64), bell, "valid"
        )
    return drawn
