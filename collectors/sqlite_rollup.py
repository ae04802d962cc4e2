"""Sums of a quarter-hour for charts: how many, sum, least and most of what is true at its instant.

Kept when an hour is settled, so that no chart reads single readings. Registers need none: their
quarters stand in ``q15``. One chunk holds a day of one meter; each series has four columns in it.
An hour of a rollup follows from its four quarters exactly.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from collectors import chunk
from collectors.chunk import HOUR_S, SeriesId
from collectors.store import DeviceKey
from kwartier.interval import QUARTER_S
from kwartier.series import SERIES, Kind
from kwartier.units import EpochS

_DAY_S = 86_400
_COLUMNS = 4
_REGISTERS = frozenset(name for name, series in SERIES.items() if series.kind is Kind.REGISTER)
_FITS = 2**62

_Day: TypeAlias = dict[SeriesId, dict[int, int]]


@dataclass(frozen=True, slots=True)
class Rolled:
    """One series in one quarter-hour or hour.

    Attributes:
        start_s: Its start [s].
        count: How many values there were.
        total: Their sum, in the series' unit.
        least: The smallest.
        most: The largest.
    """

    start_s: EpochS
    count: int
    total: int
    least: int
    most: int

    @property
    def mean(self) -> float:
        """The mean of the values, each weighing the same."""
        return self.total / self.count

    def joined(self, other: Rolled) -> Rolled:
        """Return both together, under the earlier start."""
        return Rolled(
            min(self.start_s, other.start_s),
            self.count + other.count,
            self.total + other.total,
            min(self.least, other.least),
            max(self.most, other.most),
        )


def fold(
    connection: sqlite3.Connection,
    source: int,
    hour: int,
    columns: Mapping[SeriesId, Mapping[int, int]],
) -> None:
    """Take new values of a meter's hour into its day; the caller holds the transaction.

    Args:
        connection: The writer's.
        source: The meter's number.
        hour: Which hour since 1970.
        columns: Values by second into the hour, of each series; each value once ever.
    """
    names = dict(
        connection.execute("SELECT id, name FROM series WHERE source = ?", (source,)).fetchall()
    )
    rolled = {
        series: quarters
        for series, values in columns.items()
        if names.get(series) not in _REGISTERS and (quarters := _rolled(values))
    }
    if not rolled:
        return
    day = hour * HOUR_S // _DAY_S
    held = _day(connection, source, day)
    first = hour * HOUR_S % _DAY_S // QUARTER_S
    for series, quarters in rolled.items():
        for place, one in quarters.items():
            _put(held, series, first + place, one)
    connection.execute(
        "INSERT OR REPLACE INTO rollup(source, day, chunk) VALUES (?, ?, ?)",
        (source, day, chunk.pack_points(held)),
    )


def rollups(
    connection: sqlite3.Connection,
    key: DeviceKey,
    name: str,
    start_s: EpochS,
    end_s: EpochS,
    step_s: int,
) -> list[Rolled]:
    """Return what is known of one series in ``[start_s, end_s)``, in order of time.

    Args:
        connection: A reader's.
        key: Whose.
        name: Which series; a register has none.
        start_s: From when [s].
        end_s: Until when [s].
        step_s: 900 for quarter-hours, or a whole number of them that divides a day [s].
    """
    assert _DAY_S % step_s == 0 == step_s % QUARTER_S, step_s
    rows = connection.execute(
        "SELECT series.id, day, chunk FROM source JOIN series ON series.source = source.id"
        " JOIN rollup ON rollup.source = source.id"
        " WHERE gateway = ? AND device = ? AND name = ? AND day BETWEEN ? AND ?",
        (key.gateway, key.device, name, start_s // _DAY_S, (end_s - 1) // _DAY_S),
    )
    found: dict[EpochS, Rolled] = {}
    for series, day, blob in rows:
        counts, totals, leasts, mosts = (
            dict(chunk.column_of(blob, series * _COLUMNS + part)) for part in range(_COLUMNS)
        )
        for place, count in counts.items():
            at_s = day * _DAY_S + place * QUARTER_S
            if not start_s <= at_s < end_s:
                continue
            begin_s = at_s // step_s * step_s
            one = Rolled(begin_s, count, totals[place], leasts[place], mosts[place])
            held = found.get(begin_s)
            found[begin_s] = one if held is None else held.joined(one)
    return [found[at_s] for at_s in sorted(found)]


def take_over(
    old: sqlite3.Connection,
    theirs: int,
    new: sqlite3.Connection,
    ours: int,
    numbers: Mapping[SeriesId, SeriesId],
    settled_anew: Collection[int],
) -> None:
    """Write a meter's rollups into another record; what that one has of a quarter stays.

    Args:
        old: A connection to the record they stand in.
        theirs: The meter's number there.
        new: The other record's writer, in a transaction.
        ours: The meter's number there.
        numbers: The series' numbers there, by those here.
        settled_anew: Hours since 1970 whose readings come to be settled there, and rolled up then.
    """
    for day, blob in old.execute("SELECT day, chunk FROM rollup WHERE source = ?", (theirs,)):
        held = _day(new, ours, day)
        for column, values in chunk.unpack(blob).items():
            series, part = divmod(column, _COLUMNS)
            known = held.setdefault(numbers[series] * _COLUMNS + part, {})
            for place, value in values.items():
                hour = (day * _DAY_S + place * QUARTER_S) // HOUR_S
                if hour not in settled_anew:
                    known.setdefault(place, value)
        held = {column: values for column, values in held.items() if values}
        if held:
            new.execute(
                "INSERT OR REPLACE INTO rollup(source, day, chunk) VALUES (?, ?, ?)",
                (ours, day, chunk.pack_points(held)),
            )


def forget(connection: sqlite3.Connection, before_s: EpochS, limit: int) -> int:
    """Delete at most ``limit`` days that ended before an instant; return how many.

    Meter by meter, because the days of each lie together: no other day is read.
    """
    left = limit
    for (source,) in connection.execute("SELECT id FROM source ORDER BY id").fetchall():
        left -= connection.execute(
            "DELETE FROM rollup WHERE source = ?1 AND day IN"
            " (SELECT day FROM rollup WHERE source = ?1 AND day < ?2 ORDER BY day LIMIT ?3)",
            (source, before_s // _DAY_S, left),
        ).rowcount
        if left <= 0:
            break
    return limit - left


def _day(connection: sqlite3.Connection, source: int, day: int) -> _Day:
    row = connection.execute(
        "SELECT chunk FROM rollup WHERE source = ? AND day = ?", (source, day)
    ).fetchone()
    return {} if row is None else chunk.unpack(row[0])


def _rolled(values: Mapping[int, int]) -> dict[int, Rolled]:
    """Return the quarters of an hour by their place in it, those with sums that can be held."""
    gathered: dict[int, list[int]] = {}
    for offset, value in values.items():
        gathered.setdefault(offset // QUARTER_S, []).append(value)
    return {
        place: Rolled(place * QUARTER_S, len(some), sum(some), min(some), max(some))
        for place, some in gathered.items()
        if abs(sum(some)) < _FITS
    }


def _put(day: _Day, series: SeriesId, place: int, one: Rolled) -> None:
    """Put a quarter in its place of the day, together with what is there."""
    columns = [day.setdefault(series * _COLUMNS + part, {}) for part in range(_COLUMNS)]
    if place in columns[0]:
        count, total, least, most = (column[place] for column in columns)
        one = one.joined(Rolled(one.start_s, count, total, least, most))
    for column, value in zip(columns, (one.count, one.total, one.least, one.most), strict=True):
        column[place] = value
