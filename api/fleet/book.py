"""What was wished of gateways and released to them, in one file that only grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kwartier.clock import Clock
from kwartier.configuration import Wish
from kwartier.errors import InputError, StoreBusyError
from kwartier.identity import CoopId, GatewayId

FILE = "fleet.db"
_WAIT_S = 10.0
_TABLES = ("wish", "step", "place")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS wish (
  coop TEXT NOT NULL, gateway TEXT NOT NULL, version INTEGER NOT NULL, made_s INTEGER NOT NULL,
  changes TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (coop, gateway, version)
) STRICT;
CREATE TABLE IF NOT EXISTS step (
  id INTEGER PRIMARY KEY, version TEXT NOT NULL, sha256 TEXT NOT NULL, at_s INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('added', 'advanced', 'halted')), reason TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS place (
  id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, ring INTEGER NOT NULL, at_s INTEGER NOT NULL
) STRICT;
"""
_GROWS_ONLY = """
CREATE TRIGGER IF NOT EXISTS {table}_not_{act} BEFORE {act} ON {table}
BEGIN SELECT RAISE(ABORT, 'the book of the fleet only grows'); END;
"""


def check_file(path: Path) -> None:
    """Look whether a book of the fleet is whole and has its tables.

    Raises:
        StoreBusyError: It does not.
    """
    try:
        with closing(sqlite3.connect(path)) as book:
            (found,) = book.execute("PRAGMA quick_check(1)").fetchone()
            for table in _TABLES:
                book.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own name
    except sqlite3.Error as error:
        raise StoreBusyError(f"{path.name}: cannot be read: {error}") from error
    if found != "ok":
        raise StoreBusyError(f"{path.name}: is damaged: {found}")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a release: added, advanced to the next ring, or halted."""

    version: str
    sha256: str
    at_s: int
    kind: str
    reason: str


class FleetBook:
    """The file in a folder, made the first time."""

    def __init__(self, folder: Path, coop: CoopId, clock: Clock) -> None:
        """Open it for one cooperative.

        Raises:
            StoreBusyError: It cannot be opened or written now.
        """
        self._path = folder / FILE
        self._coop = coop
        self._clock = clock
        with self._writing() as book:
            book.executescript(_SCHEMA)
            for table in _TABLES:
                for act in ("UPDATE", "DELETE"):
                    book.executescript(_GROWS_ONLY.format(table=table, act=act))

    def next_version(self, gateway: GatewayId) -> int:
        """Return the version that the next wish for a gateway has."""
        row = self._one(
            "SELECT max(version) FROM wish WHERE coop = ? AND gateway = ?", self._coop, gateway
        )
        return 1 if row is None or row[0] is None else int(row[0]) + 1

    def keep(self, wish: Wish, payload: bytes) -> None:
        """Keep a wish and how it travels.

        Raises:
            InputError: That version was wished before.
            StoreBusyError: It cannot be written now.
        """
        row = (wish.coop, wish.gateway, wish.version, wish.made_s, wish.changes, payload)
        try:
            with self._writing() as book:
                book.execute("INSERT INTO wish VALUES (?, ?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError as error:
            raise InputError(
                f"version {wish.version} was wished of {wish.gateway} before: try once more"
            ) from error

    def wishes(self, gateway: GatewayId) -> list[tuple[Wish, bytes]]:
        """Return every wish for a gateway and how it travels, newest first."""
        rows = self._all(
            "SELECT version, made_s, changes, payload FROM wish "
            "WHERE coop = ? AND gateway = ? ORDER BY version DESC",
            self._coop,
            gateway,
        )
        told: list[tuple[Wish, bytes]] = []
        for version, made_s, changes, payload in rows:
            assert isinstance(payload, bytes), payload
            wish = Wish(self._coop, gateway, int(version), int(made_s), str(changes))
            told.append((wish, payload))
        return told

    def note(self, version: str, sha256: str, kind: str, reason: str) -> None:
        """Note a step of a release."""
        with self._writing() as book:
            book.execute(
                "INSERT INTO step (version, sha256, at_s, kind, reason) VALUES (?, ?, ?, ?, ?)",
                (version, sha256, int(self._clock.now_s()), kind, reason),
            )

    def steps(self) -> list[Step]:
        """Return every step of every release, oldest first."""
        rows = self._all("SELECT version, sha256, at_s, kind, reason FROM step ORDER BY id")
        return [
            Step(str(version), str(sha256), int(at_s), str(kind), str(reason))
            for version, sha256, at_s, kind, reason in rows
        ]

    def put(self, gateway: GatewayId, ring: int) -> None:
        """Put a gateway in a ring by hand."""
        with self._writing() as book:
            book.execute(
                "INSERT INTO place (gateway, ring, at_s) VALUES (?, ?, ?)",
                (gateway, ring, int(self._clock.now_s())),
            )

    def places(self) -> dict[GatewayId, int]:
        """Return the ring in which each gateway was put by hand last."""
        return {
            str(gateway): int(ring)
            for gateway, ring in self._all("SELECT gateway, ring FROM place ORDER BY id")
        }

    def _one(self, question: str, *words: str) -> tuple[int | None, ...] | None:
        with self._writing() as book:
            row: tuple[int | None, ...] | None = book.execute(question, words).fetchone()
        return row

    def _all(self, question: str, *words: str) -> list[tuple[str | int | bytes, ...]]:
        with self._writing() as book:
            rows: list[tuple[str | int | bytes, ...]] = book.execute(question, words).fetchall()
        return rows

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=_WAIT_S)) as book, book:
                book.execute("PRAGMA synchronous = FULL")
                yield book
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise StoreBusyError(f"{self._path}: cannot be used now: {error}") from error
