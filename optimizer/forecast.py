"""What to expect tomorrow: what was usual at the same time of day in the last four weeks.

The median of the same slot over 28 days beats the mean, yesterday and last week on measured homes,
and costs nothing (measured on two houses: a mean error of 49.3 and 47.5 %, against 50.7 and 49.3 %
for the mean of a week).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kwartier.errors import InputError
from optimizer.forecasting.ranges import HIGH, LOW, column_quantile
from optimizer.problem import FloatArray

DAY = 96
"""Quarters in a day."""
WINDOW_DAYS = 28
ENOUGH = 7
"""Values from which a range is taken as it is; with fewer, slots nearby help."""
MAX_STEPS = 4 * 7 * DAY
_WIDEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is likely, and a range that holds four times out of five; NaN where nothing is known.

    Attributes:
        likely: The median, shape ``(T,)``, in the unit of the history.
        low: One time in ten it is less, shape ``(T,)``.
        high: One time in ten it is more, shape ``(T,)``.
        days: On how many days each rests, shape ``(T,)``; 0 where only times nearby were known.
        following: How many of the first steps follow what was measured of today.
    """

    likely: FloatArray
    low: FloatArray
    high: FloatArray
    days: FloatArray
    following: int = 0


def expected(days: FloatArray) -> FloatArray:
    """Return what is likely at each step, from the same time on days before.

    Args:
        days: One day back a row, shape ``(D, T)``; NaN where a value is missing.

    Returns:
        The median of each column, shape ``(T,)``; where a column is empty that of columns up to an
        hour away; NaN where those are empty too.
    """
    return forecast_of(days).likely


def forecast_of(days: FloatArray) -> Forecast:
    """Return what is likely at each step and how far it may be off.

    With fewer than seven values in a column, columns up to an hour away join its range.

    Args:
        days: One day back a row, shape ``(D, T)``; NaN where a value is missing.

    Raises:
        InputError: A value is infinite.
    """
    if np.isinf(days).any():
        raise InputError("the history has an infinite value: leave out what is not known as NaN")
    counts = (~np.isnan(days)).sum(axis=0)
    low, likely, high = (column_quantile(days, part) for part in (LOW, 0.5, HIGH))
    lacking = np.flatnonzero(counts < ENOUGH)
    for reach in range(1, _WIDEST + 1):
        if not lacking.size:
            break
        near = _with_beside(days, lacking, reach)
        low[lacking], high[lacking] = column_quantile(near, LOW), column_quantile(near, HIGH)
        empty = counts[lacking] == 0
        likely[lacking[empty]] = column_quantile(near[:, empty], 0.5)
        lacking = lacking[(~np.isnan(near)).sum(axis=0) < ENOUGH]
    return Forecast(
        likely, np.minimum(low, likely), np.maximum(high, likely), counts.astype(np.float64)
    )


def check_steps(steps: int) -> None:
    """Raise ``InputError`` where a forecast of that length cannot be made."""
    if not 1 <= steps <= MAX_STEPS:
        raise InputError(f"a forecast of {steps} steps is asked: ask for 1 to {MAX_STEPS}")


def _with_beside(days: FloatArray, columns: npt.NDArray[np.int64], reach: int) -> FloatArray:
    """Return some columns with those up to ``reach`` away under them."""
    wide = np.pad(days, ((0, 0), (reach, reach)), constant_values=np.nan)
    return np.concatenate([wide[:, columns + by] for by in range(2 * reach + 1)])
