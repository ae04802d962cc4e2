"""How a forecast did: its error, its lean to one side, and how often its range held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.forecast import DAY, Forecast
from optimizer.forecasting.history import History, Method
from optimizer.problem import BoolArray, FloatArray

COVERAGE = 0.8
"""What part of the quarters a range should hold."""
LEAST_OF_DAY = DAY // 2
"""A day counts with so many known quarters."""
_NOTHING = 0.01
"""Below this part of the mean a quarter at which nothing was expected counts for no range."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one method did on some quarters.

    Attributes:
        error: Mean absolute error as a part of what came on average; None when nothing came.
        bias: Mean of expected less what came, as a part likewise: positive is too high.
        coverage: What part of the quarters fell in the range; None where there was no range.
        quarters: How many were judged.
        unforecast: How many came of which nothing was said.
    """

    error: float | None
    bias: float | None
    coverage: float | None
    quarters: int
    unforecast: int


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What was expected and what came, quarter beside quarter.

    Attributes:
        likely: Shape ``(N,)`` [kW].
        low: Shape ``(N,)`` [kW].
        high: Shape ``(N,)`` [kW].
        came: Shape ``(N,)`` [kW]; NaN where it is not known.
    """

    likely: FloatArray
    low: FloatArray
    high: FloatArray
    came: FloatArray

    def score(self) -> Score:
        """Return how it did."""
        both = ~np.isnan(self.came) & ~np.isnan(self.likely)
        unforecast = int((~np.isnan(self.came) & np.isnan(self.likely)).sum())
        count = int(both.sum())
        if not count:
            return Score(None, None, None, 0, unforecast)
        off = self.likely[both] - self.came[both]
        level = float(np.abs(self.came[both]).mean())
        ranged = both & self.told()
        inside = (self.came >= self.low) & (self.came <= self.high)
        return Score(
            float(np.abs(off).mean()) / level if level else None,
            float(off.mean()) / level if level else None,
            float(inside[ranged].mean()) if ranged.any() else None,
            count,
            unforecast,
        )

    def told(self) -> BoolArray:
        """Return where a range says something: not at night, when a roof makes nothing anyway."""
        level = float(np.nanmean(np.abs(self.came))) if (~np.isnan(self.came)).any() else 0.0
        with np.errstate(invalid="ignore"):
            dark = (np.abs(self.came) <= _NOTHING * level) & (np.abs(self.high) <= _NOTHING * level)
        told: BoolArray = ~dark & ~np.isnan(self.came) & ~np.isnan(self.high)
        return told


def midnights(history: History) -> Iterator[int]:
    """Yield at which quarter each whole local day begins that ends inside the history."""
    day = history.clock().day
    starts = [0, *(np.flatnonzero(np.diff(day)) + 1).tolist(), day.size]
    for place in range(1, len(starts) - 1):
        if starts[place + 1] < day.size or _ends_a_day(history):
            yield starts[place]


def judged(method: Method, history: History, at: list[int], steps: int = DAY) -> Judged:
    """Return what a method would have said at some moments, each time with what was known then.

    Args:
        method: Whose forecasts.
        history: What came.
        at: How many quarters were known at each moment.
        steps: How many quarters are judged from each moment on.
    """
    told: list[Forecast] = []
    came: list[FloatArray] = []
    for moment in at:
        count = min(steps, history.kw.size - moment)
        told.append(method.forecast(history.until(moment), count))
        came.append(history.kw[moment : moment + count])
    if not told:
        return Judged(*np.empty((4, 0)))
    return Judged(
        np.concatenate([one.likely for one in told]),
        np.concatenate([one.low for one in told]),
        np.concatenate([one.high for one in told]),
        np.concatenate(came),
    )


def _ends_a_day(history: History) -> bool:
    last_two = history.clock(1).day[-2:]
    return bool(last_two[0] != last_two[-1])
