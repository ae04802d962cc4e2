"""Hand a gateway over from one record to another: all it needs to go on, and nothing twice.

The watermarks go along, so that the new shard asks for the very next block, and so do quarters,
rollups, newest values and single readings: a quarter that began in the old record ends in the new
one with the same watt-hours. What is only history stays where it was and is read from there: the
journal of blocks as they came, month files, dead letters, events.

Both records are held by this process, so no collector runs meanwhile; gateways keep what they read.
A gateway is written to its new record for good before it leaves the old one. After a power cut
between the two it stands in both: the next run finds it there and goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

from collectors import chunk, sqlite_rollup
from collectors.chunk import SeriesId
from collectors.quarters import Span
from collectors.sqlite_names import Names, Source
from collectors.sqlite_quarters import write_spans
from collectors.sqlite_store import SqliteStore
from kwartier.identity import GatewayId

_CHUNKS = ("settled", "fresh")


@dataclass(slots=True)
class Moved:
    """What was handed over.

    Attributes:
        gateways: Gateways.
        streams: Outboxes of theirs whose watermark went along.
        quarters: Quarters of registers.
        hours: Chunks of single readings, each of a meter and an hour.
        points: The readings in them that the new record did not hold yet.
    """

    gateways: int = 0
    streams: int = 0
    quarters: int = 0
    hours: int = 0
    points: int = 0

    def add(self, other: Moved) -> None:
        """Count more."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def gateways_in(store: SqliteStore) -> set[GatewayId]:
    """Return the gateways that a record keeps, by their newest values."""
    return {latest.key.gateway for latest in store.latest()}


def hand_over(gateway: GatewayId, giver: SqliteStore, taker: SqliteStore) -> Moved:
    """Write a gateway into another record, and then take it out of its own.

    Args:
        gateway: Which.
        giver: The record it stands in, open for writing.
        taker: The record of the shard that keeps it from now on, open for writing.

    Raises:
        StoreBusyError: A record takes nothing now; run it again, nothing is lost or double.
    """
    with giver.changing() as old:
        with taker.changing() as new:
            moved = _write(gateway, old, new)
        _leave(gateway, old)
    return moved


def _write(gateway: GatewayId, old: sqlite3.Connection, new: sqlite3.Connection) -> Moved:
    names = Names()
    moved = Moved(gateways=1, streams=_write_streams(gateway, old, new, names))
    sources = old.execute(
        "SELECT id, device, meter FROM source WHERE gateway = ?", (gateway,)
    ).fetchall()
    for number, device, meter in sources:
        series = dict(old.execute("SELECT name, id FROM series WHERE source = ?", (number,)))
        source = names.source(new, (gateway, device, meter), series)
        numbers = {theirs: source.series[name] for name, theirs in series.items()}
        for theirs, ours in numbers.items():
            moved.quarters += _write_quarters(old, theirs, new, ours)
            _write_latest(old, theirs, new, ours)
        held = _hours_in(new, source)
        _write_chunks(old, number, new, source, numbers, held, moved)
        sqlite_rollup.take_over(old, number, new, source.id, numbers, held)
    new.execute("UPDATE life SET commits = commits + 1, points = points + ?", (moved.points,))
    return moved


def _write_streams(
    gateway: GatewayId, old: sqlite3.Connection, new: sqlite3.Connection, names: Names
) -> int:
    rows = old.execute("SELECT epoch, upto FROM stream WHERE gateway = ?", (gateway,)).fetchall()
    for epoch, upto in rows:
        stream = names.stream(new, gateway, epoch)
        new.execute("UPDATE stream SET upto = max(upto, ?) WHERE id = ?", (upto, stream.id))
    return len(rows)


def _write_latest(
    old: sqlite3.Connection, theirs: SeriesId, new: sqlite3.Connection, ours: SeriesId
) -> None:
    row = old.execute("SELECT at_s, value FROM latest WHERE series = ?", (theirs,)).fetchone()
    if row is not None:
        new.execute(
            "INSERT INTO latest(series, at_s, value) VALUES (?, ?, ?) ON CONFLICT(series)"
            " DO UPDATE SET at_s = excluded.at_s, value = excluded.value"
            " WHERE excluded.at_s > latest.at_s",
            (ours, *row),
        )


def _write_quarters(
    old: sqlite3.Connection, theirs: SeriesId, new: sqlite3.Connection, ours: SeriesId
) -> int:
    """Write the quarters of one register; where the new record has some, reckon them again."""
    rows = old.execute(
        "SELECT start_s, first_s, first, last_s, last, energy_wh, estimated, steps_back FROM q15"
        " WHERE series = ?",
        (theirs,),
    ).fetchall()
    if new.execute("SELECT 1 FROM q15 WHERE series = ? LIMIT 1", (ours,)).fetchone() is None:
        new.executemany(
            "INSERT INTO q15(series, start_s, first_s, first, last_s, last, energy_wh, estimated,"
            " steps_back) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(ours, *row) for row in rows],
        )
    else:
        write_spans(new, ours, {row[0]: Span(*row[:5]) for row in rows})
    return len(rows)


def _write_chunks(
    old: sqlite3.Connection,
    number: int,
    new: sqlite3.Connection,
    source: Source,
    numbers: Mapping[SeriesId, SeriesId],
    held: Collection[int],
    moved: Moved,
) -> None:
    """Write the single readings of a meter, but for those that the new record holds already."""
    for table in _CHUNKS:
        for hour, count, blob in old.execute(
            f"SELECT hour, points, chunk FROM {table} WHERE source = ? ORDER BY hour, id",  # noqa: S608
            (number,),
        ):
            theirs, points, place = chunk.renumbered(blob, numbers), count, table
            if hour in held:
                theirs, points = _unheld(new, source.id, hour, theirs)
                place = "fresh"
            if points:
                new.execute(
                    f"INSERT INTO {place}(hour, source, points, chunk) VALUES (?, ?, ?, ?)",  # noqa: S608
                    (hour, source.id, points, theirs),
                )
                moved.points += points
            moved.hours += 1


def _hours_in(connection: sqlite3.Connection, source: Source) -> set[int]:
    """Return the hours since 1970 of which a record holds readings of a meter."""
    return {
        hour
        for table in _CHUNKS
        for (hour,) in connection.execute(
            f"SELECT hour FROM {table} WHERE source = ?",  # noqa: S608 - our constants
            (source.id,),
        )
    }


def _unheld(new: sqlite3.Connection, source: int, hour: int, theirs: bytes) -> tuple[bytes, int]:
    """Return a chunk without the readings that the new record holds, and how many are left."""
    left = chunk.unpack(theirs)
    for table in _CHUNKS:
        for (blob,) in new.execute(
            f"SELECT chunk FROM {table} WHERE source = ? AND hour = ?",  # noqa: S608 - our constants
            (source, hour),
        ):
            for series, values in chunk.unpack(blob).items():
                for offset in values.keys() & left.get(series, {}).keys():
                    del left[series][offset]
    left = {series: values for series, values in left.items() if values}
    points = sum(map(len, left.values()))
    return (chunk.pack_points(left) if points else b""), points


def _leave(gateway: GatewayId, old: sqlite3.Connection) -> None:
    """Take a gateway out of the record it stood in; names and history stay."""
    sources = "SELECT id FROM source WHERE gateway = ?"
    series = f"SELECT id FROM series WHERE source IN ({sources})"  # noqa: S608 - our constants
    for table in ("latest", "q15"):
        old.execute(f"DELETE FROM {table} WHERE series IN ({series})", (gateway,))  # noqa: S608
    old.execute(f"DELETE FROM rollup WHERE source IN ({sources})", (gateway,))  # noqa: S608
    points = 0
    for table in _CHUNKS:
        (held,) = old.execute(
            f"SELECT coalesce(sum(points), 0) FROM {table} WHERE source IN ({sources})",  # noqa: S608
            (gateway,),
        ).fetchone()
        points += held
        old.execute(f"DELETE FROM {table} WHERE source IN ({sources})", (gateway,))  # noqa: S608
    old.execute("UPDATE life SET commits = commits + 1, points = points - ?", (points,))
