"""One transaction of the record in SQLite: blocks go in as chunks, their registers into quarters.

What one transaction learns of quarters, newest values and watermarks is gathered in memory and
written once at its end, so that fifty blocks of a minute cost about as much as one.
"""

from __future__ import annotations

import hashlib
import sqlite3
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from collectors import chunk, sqlite_events
from collectors.chunk import HOUR_S, SeriesId
from collectors.quarters import Span
from collectors.sqlite_names import Names, Source, Stream
from collectors.sqlite_quarters import write_spans
from collectors.store import DeadLetter, KeptEvent
from kwartier.identity import GatewayId
from kwartier.interval import QUARTER_S
from kwartier.reading import ClockSource
from kwartier.series import SERIES, Kind
from kwartier.units import EpochS
from kwartier.wire import MAX_PAYLOAD_BYTES, Block, Column

_REGISTERS = frozenset(name for name, series in SERIES.items() if series.kind is Kind.REGISTER)


@dataclass(slots=True)
class Tally:
    """What one transaction adds to the counts."""

    points: int = 0
    readings: int = 0
    blocks: int = 0
    dead_letters: int = 0
    conflicts: int = 0


class SqliteIntake:
    """An open transaction; see `collectors.store.Intake`."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        """Take in over a connection that has begun a transaction."""
        self._connection = connection
        self._names = names
        self._tally = Tally()
        self._latest: dict[SeriesId, tuple[EpochS, int]] = {}
        self._spans: dict[SeriesId, dict[EpochS, Span]] = {}
        self._advanced: dict[int, int] = {}
        self._upto_before: dict[int, int] = {}

    def watermark(self, gateway: GatewayId, epoch: str) -> int:
        """Return the last block taken in with all before it; 0 for none."""
        return self._names.stream(self._connection, gateway, epoch).upto

    def advance(self, gateway: GatewayId, epoch: str, upto: int) -> None:
        """Raise the watermark; it never falls."""
        stream = self._names.stream(self._connection, gateway, epoch)
        if upto > stream.upto:
            self._upto_before.setdefault(stream.id, stream.upto)
            stream.upto = upto
            self._advanced[stream.id] = upto

    def add(self, block: Block, payload: bytes, received_s: EpochS) -> None:
        """Store a block's points, and keep ``latest`` and the quarters with them; once."""
        stream = self._names.stream(self._connection, block.gateway, block.epoch)
        if block.seq <= self._upto_before.get(stream.id, stream.upto):
            return
        if not self._journalled(stream, block, payload, received_s):
            return
        at_s, columns, conflicts = _rising(block)
        self._tally.blocks += 1
        self._tally.readings += len(block.at_s)
        self._tally.conflicts += conflicts
        key = (block.gateway, block.device, block.meter)
        source = self._names.source(self._connection, key, columns)
        by_series = {source.series[name]: column for name, column in columns.items()}
        for start, end in _runs(at_s, HOUR_S):
            self._keep(source, at_s[start:end], {s: c[start:end] for s, c in by_series.items()})
        source.newest_s = max(source.newest_s, at_s[-1])
        self._note_latest(at_s, by_series)
        if block.clock is not ClockSource.UNSURE:
            for name, column in columns.items():
                if name in _REGISTERS:
                    self._note_spans(source.series[name], at_s, column)

    def set_aside(self, letter: DeadLetter) -> None:
        """Keep a message that cannot be stored, with the reason, once; at most 64 KiB of it.

        A message without a number of its own is told from others by what it holds.
        """
        digest = b""
        if letter.seq < 1:
            digest = hashlib.blake2s(letter.payload, digest_size=8).digest()
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO dead_letter"
            "(gateway, epoch, seq, digest, received_s, reason, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                letter.gateway,
                letter.epoch,
                letter.seq,
                digest,
                letter.received_s,
                letter.reason,
                letter.payload[:MAX_PAYLOAD_BYTES],
            ),
        )
        self._tally.dead_letters += cursor.rowcount

    def note_event(self, kept: KeptEvent) -> bool:
        """Keep what happened on a gateway; return False when it was told before."""
        return sqlite_events.note(self._connection, kept)

    def finish(self) -> None:
        """Write what was gathered; the transaction can be committed after this."""
        execute = self._connection.executemany
        execute("UPDATE stream SET upto = ?2 WHERE id = ?1", self._advanced.items())
        execute(
            "INSERT INTO latest(series, at_s, value) VALUES (?, ?, ?) ON CONFLICT(series)"
            " DO UPDATE SET at_s = excluded.at_s, value = excluded.value"
            " WHERE excluded.at_s > latest.at_s",
            [(series, at_s, value) for series, (at_s, value) in self._latest.items()],
        )
        for series, spans in self._spans.items():
            write_spans(self._connection, series, spans)
        tally = self._tally
        self._connection.execute(
            "UPDATE life SET commits = commits + 1, points = points + ?,"
            " readings = readings + ?, blocks = blocks + ?, dead_letters = dead_letters + ?,"
            " conflicts = conflicts + ?",
            (tally.points, tally.readings, tally.blocks, tally.dead_letters, tally.conflicts),
        )
        self._tally = Tally()
        self._latest.clear()
        self._spans.clear()
        self._advanced.clear()

    def _journalled(self, stream: Stream, block: Block, payload: bytes, received_s: EpochS) -> bool:
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO journal(stream, seq, received_s, payload) VALUES (?, ?, ?, ?)",
            (stream.id, block.seq, received_s, payload),
        )
        return cursor.rowcount == 1

    def _keep(
        self, source: Source, at_s: Sequence[EpochS], columns: Mapping[SeriesId, Column]
    ) -> None:
        """Store one hour's part of a block as a chunk, without the points held already."""
        hour = at_s[0] // HOUR_S
        offsets = [at - hour * HOUR_S for at in at_s]
        if at_s[0] <= source.newest_s:
            columns = self._new_only(source, hour, offsets, columns)
        points = sum(len(column) - column.count(None) for column in columns.values())
        if not points:
            return
        self._connection.execute(
            "INSERT INTO fresh(hour, source, points, chunk) VALUES (?, ?, ?, ?)",
            (hour, source.id, points, chunk.pack(offsets, columns)),
        )
        self._tally.points += points

    def _new_only(
        self,
        source: Source,
        hour: int,
        offsets: Sequence[int],
        columns: Mapping[SeriesId, Column],
    ) -> Mapping[SeriesId, Column]:
        """Return columns with None where the point is held already; count other values."""
        fresh = self._connection.execute(
            "SELECT chunk FROM fresh WHERE hour = ? AND source = ?", (hour, source.id)
        )
        settled = self._connection.execute(
            "SELECT chunk FROM settled WHERE hour = ? AND source = ?", (hour, source.id)
        )
        wanted = set(offsets)
        left = dict(columns)
        for (blob,) in [*fresh, *settled]:
            if wanted.isdisjoint(chunk.offsets_of(blob)):
                continue
            for series, held in chunk.unpack(blob).items():
                column = left.get(series)
                if column is None:
                    continue
                kept = tuple(
                    None if offset in held else value
                    for offset, value in zip(offsets, column, strict=True)
                )
                self._tally.conflicts += sum(
                    value is not None and held.get(offset, value) != value
                    for offset, value in zip(offsets, column, strict=True)
                )
                left[series] = kept
        return left

    def _note_latest(self, at_s: Sequence[EpochS], columns: Mapping[SeriesId, Column]) -> None:
        for series, column in columns.items():
            place = _last_said(column, 0, len(column))
            if place is None:
                continue
            held = self._latest.get(series)
            value = column[place]
            if value is not None and (held is None or at_s[place] > held[0]):
                self._latest[series] = (at_s[place], value)

    def _note_spans(self, series: SeriesId, at_s: Sequence[EpochS], column: Column) -> None:
        spans = self._spans.setdefault(series, {})
        for start, end in _runs(at_s, QUARTER_S):
            last = _last_said(column, start, end)
            if last is None:
                continue
            first = next(row for row in range(start, end) if column[row] is not None)
            opening, closing = column[first], column[last]
            assert opening is not None
            assert closing is not None
            start_s = at_s[start] // QUARTER_S * QUARTER_S
            span = Span(start_s, at_s[first], opening, at_s[last], closing)
            held = spans.get(start_s)
            spans[start_s] = span if held is None else held.widened(span)


def _runs(at_s: Sequence[EpochS], length_s: int) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of the rows in each period of a length [s], in order."""
    if at_s[0] // length_s == at_s[-1] // length_s:
        return [(0, len(at_s))]
    runs: list[tuple[int, int]] = []
    start = 0
    while start < len(at_s):
        end = bisect_left(at_s, (at_s[start] // length_s + 1) * length_s, lo=start)
        runs.append((start, end))
        start = end
    return runs


def _last_said(column: Column, start: int, end: int) -> int | None:
    """Return the last row of ``[start, end)`` with a value."""
    for row in range(end - 1, start - 1, -1):
        if column[row] is not None:
            return row
    return None


def _rising(block: Block) -> tuple[Sequence[EpochS], Mapping[str, Column], int]:
    """Return a block's rows in order, each instant once, and how many values disagreed.

    Of two values for one instant the earlier row's stays.
    """
    if all(earlier < later for earlier, later in pairwise(block.at_s)):
        return block.at_s, block.columns, 0
    conflicts = 0
    at_s = sorted(set(block.at_s))
    columns: dict[str, Column] = {}
    for name, column in block.columns.items():
        held: dict[EpochS, int] = {}
        for at, value in zip(block.at_s, column, strict=True):
            if value is not None:
                conflicts += held.setdefault(at, value) != value
        columns[name] = tuple(map(held.get, at_s))
    return at_s, columns, conflicts
