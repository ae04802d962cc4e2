"""The audit log and both hash chains: who did what, and proof that nothing was changed since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from api.cooperative.canonical import canonical
from api.cooperative.database import Desk
from api.cooperative.links import Chain, audit_links, broken_links, ledger_links, signed_text
from api.cooperative.tables.base import Base
from api.cooperative.tables.ledger import AuditRow, EntryRow, HeadRow
from kwartier.units import EpochS
from kwartier.wire import Json

POSTED = "entry.post"
"""The act under which the log knows of an entry."""
PUBLISHED = "head.publish"
"""The act under which the log knows of a head that was told to somebody."""
_NEW_RECORD = insert(Base.metadata.tables[AuditRow.__tablename__])
_LAST = {
    table: select(rows.c.id, rows.c.hash).order_by(rows.c.id.desc()).limit(1)
    for table in (AuditRow, EntryRow)
    for rows in (Base.metadata.tables[table.__tablename__],)
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the books that cannot be right.

    Attributes:
        where: Which part of the books, such as ``audit 17``.
        what: What is wrong with it.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Head:
    """How far the books were at some moment; whoever kept one can prove what was there.

    Attributes:
        count: Rows of the audit log.
        hash: The last one's hash.
        entries: Entries of the ledger.
        ledger_hash: The last one's hash; empty when there is none.
        at_s: When [s].
    """

    count: int
    hash: str
    entries: int
    ledger_hash: str
    at_s: EpochS

    def text(self) -> str:
        """Return the line that members receive and keep."""
        return f"{self.count} {self.hash} {self.entries} {self.ledger_hash or '-'} {self.at_s}"

    @classmethod
    def of_text(cls, text: str) -> Head:
        """Return the head of a line that somebody kept.

        Raises:
            ValueError: It is no such line.
        """
        count, audit_hash, entries, ledger_hash, at_s = text.split()
        return cls(int(count), audit_hash, int(entries), ledger_hash.strip("-"), int(at_s))


def record(desk: Desk, act: str, subject: str, facts: Json, before: Json = None) -> None:
    """Write an act into the audit log, in the transaction of the act itself.

    Args:
        desk: Where, by whom and when.
        act: What was done, such as ``run.approve``.
        subject: To what, such as ``2026-07/1``; an id, never a name or an address.
        facts: What there is to know about it: ids, hashes, decision; no personal data.
        before: What there was before, where something was changed.

    Raises:
        TypeError: There is a float in the facts.
    """
    place, previous = _end(desk, AuditRow)
    body = canonical({"facts": facts, "before": before})
    signed = signed_text([place + 1, desk.at_s, desk.officer.id, act, subject, body])
    desk.session.execute(
        _NEW_RECORD,
        {
            "id": place + 1,
            "at_s": desk.at_s,
            "officer": desk.officer.id,
            "act": act,
            "subject": subject,
            "body": body,
            "hash": desk.keys.link(Chain.AUDIT, previous, signed),
        },
    )


def head(desk: Desk) -> Head:
    """Return how far the books are now."""
    count, audit_hash = _end(desk, AuditRow)
    entries, ledger_hash = _end(desk, EntryRow)
    return Head(count, audit_hash, entries, ledger_hash, desk.at_s)


def publish_head(desk: Desk) -> Head:
    """Keep how far the books are, and return it: what members receive every week.

    The log tells of the ledger's head first, so the log's own hash covers both chains.
    """
    entries, ledger_hash = _end(desk, EntryRow)
    record(desk, PUBLISHED, str(entries), {"entries": entries, "ledger_hash": ledger_hash})
    now = head(desk)
    desk.session.execute(
        insert(HeadRow).values(
            records=now.count,
            audit_hash=now.hash,
            entries=now.entries,
            ledger_hash=now.ledger_hash,
            at_s=now.at_s,
        )
    )
    return now


def heads(desk: Desk) -> list[Head]:
    """Return every head that was kept, the oldest first."""
    rows = desk.session.scalars(select(HeadRow).order_by(HeadRow.records))
    return [
        Head(row.records, row.audit_hash, row.entries, row.ledger_hash, row.at_s) for row in rows
    ]


def verify_chains(desk: Desk, kept: Iterable[Head] = ()) -> list[Fault]:
    """Return what is wrong with both chains, in their order; nothing when all is well.

    Args:
        desk: Where to look.
        kept: Heads that were kept elsewhere, such as a member's; those in the books are known.
    """
    known = [*heads(desk), *kept]
    audit = broken_links(
        audit_links(desk.session),
        desk.keys.linker(Chain.AUDIT),
        {each.count: each.hash for each in known},
    )
    ledger = broken_links(
        ledger_links(desk.session),
        desk.keys.linker(Chain.LEDGER),
        {each.entries: each.ledger_hash for each in known},
    )
    return [
        *(Fault(f"{Chain.AUDIT} {place}", what) for place, what in audit),
        *(Fault(f"{Chain.LEDGER} {place}", what) for place, what in ledger),
        *counted(desk, EntryRow, POSTED),
        *counted(desk, HeadRow, PUBLISHED),
    ]


def counted(desk: Desk, table: type[Base], *acts: str) -> list[Fault]:
    """Compare the rows of a table with the acts the log knows of: none is cut off unseen."""
    acted = select(func.count()).select_from(AuditRow).where(AuditRow.act.in_(acts))
    logged = desk.session.scalar(acted)
    rows = desk.session.scalar(select(func.count()).select_from(table))
    if logged == rows:
        return []
    return [Fault(table.__tablename__, f"has {rows} rows, the audit log knows of {logged}")]


def _end(desk: Desk, table: type[AuditRow | EntryRow]) -> tuple[int, str]:
    """Return how many rows a chain has, and its last hash."""
    last = desk.session.execute(_LAST[table]).first()
    return (last.id, last.hash) if last else (0, "")
