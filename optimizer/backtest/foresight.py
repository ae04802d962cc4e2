"""What could be expected at each moment: from what was measured until then, or with hindsight."""

from __future__ import annotations

import warnings
from typing import Protocol

import numpy as np

from optimizer.backtest.course import Course, same_time_before
from optimizer.forecast import DAY, WINDOW_DAYS, expected
from optimizer.forecasting.history import by_day
from optimizer.nowcast import DEFAULT_NOWCAST, Follow, Nowcast, corrected
from optimizer.problem import FloatArray


class Foresight(Protocol):
    """Tells what to expect."""

    def at(self, now: int, steps: int) -> tuple[FloatArray, FloatArray]:
        """Return use and sun expected at the start of a quarter, shape ``(steps,)`` each [kW].

        NaN where nothing can be said.
        """


class Usual:
    """What was usual at the same time of day, as the planner expects it live, and how today goes.

    The medians of 28 days are reckoned at once for a stretch of quarters: for a step whose time
    of day has passed since yesterday, and for one further on, as each could be known then.
    """

    def __init__(
        self, course: Course, first: int, end: int, nowcast: Nowcast | None = DEFAULT_NOWCAST
    ) -> None:
        """Look back from quarters ``first`` to ``end``, those expected included."""
        self._course = course
        self._nowcast = nowcast
        self._first = max(0, first - DAY)
        self._end = end
        self._before = same_time_before(course.clock)
        self._use = _medians(course, course.use_kw, self._first, end)
        self._sun = _medians(course, course.sun_kw, self._first, end)

    def at(self, now: int, steps: int) -> tuple[FloatArray, FloatArray]:
        """Return use and sun expected at the start of a quarter, shape ``(steps,)`` each [kW]."""
        one = self._nowcast
        return (
            self._one(self._use, self._course.use_kw, now, steps, one.use if one else None),
            self._one(self._sun, self._course.sun_kw, now, steps, one.solar if one else None),
        )

    def _one(
        self,
        medians: tuple[FloatArray, FloatArray],
        measured: FloatArray,
        now: int,
        steps: int,
        follow: Follow | None,
    ) -> FloatArray:
        soon, later = medians
        places = slice(now - self._first, now - self._first + steps)
        passed = self._before[now : now + steps] < now
        told = np.where(passed, soon[places], later[places])
        if follow is None:
            return told
        back = min(follow.quarters, now - self._first)
        lead = soon[now - self._first - back : now - self._first]
        with_lead = corrected(np.concatenate([lead, told]), measured[now - back : now], follow)
        return with_lead[back:]


class Hindsight:
    """What really was; where it is not known, what was usual."""

    def __init__(self, course: Course, otherwise: Foresight) -> None:
        """Look into a course."""
        self._course = course
        self._otherwise = otherwise

    def at(self, now: int, steps: int) -> tuple[FloatArray, FloatArray]:
        """Return use and sun as they were, shape ``(steps,)`` each [kW]."""
        use = self._course.use_kw[now : now + steps]
        sun = self._course.sun_kw[now : now + steps]
        if not (np.isnan(use).any() or np.isnan(sun).any()):
            return use, sun
        usual_use, usual_sun = self._otherwise.at(now, steps)
        return np.where(np.isnan(use), usual_use, use), np.where(np.isnan(sun), usual_sun, sun)


def _medians(
    course: Course, values: FloatArray, first: int, end: int
) -> tuple[FloatArray, FloatArray]:
    """Return the medians of 28 days before each quarter, and those without the last day."""
    begin = max(0, first - (WINDOW_DAYS + 2) * (DAY + 4))
    table = by_day(course.clock, values, begin, end)
    rows = course.clock.day[first:end] - course.clock.day[begin]
    soon, later = np.full((2, len(table), DAY), np.nan)
    for row in range(int(rows[0]), int(rows[-1]) + 1):
        past = table[max(0, row - WINDOW_DAYS) : row]
        soon[row], later[row] = _median(past), _median(past[:-1])
    slots = course.clock.slot[first:end]
    return soon[rows, slots], later[rows, slots]


def _median(days: FloatArray) -> FloatArray:
    """Return what is usual in each column; quickly where every column has a value."""
    if not len(days):
        return np.full(DAY, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        told: FloatArray = np.nanmedian(days, axis=0)
    return expected(days) if np.isnan(told).any() else told
