"""The methods there are, by name: simple ones of the same time of day, and the blends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.forecast import DAY, WINDOW_DAYS, Forecast, forecast_of
from optimizer.forecasting.blend import Blend
from optimizer.forecasting.days import Sky
from optimizer.forecasting.history import History, days_before
from optimizer.forecasting.load_experts import LOAD_EXPERTS
from optimizer.forecasting.names import Name
from optimizer.forecasting.ranges import HIGH, LOW, column_quantile
from optimizer.forecasting.sun_experts import SUN_EXPERTS
from optimizer.forecasting.trees import Trees
from optimizer.nowcast import DEFAULT_NOWCAST, Follow

SUN_FOLLOW = Follow(2, 30.0, 4.0)
"""A roof follows the last half hour for longer than homes do: clouds stay."""


@dataclass(frozen=True, slots=True)
class Again:
    """A method that says what was so many days ago at the same time of day.

    Attributes:
        name: What it is called.
        back: How many days; twice as many for steps that far ahead, and so on.
    """

    name: str
    back: int

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return what was, and how far that was off on the days before.

        Raises:
            InputError: The number of steps is out of range.
        """
        times = 1 + steps // (DAY * self.back)
        before = days_before(history, steps, self.back * times + WINDOW_DAYS)
        ahead = np.arange(steps)
        was = before[self.back * (1 + ahead // (DAY * self.back)) - 1, ahead]
        off = before[: -self.back] - before[self.back :]
        low, high = (np.nan_to_num(column_quantile(off, one)) for one in (LOW, HIGH))
        least = 0.0 if np.nanmin(before, initial=np.inf) >= 0 else -np.inf
        return Forecast(
            was,
            np.maximum(was + np.minimum(low, 0.0), least),
            was + np.maximum(high, 0.0),
            (~np.isnan(was)).astype(np.float64),
        )


@dataclass(frozen=True, slots=True)
class SameTime:
    """A method that looks at the same time of day on some of the days before.

    Attributes:
        name: What it is called.
        days: Which days back, such as ``(7, 14, 21, 28)``.
    """

    name: str
    days: tuple[int, ...]

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return the median of those days and their range.

        Raises:
            InputError: The number of steps is out of range.
        """
        before = days_before(history, steps, max(self.days))
        return forecast_of(before[np.array(self.days) - 1])


YESTERDAY = Again(Name.YESTERDAY, 1)
LAST_WEEK = Again(Name.LAST_WEEK, 7)
SAME_WEEKDAY = SameTime(Name.SAME_WEEKDAY, (7, 14, 21, 28))
USUAL = SameTime(Name.USUAL, tuple(range(1, 29)))


def load_blend() -> Blend:
    """Return the blend for what homes use."""
    return Blend(Name.BLEND, LOAD_EXPERTS, DEFAULT_NOWCAST.use)


def sun_blend(sky: Sky) -> Blend:
    """Return the blend for what roofs make, with weather where it was told."""
    return Blend(Name.SUN_BLEND, SUN_EXPERTS, SUN_FOLLOW, sky)


def load_trees() -> Trees:
    """Return trees for what homes use; for roofs they did worse than the blend."""
    return Trees(Name.TREES, LOAD_EXPERTS, DEFAULT_NOWCAST.use)
