"""How far the journal has been forwarded, and the lines nobody would take: a file of its own.

The position belongs to one life of the store. A restored store may give old positions to new
blocks, so with another life the forwarding starts again; sending twice changes nothing there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.sqlite_schema import translated
from kwartier.units import EpochS

MAX_DEAD_LINES = 10_000
"""How many refused lines are kept; the count goes on."""

_TABLES = """
CREATE TABLE IF NOT EXISTS forwarded(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation TEXT NOT NULL,
    position INTEGER NOT NULL,
    dead INTEGER NOT NULL
);
INSERT OR IGNORE INTO forwarded VALUES (1, '', 0, 0);
CREATE TABLE IF NOT EXISTS doubtful(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation TEXT NOT NULL,
    conflicts INTEGER NOT NULL,
    upto INTEGER NOT NULL
);
INSERT OR IGNORE INTO doubtful VALUES (1, '', 0, 0);
CREATE TABLE IF NOT EXISTS dead_line(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    refused_s INTEGER NOT NULL,
    position INTEGER NOT NULL,
    reason TEXT NOT NULL,
    line TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class DeadLine:
    """A line that was refused for good.

    Attributes:
        refused_s: When [s].
        position: The journal position it comes from, or the last one of its batch.
        reason: Why, in the words of whoever refused it.
        line: The line, or the beginning of a payload that gave no lines.
    """

    refused_s: EpochS
    position: int
    reason: str
    line: str


def book_path(record: Path) -> Path:
    """Return where the book of a record's forwarder lies: beside it."""
    return record.with_name(f"{record.name}.forwarded")


class ForwardBook:
    """The durable position of one forwarder; used from one thread."""

    def __init__(self, path: Path, *, keep: int = MAX_DEAD_LINES) -> None:
        """Open or make the file; of the lines refused for good, the newest ``keep`` stay in it.

        Raises:
            StoreBusyError: The file cannot be written now.
            StoreDamagedError: The file is damaged or is no database.
        """
        self._path = path
        self._keep_lines = keep
        with translated(path):
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_TABLES)

    def position(self, generation: str) -> int:
        """Return the last position forwarded in a life of the store; 0 for none."""
        row = self._row()
        return row[1] if row[0] == generation else 0

    def doubtful_upto(self, generation: str, end: int, conflicts: int) -> int:
        """Return up to which position blocks may hold a value that the record did not take.

        Args:
            generation: The life of the store.
            end: The last position in its journal.
            conflicts: How often up to there a value came again otherwise.
        """
        with translated(self._path):
            row = self._db.execute("SELECT generation, conflicts, upto FROM doubtful").fetchone()
            known, upto = row[1:] if row[0] == generation else (0, 0)
            if conflicts != known:
                upto = end
                self._db.execute(
                    "UPDATE doubtful SET generation = ?, conflicts = ?, upto = ?",
                    (generation, conflicts, upto),
                )
        return int(upto)

    @property
    def dead(self) -> int:
        """How many lines were refused for good, also those no longer kept."""
        return self._row()[2]

    def advance(self, generation: str, position: int, dead: Sequence[DeadLine] = ()) -> None:
        """Keep a new position and the lines refused on the way, together or not at all."""
        with translated(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.execute(
                    "UPDATE forwarded SET generation = ?, position = ?, dead = dead + ?",
                    (generation, position, len(dead)),
                )
                self._keep(dead)
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def dead_lines(self, limit: int = 100) -> list[DeadLine]:
        """Return the newest lines refused for good."""
        with translated(self._path):
            rows = self._db.execute(
                "SELECT refused_s, position, reason, line FROM dead_line ORDER BY id DESC LIMIT ?",
                (limit,),
            )
            return [DeadLine(*row) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _row(self) -> tuple[str, int, int]:
        with translated(self._path):
            found = self._db.execute("SELECT generation, position, dead FROM forwarded")
            generation, position, dead = found.fetchone()
            return str(generation), int(position), int(dead)

    def _keep(self, dead: Sequence[DeadLine]) -> None:
        self._db.executemany(
            "INSERT INTO dead_line(refused_s, position, reason, line) VALUES (?, ?, ?, ?)",
            [(one.refused_s, one.position, one.reason, one.line) for one in dead],
        )
        self._db.execute(
            "DELETE FROM dead_line WHERE id <= (SELECT max(id) FROM dead_line) - ?",
            (self._keep_lines,),
        )
