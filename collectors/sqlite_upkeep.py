"""What the record in SQLite does in quiet moments: settle, forget, look for damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from collectors import chunk, sqlite_rollup
from collectors.chunk import HOUR_S, SeriesId
from kwartier.units import EpochS

MERGE_HOURS = 16
"""How many device-hours one step settles at most."""


def merge(connection: sqlite3.Connection, before_s: EpochS, limit: int) -> int:
    """Settle at most ``limit`` device-hours that ended before an instant; return how many.

    The caller holds the transaction.
    """
    places = connection.execute(
        "SELECT DISTINCT hour, source FROM fresh WHERE hour < ? ORDER BY hour, source LIMIT ?",
        (before_s // HOUR_S, limit),
    ).fetchall()
    for hour, source in places:
        _settle(connection, hour, source)
    return len(places)


def _settle(connection: sqlite3.Connection, hour: int, source: int) -> None:
    """Make one chunk of all chunks of a device-hour, and take what is new into its rollup."""
    settled = connection.execute(
        "SELECT chunk FROM settled WHERE source = ? AND hour = ?", (source, hour)
    )
    fresh = connection.execute(
        "SELECT chunk FROM fresh WHERE hour = ? AND source = ?", (hour, source)
    )
    columns, new = _together(settled), _together(fresh)
    sqlite_rollup.fold(connection, source, hour, new)
    for series, values in new.items():
        columns.setdefault(series, {}).update(values)
    points = sum(map(len, columns.values()))
    connection.execute(
        "INSERT INTO settled(source, hour, points, chunk) VALUES (?, ?, ?, ?)"
        " ON CONFLICT(source, hour) DO UPDATE SET points = excluded.points, chunk = excluded.chunk",
        (source, hour, points, chunk.pack_points(columns)),
    )
    connection.execute("DELETE FROM fresh WHERE hour = ? AND source = ?", (hour, source))


def _together(blobs: Iterable[tuple[bytes]]) -> dict[SeriesId, dict[int, int]]:
    """Return the values of several chunks by second into the hour."""
    columns: dict[SeriesId, dict[int, int]] = {}
    for (blob,) in blobs:
        for series, values in chunk.unpack(blob).items():
            columns.setdefault(series, {}).update(values)
    return columns


def forget_detail(connection: sqlite3.Connection, before_s: EpochS, limit: int) -> int:
    """Delete at most ``limit`` settled device-hours that ended before an instant; return how many.

    Quarters, newest values and counts of what came stay. The caller holds the transaction.
    """
    old = connection.execute(
        "SELECT id, points FROM settled WHERE hour < ? ORDER BY hour LIMIT ?",
        (before_s // HOUR_S, limit),
    ).fetchall()
    connection.executemany("DELETE FROM settled WHERE id = ?", [(row[0],) for row in old])
    connection.execute("UPDATE life SET points = points - ?", (sum(points for _, points in old),))
    return len(old)


def forget_journal(connection: sqlite3.Connection, before_s: EpochS, limit: int) -> int:
    """Delete at most ``limit`` of the oldest blocks that came before an instant; return how many.

    A block past its stream's watermark stays, so that it is known when it comes again. The caller
    holds the transaction.
    """
    return connection.execute(
        "DELETE FROM journal WHERE position IN (SELECT position FROM journal"
        " JOIN stream ON stream.id = journal.stream WHERE seq <= stream.upto AND position <"
        " coalesce((SELECT position FROM journal WHERE received_s >= ? ORDER BY position LIMIT 1),"
        " 9223372036854775807) ORDER BY position LIMIT ?)",
        (before_s, limit),
    ).rowcount


def forget_dead_letters(
    connection: sqlite3.Connection, before_s: EpochS, keep: int, limit: int
) -> int:
    """Delete old dead letters and all but the newest ``keep``; return how many; their count stays.

    Args:
        connection: The writer's.
        before_s: Those that came before this instant go [s].
        keep: How many stay at most.
        limit: How many go at most, old ones and others each: one may be 64 KiB.
    """
    old = connection.execute(
        "DELETE FROM dead_letter WHERE id IN"
        " (SELECT id FROM dead_letter WHERE received_s < ? ORDER BY received_s LIMIT ?)",
        (before_s, limit),
    ).rowcount
    many = connection.execute(
        "DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter"
        " WHERE id <= (SELECT max(id) FROM dead_letter) - ? ORDER BY id LIMIT ?)",
        (keep, limit),
    ).rowcount
    return old + many


def forget_quarters(connection: sqlite3.Connection, before_s: EpochS, limit: int) -> int:
    """Delete at most ``limit`` quarters that began before an instant; return how many.

    The caller holds the transaction, and knows that the settlement of them all is final.
    """
    left = limit
    for (series,) in connection.execute("SELECT id FROM series ORDER BY id").fetchall():
        left -= connection.execute(
            "DELETE FROM q15 WHERE series = ?1 AND start_s IN"
            " (SELECT start_s FROM q15 WHERE series = ?1 AND start_s < ?2"
            " ORDER BY start_s LIMIT ?3)",
            (series, before_s, left),
        ).rowcount
        if left <= 0:
            break
    return limit - left


def problems(connection: sqlite3.Connection, *, quick: bool = False) -> list[str]:
    """Return what is wrong with the file, in lines to read; nothing when it is sound.

    Args:
        connection: A reader's.
        quick: Leaves out whether indexes and references agree with the rows.
    """
    if quick:
        told = connection.execute("PRAGMA quick_check(20)")
        return [str(row[0]) for row in told if row[0] != "ok"]
    told = connection.execute("PRAGMA integrity_check(20)")
    found = [str(row[0]) for row in told if row[0] != "ok"]
    found += [
        f"{table} row {row} refers to a {parent} that is not there"
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(20)
    ]
    (counted,) = connection.execute("SELECT points FROM life").fetchone()
    (held,) = connection.execute(
        "SELECT (SELECT coalesce(sum(points), 0) FROM fresh)"
        " + (SELECT coalesce(sum(points), 0) FROM settled)"
    ).fetchone()
    if held != counted:
        found.append(f"{counted} points were counted, chunks hold {held}")
    return found
