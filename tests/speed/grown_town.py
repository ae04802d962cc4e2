"""A town of sixty homes with a year behind it: its record, twelve closed months, and summed days.

Its pages are served by ``grown_server`` while ``grown_gateways`` feeds its record, each in a
process of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from api.cooperative.database import Books
from api.cooperative.keys import make_keys, read_keys
from api.cooperative.officers import Role
from api.cooperative.readings import store_days
from api.cooperative.registry import OfficerTerm, Party, PartyKind, add_party, first_officers
from api.cooperative.runs import approve, close, compute, invoice, post, propose, run_of
from api.cooperative.runs.month import Month
from api.cooperative.schema import bring_up_to_date
from api.office import Office
from api.overview.keeper import Overview
from api.people.opening import open_people
from api.plan_book import SqlitePlanBook
from collectors.sqlite_store import SqliteStore
from kwartier.clock import Clock, SystemClock, VirtualClock
from kwartier.interval import local_day
from kwartier.model import Battery, Community, Connection
from tests.api.cooperative.stages import BOARD, TREASURER
from tests.api.cooperative.street import SETTINGS, readings, set_up
from tests.api.street import plan_of
from tests.speed.long_street import write_past

TODAY = date(2026, 11, 2)
NOW_S = local_day(TODAY)[0] + 10 * 3_600
"""Ten in the morning on the first working day after the last month [s]."""
DAYS = 365
HOMES = tuple(f"home-{number}" for number in (1, 2, 4, 5, 6, 7, *range(9, 63)))
"""Sixty homes in which nobody moved."""
MONTHS = tuple(Month(2025 + (place + 10) // 12, (place + 10) % 12 + 1) for place in range(12))
"""November 2025 up to and including October 2026."""


class TownClock:
    """The machine's clock, set to the town's day when the work began."""

    def __init__(self, ahead_s: float) -> None:
        """Be ahead of the machine's clock by so much [s]."""
        self._ahead_s = ahead_s
        self._machine = SystemClock()

    def now_s(self) -> float:
        """Return the town's time [s]."""
        return self._machine.now_s() + self._ahead_s

    def monotonic_s(self) -> float:
        """Return the machine's count [s]."""
        return self._machine.monotonic_s()


@dataclass(frozen=True, slots=True)
class Grown:
    """What was made, and how long that took.

    Attributes:
        folder: Where it lies.
        record_s: How long the year's readings took [s].
        books_s: How long twelve months of books took [s].
        overview_s: How long summing the days took [s].
    """

    folder: Path
    record_s: float
    books_s: float
    overview_s: float


def community() -> Community:
    """Return sixty homes, half of them with a roof, and their battery."""
    homes = {
        name: Connection(
            name,
            name.replace("home", "lid"),
            f"gw-{place:02}",
            solar="pv" if place % 2 == 0 else None,
        )
        for place, name in enumerate(HOMES)
    }
    battery = Battery("battery", "gw-accu", "battery", 120_000, 40_000, 40_000)
    return Community("street", "Straat", homes, {battery.id: battery})


def open_office(folder: Path, clock: Clock) -> Office:
    """Return the office over the books that were made."""
    books = Books(f"sqlite:///{folder / 'books.db'}", read_keys(folder / "keys"), clock)
    return Office(books, SETTINGS, clock)


def grow(folder: Path) -> Grown:
    """Make the town's files in a folder."""
    clock = VirtualClock(NOW_S)
    began = time.perf_counter()
    file = folder / "telemetry.db"
    SqliteStore(file).close()
    write_past(file, community(), TODAY - timedelta(days=DAYS), TODAY)
    record_s = time.perf_counter() - began
    _keep_books(folder, clock)
    books_s = time.perf_counter() - began - record_s
    with SqliteStore(file) as store:
        office = open_office(folder, clock)
        people = open_people(folder, clock, office)
        overview = Overview(
            community(), store, clock, folder / "overview.db", people=people, office=office
        )
        overview.catch_up()
        overview.close()
        people.close()
        office.close()
    plans = SqlitePlanBook(folder / "plans.db")
    plans.keep(plan_of(TODAY))
    plans.close()
    overview_s = time.perf_counter() - began - record_s - books_s
    return Grown(folder, record_s, books_s, overview_s)


def _keep_books(folder: Path, clock: Clock) -> None:
    """Found the books, and settle every month up to its closing."""
    url = f"sqlite:///{folder / 'books.db'}"
    bring_up_to_date(url)
    books = Books(url, make_keys(folder / "keys"), clock)
    set_up(books, TREASURER, BOARD, homes=HOMES, month=MONTHS[0])
    with books.desk(TREASURER) as desk:
        for person in ("anna", "bram"):
            add_party(desk, Party(person, PartyKind.RESIDENT, person.title(), SETTINGS.address))
        first_officers(
            desk,
            OfficerTerm("treasurer", "anna", frozenset({Role.TREASURER})),
            OfficerTerm("board", "bram", frozenset({Role.BOARD})),
        )
        for month in MONTHS[1:]:
            store_days(desk, readings(HOMES, month))
    for month in MONTHS:
        run = f"{month}/1"
        with books.desk(TREASURER) as desk:
            compute(desk, SETTINGS, str(month))
            propose(desk, run)
        with books.desk(BOARD) as desk:
            approve(desk, run, run_of(desk, run).last.body_hash)
        with books.desk(TREASURER) as desk:
            post(desk, run)
            invoice(desk, SETTINGS, run)
            close(desk, run)
    books.close()
