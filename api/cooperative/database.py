"""The books' database: one writer at a time, every write durable, readers on a still picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session

from api.cooperative.errors import BooksError
from api.cooperative.keys import Keys
from api.cooperative.officers import Officer
from api.relational import engine_of, writing
from kwartier.clock import Clock
from kwartier.errors import StoreBusyError
from kwartier.units import EpochS

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
        self.engine = engine_of(url)
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


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except NoConnectionError as error:
        raise StoreBusyError("the books cannot be reached now: too many ask at once") from error
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
