"""The book of homes' forecasts: what is said of each, and how what was said has held.

It holds what a home is expected to use, so it is a home's own: nothing here is shown to others but
as a distribution over homes, and no more than four weeks are kept.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from api.forecasts.states import Span
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S, day_of, local_day
from kwartier.units import EpochS
from optimizer.forecasting.choose import Why
from optimizer.forecasting.score import Tally
from optimizer.forecasting.soon import SPANS, Soon

_log = logging.getLogger(__name__)

HELD_DAYS = 28
"""For so many days it is remembered how what was said has held."""
_DAY_S = 86_400
_TABLES = """
create table if not exists said (
    home text not null, subject text not null, start_s integer not null, since_s integer not null,
    method text not null, why text not null, chosen_s integer not null, lean real not null,
    soon text not null, watts blob not null,
    primary key (home, subject)
) without rowid;
create table if not exists held (
    home text not null, subject text not null, span text not null, day_s integer not null,
    since_s integer not null, off real not null, lean real not null, came real not null,
    quarters integer not null, inside integer not null, ranged integer not null,
    unforecast integer not null,
    primary key (home, subject, span, day_s)
) without rowid;
"""


class HomeSubject(NamedTuple):
    """What is forecast: a home's use, or its roof's sun.

    Attributes:
        home: The connection's id.
        subject: ``use`` or ``sun``.
    """

    home: str
    subject: str


@dataclass(frozen=True, slots=True, eq=False)
class HomeSaid:
    """What is said of one home's use or sun, from a midnight on.

    Attributes:
        start_s: That midnight [s].
        since_s: The first quarter that it rests on [s]; the midnight where it rests on none.
        method: Who says it.
        why: Why that one.
        chosen_s: Since when [s].
        lean: How far that method was too high over two weeks, as a part of what came.
        soon: How it follows the day, and how wide the range of the next hours is.
        kw: Likely, low and high, shape ``(3, T)`` [kW]; NaN where nobody knows.
    """

    start_s: EpochS
    since_s: EpochS
    method: str
    why: Why
    chosen_s: EpochS
    lean: float
    soon: Soon
    kw: npt.NDArray[np.float32]

    @property
    def end_s(self) -> EpochS:
        """The first instant of which nothing is said [s]."""
        return self.start_s + int(self.kw.shape[1]) * QUARTER_S


@dataclass(frozen=True, slots=True)
class HeldDay:
    """How what was said of one home held on one day.

    Attributes:
        day_s: When the day began [s].
        since_s: The first quarter that what was said rested on [s].
        subject: ``use`` or ``sun``.
        span: How far ahead it was said.
        tally: How far it was off.
    """

    day_s: EpochS
    since_s: EpochS
    subject: str
    span: Span
    tally: Tally


class HomeBook:
    """The book in one SQLite file, for any thread. Losing it loses no money and one night."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        """Open the book, or start one; ``:memory:`` keeps it in this process only.

        Raises:
            StoreBusyError: The file cannot be written now.
        """
        self._lock = threading.Lock()
        try:
            self._book = _opened(path)
        except sqlite3.OperationalError as error:
            raise _busy(error) from error
        except (sqlite3.DatabaseError, ValueError) as error:
            # What homes used is private: a damaged file is not left lying about.
            _log.warning("the book of homes' forecasts is damaged and begun anew: %s", error)
            for end in ("", "-wal", "-shm"):
                Path(f"{path}{end}").unlink(missing_ok=True)
            self._book = _opened(path)

    def keep(
        self, of: HomeSubject, said: HomeSaid, held: Mapping[Span, Tally], rested_s: EpochS
    ) -> None:
        """Keep what is said from now on instead of what was, and how that held on its first day.

        Args:
            of: Which home, and what of it.
            said: What is said from now on.
            held: How what was said before held.
            rested_s: The first quarter that that rested on [s].

        Raises:
            StoreBusyError: The file cannot be written now; nothing was changed.
        """
        row = (
            *of,
            said.start_s,
            said.since_s,
            said.method,
            said.why,
            said.chosen_s,
            said.lean,
            " ".join(repr(one) for one in (said.soon.part, *said.soon.times)),
            said.kw.astype("<f4").tobytes(),
        )
        day_s = local_day(day_of(said.start_s - 1))[0]
        rows = [(*of, span, day_s, rested_s, *astuple(tally)) for span, tally in held.items()]
        with self._writing() as book:
            book.execute("insert or replace into said values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            book.executemany(
                "insert or ignore into held values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            book.execute(
                "delete from held where home = ? and subject = ? and day_s < ?",
                (*of, said.start_s - HELD_DAYS * _DAY_S),
            )

    def forget_others(self, homes: Collection[str]) -> None:
        """Let go of homes that are no longer there.

        Raises:
            StoreBusyError: The file cannot be written now; nothing was changed.
        """
        with self._writing() as book:
            known = {home for (home,) in book.execute("select distinct home from said")}
            gone = [(home,) for home in known - set(homes)]
            for table in ("said", "held"):
                book.executemany(f"delete from {table} where home = ?", gone)  # noqa: S608

    def forget(self, home: str, before_s: EpochS) -> None:
        """Let go of what rests on a home's days before an instant, and of how that held.

        Raises:
            StoreBusyError: The file cannot be written now; nothing was changed.
        """
        with self._writing() as book:
            book.execute("delete from said where home = ? and since_s < ?", (home, before_s))
            book.execute("delete from held where home = ? and since_s < ?", (home, before_s))

    def all_said(self) -> dict[HomeSubject, HomeSaid]:
        """Return what is said of every home.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        with self._reading("select * from said") as rows:
            return dict(_said_in(row) for row in rows)

    def held_of(self, home: str) -> list[HeldDay]:
        """Return how what was said of one home held, day by day.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        question = (
            "select day_s, since_s, subject, span, off, lean, came, quarters, inside, ranged,"
            " unforecast from held where home = ? order by day_s, subject, span"
        )
        with self._reading(question, home) as rows:
            return [
                HeldDay(day_s, since_s, subject, Span(span), Tally(*parts))
                for day_s, since_s, subject, span, *parts in rows
            ]

    def held(self) -> dict[tuple[HomeSubject, Span], Tally]:
        """Return how what was said of each home held over the days that are remembered.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        sums = (
            "select home, subject, span, sum(off), sum(lean), sum(came), sum(quarters),"
            " sum(inside), sum(ranged), sum(unforecast) from held group by home, subject, span"
        )
        with self._reading(sums) as rows:
            return {
                (HomeSubject(home, subject), Span(span)): Tally(*parts)
                for home, subject, span, *parts in rows
            }

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._book.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, self._book:
                yield self._book
        except sqlite3.DatabaseError as error:
            raise _busy(error) from error

    @contextmanager
    def _reading(self, question: str, *of: str) -> Iterator[sqlite3.Cursor]:
        try:
            with self._lock, closing(self._book.cursor()) as cursor:
                yield cursor.execute(question, of)
        except sqlite3.DatabaseError as error:
            raise _busy(error) from error


def _said_in(
    row: tuple[str, str, int, int, str, str, int, float, str, bytes],
) -> tuple[HomeSubject, HomeSaid]:
    """Return a row of the book.

    Raises:
        ValueError: It was written by another version.
    """
    home, subject, start_s, since_s, method, why, chosen_s, lean, soon, kw = row
    part, *times = (float(one) for one in soon.split())
    if len(times) != len(SPANS):
        raise ValueError(f"{len(times)} widths of a range are not {len(SPANS)}")
    return HomeSubject(home, subject), HomeSaid(
        start_s,
        since_s,
        method,
        Why(why),
        chosen_s,
        lean,
        Soon(tuple(times), part),
        np.frombuffer(kw, "<f4").reshape(3, -1),
    )


def _busy(error: sqlite3.Error) -> StoreBusyError:
    return StoreBusyError(f"the book of homes' forecasts cannot be used: {error}")


def _opened(path: Path | str) -> sqlite3.Connection:
    if path != ":memory:":
        # SQLite gives the files beside it the rights of this one.
        with suppress(OSError):  # which SQLite will tell of
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    book = sqlite3.connect(path, check_same_thread=False)
    try:
        book.execute("pragma journal_mode = wal")
        book.execute("pragma busy_timeout = 5000")
        book.execute("pragma secure_delete = on")
        book.executescript(_TABLES)
        _check(book)
    except (sqlite3.Error, ValueError):
        book.close()
        raise
    return book


def _check(book: sqlite3.Connection) -> None:
    """Raise ``ValueError`` where a book was written by another version."""
    if "since_s" not in {row[1] for row in book.execute("pragma table_info(held)")}:
        raise ValueError("it does not tell what rested on which days")
    for row in book.execute("select * from said"):
        _said_in(row)
