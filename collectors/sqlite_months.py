"""What the record in SQLite tells of single readings that may leave it, and how it lets them go."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from collectors import chunk
from collectors.chunk import HOUR_S, SeriesId
from collectors.months.calendar import Month, PartName
from kwartier.units import EpochS

_ROWS = 64
"""Device-hours that are read in one transaction."""


@dataclass(frozen=True, slots=True)
class AgedSource:
    """A meter with single readings in a month."""

    id: int
    gateway: str
    device: str
    meter: str


@dataclass(frozen=True, slots=True)
class AgedHour:
    """A settled device-hour: its row, how many points it held when it was read, and they."""

    id: int
    points: int
    at_s: EpochS
    chunk: bytes


@dataclass(frozen=True, slots=True)
class PutAway:
    """A file of a month that the record relied on when it let rows go.

    Attributes:
        name: Which.
        points: How many points it holds.
        size_bytes: How large it was.
        digest: SHA-256 of its bytes.
        made_s: When [s].
    """

    name: PartName
    points: int
    size_bytes: int
    digest: bytes
    made_s: EpochS


def oldest_month(connection: sqlite3.Connection, after_s: EpochS) -> Month | None:
    """Return the first month from an instant on with settled readings; None for none."""
    (hour,) = connection.execute(
        "SELECT min(hour) FROM settled WHERE hour >= ?", (after_s // HOUR_S,)
    ).fetchone()
    return None if hour is None else Month.containing(hour * HOUR_S)


def sources_of(connection: sqlite3.Connection, month: Month) -> list[AgedSource]:
    """Return the meters with settled readings in a month, in order."""
    rows = connection.execute(
        "SELECT id, gateway, device, meter FROM source WHERE EXISTS"
        " (SELECT 1 FROM settled WHERE source = source.id AND hour >= ? AND hour < ?)"
        " ORDER BY gateway, device, meter",
        (month.start_s // HOUR_S, month.end_s // HOUR_S),
    )
    return [AgedSource(*row) for row in rows]


def series_of(connection: sqlite3.Connection, source: AgedSource) -> dict[SeriesId, str]:
    """Return the names of a meter's series."""
    rows = connection.execute("SELECT id, name FROM series WHERE source = ?", (source.id,))
    return dict(rows.fetchall())


def hours_of(
    connection: sqlite3.Connection, source: AgedSource, month: Month, after_s: EpochS
) -> list[AgedHour]:
    """Return some of a meter's settled hours in a month, later than an instant, in order."""
    rows = connection.execute(
        "SELECT id, points, hour, chunk FROM settled"
        " WHERE source = ? AND hour >= ? AND hour < ? ORDER BY hour LIMIT ?",
        (
            source.id,
            max(month.start_s // HOUR_S, after_s // HOUR_S + 1),
            month.end_s // HOUR_S,
            _ROWS,
        ),
    )
    return [AgedHour(row[0], row[1], row[2] * HOUR_S, row[3]) for row in rows]


def columns_of(hours: list[AgedHour]) -> dict[SeriesId, tuple[array[int], array[int]]]:
    """Return instants and values of each series, in order of time."""
    columns: dict[SeriesId, tuple[array[int], array[int]]] = {}
    for hour in hours:
        for series, values in chunk.unpack(hour.chunk).items():
            at_s, held = columns.setdefault(series, (array("q"), array("q")))
            at_s.extend([hour.at_s + offset for offset in values])
            held.extend(values.values())
    return columns


def note(connection: sqlite3.Connection, put: PutAway) -> None:
    """Remember a file; the caller holds the transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO month_part(start_s, part, points, size_bytes, digest, made_s)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            put.name.month.start_s,
            put.name.part,
            put.points,
            put.size_bytes,
            put.digest,
            put.made_s,
        ),
    )


def count_conflicts(connection: sqlite3.Connection, conflicts: int) -> None:
    """Count points that an earlier file tells otherwise; the caller holds the transaction."""
    connection.execute("UPDATE life SET conflicts = conflicts + ?", (conflicts,))


def noted(connection: sqlite3.Connection) -> Iterator[PutAway]:
    """Yield the files the record relies on, in order."""
    for start_s, part, points, size, digest, made_s in connection.execute(
        "SELECT start_s, part, points, size_bytes, digest, made_s FROM month_part"
        " ORDER BY start_s, part"
    ):
        name = PartName(Month.containing(start_s), part)
        yield PutAway(name, points, size, bytes(digest), made_s)


def forget_part(connection: sqlite3.Connection, name: PartName) -> None:
    """Rely on a file no more; the caller holds the transaction."""
    connection.execute(
        "DELETE FROM month_part WHERE start_s = ? AND part = ?", (name.month.start_s, name.part)
    )


def let_go(connection: sqlite3.Connection, rows: list[tuple[int, int]]) -> int:
    """Delete settled device-hours that still hold just so many points; return how many points.

    One that grew since it was read stays: a settled hour only ever grows. The caller holds the
    transaction.

    Args:
        connection: The writer's.
        rows: Row and points of each.
    """
    gone = 0
    for row, points in rows:
        deleted = connection.execute(
            "DELETE FROM settled WHERE id = ? AND points = ?", (row, points)
        )
        gone += points * deleted.rowcount
    connection.execute("UPDATE life SET points = points - ?", (gone,))
    return gone
