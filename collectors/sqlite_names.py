"""The numbers behind names in the tables: meters, series, and streams of blocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from collectors.chunk import SeriesId
from kwartier.identity import DeviceId, GatewayId, MeterId
from kwartier.series import SERIES, Kind
from kwartier.units import EpochS

SourceKey: TypeAlias = tuple[GatewayId, DeviceId, MeterId]

_REGISTERS = frozenset(name for name, series in SERIES.items() if series.kind is Kind.REGISTER)
_LONG_AGO = -(2**62)


@dataclass(slots=True)
class Source:
    """A meter of a device, as it is known in the tables.

    Attributes:
        id: Its number.
        newest_s: The newest instant held of it [s]; what is later cannot be held already.
        series: The numbers of its series, by name.
        registers: Which of them count energy.
    """

    id: int
    newest_s: EpochS
    series: dict[str, SeriesId] = field(default_factory=dict)
    registers: set[SeriesId] = field(default_factory=set)

    def learn(self, name: str, number: SeriesId) -> None:
        """Note the number of a series."""
        self.series[name] = number
        if name in _REGISTERS:
            self.registers.add(number)


@dataclass(slots=True)
class Stream:
    """The blocks of one gateway's outbox.

    Attributes:
        id: Its number.
        upto: How far they are all here.
        newest: The last of them that came; what is later cannot have come before.
    """

    id: int
    upto: int
    newest: int


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
                insert = "INSERT INTO series(source, name) VALUES (?, ?)"
                source.learn(name, _made(connection, insert, (source.id, name)))
        return source


def _stream(connection: sqlite3.Connection, gateway: GatewayId, epoch: str) -> Stream:
    row = connection.execute(
        "SELECT id, upto, max(upto, coalesce("
        "(SELECT max(seq) FROM journal WHERE stream = stream.id), 0))"
        " FROM stream WHERE gateway = ? AND epoch = ?",
        (gateway, epoch),
    ).fetchone()
    if row is not None:
        return Stream(*row)
    insert = "INSERT INTO stream(gateway, epoch, upto) VALUES (?, ?, 0)"
    return Stream(_made(connection, insert, (gateway, epoch)), 0, 0)


def _source(connection: sqlite3.Connection, key: SourceKey) -> Source:
    row = connection.execute(
        "SELECT id FROM source WHERE gateway = ? AND device = ? AND meter = ?", key
    ).fetchone()
    if row is None:
        insert = "INSERT INTO source(gateway, device, meter) VALUES (?, ?, ?)"
        return Source(_made(connection, insert, key), _LONG_AGO)
    series = connection.execute("SELECT name, id FROM series WHERE source = ?", row)
    (newest_s,) = connection.execute(
        "SELECT max(at_s) FROM latest JOIN series ON series.id = latest.series WHERE source = ?",
        row,
    ).fetchone()
    source = Source(row[0], _LONG_AGO if newest_s is None else newest_s)
    for name, number in series:
        source.learn(name, number)
    return source


def _made(connection: sqlite3.Connection, insert: str, values: tuple[str | int, ...]) -> int:
    """Insert a row and return its number."""
    number = connection.execute(insert, values).lastrowid
    assert number is not None
    return number
