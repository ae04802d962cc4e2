"""What is said of homes, in memory and in its book; days that are forgotten go from both."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from api.forecasts.home_book import HomeBook, HomeSaid, HomeSubject
from api.forecasts.states import SUN, USE, KeptDay, KeptOfHome, KeptQuarter, Span
from api.people.book import PeopleBook
from api.people.forgetting import forgotten
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S, local_day
from kwartier.units import EpochS
from optimizer.forecasting.score import Tally

_log = logging.getLogger(__name__)


class HomeSayings:
    """What is said of each home now. Any thread may ask; one says and forgets."""

    def __init__(
        self, homes: Sequence[str], book: HomeBook, people: PeopleBook | None = None
    ) -> None:
        """Begin with what the book holds of some homes.

        Args:
            homes: Which homes.
            book: Keeps what is said.
            people: Tells which days of which homes are forgotten with who lived there.

        Raises:
            StoreBusyError: The book cannot be read now.
        """
        self._homes = frozenset(homes)
        self._book = book
        self._people = people
        self._said = {of: one for of, one in book.all_said().items() if of.home in self._homes}
        self._forgotten_s: dict[str, EpochS] = {}
        self._unwritten = False

    def get(self, of: HomeSubject) -> HomeSaid | None:
        """Return what is said of one thing; None where nothing is."""
        return self._said.get(of)

    def methods(self) -> dict[str, dict[str, int]]:
        """Return how many homes' use and sun each method says."""
        counts: dict[str, dict[str, int]] = {USE: {}, SUN: {}}
        for of, said in list(self._said.items()):
            by_method = counts[of.subject]
            by_method[said.method] = by_method.get(said.method, 0) + 1
        return counts

    def say(self, of: HomeSubject, said: HomeSaid, held: Mapping[Span, Tally]) -> None:
        """Say something from now on, and keep it and how what was said before held."""
        before = self._said.get(of)
        rested_s = said.start_s if before is None else before.since_s
        self._said[of] = said
        self._written(lambda: self._book.keep(of, said, held, rested_s))

    def held(self) -> dict[tuple[HomeSubject, Span], Tally]:
        """Return how what was said of each home held; nothing where the book cannot be read now."""
        try:
            held = self._book.held()
        except StoreBusyError as error:
            _log.warning("how homes' forecasts held cannot be looked up: %s", error)
            return {}
        return {(of, span): one for (of, span), one in held.items() if of.home in self._homes}

    def known_since_s(self, home: str) -> EpochS:
        """Return until when everything of a home is forgotten [s]; 0 for nothing."""
        return self._forgotten_s.get(home, 0)

    def let_go_of_who_left(self) -> None:
        """Let go of homes that are no longer there."""
        self._written(lambda: self._book.forget_others(self._homes))

    def forget(self) -> None:
        """Let go of what rests on days that were forgotten with who lived there.

        Raises:
            StoreBusyError: One of the books cannot be reached now; try again.
        """
        if self._people is None:
            return
        with self._people.reading() as desk:
            gone = forgotten(desk)
        for each in gone:
            end_s = local_day(each.last_day)[1]
            if self.known_since_s(each.home) >= end_s:
                continue
            for of in (HomeSubject(each.home, USE), HomeSubject(each.home, SUN)):
                if of in self._said and self._said[of].since_s < end_s:
                    del self._said[of]
            self._book.forget(each.home, end_s)
            self._forgotten_s[each.home] = end_s

    def kept_of(self, home: str) -> KeptOfHome:
        """Return all that is kept of one home, for who lives there.

        Raises:
            StoreBusyError: The book cannot be read now.
        """
        quarters: list[KeptQuarter] = []
        for subject in (USE, SUN):
            said = self._said.get(HomeSubject(home, subject))
            if said is not None and said.since_s < said.start_s:
                quarters += _quarters(subject, said)
        days = [
            KeptDay(
                one.day_s,
                one.since_s,
                one.subject,
                one.span,
                _wh(one.tally.off),
                _wh(one.tally.lean),
                _wh(one.tally.came),
                one.tally.quarters,
                one.tally.inside,
            )
            for one in self._book.held_of(home)
        ]
        return KeptOfHome(quarters, days)

    def _written(self, write: Callable[[], None]) -> None:
        """Write in the book; while that fails, which is told once, this process alone remembers."""
        try:
            write()
        except StoreBusyError as error:
            if not self._unwritten:
                _log.warning("what homes are expected to use is not written down: %s", error)
            self._unwritten = True
        else:
            self._unwritten = False


def _quarters(subject: str, said: HomeSaid) -> list[KeptQuarter]:
    watts = np.rint(1000 * said.kw.astype(np.float64))
    return [
        KeptQuarter(
            said.start_s + place * QUARTER_S,
            subject,
            int(likely),
            int(low),
            int(high),
            said.method,
            said.since_s,
        )
        for place, (likely, low, high) in enumerate(watts.T)
        if not np.isnan([likely, low, high]).any()
    ]


def _wh(quarters_kw: float) -> int:
    return round(quarters_kw * 250)
