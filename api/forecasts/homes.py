"""What each home is expected to use and its roof to make: chosen and said once a night.

All homes together are forecast by ``Forecasts``, and far surer. This is for what stands behind one
meter: a battery, a fuse, a resident who asks for tomorrow. At night each home's last two weeks are
tried again, the best method is taken, and what it says of the next days is kept; by day what was
said follows the last half hour, which costs next to nothing. The old serves until
then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from api.forecasts.asked import (
    DAYS_BACK,
    chosen_for,
    for_roofs,
    for_use,
    for_young_roofs,
    said_by,
)
from api.forecasts.by_day import FOLLOWS, energy_wh, held_on_the_day, moved
from api.forecasts.home_book import HomeBook, HomeSaid, HomeSubject
from api.forecasts.sayings import HomeSayings
from api.forecasts.seen import SeenHomes, homes_between
from api.forecasts.spread import spread_over
from api.forecasts.states import SUN, USE, DayAhead, ForecastStates, HomesState, KeptOfHome
from api.forecasts.told import ToldWeather
from api.people.book import PeopleBook
from collectors.queries import Records
from collectors.sqlite_schema import StoreDamagedError
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.model import Community
from kwartier.units import EpochS
from optimizer.forecast import DAY, Forecast
from optimizer.forecasting.choose import Choice, Why
from optimizer.forecasting.days import Sky
from optimizer.forecasting.history import History, Method, Weather
from optimizer.forecasting.newcomer import Newcomer
from optimizer.forecasting.soon import Soon
from optimizer.problem import FloatArray

_log = logging.getLogger(__name__)

REACH = 4 * DAY
"""How far is said each night: two days and a half after the night after it, should that fail."""
MOST_HOMES = 2_000
"""More homes than this would take more memory than a small server has: 45 kB each."""
YEARLY_KWH = 2_500.0
"""About what a Dutch home uses in a year, for who was never measured (Statistics Netherlands)."""
HALF = Soon(part=0.5)
"""Of newcomers half of the last half-hour is believed, as long as nothing says how much."""
_LATE_S = 3_600


@dataclass(frozen=True, slots=True, eq=False)
class HomeForecast:
    """What to expect of one home from a quarter on, [kW].

    Attributes:
        use: What it uses, without what batteries of its own take.
        made: What its roof makes; zeros where it has none.
    """

    use: Forecast
    made: Forecast


@dataclass(slots=True)
class _Night:
    """What is still to be done since a midnight."""

    start_s: EpochS
    todo: list[str]
    work_s: float = 0.0
    weather: Weather | None = None
    is_read: bool = False


class HomeForecasts:
    """Forecasts home by home. Any thread may ask; one works at night."""

    def __init__(
        self,
        records: Records,
        community: Community,
        book: HomeBook | None = None,
        states: ForecastStates | None = None,
        *,
        sky: Sky | None = None,
        weather: ToldWeather | None = None,
        people: PeopleBook | None = None,
    ) -> None:
        """Hand it everything; what was said before is read from the book.

        Args:
            records: What was used and made.
            community: Whose homes; with more than ``MOST_HOMES`` the others get no forecast.
            book: Keeps what is said; in this process only where none is given.
            states: Where it tells how it does, and where pages ask.
            sky: Sunlight without clouds over the roofs.
            weather: What was told of the weather; nobody else may use the same one.
            people: Tells which days of which homes are forgotten with who lived there.

        Raises:
            StoreBusyError: The book cannot be read now.
        """
        self._records = records
        self._connections = community.connections
        self._homes = list(community.connections)[:MOST_HOMES]
        if len(community.connections) > MOST_HOMES:
            _log.warning("only the first %d homes are forecast one by one", MOST_HOMES)
        self._states = states or ForecastStates()
        self._states.ahead = self
        self._sky = sky
        self._weather = weather
        self._seen = SeenHomes(records, self._homes, DAYS_BACK, sky)
        self._said = HomeSayings(self._homes, book or HomeBook(), people)
        self._night: _Night | None = None
        self._newcomers: dict[str, Method] = {
            USE: Newcomer(yearly_kwh=YEARLY_KWH),
            SUN: for_young_roofs(sky),
        }

    def per_home(self, homes: Sequence[str], start: Quarter, count: int) -> dict[str, HomeForecast]:
        """Return what to expect of some homes, each by the method that suits it.

        It never chooses or learns, so it is quick: what was said last night, moved to where the
        last half hour was. A home that was never measured gets the standard profile of a home.
        These do not add up to what is expected of the street, which is surer: plan the other homes
        as the street less these, and not below zero.

        Args:
            homes: Which homes, by id.
            start: The first quarter.
            count: How many, T; with ``start`` less than four days after last midnight.

        Returns:
            By home; one whose roof nobody has seen yet, or that is unknown, is left out.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        start_s = start.start_s
        late = homes_between(self._records, homes, start_s - _LATE_S, start_s, self._sky)
        found = {}
        for home in homes:
            if home not in self._connections:
                continue
            use, made = (
                self._ahead(HomeSubject(home, subject), start_s, count, late[home][row])
                for row, subject in enumerate((USE, SUN))
            )
            if not (np.isnan(use.likely).any() or np.isnan(made.likely).any()):
                found[home] = HomeForecast(use, made)
        return found

    def kept_of(self, home: str) -> KeptOfHome:
        """Return all that is kept of one home, for who lives there.

        Raises:
            StoreBusyError: The book cannot be read now.
        """
        return self._said.kept_of(home)

    def tomorrow(self, home: str, now_s: float) -> DayAhead | None:
        """Return what a home is expected to use and make tomorrow; None where nobody knows.

        The middle of what may come is less than its mean, for use has peaks and no troughs; so the
        sum of a day is made larger or smaller by how far two weeks were off.
        """
        first_s, end_s = local_day(day_of(int(now_s)) + timedelta(days=1))
        use = self._said.get(HomeSubject(home, USE))
        made = self._said.get(HomeSubject(home, SUN))
        if use is None or use.since_s == use.start_s:
            return None
        use_wh = energy_wh(use, first_s, end_s)
        if use_wh is None:
            return None
        made_wh = None if made is None else energy_wh(made, first_s, end_s)
        return DayAhead(use_wh, made_wh or None, use.since_s)

    def work(
        self, now_s: float, goes_on: Callable[[], bool], worked_s: Callable[[], float]
    ) -> bool:
        """Do what is still to be done of the last midnight.

        Args:
            now_s: What time it is [s].
            goes_on: Asked between pieces of work of a second at most; it may take its time.
            worked_s: How long was worked at it in this call [s].

        Returns:
            Whether anything is left to do.

        Raises:
            StoreBusyError: The record or the book of people cannot be reached now; try again.
        """
        midnight_s = local_day(day_of(int(now_s)))[0]
        self._said.forget()
        if self._night is None or self._night.start_s != midnight_s:
            self._said.let_go_of_who_left()
            todo = [home for home in reversed(self._homes) if not self._is_said(home, midnight_s)]
            self._night = _Night(midnight_s, todo)
            self._tell(self._night)
        night = self._night
        if not night.todo:
            return False
        before_s = night.work_s
        try:
            self._do(night, goes_on)
        finally:
            night.work_s = before_s + worked_s()
        self._tell(night)
        return bool(night.todo)

    def _do(self, night: _Night, goes_on: Callable[[], bool]) -> None:
        if not night.is_read:
            night.is_read = self._seen.read_until(night.start_s, goes_on)
            if not night.is_read:
                return
            night.weather = self._told(night.start_s)
        while night.todo and goes_on():
            home = night.todo.pop()
            try:
                self._say_both(home, night.weather)
            except BaseException:
                night.todo.insert(0, home)  # the others go first when it is tried again
                raise

    def _say_both(self, home: str, weather: Weather | None) -> None:
        since_s = self._said.known_since_s(home)
        self._say(HomeSubject(home, USE), self._seen.use(home, since_s))
        made = self._seen.made(home, since_s)
        has_roof = bool(np.nanmax(made.kw, initial=0.0) > 0)
        told = weather if has_roof else None
        self._say(HomeSubject(home, SUN), History(made.start_s, made.kw, told))

    def _say(self, of: HomeSubject, history: History) -> None:
        """Choose who forecasts one thing, and keep what it says of the next days."""
        before = self._said.get(of)
        in_use = None if before is None else before.method
        newcomer = self._newcomers[of.subject]
        follow = FOLLOWS[of.subject]
        methods = for_use() if of.subject == USE else for_roofs(self._sky)
        choice = chosen_for(history, methods, newcomer, in_use, follow)
        told = said_by(choice.method, history, REACH)
        known = np.flatnonzero(~np.isnan(history.kw))
        said = HomeSaid(
            history.end_s,
            history.start_s + QUARTER_S * int(known[0]) if known.size else history.end_s,
            choice.method.name,
            choice.why,
            before.chosen_s if before and in_use == choice.method.name else history.end_s,
            _lean(choice),
            HALF if choice.why is Why.NEWCOMER else choice.soon,
            np.array([told.likely, told.low, told.high], dtype=np.float32),
        )
        held = {} if before is None else held_on_the_day(before, follow, history)
        self._said.say(of, said, held)

    def _ahead(self, of: HomeSubject, start_s: EpochS, count: int, late_kw: FloatArray) -> Forecast:
        said = self._said.get(of)
        if said is None or said.since_s == said.start_s:
            return self._without(of, start_s, count)
        if not said.start_s <= start_s <= said.end_s - count * QUARTER_S:
            return self._without(of, start_s, count)
        told = moved(said, FOLLOWS[of.subject], start_s, late_kw)
        return Forecast(told[0, :count], told[1, :count], told[2, :count], np.ones(count))

    def _without(self, of: HomeSubject, start_s: EpochS, count: int) -> Forecast:
        """Return what to expect where nothing is said: the profile of a home, and no roof."""
        if of.subject == USE:
            return self._newcomers[USE].forecast(History(start_s, np.empty(0)), count)
        dark = self._connections[of.home].solar is None
        whole = np.zeros(count) if dark else np.full(count, np.nan)
        return Forecast(whole, whole, whole, np.zeros(count))

    def _is_said(self, home: str, midnight_s: EpochS) -> bool:
        both = [self._said.get(HomeSubject(home, subject)) for subject in (USE, SUN)]
        return all(one is not None and one.start_s == midnight_s for one in both)

    def _told(self, midnight_s: EpochS) -> Weather | None:
        if self._weather is None:
            return None
        start_s = midnight_s - DAYS_BACK * 86_400
        try:
            return self._weather.over(start_s, DAYS_BACK * DAY, REACH, midnight_s)
        except (StoreBusyError, StoreDamagedError) as error:
            _log.warning("homes are forecast without weather: %s", error)
            return None

    def _tell(self, night: _Night) -> None:
        self._states.keep_homes(
            HomesState(
                night.start_s,
                len(self._homes),
                len(self._homes) - len(night.todo),
                self._said.methods(),
                night.work_s,
                spread_over(self._said.held()),
            )
        )


def _lean(choice: Choice) -> float:
    score = choice.scores.get(choice.method.name)
    return score.bias if score is not None and score.bias is not None else 0.0
