"""The rows of an outbox: what is written to and read from its tables, on one connection."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.keep.payloads import whole, with_less_detail
from gateway.keep.position import Kept, Position
from gateway.keep.thinning import STEPS_S
from kwartier.identity import DeviceId
from kwartier.units import EpochS

ROW_BYTES = 64
"""What a block takes beside its payload, about [bytes]."""
CHUNK = 64
"""How many blocks are thinned or let go of at once."""
_COUNTED_PAGES = 16_384
"""Up to 64 MB of pages blocks are counted one by one at the start; above, their pages are."""


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Hold a transaction; it is on disk on leaving, and undone when an error leaves it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def position_in(db: sqlite3.Connection) -> Position:
    """Return where a file stands."""
    epoch, last, unproven, upto, store_gen = db.execute(
        "SELECT epoch, last, unproven, upto, store_gen FROM life"
    ).fetchone()
    (oldest,) = db.execute("SELECT min(seq) FROM block").fetchone()
    return Position(epoch, oldest or last + 1, last, unproven, upto, store_gen)


def write_position(db: sqlite3.Connection, position: Position) -> None:
    """Write down the last number and the watermark."""
    db.execute(
        "UPDATE life SET last = ?, upto = ?, store_gen = ?",
        (position.last, position.upto, position.store_gen),
    )


def counted_bytes(db: sqlite3.Connection) -> int:
    """Return how much the blocks take [bytes]; a large file is not read for that."""
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    if pages - free > _COUNTED_PAGES:
        return int((pages - free) * page_bytes)
    held, count = db.execute("SELECT total(length(payload)), count(*) FROM block").fetchone()
    return int(held) + int(count) * ROW_BYTES


def insert(
    db: sqlite3.Connection, seq: int, device: DeviceId, payload: bytes, now_s: EpochS
) -> None:
    """Put a block in, with its checksum and when it came [s]."""
    db.execute(
        "INSERT INTO block (seq, device, stored_s, crc, payload) VALUES (?, ?, ?, ?, ?)",
        (seq, device, now_s, zlib.crc32(payload), payload),
    )


def blocks_in(db: sqlite3.Connection, wanted: range) -> list[Kept]:
    """Return those of the wanted blocks that are there, in order."""
    rows = db.execute(
        "SELECT seq, device, crc, payload FROM block WHERE seq >= ? AND seq < ? ORDER BY seq",
        (wanted.start, wanted.stop),
    ).fetchall()
    return [Kept(seq, device, whole(payload, crc)) for seq, device, crc, payload in rows]


def youngest_before(db: sqlite3.Connection, before_s: EpochS, last: int) -> int:
    """Return the number up to which all blocks came before an instant."""
    (young,) = db.execute("SELECT min(seq) FROM block WHERE stored_s >= ?", (before_s,)).fetchone()
    return last if young is None else young - 1


def forget(db: sqlite3.Connection, until: int) -> int:
    """Delete the blocks up to a number, and return what they took [bytes]."""
    count, freed = db.execute(
        "SELECT count(*), total(length(payload)) FROM block WHERE seq <= ?", (until,)
    ).fetchone()
    with transaction(db):
        db.execute("DELETE FROM block WHERE seq <= ?", (until,))
    return int(freed) + int(count) * ROW_BYTES


def thin_some(db: sqlite3.Connection) -> tuple[int, int]:
    """Take detail from the oldest blocks that still have it.

    Returns:
        How many blocks, 0 where none had any left, and how much shorter they are [bytes].
    """
    for step_s in STEPS_S:
        rows = db.execute(
            "SELECT seq, crc, payload FROM block WHERE step_s < ? ORDER BY seq LIMIT ?",
            (step_s, CHUNK),
        ).fetchall()
        if not rows:
            continue
        freed = 0
        with transaction(db):
            for seq, crc, payload in rows:
                less = with_less_detail(whole(payload, crc), step_s)
                db.execute(
                    "UPDATE block SET step_s = ?, crc = ?, payload = ? WHERE seq = ?",
                    (step_s, zlib.crc32(less), less, seq),
                )
                freed += len(payload) - len(less)
        return len(rows), freed
    return 0, 0
