"""Four ways to expect what a roof makes tomorrow, from a sky without clouds and what was measured.

Which way a roof faces, what shades it and how much lies on it is not asked: the ratio of what it
made to the sunlight of a clear sky, quarter by quarter, has learned it after a few days.
"""

from __future__ import annotations

import numpy as np

from optimizer.forecasting.days import Days
from optimizer.forecasting.ranges import column_quantile
from optimizer.problem import FloatArray

_TOO_LOW = 20.0
"""Below this much clear-sky sunlight a ratio is noise [W/m²]."""
_CLEAR = 0.9
"""A slot's clearest days of a month: one in ten."""
_MONTH = 30
_MOST_GAPS = 8
_WEEKS = 40


def slot_ratio(days: Days, row: int) -> FloatArray:
    """Return clear sky times the last ten days' ratio, for a third as yesterday was."""
    ratio = _ratio(days, row, 10)
    yesterday = _cloudiness(days, row - 1, row, ratio)[0] if row else float("nan")
    return _made(days, row, ratio, 1.0 if np.isnan(yesterday) else 0.65 + 0.35 * float(yesterday))


def clear_at_level(days: Days, row: int) -> FloatArray:
    """Return the roof under a clear sky, as cloudy as the last days were on average."""
    clear, levels = _levels(days, row)
    ages = np.arange(len(levels), 0, -1)
    weights = np.exp(-ages / 3) * ~np.isnan(levels)
    if not weights.any():
        return np.full(clear.shape, np.nan)
    level = float((weights * np.nan_to_num(levels)).sum() / weights.sum())
    return _made(days, row, clear, level)


def clear_at_median(days: Days, row: int) -> FloatArray:
    """Return the roof under a clear sky, as cloudy as half of the last days were."""
    clear, levels = _levels(days, row)
    ages = np.arange(len(levels), 0, -1)
    known = ~np.isnan(levels)
    if not known.any():
        return np.full(clear.shape, np.nan)
    order = np.argsort(levels[known])
    gathered = np.cumsum(np.exp(-ages[known] / 8)[order])
    level = float(levels[known][order][int((gathered >= gathered[-1] / 2).argmax())])
    return _made(days, row, clear, level)


def told(days: Days, row: int) -> FloatArray:
    """Return the sunlight that was told, times what the roof made of it quarter by quarter."""
    sun = days.told_w_per_m2
    if sun is None:
        return np.full(days.kw.shape[1], np.nan)
    first = max(0, row - _WEEKS)
    made, light = days.kw[first:row], sun[first:row]
    weights = np.exp(-(row - np.arange(first, row)) / 30)[:, None] * ~(
        np.isnan(made) | np.isnan(light)
    )
    above = _beside((np.nan_to_num(made) * weights).sum(axis=0), 4)
    under = _beside((np.nan_to_num(light) * weights).sum(axis=0), 4)
    if under.max(initial=0.0) <= 0:
        return np.full(days.kw.shape[1], np.nan)
    whole = above.sum() / under.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(under > 0.05 * under.max(), above / under, whole)
    return _whole(sun[row], _sky(days)[row]) * ratio


SUN_EXPERTS = (slot_ratio, clear_at_level, clear_at_median, told)


def _sky(days: Days) -> FloatArray:
    assert days.sky_w_per_m2 is not None
    return days.sky_w_per_m2


def _whole(sun: FloatArray, sky: FloatArray) -> FloatArray:
    """Return sunlight without gaps: no light where it is dark, a line over up to two hours.

    Services leave out the night or tell it as nothing; both are nothing. A day with longer gaps
    stays as it is.
    """
    sun = np.where(np.isnan(sun) & ~(sky > _TOO_LOW), 0.0, np.maximum(sun, 0.0))
    gaps = np.isnan(sun)
    if not gaps.any() or gaps.sum() > _MOST_GAPS:
        return sun
    place = np.arange(sun.size)
    return np.where(gaps, np.interp(place, place[~gaps], sun[~gaps]), sun)


def _made(days: Days, row: int, ratio: FloatArray, level: float) -> FloatArray:
    made: FloatArray = _sky(days)[row] * ratio * level
    return made


def _lit(days: Days, first: int, row: int) -> FloatArray:
    """Return 1 where a quarter is light and measured, 0 elsewhere."""
    with np.errstate(invalid="ignore"):
        lit = ~np.isnan(days.kw[first:row]) & (_sky(days)[first:row] > _TOO_LOW)
    return lit.astype(np.float64)


def _ratio(days: Days, row: int, window: int) -> FloatArray:
    """Return what was made per clear-sky sunlight, slot by slot with those beside it."""
    first = max(0, row - window)
    lit = _lit(days, first, row)
    above = _beside((np.nan_to_num(days.kw[first:row]) * lit).sum(axis=0), 1)
    under = _beside((np.nan_to_num(_sky(days)[first:row]) * lit).sum(axis=0), 1)
    return np.where(under > 0, above / np.maximum(under, 1e-9), 0.0)


def _levels(days: Days, row: int) -> tuple[FloatArray, FloatArray]:
    """Return the clearest ratio of each slot, and how each day before was against it."""
    month = max(0, row - _MONTH)
    lit = _lit(days, month, row) > 0
    ratios = np.full(lit.shape, np.nan)
    np.divide(days.kw[month:row], _sky(days)[month:row], out=ratios, where=lit)
    clear = np.nan_to_num(column_quantile(ratios, _CLEAR))
    return clear, _cloudiness(days, max(0, row - _WEEKS), row, clear)


def _cloudiness(days: Days, first: int, row: int, ratio: FloatArray) -> FloatArray:
    """Return what days made against a ratio to clear sky; NaN for those not measured."""
    lit = _lit(days, first, row)
    under = (np.nan_to_num(_sky(days)[first:row]) * ratio * lit).sum(axis=1)
    made = (np.nan_to_num(days.kw[first:row]) * lit).sum(axis=1)
    levels = np.full(made.shape, np.nan)
    np.divide(made, under, out=levels, where=under > 0)
    return levels


def _beside(sums: FloatArray, reach: int) -> FloatArray:
    """Return sums over each slot and those up to ``reach`` away, within the day."""
    return np.convolve(np.pad(sums, reach), np.ones(2 * reach + 1), "valid")
