"""The tables of the record in SQLite, and how an older file becomes a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kwartier.errors import KwartierError, SettingsError, StoreBusyError

APPLICATION_ID = 0x6B777274
"""Marks a file as ours: 'kwrt'."""
BUSY_S = 5.0
"""How long a writer waits for another one [s]."""

_FIRST = """
CREATE TABLE life(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation TEXT NOT NULL,
    commits INTEGER NOT NULL,
    points INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    dead_letters INTEGER NOT NULL,
    conflicts INTEGER NOT NULL
);
INSERT INTO life VALUES (1, '', 0, 0, 0, 0, 0, 0);

CREATE TABLE stream(
    id INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL,
    epoch TEXT NOT NULL,
    upto INTEGER NOT NULL,
    UNIQUE (gateway, epoch)
);

CREATE TABLE source(
    id INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL,
    device TEXT NOT NULL,
    meter TEXT NOT NULL,
    UNIQUE (gateway, device, meter)
);
CREATE TABLE series(
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source(id),
    name TEXT NOT NULL,
    UNIQUE (source, name)
);
CREATE TABLE latest(
    series INTEGER PRIMARY KEY REFERENCES series(id),
    at_s INTEGER NOT NULL,
    value INTEGER NOT NULL
);

-- Stage one: a chunk for each block and hour, in order of arrival.
CREATE TABLE fresh(
    id INTEGER PRIMARY KEY,
    hour INTEGER NOT NULL,
    source INTEGER NOT NULL REFERENCES source(id),
    points INTEGER NOT NULL,
    chunk BLOB NOT NULL
);
CREATE INDEX fresh_place ON fresh(hour, source);

-- Stage two: one chunk for each source and hour, in order of source.
CREATE TABLE settled(
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source(id),
    hour INTEGER NOT NULL,
    points INTEGER NOT NULL,
    chunk BLOB NOT NULL,
    UNIQUE (source, hour)
);
CREATE INDEX settled_age ON settled(hour);

-- The first and last register of a quarter, and the energy that follows from them and their
-- neighbours; energy is NULL while an end of the quarter is not known.
CREATE TABLE q15(
    series INTEGER NOT NULL REFERENCES series(id),
    start_s INTEGER NOT NULL,
    first_s INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last_s INTEGER NOT NULL,
    last INTEGER NOT NULL,
    energy_wh INTEGER CHECK (energy_wh >= 0),
    estimated INTEGER NOT NULL,
    steps_back INTEGER NOT NULL,
    PRIMARY KEY (series, start_s)
) WITHOUT ROWID;
CREATE INDEX q15_steps_back ON q15(steps_back) WHERE steps_back > 0;

-- Blocks as they came, for forwarding and rebuilding; positions are never used twice.
CREATE TABLE journal(
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL REFERENCES stream(id),
    seq INTEGER NOT NULL,
    received_s INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (stream, seq)
);

CREATE TABLE dead_letter(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    gateway TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    received_s INTEGER NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (gateway, epoch, seq, digest)
);
"""

_EVENTS = """
-- What happened on gateways; the same one told twice is one. What is no device has an empty name.
CREATE TABLE event(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    gateway TEXT NOT NULL,
    kind TEXT NOT NULL,
    device TEXT NOT NULL,
    at_s INTEGER NOT NULL,
    received_s INTEGER NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (gateway, at_s, kind, device, reason)
);
CREATE INDEX event_newest ON event(gateway, id);
CREATE INDEX event_age ON event(received_s);

-- How many of each kind were ever kept; forgetting an event takes none away.
CREATE TABLE event_count(
    kind TEXT PRIMARY KEY,
    kept INTEGER NOT NULL
) WITHOUT ROWID;
"""

_MONTHS = """
-- Month files with single readings that left these tables; without such a file they are lost.
CREATE TABLE month_part(
    start_s INTEGER NOT NULL,
    part INTEGER NOT NULL,
    points INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    digest BLOB NOT NULL,
    made_s INTEGER NOT NULL,
    PRIMARY KEY (start_s, part)
) WITHOUT ROWID;
CREATE INDEX dead_letter_age ON dead_letter(received_s);

-- Means of a quarter-hour and their range, for charts: a chunk for each source and day.
CREATE TABLE rollup(
    source INTEGER NOT NULL REFERENCES source(id),
    day INTEGER NOT NULL,
    chunk BLOB NOT NULL,
    PRIMARY KEY (source, day)
) WITHOUT ROWID;
"""

_STEPS = (_FIRST, _EVENTS, _MONTHS)
VERSION = len(_STEPS)
"""The version this program writes; ``PRAGMA user_version`` of the file."""

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class StoreDamagedError(KwartierError):
    """The file of the record is damaged, or is something else; trying again does not help."""

    def __init__(self, path: Path, what: str) -> None:
        """Keep which file."""
        super().__init__(
            f"{path}: {what}: set the file aside, put a backup in its place and start again; "
            "the gateways send again what the backup lacks"
        )
        self.path = path


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the house's; a mistake of ours stays what it is.

    Raises:
        StoreBusyError: Locked, full, read-only or unreachable.
        StoreDamagedError: The file is damaged or is no record.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _PASSING:
            raise StoreBusyError(
                f"{path}: {error}: nothing was stored; free space or rights, or try again"
            ) from error
        if code in _DAMAGED:
            raise StoreDamagedError(path, str(error)) from error
        raise


def connect(path: Path, *, busy_s: float = BUSY_S, make: bool = True) -> sqlite3.Connection:
    """Return a connection without implicit transactions, usable from any thread.

    Args:
        path: The file.
        busy_s: How long to wait for a lock [s].
        make: Whether an empty file is made where there is none.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'rwc' if make else 'rw'}",
        uri=True,
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    return settled(connection)


def settled(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection that waits for the disk at each commit, however it was opened."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -16384")
    return connection


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or bring those of an older version up to this one.

    Raises:
        SettingsError: The file was written by a newer program.
        StoreDamagedError: The file is no record.
    """
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = checked_version(connection, path)
        for number in range(version, VERSION):
            for statement in _statements(_STEPS[number]):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def checked_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the tables in a file; 0 when it has none.

    Raises:
        SettingsError: The file was written by a newer program.
        StoreDamagedError: The file is another program's database.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and owner != APPLICATION_ID:
        raise StoreDamagedError(path, "this is another program's database")
    if version > VERSION:
        raise SettingsError(
            f"{path}: the record has version {version}, this program knows {VERSION}: "
            "install the newer program again"
        )
    return int(version)


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one, so that they share one transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
