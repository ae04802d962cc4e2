"""The cooperative's office: its books as the pages use them, each act under an officer's name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.cooperative import officers as book_officers
from api.cooperative.database import Books, Desk
from api.cooperative.errors import NotAllowedError
from api.cooperative.officers import SYSTEM, Officer, self_of
from api.cooperative.registry import officer_or_none, windows
from api.cooperative.settings import CoopSettings
from api.people.visitor import Role, Stay, Visitor
from kwartier.clock import Clock
from kwartier.interval import local_day
from kwartier.units import EpochS

KEPT_S = 30.0
"""How long what the registry told about somebody is told again [s]."""
_WEB_ROLES = {
    book_officers.Role.BOARD: Role.BOARD,
    book_officers.Role.TREASURER: Role.TREASURER,
}


class Office:
    """The books, opened for people at a browser; safe to share between threads."""

    def __init__(self, books: Books, settings: CoopSettings, clock: Clock) -> None:
        """Open the office over books that are set up."""
        self.books = books
        self.settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._stays: dict[str, tuple[float, tuple[Stay, ...]]] = {}

    @contextmanager
    def reading(self) -> Iterator[Desk]:
        """Give a still picture of the books, for what nobody decides on."""
        with self.books.reading(SYSTEM) as desk:
            yield desk

    @contextmanager
    def reading_as(self, visitor: Visitor) -> Iterator[Desk]:
        """Give a still picture of the books under an officer's name.

        Raises:
            NotAllowedError: The visitor is no officer in force.
        """
        with self.books.reading(self.officer(visitor)) as desk:
            yield desk

    @contextmanager
    def writing_as(self, visitor: Visitor) -> Iterator[Desk]:
        """Give a write transaction under an officer's name.

        Raises:
            NotAllowedError: The visitor is no officer in force.
        """
        with self.books.desk(self.officer(visitor)) as desk:
            yield desk

    @contextmanager
    def asking_self(self, party: str) -> Iterator[Desk]:
        """Give a transaction in which a party asks for its own data; the audit log says so."""
        with self.books.desk(self_of(party)) as desk:
            yield desk

    def officer(self, visitor: Visitor) -> Officer:
        """Return the officer a visitor is.

        Raises:
            NotAllowedError: The visitor is none, or the account in the books has ended.
        """
        with self.reading() as desk:
            found = officer_or_none(desk, visitor.officer) if visitor.officer else None
        if found is None:
            raise NotAllowedError("you are no officer in the books: ask the board to make you one")
        return found

    def roles(self, officer: str) -> frozenset[Role]:
        """Return what an officer may do on the pages now."""
        with self.reading() as desk:
            found = officer_or_none(desk, officer)
        known = frozenset() if found is None else found.roles
        return frozenset(_WEB_ROLES[role] for role in known if role in _WEB_ROLES)

    def stays(self, party: str) -> tuple[Stay, ...]:
        """Return the connections a party owned, and when."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            kept = self._stays.get(party)
            if kept is not None and now_s - kept[0] < KEPT_S:
                return kept[1]
        with self.reading() as desk:
            found = tuple(
                Stay(
                    window.connection,
                    local_day(window.from_day)[0],
                    None if window.to_day is None else local_day(window.to_day)[0],
                )
                for window in windows(desk, party=party)
            )
        with self._lock:
            self._stays[party] = (now_s, found)
            while len(self._stays) > 10_000:
                del self._stays[next(iter(self._stays))]
        return found

    def owner(self, home: str, at_s: EpochS) -> str:
        """Return whose a connection is at an instant [s]; empty when nobody's."""
        with self.reading() as desk:
            for window in windows(desk, connection=home):
                stay_end = None if window.to_day is None else local_day(window.to_day)[0]
                if Stay(home, local_day(window.from_day)[0], stay_end).holds(at_s):
                    return window.party
        return ""

    def close(self) -> None:
        """Let go of the books."""
        self.books.close()
