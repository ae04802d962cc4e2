"""How far forecasts were off in a backtest until now: from those made then, and what came."""

from __future__ import annotations

import numpy as np

from optimizer.backtest.course import Course
from optimizer.backtest.foresight import Foresight
from optimizer.forecast import DAY
from optimizer.problem import FloatArray
from optimizer.uncertain.errors import range_of
from optimizer.uncertain.scenarios import Range

DAYS = 21
"""So many days back forecasts are held against what came."""
_EVERY = 4


class Ranges:
    """Makes the forecasts of the last weeks again, hour by hour: how far were they off?"""

    def __init__(self, course: Course, foresight: Foresight, longest: int) -> None:
        """Hold forecasts against a course.

        Args:
            course: What is measured.
            foresight: Makes the forecasts; nobody else asks it, as it may be asked in order only.
            longest: The most steps that are ever asked.
        """
        self._foresight = foresight
        self._steps = longest + _EVERY
        self._residual = course.residual_kw
        self._errors: dict[int, FloatArray] = {}
        self._next = -1
        self._told: tuple[int, Range | None] = (-1, None)

    def at(self, now: int, steps: int) -> Range | None:
        """Return how far the forecast made now may be off, or None where that is not known."""
        hour = now - now % _EVERY
        if self._told[0] != hour:
            self._make_until(hour)
            self._told = hour, self._range_at(hour)
        told = self._told[1]
        if told is None:
            return None
        here = slice(now - hour, now - hour + steps)
        return Range(told.less_kw[here], told.more_kw[here])

    def _make_until(self, hour: int) -> None:
        """Make the forecasts of the last weeks that were not made yet, in order."""
        first = max(hour - DAYS * DAY, hour % _EVERY)
        for made in range(max(self._next, first), hour, _EVERY):
            steps = min(self._steps, self._residual.size - made)
            use, sun = self._foresight.at(made, steps)
            error = np.full(self._steps, np.nan)
            error[:steps] = self._residual[made : made + steps] - (use - sun)
            self._errors[made] = error
        self._next = hour
        for old in [made for made in self._errors if made < first]:
            del self._errors[old]

    def _range_at(self, hour: int) -> Range | None:
        """Return the range of forecasts made at this time of day, by what came of them."""
        times = [hour - days * DAY for days in range(DAYS, 0, -1)]
        made = [time for time in times if time in self._errors]
        if not made:
            return None
        errors = np.stack([self._errors[time] for time in made])
        errors[np.array(made)[:, None] + np.arange(self._steps) >= hour] = np.nan
        return range_of(errors)
