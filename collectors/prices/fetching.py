"""Fetches day-ahead prices from some sources, has them agree, and keeps what comes of it.

The auction is published about 13.00 by Dutch time; tomorrow is asked for from then on, until two
sources have told all of it, and every hour while they differ. A source that is away is left alone
for longer and longer, up to an hour; plans go on with what is in the book.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol

from collectors.answers import NothingToldError
from collectors.prices.agreement import Limits, agree
from collectors.prices.book import SqlitePrices
from collectors.prices.file import FilePrices
from collectors.prices.model import PriceDay, PriceQuarter, PriceSeries
from collectors.rounds import Rounds
from collectors.watch import Watch
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.interval import HOME_ZONE, Zone, day_of, local_day

_log = logging.getLogger(__name__)

PUBLISHED = time(12, 55)
"""From when tomorrow is asked for, by the clock at home."""
DAYS_BACK = 7
"""So many days back are fetched when the book has nothing of them: plans look at them."""
AGAIN_S = 300.0
"""How long until a source is asked again for a day that it has nothing of, or a part [s]."""
AGAIN_DOUBTED_S = 3600.0
"""The same for a day that was told whole and is not believed, so that a mended price is heard."""
AGAIN_PAST_S = 6 * 3600.0
"""The same for a day that is past: what is not there will hardly come [s]."""


class NamedSource(Protocol):
    """A source of prices with a name."""

    name: str

    def day(self, day: date) -> PriceDay:
        """Return the prices of a day; raises as ``PriceSource.day`` does."""

    def close(self) -> None:
        """Close its connections."""


@dataclass(slots=True)
class _Asked:
    """What one source told of one day, and when it was asked [s]."""

    asked_s: float = float("-inf")
    series: PriceSeries = field(default_factory=lambda: PriceSeries({}))
    whole: bool = False


class PriceFetching(Rounds[NamedSource]):
    """Keeps a book of prices up to date, on a thread of its own or step by step."""

    def __init__(
        self,
        sources: Sequence[NamedSource],
        book: SqlitePrices,
        clock: Clock,
        limits: Limits | None = None,
        zone: Zone = HOME_ZONE,
    ) -> None:
        """Fetch from ``sources``, the most trusted first; nothing is asked yet."""
        super().__init__("prices", sources)
        self._book = book
        self._clock = clock
        self._limits = limits or Limits()
        self._zone = zone
        self._asked: dict[tuple[date, str], _Asked] = {}
        self._said: set[tuple[date, str]] = set()
        self._doubted: set[date] = set()

    def step(self) -> None:
        """Ask what may be asked now, and keep what comes of it.

        Raises:
            StoreBusyError: The book cannot be written now.
        """
        now_s = self._clock.now_s()
        wanted = self._wanted(now_s)
        self._asked = {key: told for key, told in self._asked.items() if key[0] in wanted}
        self._said = {key for key in self._said if key[0] in wanted}
        self._doubted.intersection_update(wanted)
        for day in wanted:
            told = [self._ask(source, watch, day, now_s) for source, watch in self._sources]
            if any(told) and not self.are_ending():
                self._agree(day, now_s)

    def _wanted(self, now_s: float) -> list[date]:
        """Return the days to ask for, the most urgent first."""
        today = day_of(now_s, self._zone)
        days = [today, today + timedelta(days=1)]
        before = [today - timedelta(days=back) for back in range(1, DAYS_BACK + 1)]
        return days + [day for day in before if not self._book.known(*local_day(day, self._zone))]

    def _ask(self, source: NamedSource, watch: Watch, day: date, now_s: float) -> bool:
        """Ask one source for one day, when it is time; return whether it told something."""
        asked = self._asked.setdefault((day, source.name), _Asked())
        local = datetime.fromtimestamp(now_s, self._zone)
        past, early = day < local.date(), day > local.date() and local.time() < PUBLISHED
        if early and not isinstance(source, FilePrices):
            return False
        again_s = AGAIN_PAST_S if past else AGAIN_DOUBTED_S if asked.whole else AGAIN_S
        waits = 0 <= now_s - asked.asked_s < again_s
        done = asked.whole and day not in self._doubted
        if done or waits or self.are_ending() or not watch.may_ask(now_s):
            return False
        asked.asked_s = now_s
        try:
            told = source.day(day)
        except NothingToldError:
            watch.answered()
            return False
        except KwartierError as error:
            watch.failed(now_s, f"none of {day}, plans go on with known ones: {error}")
            return False
        watch.answered()
        asked.whole = told.complete
        asked.series = PriceSeries.of(
            PriceQuarter(quarter, price)
            for quarter, price in zip(told.quarters, told.eur_per_mwh, strict=True)
            if price is not None
        )
        return True

    def _agree(self, day: date, now_s: float) -> None:
        told = {source.name: self._asked[day, source.name].series for source, _ in self._sources}
        agreement = agree(told, self._limits)
        self._doubted.discard(day)
        if agreement.problems:
            self._doubted.add(day)
        for problem in agreement.problems:
            key = (day, type(problem).__name__)
            if key not in self._said:
                _log.warning("prices of %s: %s", day, problem)
            self._said.add(key)
        self._book.keep(agreement, now_s)
