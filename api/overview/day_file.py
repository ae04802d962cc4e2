"""The days in a small SQLite file of their own: derived from record and books, so it may be lost.

Readers never wait for the writer. A file that is damaged, or of another version of these tables,
is thrown away and made anew; what it holds is readings of homes, so it is kept like the record.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, fields, replace
from datetime import date, timedelta
from operator import attrgetter
from pathlib import Path
from typing import TypeAlias

from api.overview.day_sums import AreaDay, BookedMonth, HomeDay, HomeQuarters, LineSum, Origin
from api.overview.day_tables import connected, opened
from kwartier.errors import StoreBusyError

_IDLE = 8
_ADD_HOME = f"insert into home_day values ({','.join('?' * 17)})"  # noqa: S608 - only marks
_ADD_AREA = f"insert or replace into area_day values ({','.join('?' * 18)})"  # noqa: S608 - only marks
_ADD_QUARTERS = "insert into home_quarters values (?, ?, ?, ?)"
_SUMS = attrgetter(*(each.name for each in fields(HomeDay)[3:]))
_Row: TypeAlias = tuple[str | int, ...]


class DayFile:
    """The file; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it anew where it is away, damaged or of another version."""
        self._path = path
        self._lock = threading.Lock()
        self._idle: deque[sqlite3.Connection] = deque()
        self._writer = opened(path)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._writer.close()
        while self._idle:
            self._idle.pop().close()

    def home_days(self, home: str, first: date, end: date) -> list[HomeDay]:
        """Return what is kept of a home on the days of ``[first, end)``, in order."""
        with self._reading() as reader:
            rows = reader.execute(
                "select * from home_day where home = ? and day >= ? and day < ?"
                " order by day, origin",
                (home, first.toordinal(), end.toordinal()),
            ).fetchall()
        return [_home_day(row) for row in rows]

    def homes_on(self, first: date, end: date, origin: Origin) -> list[HomeDay]:
        """Return what is kept of every home on the days of ``[first, end)``, in order of day."""
        with self._reading() as reader:
            rows = reader.execute(
                "select * from home_day where day >= ? and day < ? and origin = ?"
                " order by day, home",
                (first.toordinal(), end.toordinal(), int(origin)),
            ).fetchall()
        return [_home_day(row) for row in rows]

    def quarters(self, home: str, day: date) -> dict[Origin, HomeQuarters]:
        """Return a home's quarters of a day, by where they come from."""
        with self._reading() as reader:
            rows = reader.execute(
                "select origin, packed from home_quarters where home = ? and day = ?",
                (home, day.toordinal()),
            ).fetchall()
        return {Origin(origin): HomeQuarters.unpacked(packed) for origin, packed in rows}

    def area_days(self, first: date, end: date) -> list[AreaDay]:
        """Return what is kept of the neighbourhood on the days of ``[first, end)``, in order."""
        with self._reading() as reader:
            rows = reader.execute(
                "select * from area_day where day >= ? and day < ? order by day",
                (first.toordinal(), end.toordinal()),
            ).fetchall()
        return [AreaDay(date.fromordinal(row[0]), *row[1:]) for row in rows]

    def span(self) -> tuple[date, date] | None:
        """Return the first and the last day of which anything is known; None for none."""
        with self._reading() as reader:
            first, last = reader.execute(
                "select (select min(day) from home_day), (select max(day) from home_day)"
            ).fetchone()
        return None if first is None else (date.fromordinal(first), date.fromordinal(last))

    def booked(self) -> dict[str, BookedMonth]:
        """Return the months that are in the books, by their names."""
        with self._reading() as reader:
            rows = reader.execute("select * from booked order by month").fetchall()
        return {
            month: BookedMonth(month, run, computation, bool(corrected))
            for month, run, computation, corrected in rows
        }

    def lines(self, months: Collection[str], home: str | None = None) -> list[LineSum]:
        """Return what booked runs charged, of some months, for one home or for all."""
        places = ",".join("?" * len(months))
        wanted = f"select * from line where month in ({places})"  # noqa: S608 - only marks
        with self._reading() as reader:
            if home is None:
                rows = reader.execute(wanted, tuple(months)).fetchall()
            else:
                rows = reader.execute(f"{wanted} and home = ?", (*months, home)).fetchall()
        return [LineSum(*row) for row in rows]

    def band(self, home: str, monday: date) -> str | None:
        """Return in which band a home was told to be in a week; None when it was not told."""
        with self._reading() as reader:
            row = reader.execute(
                "select place from band where monday = ? and home = ?",
                (monday.toordinal(), home),
            ).fetchone()
        return None if row is None else str(row[0])

    def band_is_told(self, monday: date) -> bool:
        """Return whether the bands of a week are fixed."""
        with self._reading() as reader:
            row = reader.execute(
                "select 1 from band_week where monday = ?", (monday.toordinal(),)
            ).fetchone()
        return row is not None

    def keep_day(self, area: AreaDay, homes: Sequence[tuple[HomeDay, HomeQuarters]]) -> bool:
        """Take the place of what was kept of a day from the record; return whether it changed."""
        place = (area.day.toordinal(), int(Origin.RECORD))
        made = [(_row_of(day), quarters.packed()) for day, quarters in homes]
        with self._reading() as reader:
            rows = reader.execute(
                "select home_day.*, packed from home_day join home_quarters"
                " using (home, day, origin) where day = ? and origin = ?",
                place,
            ).fetchall()
        known = self.area_days(area.day, area.day + timedelta(days=1))
        same = {(row[:-1], row[-1]) for row in rows} == set(made)
        if same and known and replace(known[0], looked_s=area.looked_s) == area:
            return False
        with self._writing() as writer:
            for table in ("home_day", "home_quarters"):
                writer.execute(f"delete from {table} where day = ? and origin = ?", place)  # noqa: S608 - a constant
            _add_rows(writer, made)
            writer.execute(_ADD_AREA, (area.day.toordinal(), *astuple(area)[1:]))
        return True

    def keep_month(
        self,
        month: BookedMonth,
        days: tuple[date, date],
        homes: Iterable[tuple[HomeDay, HomeQuarters]],
        lines: Iterable[LineSum],
    ) -> None:
        """Take the place of what was kept of a booked month, whose days are ``[first, end)``."""
        made = [(_row_of(day), quarters.packed()) for day, quarters in homes]
        with self._writing() as writer:
            place = (*(day.toordinal() for day in days), int(Origin.RUN))
            for table in ("home_day", "home_quarters"):
                writer.execute(
                    f"delete from {table} where day >= ? and day < ? and origin = ?",  # noqa: S608 - a constant
                    place,
                )
            writer.execute("delete from line where month = ?", (month.month,))
            _add_rows(writer, made)
            writer.executemany("insert into line values (?,?,?,?,?,?)", map(astuple, lines))
            writer.execute("insert or replace into booked values (?,?,?,?)", astuple(month))

    def keep_bands(self, monday: date, told_s: int, places: Mapping[str, str]) -> None:
        """Fix the bands of a week; what was fixed before stays."""
        with self._writing() as writer:
            known = writer.execute(
                "select 1 from band_week where monday = ?", (monday.toordinal(),)
            ).fetchone()
            if known is not None:
                return
            writer.execute("insert into band_week values (?, ?)", (monday.toordinal(), told_s))
            writer.executemany(
                "insert into band values (?, ?, ?)",
                [(monday.toordinal(), home, place) for home, place in places.items()],
            )

    def forget(self, before: date) -> None:
        """Let go of the days before one."""
        with self._writing() as writer:
            for table in ("home_day", "home_quarters", "area_day"):
                writer.execute(f"delete from {table} where day < ?", (before.toordinal(),))  # noqa: S608 - a constant

    def forget_home(self, home: str, first: date, last: date) -> bool:
        """Let go of a home's own days of ``[first, last]``; return whether there were any.

        The neighbourhood's sums of those days stay, and so does what booked runs charged.
        """
        span = (home, first.toordinal(), last.toordinal())
        with self._reading() as reader:
            known = reader.execute(
                "select exists (select 1 from home_day where home = ? and day between ? and ?)"
                " or exists (select 1 from band where home = ? and monday between ? and ?)",
                (*span, home, span[1] - 6, span[2]),
            ).fetchone()
        if not known[0]:
            return False
        with self._writing() as writer:
            for table in ("home_day", "home_quarters"):
                writer.execute(
                    f"delete from {table} where home = ? and day between ? and ?",  # noqa: S608 - a constant
                    span,
                )
            writer.execute(
                "delete from band where home = ? and monday between ? and ?",
                (home, span[1] - 6, span[2]),
            )
        return True

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = connected(self._path)
        try:
            yield reader
        except sqlite3.Error as error:
            reader.close()
            raise StoreBusyError(f"{self._path.name} cannot be read now: {error}") from error
        if len(self._idle) < _IDLE:
            self._idle.append(reader)
        else:
            reader.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            writer = self._writer
            try:
                writer.execute("begin immediate")
                yield writer
                writer.execute("commit")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    writer.execute("rollback")
                if isinstance(error, sqlite3.Error):
                    raise StoreBusyError(
                        f"{self._path.name} cannot be written now: {error}"
                    ) from error
                raise


def _add_rows(writer: sqlite3.Connection, rows: Collection[tuple[_Row, bytes]]) -> None:
    writer.executemany(_ADD_HOME, [row for row, _ in rows])
    writer.executemany(_ADD_QUARTERS, [(*row[:3], packed) for row, packed in rows])


def _row_of(day: HomeDay) -> _Row:
    return (day.home, day.day.toordinal(), int(day.origin), *_SUMS(day))


def _home_day(row: tuple[str, int, int, *tuple[int, ...]]) -> HomeDay:
    home, day, origin, *rest = row
    return HomeDay(home, date.fromordinal(day), Origin(origin), *rest)
