"""What could be expected at each moment: from what was measured until then, or with hindsight."""

from __future__ import annotations

import warnings
from typing import Protocol

import numpy as np

from kwartier.interval import QUARTER_S
from optimizer.backtest.course import Course, same_time_before
from optimizer.forecast import DAY, MAX_STEPS, WINDOW_DAYS, expected
from optimizer.forecasting.history import History, Method, Weather, by_day
from optimizer.nowcast import DEFAULT_NOWCAST, Follow, Nowcast, corrected
from optimizer.problem import FloatArray

_LOOKED_BACK = 45 * DAY
"""What a method may look back on: four weeks to learn of, each with some days before it."""


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
        return _filled(use, usual_use), _filled(sun, usual_sun)


def _filled(actual: FloatArray, usual: FloatArray) -> FloatArray:
    """Return what was, else what was usual, else the mean of what is known; NaN without any.

    A quarter that was not measured is not judged either: it only must not stop the plan.
    """
    told = np.where(np.isnan(actual), usual, actual)
    if not np.isnan(told).any() or np.isnan(told).all():
        return told
    return np.where(np.isnan(told), np.nanmean(told), told)


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
        own, later[row] = _own_median(past), _median(past[:-1])
        # Of the last day only the step's own time has passed for sure, not the hour around it.
        soon[row] = np.where(np.isnan(own), later[row], own)
    slots = course.clock.slot[first:end]
    return soon[rows, slots], later[rows, slots]


def _median(days: FloatArray) -> FloatArray:
    """Return what is usual in each column; where a column is empty, what is usual around it."""
    told = _own_median(days)
    return expected(days) if len(days) and np.isnan(told).any() else told


def _own_median(days: FloatArray) -> FloatArray:
    """Return the median of what is known in each column; NaN where nothing is."""
    if not len(days):
        return np.full(DAY, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        told: FloatArray = np.nanmedian(days, axis=0)
    return told


class ByMethods:
    """What methods of :mod:`optimizer.forecasting` expect, asked again every few quarters.

    In between, the last answer moves on with what the newest quarters tell.
    """

    def __init__(
        self,
        course: Course,
        use: Method,
        sun: Method,
        *,
        every: int = 4,
        nowcast: Nowcast = DEFAULT_NOWCAST,
    ) -> None:
        """Ask methods about a course.

        Args:
            course: What is measured.
            use: Who tells use.
            sun: Who tells sun.
            every: After how many quarters they are asked again.
            nowcast: How the last answer follows in between.
        """
        self._course = course
        self._methods = (use, sun)
        self._every = every
        self._follows = (nowcast.use, nowcast.solar)
        self._asked_at = -1
        self._told: tuple[FloatArray, FloatArray] = (np.empty(0), np.empty(0))

    def at(self, now: int, steps: int) -> tuple[FloatArray, FloatArray]:
        """Return use and sun expected at the start of a quarter, shape ``(steps,)`` each [kW]."""
        passed = now - self._asked_at
        lacking = self._told[0].size < passed + steps
        if self._asked_at < 0 or not 0 <= passed < self._every or lacking:
            longest = min(steps + self._every, self._course.quarters - now)
            self._told = (
                self._ask(0, self._course.use_kw, now, longest),
                self._ask(1, self._course.sun_kw, now, longest),
            )
            self._asked_at, passed = now, 0
        measured = (self._course.use_kw, self._course.sun_kw)
        use, sun = (
            corrected(told, kw[now - passed : now], follow)[passed : passed + steps]
            for told, kw, follow in zip(self._told, measured, self._follows, strict=True)
        )
        return use, sun

    def _ask(self, which: int, measured: FloatArray, now: int, steps: int) -> FloatArray:
        """Return what a method tells from the last weeks; NaN where it tells nothing."""
        first = max(0, now - _LOOKED_BACK)
        if now == first or steps < 1:
            return np.full(steps, np.nan)
        weather = self._course.weather
        if weather is not None:
            weather = Weather(
                weather.sun_w_per_m2[first : now + steps], weather.outside_c[first : now + steps]
            )
        start_s = self._course.start_s + QUARTER_S * first
        history = History(start_s, measured[first:now], weather, self._course.zone)
        asked = min(steps, MAX_STEPS)
        told = np.full(steps, np.nan)
        told[:asked] = self._methods[which].forecast(history, asked).likely
        return told


class First:
    """The first of two that can tell: a method, and what was usual where it tells nothing yet."""

    def __init__(self, first: Foresight, otherwise: Foresight) -> None:
        """Ask one, and the other where it tells nothing."""
        self._first = first
        self._otherwise = otherwise

    def at(self, now: int, steps: int) -> tuple[FloatArray, FloatArray]:
        """Return use and sun expected at the start of a quarter, shape ``(steps,)`` each [kW]."""
        told = self._first.at(now, steps)
        if not any(np.isnan(one).any() for one in told):
            return told
        usual = self._otherwise.at(now, steps)
        use, sun = (
            np.where(np.isnan(one), other, one) for one, other in zip(told, usual, strict=True)
        )
        return use, sun
