"""The tables of the file of days; one that is damaged or of another version is made anew."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from kwartier.errors import StoreBusyError

_log = logging.getLogger(__name__)

VERSION = 2
"""Of the tables; another one is thrown away."""
_BUSY_S = 5.0

_TABLES = """
create table home_day (
    home text not null, day integer not null, origin integer not null,
    quarters integer not null, ended integer not null, known integer not null,
    estimated integer not null, import_wh integer not null, export_wh integer not null,
    roof_wh integer not null, use_wh integer not null, bought_wh integer not null,
    sold_wh integer not null, charged_wh integer not null, paid_ueur integer not null,
    earned_ueur integer not null, saved_ueur integer not null,
    primary key (home, day, origin)
) without rowid;
create index home_day_by_day on home_day (day, origin);
create table home_quarters (
    home text not null, day integer not null, origin integer not null, packed blob not null,
    primary key (home, day, origin)
);
create index home_quarters_by_day on home_quarters (day, origin);
create table area_day (
    day integer primary key, looked_s integer not null, quarters integer not null,
    counted integer not null, homes integer not null, solar_wh integer not null,
    use_wh integer not null, shared_wh integer not null, grid_in_wh integer not null,
    grid_out_wh integer not null, charged_wh integer not null, discharged_wh integer not null,
    peak_in_wh integer not null, peak_in_s integer not null, peak_out_wh integer not null,
    peak_out_s integer not null, saved_ueur integer not null, levy_ueur integer not null
);
create table booked (
    month text primary key, run text not null, computation integer not null,
    is_corrected integer not null
) without rowid;
create table line (
    month text not null, home text not null, party text not null, charge text not null,
    energy_wh integer not null, cents integer not null,
    primary key (month, home, party, charge)
) without rowid;
create table band_week (monday integer primary key, told_s integer not null);
create table band (
    monday integer not null, home text not null, place text not null,
    primary key (monday, home)
) without rowid;
"""


def opened(path: Path) -> sqlite3.Connection:
    """Return the writer of a file, made anew where it is away, damaged or of another version.

    Raises:
        StoreBusyError: Another process holds it, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _prepared(path)
    except sqlite3.OperationalError as error:
        raise StoreBusyError(f"{path.name} cannot be opened now: {error}") from error
    except sqlite3.DatabaseError as error:
        _log.warning("%s is made anew: %s", path.name, error)
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return _prepared(path)


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection that any thread may use, one at a time."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, check_same_thread=False, isolation_level=None
    )
    # It can be made again, so a power cut may take the last days of it.
    connection.execute("pragma synchronous = normal")
    # What is forgotten is gone from the file, not only from view.
    connection.execute("pragma secure_delete = on")
    return connection


def _prepared(path: Path) -> sqlite3.Connection:
    writer = connected(path)
    try:
        writer.execute("pragma journal_mode = wal")
        writer.execute("begin immediate")
        _bring_up(writer)
        writer.execute("commit")
    except BaseException:
        writer.close()
        raise
    return writer


def _bring_up(writer: sqlite3.Connection) -> None:
    (version,) = writer.execute("pragma user_version").fetchone()
    if version == VERSION:
        return
    if version != 0:
        raise sqlite3.DatabaseError(f"its tables are version {version}, not {VERSION}")
    for statement in _TABLES.split(";"):
        writer.execute(statement)
    writer.execute(f"pragma user_version = {VERSION}")
