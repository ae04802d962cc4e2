"""Fetches forecasts every few hours and keeps each; a service that is away is left alone longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from collectors.answers import NothingToldError
from collectors.rounds import Rounds
from collectors.weather.book import SqliteWeather
from collectors.weather.model import Weather
from kwartier.clock import Clock
from kwartier.errors import KwartierError

EVERY_S = 3 * 3600.0


class WeatherSource(Protocol):
    """A source of weather with a name."""

    name: str

    def fetch(self, now_s: float) -> Weather:
        """Return the newest it has.

        Raises:
            NothingToldError: It has none.
            SourceDownError: It cannot be asked now.
            RefusedError: It refuses to be asked this.
            AnswerError: It answers in a way that is not known here.
        """

    def close(self) -> None:
        """Close its connections."""


class WeatherFetching(Rounds[WeatherSource]):
    """Keeps a book of weather up to date, on a thread of its own or step by step."""

    def __init__(
        self,
        sources: Sequence[WeatherSource],
        book: SqliteWeather,
        clock: Clock,
        every_s: float = EVERY_S,
    ) -> None:
        """Fetch from each source every so often [s]; nothing is asked yet."""
        super().__init__("weather", sources)
        self._book = book
        self._clock = clock
        self._every_s = every_s
        self._asked_s: dict[str, float] = {}

    def step(self) -> None:
        """Ask whom it is time to ask, and keep what is told.

        Raises:
            StoreBusyError: The book cannot be written now.
        """
        now_s = self._clock.now_s()
        for source, watch in self._sources:
            asked_s = self._asked_s.get(source.name, float("-inf"))
            waits = 0 <= now_s - asked_s < self._every_s
            if waits or self.are_ending() or not watch.may_ask(now_s):
                continue
            try:
                told = source.fetch(now_s)
            except NothingToldError:
                watch.answered()
            except KwartierError as error:
                watch.failed(now_s, f"none, forecasts go on without: {error}")
                continue
            else:
                watch.answered()
                if self.are_ending():
                    return
                self._book.keep(told)
            self._asked_s[source.name] = now_s
