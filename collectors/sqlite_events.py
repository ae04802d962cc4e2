"""What happened on gateways, in the record in SQLite: each once, and so many of each gateway.

They stand in order of arrival, and their age is by our own clock: a gateway whose clock is wrong
neither keeps its own events for ever nor loses them early.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping

from collectors.store import KeptEvent
from kwartier.events import Event, EventKind
from kwartier.identity import GatewayId
from kwartier.units import EpochS

MOST_EACH = 200
"""How many of the newest events are kept of each gateway."""
MOST_EVENTS = 100_000
"""How many are kept in all, whatever names gateways may think of."""
_KINDS = frozenset(EventKind)


def note(connection: sqlite3.Connection, kept: KeptEvent) -> bool:
    """Keep an event, and let go of its gateway's oldest; return False when it was told before.

    The caller holds the transaction.
    """
    event = kept.event
    cursor = connection.execute(
        "INSERT OR IGNORE INTO event(gateway, kind, device, at_s, received_s, reason)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            kept.gateway,
            event.kind.value,
            event.device or "",
            event.at_s,
            kept.received_s,
            event.reason,
        ),
    )
    if not cursor.rowcount:
        return False
    connection.execute(
        "INSERT INTO event_count(kind, kept) VALUES (?, 1)"
        " ON CONFLICT(kind) DO UPDATE SET kept = kept + 1",
        (event.kind.value,),
    )
    connection.execute(
        "DELETE FROM event WHERE gateway = ?1 AND id <="
        " (SELECT id FROM event WHERE gateway = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (kept.gateway, MOST_EACH),
    )
    return True


def newest(
    connection: sqlite3.Connection, gateways: Collection[GatewayId], each: int
) -> list[KeptEvent]:
    """Return what happened on some gateways, newest first: at most ``each`` of every one.

    A kind this program does not know is left out: a newer collector may have kept it.
    """
    rows = [
        row
        for gateway in set(gateways)
        for row in connection.execute(
            "SELECT id, gateway, kind, device, at_s, received_s, reason FROM event"
            " WHERE gateway = ? ORDER BY id DESC LIMIT ?",
            (gateway, each),
        )
    ]
    return [
        KeptEvent(gateway, Event(EventKind(kind), device or None, at_s, reason), received_s)
        for _, gateway, kind, device, at_s, received_s, reason in sorted(rows, reverse=True)
        if kind in _KINDS
    ]


def counts(connection: sqlite3.Connection) -> Mapping[EventKind, int]:
    """Return how many events of each kind were ever kept."""
    rows = connection.execute("SELECT kind, kept FROM event_count")
    return {EventKind(kind): int(kept) for kind, kept in rows if kind in _KINDS}


def forget(connection: sqlite3.Connection, before_s: EpochS) -> int:
    """Delete events kept before an instant, and the oldest beyond the bound; return how many.

    The caller holds the transaction.
    """
    old = connection.execute("DELETE FROM event WHERE received_s < ?", (before_s,)).rowcount
    beyond = connection.execute(
        "DELETE FROM event WHERE id <= (SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (MOST_EVENTS,),
    ).rowcount
    return old + beyond
