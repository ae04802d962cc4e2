"""Events in the outbox: few, short, and never given up for room."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from kwartier.events import mark_of


def kept(db: sqlite3.Connection) -> list[bytes]:
    """Return the payloads of events, oldest first; one that changed on the disk is left out."""
    rows = db.execute("SELECT mark, payload FROM event ORDER BY id").fetchall()
    return [bytes(payload) for mark, payload in rows if mark_of(payload) == mark]


def readable(db: sqlite3.Connection) -> list[bytes]:
    """Return what can still be read of the events in a file that is damaged; maybe none."""
    try:
        return kept(db)
    except sqlite3.DatabaseError:
        return []


def change(db: sqlite3.Connection, new: Sequence[bytes], gone: Collection[str]) -> None:
    """Put events in and take others out, by their marks; the caller holds the transaction."""
    for payload in new:
        db.execute(
            "INSERT OR IGNORE INTO event (mark, payload) VALUES (?, ?)",
            (mark_of(payload), payload),
        )
    for mark in gone:
        db.execute("DELETE FROM event WHERE mark = ?", (mark,))
