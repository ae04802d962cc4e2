"""The outbox's file: opened and checked, or set aside when it is damaged."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from kwartier.errors import SettingsError, TemporaryError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS life (
    epoch TEXT NOT NULL, last INTEGER NOT NULL, unproven INTEGER NOT NULL,
    upto INTEGER NOT NULL, store_gen TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS block (
    seq INTEGER PRIMARY KEY, device TEXT NOT NULL, stored_s INTEGER NOT NULL,
    step_s INTEGER NOT NULL DEFAULT 0, crc INTEGER NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, mark TEXT NOT NULL UNIQUE, payload BLOB NOT NULL
) STRICT;
"""
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
    sqlite3.SQLITE_IOERR_DATA,
}
"""Codes, primary or extended, that say that the file itself is broken; a bad sector is one."""
_TABLES = {"life", "block"}
"""Every outbox has them; one that was written before events were kept has no others."""
_CHECK_S = 10.0
_LOOK_EVERY_STEPS = 10_000
_KEPT_DAMAGED_FILES = 2
_LARGEST_WAL_BYTES = 8 * 1024 * 1024


Connect: TypeAlias = Callable[[Path], sqlite3.Connection]
"""Opens a file as a database that begins no transaction by itself."""


class OutboxWriteError(TemporaryError):
    """The disk takes no block now; nothing was written."""

    def __init__(self, path: Path, error: sqlite3.Error) -> None:
        """Name the file and what SQLite said."""
        super().__init__(f"outbox {path} takes nothing: {error}; free space on its disk")
        self.path = path


class OutboxInUseError(SettingsError):
    """Another process works on the same outbox."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(
            f"outbox {path} is in use by another process: stop that one, or give this gateway "
            "a folder of its own"
        )
        self.path = path


class DamagedError(Exception):
    """The file cannot be trusted; whoever opens it sets it aside."""


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection to a file of this machine; nothing is read or written yet."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)


def opened(path: Path, epoch: str, connect: Connect) -> sqlite3.Connection:
    """Return a connection to a whole outbox, made with ``epoch`` where there is none.

    Raises:
        DamagedError: The file is no whole outbox.
        OutboxInUseError: Another process has it open.
        OutboxWriteError: The disk takes nothing.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = connect(path)
    except sqlite3.OperationalError as error:
        if path.is_dir():
            raise SettingsError(f"outbox {path} is a folder: name a file") from error
        raise OutboxWriteError(path, error) from error
    except OSError as error:
        raise SettingsError(f"outbox {path} cannot be opened: {error}") from error
    try:
        _prepare(db, epoch)
    except sqlite3.DatabaseError as error:
        db.close()
        if is_damaged(error) or _code(error) == sqlite3.SQLITE_ERROR:
            raise DamagedError(str(error)) from error
        if _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise OutboxInUseError(path) from error
        raise OutboxWriteError(path, error) from error
    except DamagedError:
        db.close()
        raise
    return db


def in_memory(epoch: str) -> sqlite3.Connection:
    """Return a connection to an empty outbox that lives as long as the process."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _prepare(db, epoch)
    return db


def is_damaged(error: sqlite3.DatabaseError) -> bool:
    """Return whether an error says that the file itself is broken."""
    return bool({_code(error), getattr(error, "sqlite_errorcode", 0)} & _DAMAGE)


def set_aside(path: Path) -> Path:
    """Rename a damaged file with its log and return its new name; the two newest are kept."""
    kept = path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}")
    older = sorted(
        path.parent.glob(f"{path.name}.damaged-*[0-9a-f]"), key=lambda file: file.stat().st_mtime_ns
    )
    for file in [*older[: -(_KEPT_DAMAGED_FILES - 1)], *path.parent.glob(f"{path.name}-shm")]:
        file.unlink()
    for end in ("", "-wal"):
        source = path.with_name(path.name + end)
        if source.exists():
            source.rename(kept.with_name(kept.name + end))
    return kept


def _prepare(db: sqlite3.Connection, epoch: str) -> None:
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA journal_size_limit = {_LARGEST_WAL_BYTES:d}")
    db.execute("BEGIN EXCLUSIVE")
    _check(db)
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    lives = db.execute("SELECT last FROM life").fetchall()
    (newest,) = db.execute("SELECT max(seq) FROM block").fetchone()
    if len(lives) > 1 or (newest or 0) > (lives[0][0] if lives else 0):
        raise DamagedError("blocks and numbering disagree")
    if not lives:
        db.execute("INSERT INTO life VALUES (?, 0, 0, 0, '')", (epoch,))
    db.execute("UPDATE life SET unproven = last WHERE unproven = 0")
    db.execute("COMMIT")


def _check(db: sqlite3.Connection) -> None:
    """Refuse a file that is damaged or another program's, looking for some seconds at most.

    What a large file hides beyond that is found when it is read: each block has its own checksum.
    """
    until_s = time.monotonic() + _CHECK_S
    db.set_progress_handler(lambda: time.monotonic() > until_s, _LOOK_EVERY_STEPS)
    try:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if _code(error) != sqlite3.SQLITE_INTERRUPT:
            raise
        verdict = "ok"
    finally:
        db.set_progress_handler(None, 0)
    if verdict != "ok":
        raise DamagedError(verdict)
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master").fetchall()}
    if tables and not tables >= _TABLES:  # a newer program may have added some
        raise DamagedError("it is another program's")


def _code(error: sqlite3.DatabaseError) -> int:
    """Return SQLite's primary result code of an error; 0 where it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
