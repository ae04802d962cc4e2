"""How far forecasts were off at each time of day and so long ahead, on the days gone by."""

from __future__ import annotations

import numpy as np

from optimizer.forecasting.ranges import HIGH, LOW, column_quantile
from optimizer.problem import FloatArray
from optimizer.uncertain.scenarios import Range

LEAST_DAYS = 5
"""With fewer days nothing is said of how far a forecast may be off."""
_BESIDE = 2


def range_of(errors_kw: FloatArray) -> Range | None:
    """Return how far the next forecast may be off; None where too few days are known.

    Steps beside each other are taken together, up to half an hour of quarters either way. Steps of
    which no day is known yet take the range of the last one before them.

    Args:
        errors_kw: What came less what was expected, a forecast made at the same time of a day gone
            by a row, shape ``(D, T)``; NaN where it is not known.
    """
    days, steps = errors_kw.shape
    apart = np.full((days, steps + 2 * _BESIDE), np.nan)
    apart[:, _BESIDE : steps + _BESIDE] = errors_kw
    pooled = np.concatenate([apart[:, by : by + steps] for by in range(2 * _BESIDE + 1)])
    known = (~np.isnan(pooled)).sum(axis=0) >= LEAST_DAYS * (_BESIDE + 1)
    if not known[0]:
        return None
    last = np.maximum.accumulate(np.where(known, np.arange(steps), 0))
    low, high = column_quantile(pooled, LOW)[last], column_quantile(pooled, HIGH)[last]
    return Range(np.maximum(-low, 0.0), np.maximum(high, 0.0))
