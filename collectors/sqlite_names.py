"""The numbers behind names in the tables: meters, series, and streams of blocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from collectors.chunk import SeriesId
from kwartier.identity import DeviceId, GatewayId, MeterId
from kwartier.units import EpochS

SourceKey: TypeAlias = tuple[GatewayId, DeviceId, MeterId]

_LONG_AGO = -(2**62)


@dataclass(slots=True)
class Source:
    """A meter of a device, as it is known in the tables.

    Attributes:
        id: Its number.
        newest_s: The newest instant held of it [s]; what is later cannot be held already.
        series: The numbers of its series, by name.
    """

    id: int
    newest_s: EpochS
    series: dict[str, SeriesId]


@dataclass(slots=True)
class Stream:
    """The blocks of one gateway's outbox, and how far they are all here."""

    id: int
    upto: int


@dataclass(slots=True)
class Names:
    """What was looked up before; true only while this is the one writer."""

    sources: dict[SourceKey, Source] = field(default_factory=dict)
    streams: dict[tuple[GatewayId, str], Stream] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget all; after a transaction that was undone it may be wrong."""
        self.sources.clear()
        self.streams.clear()

    def stream(self, connection: sqlite3.Connection, gateway: GatewayId, epoch: str) -> Stream:
        """Return the stream of a gateway's outbox; made when it is new."""
        stream = self.streams.get((gateway, epoch))
        if stream is None:
            stream = self.streams[gateway, epoch] = _stream(connection, gateway, epoch)
        return stream

    def source(
        self, connection: sqlite3.Connection, key: SourceKey, names: Iterable[str]
    ) -> Source:
        """Return a meter with at least the series named; made when it is new."""
        source = self.sources.get(key)
        if source is None:
            source = self.sources[key] = _source(connection, key)
        for name in names:
            if name not in source.series:
                source.series[name] = _made(
                    connection,
                    "INSERT INTO series(source, name) VALUES (?, ?)",
                    (source.id, name),
                )
        return source


def _stream(connection: sqlite3.Connection, gateway: GatewayId, epoch: str) -> Stream:
    row = connection.execute(
        "SELECT id, upto FROM stream WHERE gateway = ? AND epoch = ?", (gateway, epoch)
    ).fetchone()
    if row is not None:
        return Stream(*row)
    insert = "INSERT INTO stream(gateway, epoch, upto) VALUES (?, ?, 0)"
    return Stream(_made(connection, insert, (gateway, epoch)), 0)


def _source(connection: sqlite3.Connection, key: SourceKey) -> Source:
    row = connection.execute(
        "SELECT id FROM source WHERE gateway = ? AND device = ? AND meter = ?", key
    ).fetchone()
    if row is None:
        insert = "INSERT INTO source(gateway, device, meter) VALUES (?, ?, ?)"
        return Source(_made(connection, insert, key), _LONG_AGO, {})
    series = connection.execute("SELECT name, id FROM series WHERE source = ?", row)
    (newest_s,) = connection.execute(
        "SELECT max(at_s) FROM latest JOIN series ON series.id = latest.series WHERE source = ?",
        row,
    ).fetchone()
    return Source(row[0], _LONG_AGO if newest_s is None else newest_s, dict(series.fetchall()))


def _made(connection: sqlite3.Connection, insert: str, values: tuple[str | int, ...]) -> int:
    """Insert a row and return its number."""
    number = connection.execute(insert, values).lastrowid
    assert number is not None
    return number
