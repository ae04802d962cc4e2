"""How far InfluxDB is behind the record, read from beside: the collector may run or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from collectors.forward_book import book_path
from collectors.sqlite_schema import translated
from kwartier.units import EpochS

_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is stored and not yet in InfluxDB.

    Attributes:
        blocks: How many blocks wait, at most.
        oldest_s: When the one that waits longest was stored [s]; None when none waits.
        refused: How many lines InfluxDB refused for good, ever.
    """

    blocks: int
    oldest_s: EpochS | None
    refused: int


def backlog_of(record: Path) -> Backlog:
    """Return how far a record's forwarding is behind; all of it where none was ever forwarded.

    Raises:
        StoreBusyError: The record or the forwarder's book cannot be read now.
        StoreDamagedError: One of them is damaged.
    """
    book, forwarded, refused, life = book_path(record), 0, 0, ""
    if book.exists():
        with _asking(book) as db:
            life, forwarded, refused = db.execute(
                "SELECT generation, position, dead FROM forwarded"
            ).fetchone()
    with _asking(record) as db:
        (generation,) = db.execute("SELECT generation FROM life").fetchone()
        waiting = "FROM journal WHERE position > ?"
        place = (forwarded if generation == life else 0,)
        (last,) = db.execute(f"SELECT max(position) {waiting}", place).fetchone()
        first = db.execute(
            f"SELECT received_s {waiting} ORDER BY position LIMIT 1",
            place,
        ).fetchone()
    blocks = 0 if last is None else int(last) - place[0]
    return Backlog(blocks, None if first is None else int(first[0]), int(refused))


@contextmanager
def _asking(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that can only ask, and makes no file where there is none."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    with (
        translated(path),
        closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_S)) as db,
    ):
        yield db
