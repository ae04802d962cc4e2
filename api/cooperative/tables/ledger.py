"""The ledger's tables: chart, entries, postings, audit log, heads, locks, papers, four eyes."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from api.cooperative.tables.base import Base


class ChartRow(Base):
    """An account of the chart; a name that takes parties has one account for each of them."""

    __tablename__ = "chart"
    __table_args__ = (UniqueConstraint("name", "unit"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[str]
    kind: Mapped[str]
    takes_parts: Mapped[bool]
    dutch: Mapped[str]
    english: Mapped[str]
    rgs: Mapped[str]
    rgs_sure: Mapped[bool]


class EntryRow(Base):
    """One entry; it is written after its postings, and only when they sum to zero."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("source", "key"),
        UniqueConstraint("year", "number"),
        UniqueConstraint("reverses"),
        Index(None, "period"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    year: Mapped[int]
    number: Mapped[int]
    day: Mapped[date]
    period: Mapped[str]
    service_period: Mapped[str]
    source: Mapped[str]
    key: Mapped[str]
    body_hash: Mapped[str]
    reference: Mapped[str]
    item: Mapped[str]
    reason: Mapped[str]
    decision: Mapped[str]
    reverses: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("entry.id"))
    officer: Mapped[str]
    at_s: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str]


class PostingRow(Base):
    """One amount of an entry on one account; debit above zero, credit below."""

    __tablename__ = "posting"
    __table_args__ = (
        ForeignKeyConstraint(["chart", "unit"], ["chart.name", "chart.unit"]),
        CheckConstraint("amount BETWEEN -1000000000000000 AND 1000000000000000", "bounded"),
        CheckConstraint("chart <> 'coop:rounding' OR amount = 0", "rounding_stays_zero"),
        Index(None, "chart", "part"),
    )

    entry: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("entry.id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        autoincrement=False,
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chart: Mapped[str]
    part: Mapped[str]
    unit: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    cost_centre: Mapped[str]


class AuditRow(Base):
    """One act of an officer; it holds ids and no personal data."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "subject"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_s: Mapped[int] = mapped_column(BigInteger)
    officer: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    hash: Mapped[str]


class HeadRow(Base):
    """How far both chains were, and with which hash, when it was told to somebody."""

    __tablename__ = "head"

    records: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    audit_hash: Mapped[str]
    entries: Mapped[int] = mapped_column(BigInteger)
    ledger_hash: Mapped[str]
    at_s: Mapped[int] = mapped_column(BigInteger)


class LockRow(Base):
    """A month in which nothing is written any more."""

    __tablename__ = "period_lock"

    period: Mapped[str] = mapped_column(primary_key=True)
    officer: Mapped[str]
    at_s: Mapped[int] = mapped_column(BigInteger)


class DocumentRow(Base):
    """A numbered paper; numbers have no gaps within a series and a year."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("name"),
        UniqueConstraint("credits"),
        Index(None, "run"),
        Index(None, "party"),
    )

    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    party: Mapped[str]
    day: Mapped[date]
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str]
    body_hash: Mapped[str]
    entry: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("entry.id"))
    run: Mapped[str]
    replaces: Mapped[str]
    credits: Mapped[str | None] = mapped_column(ForeignKey("document.name"))
    officer: Mapped[str]
    at_s: Mapped[int] = mapped_column(BigInteger)


class ProposalRow(Base):
    """What an officer proposes; somebody else approves exactly this, or nobody does."""

    __tablename__ = "proposal"
    __table_args__ = (Index(None, "matter", "subject"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    matter: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    body_hash: Mapped[str]
    officer: Mapped[str]
    person: Mapped[str]
    at_s: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str]


class VerdictRow(Base):
    """What a second person said about a proposal; there is one for each, and it stays."""

    __tablename__ = "verdict"

    proposal: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("proposal.id"), primary_key=True, autoincrement=False
    )
    approved: Mapped[bool]
    body_hash: Mapped[str]
    officer: Mapped[str]
    person: Mapped[str]
    reason: Mapped[str]
    at_s: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str]
