"""Who forecasts the street, and how that goes: chosen anew when a day begins, held against it.

Use and sun are forecast for all homes together, for together they are far surer than one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date

import numpy as np

from api.forecasts.book import ForecastBook, Said
from api.forecasts.states import SUN, USE, ForecastStates, Subject
from api.forecasts.told import ToldWeather
from api.history import History as Measured
from collectors.sqlite_schema import StoreDamagedError
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS
from optimizer.forecast import Forecast, forecast_of
from optimizer.forecasting.choose import Choice, Why, choose
from optimizer.forecasting.days import Sky
from optimizer.forecasting.history import History, Method, Weather, days_before
from optimizer.forecasting.methods import (
    SAME_WEEKDAY,
    USUAL,
    YESTERDAY,
    load_blend,
    load_trees,
    sun_blend,
)
from optimizer.forecasting.newcomer import Newcomer, YoungRoof
from optimizer.forecasting.score import Judged, Score
from optimizer.problem import FloatArray

_log = logging.getLogger(__name__)

DAYS_BACK = 56
"""How far back is read: four weeks to learn from and four before them."""
_HELD_AGAINST_S = 28 * 86_400


class Forecasts:
    """Forecasts use and sun of all homes together; for one thread."""

    def __init__(
        self,
        measured: Measured,
        book: ForecastBook | None = None,
        states: ForecastStates | None = None,
        *,
        sky: Sky | None = None,
        weather: ToldWeather | None = None,
        learn: bool = False,
    ) -> None:
        """Hand it everything; nothing is read yet.

        Args:
            measured: What was used and made; at least ``DAYS_BACK`` days.
            book: Keeps what was said; in this process only where none is given.
            states: Where it tells how it does.
            sky: Sunlight without clouds over the roofs; without it roofs are forecast by the same
                time of day.
            weather: What was told of the weather.
            learn: Whether trees may be grown at night; that takes scikit-learn.
        """
        self._measured = measured
        self._book = book or ForecastBook(":memory:")
        self._states = states or ForecastStates()
        self._weather = weather
        use: list[Method] = [load_blend(), USUAL, SAME_WEEKDAY]
        if learn:
            use.append(load_trees())
        roofs: list[Method] = [USUAL, YESTERDAY]
        self._asked = {
            USE: _Asked(use, Newcomer()),
            SUN: _Asked(roofs, USUAL)
            if sky is None
            else _Asked([sun_blend(sky), *roofs], YoungRoof(sky)),
        }

    def ahead(self, start: Quarter, count: int, now_s: float) -> tuple[Forecast, Forecast]:
        """Return what to expect of use and sun from a quarter on [kW]; NaN where nobody knows.

        Args:
            start: The first quarter.
            count: How many, T.
            now_s: What time it is [s].

        Raises:
            StoreBusyError: The record cannot be reached now. Without the books of weather and of
                forecasts it goes on.
        """
        start_s, use_kw, made_kw = self._measured.series(start)
        told = self._told(start_s, made_kw, count, now_s)
        return (
            self._forecast(USE, History(start_s, use_kw), count),
            self._forecast(SUN, History(start_s, made_kw, told), count),
        )

    def _told(
        self, start_s: EpochS, made_kw: FloatArray, count: int, now_s: float
    ) -> Weather | None:
        """Return what was told of the weather; None without a book, a roof, or a way to read it."""
        if self._weather is None or not np.nanmax(made_kw, initial=0.0) > 0:
            return None
        try:
            return self._weather.over(start_s, made_kw.size, count, now_s)
        except (StoreBusyError, StoreDamagedError) as error:
            _log.warning("forecasting without weather: %s", error)
            return None

    def _forecast(self, name: str, history: History, count: int) -> Forecast:
        asked = self._asked[name]
        day = day_of(history.end_s)
        fresh = asked.day != day
        if fresh or asked.is_new:
            # A day is long for who had nothing to show when it began.
            fresh = asked.choose(history) or fresh
            asked.day = day
        assert asked.choice is not None
        forecast = asked.forecast(history, count)
        if fresh:
            self._keep(name, asked, history, forecast)
        return forecast

    def _keep(self, name: str, asked: _Asked, history: History, forecast: Forecast) -> None:
        """Write down what is said of today, and how what was said of late has held."""
        assert asked.choice is not None
        now_s = history.end_s
        left = (local_day(day_of(now_s))[1] - now_s) // QUARTER_S
        method = asked.choice.method.name
        of_late: list[Said] = []
        try:
            self._book.keep(name, method, _said(now_s, forecast, left))
            of_late = self._book.said(name, now_s - _HELD_AGAINST_S, now_s)
        except StoreBusyError as error:
            _log.warning("what is expected today is not written down: %s", error)
        self._states.keep(
            Subject(
                name,
                method,
                asked.choice.why,
                asked.chosen_s,
                _is_told(history.weather, history.kw.size, left),
                _held(of_late, history),
            )
        )


class _Asked:
    """Who may be asked about one thing, and who is."""

    def __init__(self, methods: Sequence[Method], newcomer: Method) -> None:
        self._methods = methods
        self._newcomer = newcomer
        self.choice: Choice | None = None
        self.chosen_s: EpochS = 0
        self.day: date | None = None

    @property
    def is_new(self) -> bool:
        """Whether too little is known yet to choose by."""
        return self.choice is None or self.choice.why is Why.NEWCOMER

    def choose(self, history: History) -> bool:
        """Choose anew, and return whether it is another one than before.

        Without any sun there is nothing to choose between, and no sky is needed.
        """
        idle = not np.nanmax(np.abs(history.kw), initial=0.0) > 0
        in_use = self.choice.method.name if self.choice else None
        self.choice = (
            Choice(USUAL, Why.NEWCOMER, {})
            if idle
            else choose(history, self._methods, self._newcomer, in_use=in_use)
        )
        is_other = self.choice.method.name != in_use
        if is_other:
            self.chosen_s = history.end_s
        return is_other

    def forecast(self, history: History, count: int) -> Forecast:
        """Return what the chosen method says, and of what it cannot, the same time of day."""
        assert self.choice is not None
        told = self.choice.method.forecast(history, count)
        lacking = np.isnan(told.likely)
        if not lacking.any():
            return told
        usual = forecast_of(days_before(history, count))
        return Forecast(
            np.where(lacking, usual.likely, told.likely),
            np.where(lacking, usual.low, told.low),
            np.where(lacking, usual.high, told.high),
            np.where(lacking, usual.days, told.days),
        )


def _said(start_s: EpochS, forecast: Forecast, count: int) -> list[Said]:
    """Return what was said of the first ``count`` quarters, without those nobody knew."""
    watts = np.rint(1000 * np.array([forecast.likely, forecast.low, forecast.high]))[:, :count]
    return [
        Said(start_s + place * QUARTER_S, int(likely), int(low), int(high))
        for place, (likely, low, high) in enumerate(watts.T)
        if not np.isnan([likely, low, high]).any()
    ]


def _held(said: Sequence[Said], history: History) -> Score:
    """Return how what was said agrees with what came; what is not known counts for nothing."""
    told = np.full((3, history.kw.size), np.nan)
    for one in said:
        place = (one.start_s - history.start_s) // QUARTER_S
        if 0 <= place < history.kw.size:
            told[:, place] = one.likely_w / 1000, one.low_w / 1000, one.high_w / 1000
    known = ~np.isnan(told[0])
    likely, low, high = told[:, known]
    return Judged(likely, low, high, history.kw[known]).score()


def _is_told(weather: Weather | None, now: int, left: int) -> bool:
    """Return whether sunlight was told for every quarter of the rest of today."""
    if weather is None:
        return False
    ahead = weather.sun_w_per_m2[now : now + left]
    return bool(ahead.size) and not bool(np.isnan(ahead).any())
