"""Five ways to expect what homes use tomorrow; a blend of them does better than each.

Some lean on the last two days, which know that it has turned cold; some on the same kind of day,
which know that it is Sunday; none knows both.
"""

from __future__ import annotations

import numpy as np

from optimizer.forecasting.days import KIND_OF_DAY, Days, ratio_of, smooth, weighted_mean
from optimizer.problem import FloatArray

_WEEKS = 35
_LEAST_SHAPE, _MOST_SHAPE = 0.5, 2.0
_EVENING = 32


def recent(days: Days, row: int) -> FloatArray:
    """Return what the last few days were."""
    return smooth(days.usual(row, 1.5, 0.5), 0.5)


def reshaped(days: Days, row: int) -> FloatArray:
    """Return the last few days, bent from what they are like to what such a day is like."""
    first = max(0, row - 14)
    weights = np.exp(-(row - np.arange(first, row)) / 1.5)
    known = weighted_mean(days.kw[first:row], weights)
    kinds = [KIND_OF_DAY[days.weekday(one)] for one in range(first, row)]
    shapes = {kind: _shape(days, row, kind) for kind in {*kinds, KIND_OF_DAY[days.weekday(row)]}}
    under = weighted_mean(np.array([shapes[kind] for kind in kinds]), weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        bend = np.clip(shapes[KIND_OF_DAY[days.weekday(row)]] / under, _LEAST_SHAPE, _MOST_SHAPE)
    return known * np.where(np.isnan(bend), 1.0, bend)


def like_days_at_level(days: Days, row: int) -> FloatArray:
    """Return days of the same kind, at yesterday's level."""
    return smooth(days.usual(row, 15.0, 0.1), 0.7) * days.level(row, 0.7, 15.0, 0.1)


def week_at_level(days: Days, row: int) -> FloatArray:
    """Return the last week, at yesterday's level."""
    return smooth(days.usual(row, 4.0, 0.5), 0.7) * days.level(row, 0.7, 4.0, 0.5)


def week_at_evening(days: Days, row: int) -> FloatArray:
    """Return the last week, at the level of the last eight hours before the day."""
    usual = smooth(days.usual(row, 6.0, 0.3), 0.7)
    ratio = ratio_of(days.kw[row - 1, -_EVENING:], days.usual(row - 1, 6.0, 0.3)[-_EVENING:])
    return usual * (1.0 if ratio is None else ratio)


LOAD_EXPERTS = (recent, reshaped, like_days_at_level, week_at_level, week_at_evening)


def _shape(days: Days, row: int, kind: int) -> FloatArray:
    """Return what days of a kind are like; all days where there are too few of it."""
    first = max(0, row - _WEEKS)
    rows = np.arange(first, row)
    weights = np.exp(-(row - rows) / 20)
    same = np.array(KIND_OF_DAY)[(days.first + rows + 3) % 7] == kind
    if same.sum() < 2:
        return smooth(weighted_mean(days.kw[first:row], np.ones(len(rows))), 2.0)
    return smooth(weighted_mean(days.kw[first:row][same], weights[same]), 2.0)
