"""The record in SQLite: one file, one writer, any number of readers that never wait.

Blocks are taken in as chunks in order of arrival and later settled to one chunk per device and
hour; decision 0003 says why. Newest values, quarters, dead letters, watermarks and the journal of
blocks as they came are kept in the same transaction, which is on disk before it is told.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from collectors import chunk, sqlite_events, sqlite_rollup, sqlite_upkeep
from collectors.chunk import HOUR_S
from collectors.months.shelf import Shelf
from collectors.sqlite_intake import SqliteIntake
from collectors.sqlite_names import Names
from collectors.sqlite_quarters import quarters_of, series_told
from collectors.sqlite_readers import Readers
from collectors.sqlite_rollup import Rolled
from collectors.sqlite_schema import BUSY_S, connect, prepare, settled, translated
from collectors.sqlite_upkeep import MERGE_HOURS
from collectors.store import Counts, DeadLetter, DeviceKey, KeptEvent, Latest, QuarterEnergy
from collectors.store_life import Life
from kwartier.errors import StoreBusyError
from kwartier.events import EventKind
from kwartier.identity import GatewayId, MeterId
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS


class SqliteStore:
    """Keeps every reading in one SQLite file; see `collectors.store.Store`."""

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        busy_s: float = BUSY_S,
        max_bytes: int | None = None,
        opened: Callable[[Path], sqlite3.Connection] | None = None,
    ) -> None:
        """Open the record, and make it where there is none.

        Args:
            path: The file; ``-wal``, ``-shm`` and ``.life`` lie beside it.
            read_only: Only ask; any number of processes may, beside the one that writes.
            busy_s: How long to wait for a lock before giving up [s].
            max_bytes: The most the file may grow to; None for as much as the disk holds.
            opened: How the writer opens the file; None for the usual way.

        Raises:
            StoreBusyError: Another process writes it, or it cannot be reached now.
            StoreDamagedError: The file is damaged or is another program's.
            SettingsError: The file was written by a newer program.
        """
        self._path = path
        self._busy_s = busy_s
        self._max_bytes = max_bytes
        self._writing = threading.Lock()
        self._readers = Readers(path, busy_s)
        self._shelf = Shelf.beside(path)
        self._names = Names()
        self._life: Life | None = None
        self._writer: sqlite3.Connection | None = None
        with translated(path):
            if read_only:
                with self._readers.asking():
                    pass  # there is a record, and it can be read
            else:
                self._generation = self._begin(max_bytes, opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def generation(self) -> str:
        """The life of this store; a restored or new one has another."""
        if self._life is not None:
            return self._generation
        with self._readers.asking() as reader:
            (generation,) = reader.execute("SELECT generation FROM life").fetchone()
        return str(generation)

    @contextmanager
    def intake(self) -> Iterator[SqliteIntake]:
        """Open a transaction; it is durable on leaving, and undone when an error leaves it.

        Raises:
            StoreBusyError: The store cannot take it now; nothing was stored, try again.
        """
        with self._transaction() as writer:
            intake = SqliteIntake(writer, self._names)
            yield intake
            intake.finish()

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        """Return the newest value of each series of some devices, or of all."""
        select = (
            "SELECT gateway, device, name, latest.at_s, meter, value FROM source"
            " JOIN series ON series.source = source.id JOIN latest ON latest.series = series.id"
        )
        with self._readers.asking() as reader:
            if keys is None:
                rows = reader.execute(select).fetchall()
            else:
                rows = [
                    row
                    for key in set(keys)
                    for row in reader.execute(
                        select + " WHERE gateway = ? AND device = ?", (key.gateway, key.device)
                    )
                ]
        newest = {row[:3]: row for row in sorted(rows)}
        return [
            Latest(DeviceKey(gateway, device), meter, name, at_s, value)
            for gateway, device, name, at_s, meter, value in newest.values()
        ]

    def quarters(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        """Return every quarter known in ``[start_s, end_s)``, in order of key, name and time."""
        window = (-(-start_s // QUARTER_S) * QUARTER_S, -(-end_s // QUARTER_S) * QUARTER_S)
        with self._readers.asking() as reader:
            return [
                quarter
                for (key, name), meters in series_told(reader, names, keys).items()
                for quarter in quarters_of(reader, key, name, meters, window)
            ]

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)``, in order of time; every meter's.

        What left the record is told by the month files beside it.

        Raises:
            MonthDamagedError: A month file is damaged.
            MissingExtraError: There are month files, and pyarrow is not installed.
        """
        hours = (start_s // HOUR_S, (end_s - 1) // HOUR_S)
        found: dict[tuple[MeterId, EpochS], int] = {}
        with self._readers.asking() as reader:
            series = reader.execute(
                "SELECT source.id, series.id, meter FROM source"
                " JOIN series ON series.source = source.id"
                " WHERE gateway = ? AND device = ? AND name = ?",
                (key.gateway, key.device, name),
            ).fetchall()
            for source, number, meter in series:
                for table in ("settled", "fresh"):
                    for hour, blob in reader.execute(
                        f"SELECT hour, chunk FROM {table}"  # noqa: S608 - one of two constants
                        " WHERE source = ? AND hour BETWEEN ? AND ?",
                        (source, *hours),
                    ):
                        begin_s = hour * HOUR_S
                        for offset, value in chunk.column_of(blob, number):
                            found[meter, begin_s + offset] = value
            # Only now: a row that is no longer there stood in a file before it went.
            found |= self._shelf.points(key, name, start_s, end_s)
        return sorted(
            (at_s, value) for (_, at_s), value in found.items() if start_s <= at_s < end_s
        )

    def rollups(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS, step_s: int = QUARTER_S
    ) -> list[Rolled]:
        """Return one series by the quarter-hour or by longer steps, for charts; in order of time.

        What was settled is told: up to two or three hours ago. Registers have `quarters`.
        """
        with self._readers.asking() as reader:
            return sqlite_rollup.rollups(reader, key, name, start_s, end_s, step_s)

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return the newest messages set aside, newest first."""
        with self._readers.asking() as reader:
            rows = reader.execute(
                "SELECT gateway, epoch, seq, received_s, reason, payload FROM dead_letter"
                " ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [DeadLetter(*row) for row in rows]

    def events(self, gateways: Collection[GatewayId], each: int) -> list[KeptEvent]:
        """Return what happened on some gateways, newest first: at most so many of each."""
        with self._readers.asking() as reader:
            return sqlite_events.newest(reader, gateways, each)

    def event_counts(self) -> Mapping[EventKind, int]:
        """Return how many events of each kind were ever kept; a kind without one is absent."""
        with self._readers.asking() as reader:
            return sqlite_events.counts(reader)

    def counts(self) -> Counts:
        """Return how much is held."""
        with self._readers.asking() as reader:
            row = reader.execute(
                "SELECT points, readings, blocks, dead_letters, conflicts,"
                " (SELECT coalesce(sum(steps_back), 0) FROM q15 WHERE steps_back > 0) FROM life"
            ).fetchone()
        return Counts(*row)

    def size_bytes(self) -> int:
        """Return how large the file is, without what waits in its log [bytes]."""
        with self._readers.asking() as reader:
            (size,) = reader.execute(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ).fetchone()
        return int(size)

    def journal_after(self, position: int, limit: int = 500) -> list[tuple[int, bytes]]:
        """Return ``(position, payload)`` of blocks as they came, after a position, in order.

        A position is never used twice within one `generation`.
        """
        with self._readers.asking() as reader:
            return reader.execute(
                "SELECT position, payload FROM journal WHERE position > ?"
                " ORDER BY position LIMIT ?",
                (position, limit),
            ).fetchall()

    def journal_end(self) -> tuple[int, int]:
        """Return the last position, and how often a value came again otherwise up to there."""
        with self._readers.asking() as reader:
            row = reader.execute(
                "SELECT (SELECT coalesce(max(position), 0) FROM journal), conflicts FROM life"
            ).fetchone()
        return int(row[0]), int(row[1])

    @property
    def path(self) -> Path:
        """Its file."""
        return self._path

    @property
    def max_bytes(self) -> int | None:
        """The most the file may grow to; None for as much as the disk holds."""
        return self._max_bytes

    @property
    def shelf(self) -> Shelf:
        """The month files beside the record."""
        return self._shelf

    def asking(self) -> AbstractContextManager[sqlite3.Connection]:
        """Lend a connection within which nothing changes, to the rooms that know the tables.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        return self._readers.asking()

    def changing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Lend the writer in a transaction, to the rooms that know the tables; keep it short.

        Raises:
            StoreBusyError: The store cannot take it now; nothing was changed, try again.
        """
        return self._transaction()

    def merge(self, before_s: EpochS, limit: int = MERGE_HOURS) -> int:
        """Settle device-hours that ended before an instant; return how many, 0 when done.

        One call is one short transaction; intake waits for it, readers do not.
        """
        with self._transaction() as writer:
            return sqlite_upkeep.merge(writer, before_s, limit)

    def forget_detail(self, before_s: EpochS, limit: int = 1000) -> int:
        """Delete settled points older than an instant; return how many device-hours, 0 when done.

        Quarters and newest values stay.
        """
        with self._transaction() as writer:
            return sqlite_upkeep.forget_detail(writer, before_s, limit)

    def forget_journal(self, before_s: EpochS, limit: int = 5000) -> int:
        """Delete blocks as they came before an instant; return how many, 0 when done."""
        with self._transaction() as writer:
            return sqlite_upkeep.forget_journal(writer, before_s, limit)

    def forget_dead_letters(
        self, before_s: EpochS = 0, keep: int = 10_000, limit: int = 500
    ) -> int:
        """Delete old dead letters and all but the newest; return how many, 0 when done.

        How many ever came stays known.
        """
        with self._transaction() as writer:
            return sqlite_upkeep.forget_dead_letters(writer, before_s, keep, limit)

    def forget_quarters(self, before_s: EpochS, limit: int = 5000) -> int:
        """Delete quarters and rollups before an instant; return how many, 0 when done."""
        with self._transaction() as writer:
            return sqlite_upkeep.forget_quarters(writer, before_s, limit) + sqlite_rollup.forget(
                writer, before_s, limit
            )

    def forget_events(self, before_s: EpochS) -> int:
        """Delete events kept before an instant, and all beyond a bound; return how many."""
        with self._transaction() as writer:
            return sqlite_events.forget(writer, before_s)

    def integrity(self) -> list[str]:
        """Return what is wrong with the file, in lines to read; nothing when it is sound."""
        with self._readers.asking() as reader:
            return sqlite_upkeep.problems(reader)

    def copy_to(self, place: Path) -> None:
        """Write a compact copy of the record as of now; put back, it begins a new generation.

        Raises:
            StoreBusyError: The copy cannot be written there.
        """
        with translated(place), closing(connect(self._path, busy_s=self._busy_s)) as copier:
            copier.execute("VACUUM INTO ?", (str(place),))

    def close(self) -> None:
        """Let go of the database."""
        with self._writing:
            self._readers.close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._life is not None:
                self._life.close()

    def _begin(
        self, max_bytes: int | None, opened: Callable[[Path], sqlite3.Connection] | None
    ) -> str:
        """Become the one writer; return the generation the record goes on with."""
        life = Life(self._path)
        try:
            writer = (
                connect(self._path, busy_s=self._busy_s)
                if opened is None
                else settled(opened(self._path))
            )
            try:
                prepare(writer, self._path)
                if max_bytes is not None:
                    (page,) = writer.execute("PRAGMA page_size").fetchone()
                    writer.execute(f"PRAGMA max_page_count = {max_bytes // int(page)}")
                told, commits = writer.execute("SELECT generation, commits FROM life").fetchone()
                generation = life.generation_of(told, commits)
                if generation != told:
                    writer.execute("UPDATE life SET generation = ?", (generation,))
                life.begin(generation, commits)
            except BaseException:
                writer.close()
                raise
        except BaseException:
            life.close()
            raise
        self._writer, self._life = writer, life
        return generation

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the only writer's transaction."""
        if not self._writing.acquire(timeout=self._busy_s):
            raise StoreBusyError(f"{self._path}: another transaction is open: try again")
        try:
            writer, life = self._writer, self._life
            assert writer is not None, "closed, or opened for reading"
            assert life is not None
            with translated(self._path):
                try:
                    writer.execute("BEGIN IMMEDIATE")
                    yield writer
                    (commits,) = writer.execute("SELECT commits FROM life").fetchone()
                    writer.execute("COMMIT")
                except BaseException:
                    self._names.forget()
                    if writer.in_transaction:
                        writer.execute("ROLLBACK")
                    raise
            life.note(commits)
        finally:
            self._writing.release()
