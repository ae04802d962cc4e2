"""Relational databases as this house uses them: one writer at a time, every write durable.

The books and the book of people both stand on it, on SQLite or on PostgreSQL.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_S = 30
"""How long a writer waits for another one [s]."""
READ_BUSY_S = 5
"""How long a reader waits for a database that is locked as a whole [s]: somebody is waiting."""
POOL = 48
"""How many connections there are at the most: more than the web's threads, so that none waits."""
POOL_WAIT_S = 10
"""How long one waits for a connection all the same [s]."""
_WRITES = "kwartier_writes"
_WAITS = "kwartier_waits"
_ONE_WRITER = 0x6B776172
"""The advisory lock that makes PostgreSQL's writers wait for one another."""


def engine_of(url: str) -> Engine:
    """Return an engine whose transactions are durable and begin as readers or writers.

    Source:
        synchronous=FULL: NORMAL loses acknowledged commits at a power cut (measured by us).
    """
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            connect_args={"timeout": BUSY_S, "isolation_level": None},
            pool_size=8,
            max_overflow=POOL - 8,
            pool_timeout=POOL_WAIT_S,
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(
            url,
            isolation_level="REPEATABLE READ",
            pool_size=8,
            max_overflow=POOL - 8,
            pool_timeout=POOL_WAIT_S,
        )
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def writing(engine: Engine, wait_s: float = BUSY_S) -> Engine:
    """Return the same engine for a transaction that writes: it waits for the writer before it.

    Args:
        engine: The engine.
        wait_s: How long it waits [s].
    """
    return engine.execution_options(**{_WRITES: True, _WAITS: wait_s})


def clear_log(engine: Engine) -> bool:
    """Move what SQLite wrote beside a database into it, and empty that log; return whether it did.

    What was overwritten then is nowhere any more. A reader of an older picture puts it off.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=1000")
        (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return not busy


def reason_of(error: DBAPIError) -> str:
    """Return what the database says in one line, without the row it says it about."""
    told = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    text_told = told if isinstance(told, str) else str(error.orig)
    return " ".join(text_told.split())


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Recursive triggers: INSERT OR REPLACE deletes a row, and only so do guards see that.
    # Secure delete: what is taken out or written over is gone from the file, not only from view.
    for pragma in (
        "foreign_keys=ON",
        "journal_mode=WAL",
        "synchronous=FULL",
        "recursive_triggers=ON",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get(_WRITES, False)
    wait_ms = int((options.get(_WAITS, BUSY_S) if writes else READ_BUSY_S) * 1000)
    connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        # A writer must see what the writer before it kept, so its picture begins with the lock.
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        wait_ms = int(connection.get_execution_options().get(_WAITS, BUSY_S) * 1000)
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{wait_ms}ms'")
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_WRITER})
    else:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
