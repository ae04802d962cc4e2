"""Step 0001_ledger: chart, entries, postings, audit log, heads, locks, papers, four eyes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.cooperative.migrations.guards import append_only, on_postgresql, refuse_insert
from api.cooperative.migrations.ledger_views import create_views
from api.cooperative.migrations.minimum_chart import MINIMUM_CHART

revision = "0001_ledger"
down_revision = None

JOURNAL_LIMIT_CENTS = 25_000


def upgrade() -> None:
    """Make the tables, their guards and the views."""
    _chart()
    _entries()
    _log()
    _papers()
    _four_eyes()
    for table in ("chart", "entry", "posting", "audit", "head", "period_lock", "document"):
        append_only(table)
    for table in ("proposal", "verdict"):
        append_only(table)
    _guard_entries()
    _guard_order()
    _guard_papers()
    _guard_four_eyes()
    create_views()


def _chart() -> None:
    chart = op.create_table(
        "chart",
        _text("name", primary_key=True),
        *_texts("unit", "kind"),
        sa.Column("takes_parts", sa.Boolean, nullable=False),
        *_texts("dutch", "english", "rgs"),
        sa.Column("rgs_sure", sa.Boolean, nullable=False),
        sa.UniqueConstraint("name", "unit", name="uq_chart_name_unit"),
    )
    columns = [column.name for column in chart.columns]
    op.bulk_insert(chart, [dict(zip(columns, row, strict=True)) for row in MINIMUM_CHART])


def _entries() -> None:
    op.create_table(
        "entry",
        _whole("id", primary_key=True, autoincrement=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        *_texts("period", "service_period", "source", "key", "body_hash", "reference"),
        *_texts("item", "reason", "decision"),
        sa.Column("reverses", sa.BigInteger, sa.ForeignKey("entry.id", name="fk_entry_reverses")),
        _text("officer"),
        _whole("at_s"),
        _text("hash"),
        sa.UniqueConstraint("source", "key", name="uq_entry_source_key"),
        sa.UniqueConstraint("year", "number", name="uq_entry_year_number"),
        sa.UniqueConstraint("reverses", name="uq_entry_reverses"),
    )
    op.create_index("ix_entry_period", "entry", ["period"])
    op.create_table(
        "posting",
        sa.Column(
            "entry",
            sa.BigInteger,
            sa.ForeignKey(
                "entry.id", name="fk_posting_entry", deferrable=True, initially="DEFERRED"
            ),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
        *_texts("chart", "part", "unit"),
        _whole("amount"),
        _text("cost_centre"),
        sa.ForeignKeyConstraint(
            ["chart", "unit"], ["chart.name", "chart.unit"], name="fk_posting_chart_unit"
        ),
        sa.CheckConstraint("amount BETWEEN -1000000000000000 AND 1000000000000000", name="bounded"),
        sa.CheckConstraint("chart <> 'coop:rounding' OR amount = 0", name="rounding_stays_zero"),
    )
    op.create_index("ix_posting_chart_part", "posting", ["chart", "part"])
    op.create_table(
        "period_lock", _text("period", primary_key=True), _text("officer"), _whole("at_s")
    )


def _log() -> None:
    op.create_table(
        "audit",
        _whole("id", primary_key=True, autoincrement=False),
        _whole("at_s"),
        *_texts("officer", "act", "subject", "body", "hash"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_table(
        "head",
        _whole("records", primary_key=True, autoincrement=False),
        _text("audit_hash"),
        _whole("entries"),
        _text("ledger_hash"),
        _whole("at_s"),
    )


def _papers() -> None:
    op.create_table(
        "document",
        _text("series", primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *_texts("name", "party"),
        sa.Column("day", sa.Date, nullable=False),
        _whole("amount_cents"),
        *_texts("body", "body_hash"),
        sa.Column("entry", sa.BigInteger, sa.ForeignKey("entry.id", name="fk_document_entry")),
        *_texts("run", "replaces"),
        sa.Column("credits", sa.String, sa.ForeignKey("document.name", name="fk_document_credits")),
        _text("officer"),
        _whole("at_s"),
        sa.UniqueConstraint("name", name="uq_document_name"),
        sa.UniqueConstraint("credits", name="uq_document_credits"),
    )
    op.create_index("ix_document_run", "document", ["run"])
    op.create_index("ix_document_party", "document", ["party"])


def _four_eyes() -> None:
    op.create_table(
        "proposal",
        _whole("id", primary_key=True, autoincrement=False),
        *_texts("matter", "subject", "body", "body_hash", "officer", "person"),
        _whole("at_s"),
        _text("seal"),
    )
    op.create_index("ix_proposal_matter_subject", "proposal", ["matter", "subject"])
    op.create_table(
        "verdict",
        sa.Column(
            "proposal",
            sa.BigInteger,
            sa.ForeignKey("proposal.id", name="fk_verdict_proposal"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("approved", sa.Boolean, nullable=False),
        *_texts("body_hash", "officer", "person", "reason"),
        _whole("at_s"),
        _text("seal"),
    )


def _guard_entries() -> None:
    own = "SELECT {} FROM posting WHERE posting.entry = NEW.id"
    refuse_insert(
        "entry", "two_lines", f"({own.format('COUNT(*)')}) < 2", "an entry has two lines or more"
    )
    refuse_insert(
        "entry",
        "one_unit",
        f"({own.format('COUNT(DISTINCT unit)')}) > 1",
        "an entry never mixes units",
    )
    refuse_insert("entry", "zero", f"({own.format('SUM(amount)')}) <> 0", "an entry sums to zero")
    refuse_insert(
        "posting",
        "entry_is_open",
        "EXISTS (SELECT 1 FROM entry WHERE entry.id = NEW.entry)",
        "this entry is complete: correct it with a reversal",
    )
    refuse_insert(
        "entry",
        "day_in_period",
        f"NEW.period <> {_part('day', 7)} OR NEW.year <> CAST({_part('day', 4)} AS INTEGER)",
        "the entry has another period or year than its day",
    )
    refuse_insert(
        "entry",
        "period_is_open",
        "EXISTS (SELECT 1 FROM period_lock WHERE period_lock.period = NEW.period)",
        "the period is locked: write it in an open one",
    )
    _guard_by_hand()


def _guard_by_hand() -> None:
    """Journals by hand above the limit, and write-offs, need a second person's approval."""
    approved = (
        "EXISTS (SELECT 1 FROM proposal JOIN verdict ON verdict.proposal = proposal.id "
        "WHERE proposal.matter = '{}' AND proposal.subject = NEW.key AND verdict.approved)"
    )
    debit = "SELECT COALESCE(SUM(amount), 0) FROM posting WHERE entry = NEW.id AND amount > 0"
    refuse_insert(
        "entry",
        "write_off",
        f"NEW.source = 'write-off' AND NOT {approved.format('write_off')}",
        "a write-off needs the approval of a second person",
    )
    refuse_insert(
        "entry",
        "by_hand",
        f"NEW.source = 'manual' AND ({debit}) > {JOURNAL_LIMIT_CENTS} "
        f"AND NOT {approved.format('journal')}",
        "a journal by hand above the limit needs the approval of a second person",
    )


def _guard_order() -> None:
    for table in ("entry", "audit", "proposal"):
        last = f"SELECT COALESCE(MAX(id), 0) FROM {table}"  # noqa: S608 - a name of ours
        refuse_insert(
            table,
            "without_gap",
            f"NEW.id <> ({last}) + 1",
            f"{table} has no gaps: the next row is one after the last",
        )
    refuse_insert(
        "entry",
        "number_without_gap",
        "NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM entry WHERE year = NEW.year)",
        "entries have no gaps in their numbers within a year",
    )
    refuse_insert(
        "head",
        "forward",
        "NEW.records < (SELECT COALESCE(MAX(records), 0) FROM head) "
        "OR NEW.entries < (SELECT COALESCE(MAX(entries), 0) FROM head)",
        "heads only go forward",
    )


def _guard_papers() -> None:
    refuse_insert(
        "document",
        "without_gap",
        "NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM document "
        "WHERE series = NEW.series AND year = NEW.year)",
        "papers have no gaps in their numbers within a series and a year",
    )
    refuse_insert(
        "document",
        "credit_names",
        "(NEW.series = 'C') <> (NEW.credits IS NOT NULL)",
        "a credit note names the paper it credits, and no other paper does",
    )
    refuse_insert(
        "document",
        "credit_mirrors",
        "NEW.series = 'C' AND NOT EXISTS (SELECT 1 FROM document WHERE name = NEW.credits "
        "AND amount_cents = -NEW.amount_cents AND party = NEW.party AND series <> 'C')",
        "a credit note mirrors its paper to the cent",
    )


def _guard_four_eyes() -> None:
    of_proposal = "SELECT 1 FROM proposal WHERE proposal.id = NEW.proposal AND"
    refuse_insert(
        "verdict",
        "second_person",
        f"NEW.approved AND EXISTS ({of_proposal} "
        "(proposal.officer = NEW.officer OR proposal.person = NEW.person))",
        "nobody approves a proposal of their own: ask a second person",
    )
    refuse_insert(
        "verdict",
        "same_body",
        f"NOT EXISTS ({of_proposal} proposal.body_hash = NEW.body_hash)",
        "this is not what was proposed: look at the proposal again",
    )
    refuse_insert(
        "proposal",
        "somebody",
        "NEW.officer = 'system' OR NEW.person = 'system' OR NEW.person = ''",
        "the house itself proposes nothing",
    )
    refuse_insert(
        "verdict",
        "somebody",
        "NEW.officer = 'system' OR NEW.person = 'system' OR NEW.person = ''",
        "the house itself approves nothing",
    )


def _part(column: str, length: int) -> str:
    """Return the first letters of a new row's day, written as 2026-07-31."""
    if on_postgresql():
        return f"substr(to_char(NEW.{column}, 'YYYY-MM-DD'), 1, {length})"
    return f"substr(NEW.{column}, 1, {length})"


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, primary_key=primary_key, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [_text(name) for name in names]


def _whole(name: str, *, primary_key: bool = False, autoincrement: bool = False) -> sa.Column[int]:
    return sa.Column(
        name,
        sa.BigInteger,
        primary_key=primary_key,
        autoincrement=autoincrement,
        nullable=False,
    )
