"""The links of both hash chains: the text that each row signs, and where a chain is broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.cooperative.tables.ledger import AuditRow, EntryRow, PostingRow

MOST_FAULTS = 100
"""How many faults of one chain are told at most."""
ENTRY_SIGNED = (
    EntryRow.id,
    EntryRow.year,
    EntryRow.number,
    EntryRow.day,
    EntryRow.period,
    EntryRow.service_period,
    EntryRow.source,
    EntryRow.key,
    EntryRow.body_hash,
    EntryRow.reference,
    EntryRow.item,
    EntryRow.reason,
    EntryRow.decision,
    EntryRow.reverses,
    EntryRow.officer,
    EntryRow.at_s,
)
"""What the hash of an entry covers, beside its postings."""
POSTING_SIGNED = (
    PostingRow.entry,
    PostingRow.line,
    PostingRow.chart,
    PostingRow.part,
    PostingRow.unit,
    PostingRow.amount,
    PostingRow.cost_centre,
)
"""What the hash of an entry covers of each posting."""
AUDIT_SIGNED = (
    AuditRow.id,
    AuditRow.at_s,
    AuditRow.officer,
    AuditRow.act,
    AuditRow.subject,
    AuditRow.body,
)
"""What the hash of a row of the audit log covers."""
_STREAMED = {"yield_per": 5_000}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


class Chain(StrEnum):
    """Which chain."""

    LEDGER = "ledger"
    """Entries with their postings."""
    AUDIT = "audit"
    """Acts of officers."""


@dataclass(frozen=True, slots=True)
class Link:
    """One row of a chain: its place from 1, the text that was signed, and the hash."""

    place: int
    body: str
    hash: str


def signed_text(row: Sequence[object]) -> str:
    """Return the one text of a row that is signed: its values as a list, days as 2026-07-31."""
    return _ENCODER.encode(row)


def broken_links(
    links: Iterable[Link], link: Callable[[str, str], str], known: Mapping[int, str]
) -> list[tuple[int, str]]:
    """Return where a chain is broken, and how.

    Args:
        links: Its rows as they are stored, in order of their places.
        link: Makes the next hash of the previous one and a body.
        known: Hashes that were kept, by place; place 0 is before the first row.
    """
    faults: list[tuple[int, str]] = []
    place, previous = 0, ""
    for each in links:
        if len(faults) >= MOST_FAULTS:
            return faults
        if each.place != place + 1:
            faults.append((each.place, f"comes after {place}: rows are gone or were put in"))
        elif link(previous, each.body) != each.hash:
            faults.append((each.place, "was changed: its hash does not fit"))
        place, previous = each.place, each.hash
        if known.get(place, previous) != previous:
            faults.append((place, "has another hash than the head that was kept"))
    gone = sorted(count for count in known if count > place)
    faults += [(count, f"is gone: a head was kept of it, {place} rows are left") for count in gone]
    return faults[:MOST_FAULTS]


def audit_links(session: Session) -> Iterator[Link]:
    """Yield the audit log's rows as they are stored."""
    chosen = select(*AUDIT_SIGNED, AuditRow.hash).order_by(AuditRow.id)
    for row in session.connection().execute(chosen, execution_options=_STREAMED):
        yield Link(row.id, signed_text(tuple(row)[:-1]), row.hash)


def ledger_links(session: Session) -> Iterator[Link]:
    """Yield the ledger's entries with their postings as they are stored."""
    postings = select(*POSTING_SIGNED).order_by(PostingRow.entry, PostingRow.line)
    entries = select(*ENTRY_SIGNED, EntryRow.hash).order_by(EntryRow.id)
    connection = session.connection()
    lines = iter(connection.execute(postings, execution_options=_STREAMED))
    line = next(lines, None)
    for row in connection.execute(entries, execution_options=_STREAMED):
        own: list[tuple[object, ...]] = []
        while line is not None and line.entry <= row.id:
            own.append(tuple(line))
            line = next(lines, None)
        yield Link(row.id, signed_text([tuple(row)[:-1], own]), row.hash)
    if line is not None:
        yield Link(line.entry, "postings without an entry", "")
