"""One transaction of the record in SQLite: blocks go in as chunks, their registers into quarters.

What one transaction learns is gathered in memory and written at its end: the rows of a meter and an
hour as one chunk, its quarters, newest values and watermarks once, so that fifty blocks of a minute
cost about as much as one.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import lt

from collectors import chunk, sqlite_events
from collectors.chunk import HOUR_S, SeriesId
from collectors.quarters import Span
from collectors.sqlite_names import Names, Source, Stream
from collectors.sqlite_quarters import write_spans
from collectors.store import DeadLetter, KeptEvent
from collectors.stretch import Stretch, newest, points_of, runs, spans
from kwartier.identity import GatewayId
from kwartier.reading import ClockSource
from kwartier.units import EpochS
from kwartier.wire import MAX_PAYLOAD_BYTES, Block, Column

_MOST_GATHERED = 500
"""Blocks of which the rows wait in memory before they are written."""


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
        self._journal: list[tuple[int, int, EpochS, bytes]] = []
        self._stretches: dict[tuple[int, int, ClockSource], tuple[Source, Stretch]] = {}
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
            stream.newest = max(stream.newest, upto)
            self._advanced[stream.id] = upto

    def add(self, block: Block, payload: bytes, received_s: EpochS) -> None:
        """Store a block's points, and keep ``latest`` and the quarters with them; once."""
        stream = self._names.stream(self._connection, block.gateway, block.epoch)
        if self._is_known(stream, block.seq):
            return
        stream.newest = max(stream.newest, block.seq)
        self._journal.append((stream.id, block.seq, received_s, payload))
        at_s, columns, conflicts = _rising(block)
        self._tally.blocks += 1
        self._tally.readings += len(block.at_s)
        self._tally.conflicts += conflicts
        key = (block.gateway, block.device, block.meter)
        source = self._names.source(self._connection, key, columns)
        by_series = {source.series[name]: column for name, column in columns.items()}
        for start, end in runs(at_s, HOUR_S):
            part = {series: column[start:end] for series, column in by_series.items()}
            if at_s[start] > source.newest_s:
                self._gather(source, block.clock, at_s[start:end], part)
            else:
                self._keep_late(source, block.clock, at_s[start:end], part)
        source.newest_s = max(source.newest_s, at_s[-1])
        if len(self._journal) >= _MOST_GATHERED:
            self._write_gathered()

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
        self._write_gathered()
        execute = self._connection.executemany
        execute("UPDATE stream SET upto = ?2 WHERE id = ?1", self._advanced.items())
        execute(
            "INSERT INTO latest(series, at_s, value) VALUES (?, ?, ?) ON CONFLICT(series)"
            " DO UPDATE SET at_s = excluded.at_s, value = excluded.value"
            " WHERE excluded.at_s > latest.at_s",
            [(series, at_s, value) for series, (at_s, value) in self._latest.items()],
        )
        for series, widened in self._spans.items():
            write_spans(self._connection, series, widened)
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

    def _is_known(self, stream: Stream, seq: int) -> bool:
        """Return whether a block was taken in before; what is past the newest cannot have been."""
        if seq > stream.newest:
            return False
        if seq <= self._upto_before.get(stream.id, stream.upto):
            return True
        self._write_gathered()
        found = self._connection.execute(
            "SELECT 1 FROM journal WHERE stream = ? AND seq = ?", (stream.id, seq)
        )
        return found.fetchone() is not None

    def _gather(
        self,
        source: Source,
        clock: ClockSource,
        at_s: Sequence[EpochS],
        columns: Mapping[SeriesId, Column],
    ) -> None:
        """Let rows of one hour, later than all that is held of their meter, wait for more."""
        key = (source.id, at_s[0] // HOUR_S, clock)
        gathered = self._stretches.get(key)
        if gathered is None:
            gathered = self._stretches[key] = source, Stretch()
        gathered[1].extend(at_s, columns)

    def _keep_late(
        self,
        source: Source,
        clock: ClockSource,
        at_s: Sequence[EpochS],
        columns: Mapping[SeriesId, Column],
    ) -> None:
        """Store rows of one hour without the points that are held already."""
        self._write_gathered()
        late = Stretch()
        late.extend(at_s, columns)
        new = self._new_only(source, late.hour, late.offsets, columns)
        self._write_chunks([(late.hour, source.id, points_of(new), chunk.pack(late.offsets, new))])
        self._note(source, clock, late)

    def _write_gathered(self) -> None:
        """Write the blocks as they came, and the rows that waited."""
        self._connection.executemany(
            "INSERT INTO journal(stream, seq, received_s, payload) VALUES (?, ?, ?, ?)",
            self._journal,
        )
        self._journal.clear()
        self._write_chunks(
            [
                (
                    held.hour,
                    source.id,
                    points_of(held.columns),
                    chunk.pack(held.offsets, held.columns),
                )
                for source, held in self._stretches.values()
            ]
        )
        for (_, _, clock), (source, held) in self._stretches.items():
            self._note(source, clock, held)
        self._stretches.clear()

    def _write_chunks(self, chunks: Sequence[tuple[int, int, int, bytes]]) -> None:
        told = [one for one in chunks if one[2]]
        self._connection.executemany(
            "INSERT INTO fresh(hour, source, points, chunk) VALUES (?, ?, ?, ?)", told
        )
        self._tally.points += sum(points for _, _, points, _ in told)

    def _note(self, source: Source, clock: ClockSource, rows: Stretch) -> None:
        """Learn newest values and quarters from rows; a clock nobody checked tells no quarter."""
        for series, column in rows.columns.items():
            self._note_latest(series, newest(rows.at_s, column))
            if series in source.registers and clock is not ClockSource.UNSURE:
                self._note_spans(series, spans(rows.at_s, column))

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

    def _note_latest(self, series: SeriesId, told: tuple[EpochS, int] | None) -> None:
        held = self._latest.get(series)
        if told is not None and (held is None or told[0] > held[0]):
            self._latest[series] = told

    def _note_spans(self, series: SeriesId, found: Iterable[Span]) -> None:
        noted = self._spans.setdefault(series, {})
        for span in found:
            held = noted.get(span.start_s)
            noted[span.start_s] = span if held is None else held.widened(span)


def _rising(block: Block) -> tuple[Sequence[EpochS], Mapping[str, Column], int]:
    """Return a block's rows in order, each instant once, and how many values disagreed.

    Of two values for one instant the earlier row's stays.
    """
    if all(map(lt, block.at_s, block.at_s[1:])):
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
