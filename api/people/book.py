"""The book of people's database: a desk is one transaction, with the instant and the keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session

from api.cooperative.keys import Keys
from api.people.errors import PeopleError
from api.people.schema import bring_up_to_date
from api.people.visitor import Role, Stay
from api.relational import BUSY_S, clear_log, engine_of, reason_of, writing
from kwartier.clock import Clock
from kwartier.errors import KwartierError, StoreBusyError
from kwartier.units import EpochS

_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}


@dataclass(frozen=True, slots=True)
class PeopleDesk:
    """One transaction in the book of people.

    Attributes:
        session: The open transaction.
        at_s: When, for everything written in it [s].
        keys: What seals personal fields and links the acts.
    """

    session: Session
    at_s: EpochS
    keys: Keys


class Registry(Protocol):
    """What the books tell about people, where there are books."""

    def stays(self, party: str) -> tuple[Stay, ...]:
        """Return the homes a party owned, and when."""

    def roles(self, officer: str) -> frozenset[Role]:
        """Return what an officer may do now; nothing when the account in the books ended."""

    def owner(self, home: str, at_s: EpochS) -> str:
        """Return whose a home is at an instant [s]; empty when nobody's."""


class PeopleBook:
    """The book of people; safe to share between threads."""

    def __init__(
        self,
        url: str,
        keys: Keys,
        clock: Clock,
        registry: Registry | None = None,
        folder: Path | None = None,
    ) -> None:
        """Open the book at a SQLAlchemy URL, with its tables in their newest form.

        ``folder`` is the server's, where it is remembered when the book was backed up last.
        """
        self.engine = engine_of(url)
        self.keys = keys
        self.clock = clock
        self.registry = registry
        self.folder = folder
        try:
            with translated():
                bring_up_to_date(self.engine)
        except KwartierError:
            self.engine.dispose()
            raise

    @contextmanager
    def writing(self, wait_s: float = BUSY_S) -> Iterator[PeopleDesk]:
        """Give one write transaction: all of it is kept at the end, or nothing after an error.

        Args:
            wait_s: How long to wait for another writer [s].

        Raises:
            StoreBusyError: Somebody else kept writing, or the disk is full; nothing was kept.
            PeopleError: A constraint of the database refused it; nothing was kept.
        """
        engine = writing(self.engine, wait_s)
        with translated(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield PeopleDesk(session, int(self.clock.now_s()), self.keys)

    @contextmanager
    def reading(self) -> Iterator[PeopleDesk]:
        """Give a still picture of the book; nothing written in it is kept."""
        with translated(), Session(self.engine, expire_on_commit=False) as session:
            yield PeopleDesk(session, int(self.clock.now_s()), self.keys)
            session.expunge_all()  # rows may be kept as they were read
            session.rollback()

    def clear_log(self) -> bool:
        """Have what was overwritten be gone from the disk as well; return whether it is."""
        return clear_log(self.engine)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Tell what the database says in our own words, for whoever looks into a book of people."""
    try:
        yield
    except NoConnectionError as error:
        raise StoreBusyError(
            "the book of people cannot be reached now: too many ask at once"
        ) from error
    except OperationalError as error:
        raise StoreBusyError(
            f"the book of people cannot be reached now: {reason_of(error)}"
        ) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorname", "") in _DAMAGED:
            raise StoreBusyError(
                f"the book of people is damaged ({error.orig}): put the backup back"
            ) from error
        raise PeopleError(f"the book of people refuses it: {reason_of(error)}") from error
