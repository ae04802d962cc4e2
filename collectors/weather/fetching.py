"""Fetches forecasts every few hours and keeps each; a service that is away is left alone longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from collectors.answers import NothingToldError
from collectors.rounds import Rounds
from collectors.watch import Watch
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


class WeatherFetching:
    """Keeps a book of weather up to date, on a thread of its own or step by step."""

    def __init__(
        self,
        sources: Sequence[WeatherSource],
        book: SqliteWeather,
        clock: Clock,
        every_s: float = EVERY_S,
    ) -> None:
        """Fetch from each source every so often [s]; nothing is asked yet."""
        self._sources = [(source, Watch(f"weather from {source.name}")) for source in sources]
        self._book = book
        self._clock = clock
        self._every_s = every_s
        self._asked_s: dict[str, float] = {}
        self._rounds = Rounds("weather", self.step)

    @property
    def watches(self) -> list[Watch]:
        """What is known of each source."""
        return [watch for _, watch in self._sources]

    def start(self) -> None:
        """Fetch on a thread of its own until ``stop``."""
        self._rounds.start()

    def stop(self) -> None:
        """Fetch no more, and close the sources; a question under way is waited for a while."""
        if not self._rounds.stop():
            return  # its answer is not kept any more, and the process ends
        for source, _ in self._sources:
            source.close()

    def step(self) -> None:
        """Ask whom it is time to ask, and keep what is told.

        Raises:
            StoreBusyError: The book cannot be written now.
        """
        now_s = self._clock.now_s()
        for source, watch in self._sources:
            asked_s = self._asked_s.get(source.name, float("-inf"))
            waits = 0 <= now_s - asked_s < self._every_s
            if waits or self._rounds.are_ending() or not watch.may_ask(now_s):
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
                if self._rounds.are_ending():
                    return
                self._book.keep(told)
            self._asked_s[source.name] = now_s
