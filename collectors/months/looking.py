"""A look at a record and its month files: which there are, are they whole, and a copy of all."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from collectors import sqlite_months
from collectors.months.calendar import PartName
from collectors.months.closing import digest_of
from collectors.months.parquet import MonthDamagedError
from collectors.months.shelf import months_folder
from collectors.sqlite_months import PutAway
from collectors.sqlite_store import SqliteStore
from kwartier.durable import sync_folder
from kwartier.errors import InputError, StoreBusyError
from kwartier.progress import Progress

_NEW = ".new"


@dataclass(frozen=True, slots=True)
class MonthTold:
    """One file of a closed month.

    Attributes:
        file: Its name.
        points: How many readings it holds; None when it is not there.
        bytes: How large it is; None when it is not there.
        is_relied_on: Whether rows left the record because of it.
    """

    file: str
    points: int | None
    bytes: int | None
    is_relied_on: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """What a thorough look found.

    Attributes:
        files: How many month files were read.
        points: How many readings they hold.
        problems: What is wrong, in lines to read.
    """

    files: int
    points: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds: the record's file, and how many month files were new in it."""

    record: str
    new_files: int
    files: int


def months_told(store: SqliteStore) -> list[MonthTold]:
    """Return every month file that is there or should be, in order.

    Raises:
        MonthDamagedError: A file cannot be read.
    """
    relied = _relied_on(store)
    there = store.shelf.parts()
    told = [
        MonthTold(
            str(name),
            store.shelf.contents(name).points,
            store.shelf.size_bytes(name),
            name in relied,
        )
        for name in there
    ]
    told += [MonthTold(str(name), None, None, is_relied_on=True) for name in set(relied) - {*there}]
    return sorted(told, key=lambda one: one.file)


def verify(store: SqliteStore) -> Verified:
    """Read the record and all its month files; progress shows on a terminal."""
    relied = _relied_on(store)
    parts = store.shelf.parts()
    problems = store.integrity()
    problems += [f"{name}: is not there" for name in sorted(set(relied) - set(parts))]
    points = 0
    shown = Progress("months", len(parts))
    for number, name in enumerate(parts, start=1):
        try:
            problems += _problems_of(store, name, relied.get(name))
            points += store.shelf.contents(name).points
        except MonthDamagedError as error:
            problems.append(str(error))
        shown.show(number)
    shown.end()
    return Verified(len(parts), points, tuple(problems))


def copy_record(store: SqliteStore, folder: Path) -> Copied:
    """Write a compact copy of a record, and the month files that the folder lacks.

    The record goes first: what leaves it meanwhile stands in the copy, and in files that follow.
    Month files whose time is over leave the copy too; one that was lost stays in it.

    Raises:
        InputError: It is the record's own folder.
        StoreBusyError: The copy cannot be written.
    """
    target = folder / store.path.name
    if target.exists() and target.samefile(store.path):
        raise InputError(f"{folder}: is where the record lies: name a folder elsewhere")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(target.name + _NEW)
        fresh.unlink(missing_ok=True)
        store.copy_to(fresh)
        new_files = _copy_files(store, months_folder(target))
        _synced(fresh)
        for name in _forgotten(target, fresh):
            (months_folder(target) / str(name)).unlink(missing_ok=True)
        fresh.replace(target)
        sync_folder(folder)
    except OSError as error:
        raise StoreBusyError(
            f"{folder}: {error.strerror or error}: there is no new copy"
        ) from error
    return Copied(str(target), new_files, len(store.shelf.parts()))


def _relied_on(store: SqliteStore) -> dict[PartName, PutAway]:
    with store.asking() as connection:
        return {put.name: put for put in sqlite_months.noted(connection)}


def _problems_of(store: SqliteStore, name: PartName, put: PutAway | None) -> Iterator[str]:
    """Yield what is wrong with one file; all its pages are read, and their checksums looked at."""
    with store.shelf.open(name) as file:
        digest, _ = digest_of(file)
        if put is not None and digest != put.digest:
            yield f"{name}: is not the file that was written"
        file.seek(0)
        total = sum(one.points for one in store.shelf.contents(name).totals(file).values())
    if put is not None and total != put.points:
        yield f"{name}: holds {total} readings, and {put.points} were written"


def _forgotten(older: Path, newer: Path) -> set[PartName]:
    """Return the month files that a copy relied on and that the same record no longer does."""
    if not older.exists():
        return set()
    try:
        before, now = map(_life_and_files, (older, newer))
    except sqlite3.DatabaseError:
        return set()  # a copy that cannot be read tells nothing, and is replaced
    return before[1] - now[1] if before[0] == now[0] else set()


def _life_and_files(copy: Path) -> tuple[str, set[PartName]]:
    with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        (generation,) = connection.execute("SELECT generation FROM life").fetchone()
        return str(generation), {put.name for put in sqlite_months.noted(connection)}


def _copy_files(store: SqliteStore, folder: Path) -> int:
    """Copy the month files that are not there yet; they never change."""
    new = 0
    for name in store.shelf.parts():
        place = folder / str(name)
        if place.exists() and place.stat().st_size == store.shelf.size_bytes(name):
            continue
        folder.mkdir(mode=0o700, exist_ok=True)
        aside = place.with_name(place.name + _NEW)
        with store.shelf.open(name) as source, aside.open("wb") as copy:
            shutil.copyfileobj(source, copy)
        _synced(aside)
        aside.replace(place)
        new += 1
    if new:
        sync_folder(folder)
    return new


def _synced(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
