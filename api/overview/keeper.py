"""Keeps the days up to date behind the pages: new days, late readings, the books, the bands.

Pages read what is kept and never wait for it. The work is done a few days at a time, with a
breath in between, so that whoever asks for a page meanwhile hardly notices.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta
from pathlib import Path

from api.office import Office
from api.overview.band import fix_bands, last_monday
from api.overview.booked import take_in_booked
from api.overview.day_file import DayFile
from api.overview.law import Law, law_of_books, law_of_settings
from api.overview.reading import read_days
from api.overview.reckoning import summed_days
from api.people.book import PeopleBook
from api.people.forgetting import Forgotten, forgotten
from collectors.store import Store
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.interval import day_of
from kwartier.model import Community
from optimizer.settlement import Rules

_log = logging.getLogger(__name__)

DAYS_KEPT = 800
"""How many days are kept: the last two years and a bit, for the same month of last year."""
LATE_DAYS = 14
"""Days this young are looked at again each hour: late readings come in."""
_EVERY_S = 60.0
_TODAY_S = 300
_LATE_S = 3_600
_ALL_S = 86_400
_MOST_ASKED = 64
_AT_ONCE = 2
_BREATH_S = 0.05


class Overview:
    """The days that are kept of a neighbourhood; safe to share between threads.

    Attributes:
        days: Where they are kept, for reading.
        grafana_url: Where the board can look closer; empty for nowhere.
    """

    def __init__(
        self,
        community: Community,
        store: Store,
        clock: Clock,
        path: Path,
        *,
        people: PeopleBook,
        office: Office | None = None,
        rules: Rules | None = None,
        grafana_url: str = "",
    ) -> None:
        """Open what is kept; nothing is looked at before ``start`` or ``catch_up``.

        Args:
            community: The neighbourhood.
            store: The record.
            clock: What time it is.
            path: The file, such as ``overview.db`` in the folder of state.
            people: Who chose to be compared.
            office: The cooperative's books, where they are kept.
            rules: What the settings say about sharing.
            grafana_url: Where the board can look closer.
        """
        self.days = DayFile(path)
        self.grafana_url = grafana_url
        self._community = community
        self._store = store
        self._clock = clock
        self._people = people
        self._office = office
        self._rules = rules or Rules()
        self._lock = threading.Lock()
        self._asked: set[date] = set()
        self._looked_s: dict[int, float] = {}
        self._silent: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Keep the days up to date on a thread of its own until ``close``."""
        self._thread = threading.Thread(target=self._run, name="overview", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and let go of the file."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self.days.close()

    def ask(self, days: set[date]) -> None:
        """Have some days looked at again soon; of very many only the first are taken."""
        with self._lock:
            room = _MOST_ASKED - len(self._asked)
            self._asked |= set(sorted(days - self._asked)[: max(0, room)])

    def catch_up(self, *, breath_s: float = 0.0) -> int:
        """Bring everything up to date that is due; return how many days were looked at.

        Args:
            breath_s: How long to rest after a few days, for whoever else wants to go on [s].

        Raises:
            StoreBusyError: Record, books or file cannot be reached now.
        """
        now_s = self._clock.now_s()
        today = day_of(now_s)
        law = self._law()
        gone = self._forgotten()
        count = 0
        for days in _runs(self._due(today, now_s)):
            if self._stopping.is_set():
                break
            self._look(days, law, gone)
            count += len(days)
            if breath_s:
                self._stopping.wait(breath_s)
        if self._office is not None:
            take_in_booked(self._office, self.days, law.reference)
        for each in gone:
            self.days.forget_home(each.home, each.first_day, each.last_day)
        self.days.forget(today - timedelta(days=DAYS_KEPT))
        monday = last_monday(int(now_s), today)
        fix_bands(self.days, self._people, self._community, monday, int(now_s))
        return count

    def _law(self) -> Law:
        if self._office is None:
            return law_of_settings(self._rules, self._community.tariff)
        return law_of_books(self._office, self._rules, self._community.tariff)

    def _due(self, today: date, now_s: float) -> list[date]:
        """Return the days to look at now, the newest first."""
        with self._lock:
            due = {day for day in self._asked if day <= today}
            self._asked.clear()
        for reach, every_s in ((1, _TODAY_S), (LATE_DAYS, _LATE_S), (DAYS_KEPT, _ALL_S)):
            if now_s - self._looked_s.get(reach, -every_s) >= every_s:
                self._looked_s[reach] = now_s
                due |= {today - timedelta(days=back) for back in range(reach + 1)}
        return sorted(due, reverse=True)

    def _forgotten(self) -> list[Forgotten]:
        """Return which days of which homes are kept apart no more."""
        with self._people.reading() as desk:
            return forgotten(desk)

    def _look(self, days: list[date], law: Law, gone: Collection[Forgotten]) -> None:
        now_s = self._clock.now_s()
        read = read_days(self._store, self._community, days, now_s)
        known = self.days.area_days(days[0], days[-1] + timedelta(days=1))
        if not known and not read.known.any():
            return  # from before the first reading
        for summed in summed_days(read, law, int(now_s)):
            homes = [
                pair
                for pair in summed.homes
                if not any(each.covers(pair[0].home, pair[0].day) for each in gone)
            ]
            self.days.keep_day(summed.area, homes)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._try(lambda: self.catch_up(breath_s=_BREATH_S))
            self._stopping.wait(_EVERY_S)

    def _try(self, work: Callable[[], object]) -> None:
        """Do some work; what keeps it from being done is said once, and it is tried again."""
        try:
            work()
        except KwartierError as error:
            self._looked_s.clear()
            if self._silent != str(error):
                self._silent = str(error)
                _log.warning("the overview is not up to date: %s", error)
        except Exception as error:  # noqa: BLE001 - the outermost loop of this thread; it must live on
            self._looked_s.clear()
            if self._silent != type(error).__name__:
                self._silent = type(error).__name__
                _log.exception("the overview is not up to date: a mistake of ours")
        else:
            if self._silent is not None:
                self._silent = None
                _log.info("the overview is up to date again")


def _runs(days: list[date]) -> Iterator[list[date]]:
    """Yield days that follow each other together, a few at once, the newest first."""
    run: list[date] = []
    for day in sorted(days, reverse=True):
        if run and (run[0] - day != timedelta(days=1) or len(run) == _AT_ONCE):
            yield run
            run = []
        run.insert(0, day)
    if run:
        yield run
