"""The books' database: one writer at a time, every write durable, readers on a still picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from api.cooperative.errors import BooksError
from api.cooperative.keys import Keys
from api.cooperative.officers import Officer
from kwartier.clock import Clock
from kwartier.errors import StoreBusyError
from kwartier.units import EpochS

BUSY_S = 30
"""How long a writer waits for another one [s]."""
_WRITES = "kwartier_writes"
_ONE_WRITER = 0x6B776172
"""The advisory lock that makes PostgreSQL's writers wait for one another."""
_NO_TABLE = re.compile(r"no such table|relation \S+ does not exist")


@dataclass(frozen=True, slots=True)
class Desk:
    """One transaction in the books: what is open, by whom, when, and with which keys.

    Attributes:
        session: The open transaction.
        officer: Who acts.
        at_s: When, for everything written in it [s].
        keys: What seals and signs.
    """

    session: Session
    officer: Officer
    at_s: EpochS
    keys: Keys


class Books:
    """The books of one cooperative; safe to share between threads."""

    def __init__(self, url: str, keys: Keys, clock: Clock) -> None:
        """Open the books at a SQLAlchemy URL; nothing is read yet."""
        self.engine = books_engine(url)
        self.keys = keys
        self.clock = clock

    @contextmanager
    def desk(self, officer: Officer) -> Iterator[Desk]:
        """Give one write transaction: all of it is kept at the end, or nothing after an error.

        Raises:
            StoreBusyError: Somebody else kept writing, or the disk is full; nothing was kept.
            BooksError: A guard or a constraint of the database refused it; nothing was kept.
        """
        engine = writing(self.engine)
        with _translated(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield Desk(session, officer, int(self.clock.now_s()), self.keys)

    @contextmanager
    def reading(self, officer: Officer) -> Iterator[Desk]:
        """Give a still picture of the books; nothing written in it is kept."""
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            yield Desk(session, officer, int(self.clock.now_s()), self.keys)
            session.rollback()

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def books_engine(url: str) -> Engine:
    """Return an engine whose transactions are durable and begin as readers or writers.

    Source:
        synchronous=FULL: NORMAL loses acknowledged commits at a power cut (measured by us).
    """
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_S, "isolation_level": None})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(url, isolation_level="REPEATABLE READ")
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def writing(engine: Engine) -> Engine:
    """Return the same engine for a transaction that writes: it waits for the writer before it."""
    return engine.execution_options(**{_WRITES: True})


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Recursive triggers: INSERT OR REPLACE deletes a row, and only so do guards see that.
    for pragma in (
        "foreign_keys=ON",
        "journal_mode=WAL",
        "synchronous=FULL",
        "recursive_triggers=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        # A writer must see what the writer before it kept, so its picture begins with the lock.
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_S}s'")
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_WRITER})
    else:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = _reason(error)
        if _NO_TABLE.search(reason):
            raise BooksError("the books are not set up: run `kwartier coop init` first") from error
        if isinstance(error, OperationalError):
            raise StoreBusyError(f"the books cannot be reached or written now: {reason}") from error
        raise BooksError(f"the database refuses it: {reason}") from error


def _reason(error: DBAPIError) -> str:
    """Return what the database says, without the row it says it about."""
    if isinstance(error.orig, psycopg.Error):
        return error.orig.diag.message_primary or str(error.orig)
    return str(error.orig)
