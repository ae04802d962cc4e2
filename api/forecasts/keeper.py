"""Who forecasts the street, and how that goes: chosen anew when a day begins, held against it.

Use and sun are forecast for all homes together, for together they are far surer than one by one.
What is said when a day begins is held against what came, and so is what is said of each next hour.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import date
from functools import partial

import numpy as np

from api.forecasts.aside import Aside
from api.forecasts.asked import chosen_for, for_roofs, for_use, for_young_roofs, said_by
from api.forecasts.book import ForecastBook, Said
from api.forecasts.by_day import FOLLOWS
from api.forecasts.homes import HomeForecast, HomeForecasts
from api.forecasts.states import SUN, USE, ForecastStates, Subject
from api.forecasts.told import ToldWeather
from api.history import History as Measured
from collectors.sqlite_schema import StoreDamagedError
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS
from optimizer.forecast import Forecast
from optimizer.forecasting.choose import Choice, Learner, Why
from optimizer.forecasting.days import Sky
from optimizer.forecasting.history import History, Method, Weather
from optimizer.forecasting.methods import load_trees
from optimizer.forecasting.newcomer import Newcomer
from optimizer.forecasting.score import Judged, Score
from optimizer.nowcast import Follow
from optimizer.problem import FloatArray

_log = logging.getLogger(__name__)

_HELD_AGAINST_S = 28 * 86_400
_HOUR_S = 3_600


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
        learn: Aside | None = None,
        homes: HomeForecasts | None = None,
    ) -> None:
        """Hand it everything; nothing is read yet.

        Args:
            measured: What was used and made; at least ``DAYS_BACK`` days.
            book: Keeps what was said; in this process only where none is given.
            states: Where it tells how it does.
            sky: Sunlight without clouds over the roofs; without it roofs are forecast by the same
                time of day.
            weather: What was told of the weather.
            learn: Where trees are grown, beside everything else; that takes scikit-learn.
            homes: Forecasts homes one by one, where somebody does.
        """
        self._measured = measured
        self._book = book or ForecastBook(":memory:")
        self._states = states or ForecastStates()
        self._weather = weather
        self._homes = homes
        use = for_use if learn is None else _learning
        self._asked = {
            USE: _Asked(use, Newcomer(), FOLLOWS[USE], learn),
            SUN: _Asked(partial(for_roofs, sky), for_young_roofs(sky), FOLLOWS[SUN], None),
        }

    def per_home(self, homes: Sequence[str], start: Quarter, count: int) -> dict[str, HomeForecast]:
        """Return what to expect of some homes one by one; see ``HomeForecasts.per_home``.

        A home of which nobody can say anything is left out; without ``HomeForecasts`` all are, and
        who needs them splits the street's by what each was of late.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        return {} if self._homes is None else self._homes.per_home(homes, start, count)

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
        fresh = asked.is_chosen_anew(history)
        assert asked.choice is not None
        forecast = said_by(asked.choice.method, history, count)
        if fresh:
            self._keep(name, asked, history, forecast)
        if history.end_s % _HOUR_S == 0:
            self._write(soon_of(name), asked.choice.method.name, _said(history.end_s, forecast, 4))
        return forecast

    def _keep(self, name: str, asked: _Asked, history: History, forecast: Forecast) -> None:
        """Write down what is said of today, and how what was said of late has held."""
        assert asked.choice is not None
        now_s = history.end_s
        left = (local_day(day_of(now_s))[1] - now_s) // QUARTER_S
        method = asked.choice.method.name
        self._write(name, method, _said(now_s, forecast, left))
        self._states.keep(
            Subject(
                name,
                method,
                asked.choice.why,
                asked.chosen_s,
                _is_told(history.weather, history.kw.size, left),
                self._held(name, history),
                self._held(soon_of(name), history),
            )
        )

    def _write(self, subject: str, method: str, said: Sequence[Said]) -> None:
        try:
            self._book.keep(subject, method, said)
        except StoreBusyError as error:
            _log.warning("what is expected is not written down: %s", error)

    def _held(self, subject: str, history: History) -> Score:
        """Return how what was said of late agrees with what came."""
        now_s = history.end_s
        try:
            of_late = self._book.said(subject, now_s - _HELD_AGAINST_S, now_s)
        except StoreBusyError as error:
            _log.warning("what was expected cannot be looked up: %s", error)
            of_late = []
        return _held(of_late, history)


class _Asked:
    """Who may be asked about one thing, and who is."""

    def __init__(
        self,
        methods: Callable[[], list[Method]],
        newcomer: Method,
        follow: Follow,
        aside: Aside | None,
    ) -> None:
        self._methods = methods
        self._newcomer = newcomer
        self._follow = follow
        self._aside = aside
        self._waiting: Future[Choice] | None = None
        self._day: date | None = None
        self.choice: Choice | None = None
        self.chosen_s: EpochS = 0

    def is_chosen_anew(self, history: History) -> bool:
        """Choose where it is time to, and return whether a day began or another was chosen.

        Who must learn is judged aside, for that takes seconds: the choice of yesterday serves until
        that is done, and at the very first the best of those who need not learn.
        """
        day = day_of(history.end_s)
        begins, self._day = day != self._day, day
        is_new = self.choice is None or self.choice.why is Why.NEWCOMER
        other = False
        if is_new or (begins and self._aside is None):
            quick = [one for one in self._methods() if not isinstance(one, Learner)]
            choice = chosen_for(history, quick, self._newcomer, self._in_use, self._follow)
            other = self._take(choice, history)
        if self._aside is not None:
            if begins and self._waiting is None:
                self._waiting = self._aside.choose(
                    history, self._methods(), self._newcomer, self._in_use, self._follow
                )
            made, done = self._waiting, self._waiting is not None and self._waiting.done()
            if made is not None and done:
                self._waiting = None
                other = self._take_made(made, history) or other
        return begins or other

    @property
    def _in_use(self) -> str | None:
        return self.choice.method.name if self.choice else None

    def _take_made(self, made: Future[Choice], history: History) -> bool:
        """Use a choice that was made aside; where that failed, the one of the day before stays."""
        if made.cancelled():
            return False
        error = made.exception()
        if error is not None:
            _log.error("who forecasts was not chosen anew: a mistake of ours", exc_info=error)
            return False
        return self._take(made.result(), history)

    def _take(self, choice: Choice, history: History) -> bool:
        """Use a choice from now on, and return whether it is another one than before."""
        is_other = choice.method.name != self._in_use
        if is_other:
            self.chosen_s = history.end_s
        self.choice = choice
        return is_other


def soon_of(name: str) -> str:
    """Return under which name the next hours of a subject are kept."""
    return f"{name}-soon"


def _learning() -> list[Method]:
    return [*for_use(), load_trees()]


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
