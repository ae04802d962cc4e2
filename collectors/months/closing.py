"""A month is put away: written, checked against what the record holds, and only then let go.

Killed or without power at any step, nothing is lost and nothing is there twice: what is in a file
already is not written again, and a row leaves the record only after every point of it stands in a
file that is on the disk for good.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from array import array
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import BinaryIO, TypeAlias

from collectors import sqlite_months
from collectors.months.calendar import Month, PartName
from collectors.months.parquet import MonthDamagedError, Part, PartWriter, Strand
from collectors.months.shelf import MOST_PARTS, Shelf
from collectors.sqlite_months import AgedSource, PutAway
from collectors.store import DeviceKey
from kwartier.identity import MeterId
from kwartier.units import EpochS

_LOG = logging.getLogger(__name__)

Transaction: TypeAlias = Callable[[], AbstractContextManager[Connection]]

BATCH_POINTS = 2_000_000
"""So many points of one meter are in memory at once, 16 bytes each; many more begin a new batch."""
LATE_EVERY_S = 7 * 86_400
"""What comes late for a month already put away is put away this long after its last file [s]."""
_LOOK_BACK_S = 86_400
"""So much of an earlier file is compared at once [s]."""
_LET_GO = 500
_BREATH_S = 0.01
_READING_BREATH_S = 0.002
"""Threads that take readings in go first between two of these [s]."""
_BLOCK = 1 << 20
_LOOK_AT_DISK = "the record keeps them all; look at the disk"


class StoppedError(Exception):
    """It was told to stop; nothing was let go."""


@dataclass(slots=True)
class _Read:
    """What was read of the record for one file.

    Attributes:
        rows: Every device-hour.
        held: How many points each of them held when it was read.
        points: How many points they hold.
        known: How many of them stood in an earlier file.
        conflicts: How many of those had another value; the earlier file tells.
    """

    rows: array[int] = field(default_factory=lambda: array("q"))
    held: array[int] = field(default_factory=lambda: array("q"))
    points: int = 0
    known: int = 0
    conflicts: int = 0


class Closing:
    """Puts the months of one record away."""

    def __init__(self, shelf: Shelf, reading: Transaction, writing: Transaction) -> None:
        """Put away onto a shelf.

        Args:
            shelf: Where.
            reading: Lends a connection to the record, for short questions.
            writing: Lends the writer's, in a transaction.
        """
        self._shelf = shelf
        self._reading = reading
        self._writing = writing

    def turn(
        self, since_s: EpochS, before_s: EpochS, now_s: EpochS, stop: threading.Event
    ) -> list[Month]:
        """Put away every month in ``[since_s, before_s)`` that is due; return which.

        Raises:
            StoreBusyError: The disk takes nothing; nothing was let go, try again.
            MonthDamagedError: A file is damaged, and its month was left as it is.
            MissingExtraError: pyarrow is not installed.
        """
        done: list[Month] = []
        damaged: MonthDamagedError | None = None
        after_s = since_s
        while not stop.is_set():
            with self._reading() as connection:
                month = sqlite_months.oldest_month(connection, after_s)
            if month is None or month.end_s > before_s:
                break
            try:
                if self._is_due(month, now_s):
                    self.put_away(month, now_s, stop)
                    done.append(month)
            except StoppedError:
                break
            except MonthDamagedError as error:
                damaged = damaged or error  # the others need not wait for its repair
            after_s = month.end_s
        if damaged is not None:
            raise damaged
        return done

    def put_away(self, month: Month, now_s: EpochS, stop: threading.Event) -> int:
        """Put away what the record holds of a month, and let it go; return how many points left.

        Raises:
            StoreBusyError: The disk takes nothing; nothing was let go, try again.
            MonthDamagedError: A file is damaged; nothing was let go.
            StoppedError: It was told to stop before the file was there.
        """
        self._rely_on(month, now_s)
        read = _Read()
        written: list[PartWriter] = []

        def fill(file: BinaryIO) -> bool:
            with closing(PartWriter(file)) as writer:
                written.append(writer)
                self._read_month(month, writer, read, stop)
            return bool(writer.totals)

        def check(file: BinaryIO) -> None:
            _check(month, file, written[0], read)

        name = self._next(month)
        if self._shelf.write(name, fill, check):
            put = self._described(name, now_s)
            with self._writing() as connection:
                sqlite_months.note(connection, put)
        left = 0
        for first in range(0, len(read.rows), _LET_GO):
            with self._writing() as connection:
                if not first:
                    sqlite_months.count_conflicts(connection, read.conflicts)
                end = first + _LET_GO
                rows = list(zip(read.rows[first:end], read.held[first:end], strict=True))
                left += sqlite_months.let_go(connection, rows)
            if stop.wait(_BREATH_S):
                break
        _LOG.info("%s is put away: %d points left the record", month, left)
        return left

    def forget_before(self, before_s: EpochS) -> list[PartName]:
        """Remove the files of months that ended before an instant; return which.

        One that was lost before is not asked for any longer.
        """
        known = {*self._shelf.parts(), *self._noted()}
        old = sorted(part for part in known if part.month.end_s <= before_s)
        for part in old:
            with self._writing() as connection:
                sqlite_months.forget_part(connection, part)
            self._shelf.remove(part)
        return old

    def _is_due(self, month: Month, now_s: EpochS) -> bool:
        """Return whether a month waits for its first file, or long enough for one more."""
        parts = [part for part in self._shelf.parts() if part.month == month]
        if not parts:
            return True
        with self._reading() as connection:
            made_s = [put.made_s for put in sqlite_months.noted(connection) if put.name in parts]
        if len(made_s) < len(parts):
            return True  # broken off before rows were let go, or an older record was put back
        return len(parts) < MOST_PARTS and now_s - max(made_s) >= LATE_EVERY_S

    def _noted(self) -> set[PartName]:
        """Return the files the record relies on, whether they are there or not."""
        with self._reading() as connection:
            return {put.name for put in sqlite_months.noted(connection)}

    def _next(self, month: Month) -> PartName:
        """Return the name of a month's next file, never that of one that was lost."""
        known = {*self._shelf.parts(), *self._noted()}
        last = max((part.part for part in known if part.month == month), default=0)
        return PartName(month, last + 1)

    def _rely_on(self, month: Month, now_s: EpochS) -> None:
        """Remember files that are there and were never noted."""
        noted = self._noted()
        for part in self._shelf.parts():
            if part.month == month and part not in noted:
                put = self._described(part, now_s)
                with self._writing() as connection:
                    sqlite_months.note(connection, put)

    def _read_month(
        self, month: Month, writer: PartWriter, read: _Read, stop: threading.Event
    ) -> None:
        with self._reading() as connection:
            sources = sqlite_months.sources_of(connection, month)
        has_parts = any(part.month == month for part in self._shelf.parts())
        for source in sources:
            with self._reading() as connection:
                names = sqlite_months.series_of(connection, source)
            after_s = month.start_s - 1
            gathered: dict[int, tuple[array[int], array[int]]] = {}
            count = 0
            while True:
                if stop.wait(_READING_BREATH_S):
                    raise StoppedError
                with self._reading() as connection:
                    hours = sqlite_months.hours_of(connection, source, month, after_s)
                for series, (at_s, values) in sqlite_months.columns_of(hours).items():
                    held = gathered.setdefault(series, (array("q"), array("q")))
                    held[0].extend(at_s)
                    held[1].extend(values)
                read.rows.extend([hour.id for hour in hours])
                read.held.extend([hour.points for hour in hours])
                count += sum(hour.points for hour in hours)
                if not hours or count >= BATCH_POINTS:
                    read.points += count
                    columns = {names[series]: column for series, column in gathered.items()}
                    self._write(source, columns, writer, read, check_known=has_parts)
                    gathered, count = {}, 0
                if not hours:
                    break
                after_s = hours[-1].at_s

    def _write(
        self,
        source: AgedSource,
        columns: dict[str, tuple[array[int], array[int]]],
        writer: PartWriter,
        read: _Read,
        *,
        check_known: bool,
    ) -> None:
        """Write series in order of name, without what an earlier file holds already."""
        for name, (at_s, values) in sorted(columns.items()):
            strand = Strand(source.gateway, source.device, source.meter, name)
            if check_known:
                at_s, values = self._unknown(strand, at_s, values, read)  # noqa: PLW2901
            if at_s:
                writer.add(strand, at_s, values)

    def _unknown(
        self, strand: Strand, at_s: array[int], values: array[int], read: _Read
    ) -> tuple[array[int], array[int]]:
        key = DeviceKey(strand.gateway, strand.device)
        put: dict[tuple[MeterId, EpochS], int] = {}
        left, read_to_s = (array("q"), array("q")), at_s[0]
        for at, value in zip(at_s, values, strict=True):
            if at >= read_to_s:  # a day at a time: a month of seconds would fill the memory
                read_to_s = at + _LOOK_BACK_S
                put = self._shelf.points(key, strand.name, at, read_to_s)
            there = put.get((strand.meter, at))
            if there is None:
                left[0].append(at)
                left[1].append(value)
            else:
                read.known += 1
                read.conflicts += there != value
        return left

    def _described(self, name: PartName, now_s: EpochS) -> PutAway:
        with self._shelf.open(name) as file:
            digest, size = digest_of(file)
        return PutAway(name, self._shelf.contents(name).points, size, digest, now_s)


def digest_of(file: BinaryIO) -> tuple[bytes, int]:
    """Return the SHA-256 of a file, and how large it is [bytes]."""
    digest = hashlib.sha256()
    size = 0
    while block := file.read(_BLOCK):
        digest.update(block)
        size += len(block)
    return digest.digest(), size


def _check(month: Month, file: BinaryIO, writer: PartWriter, read: _Read) -> None:
    """Compare a file with what was to stand in it, series by series.

    Raises:
        MonthDamagedError: It holds something else; the record keeps all it has.
    """
    part = Part(str(month), file)
    found = part.totals(file)
    if found != writer.totals:
        raise MonthDamagedError(str(month), "does not hold what was written to it", _LOOK_AT_DISK)
    if part.points + read.known != read.points:
        held = f"holds {part.points} points and not {read.points - read.known}"
        raise MonthDamagedError(str(month), held, _LOOK_AT_DISK)
