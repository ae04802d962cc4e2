"""Step 0006_payments: payment files, bank statements and what they settled, and their guards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.cooperative.migrations.guards import append_only, refuse_insert

revision = "0006_payments"
down_revision = "0005_runs"

_NAME, _HASH, _REFERENCE = sa.String(32), sa.String(64), sa.String(35)
_DOCUMENT, _ACCOUNT = sa.String(32), sa.String(64)
_STATES = ("drafted", "released", "withdrawn")
_KEPT = (
    "payment_file",
    "payment_instruction",
    "payment_part",
    "payment_step",
    "item_settlement",
    "bank_statement",
    "bank_line",
    "bank_match",
)


def upgrade() -> None:
    """Make the tables and their guards."""
    _make_files()
    _make_instructions()
    _make_steps()
    _make_settlements()
    _make_statements()
    _make_lines()
    _make_matches()
    for table in _KEPT:
        append_only(table)
    _guard_steps()


def _recorded() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        sa.Column("recorded_at_s", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", _NAME, nullable=False),
    ]


def _cents() -> sa.Column[int]:
    return sa.Column("cents", sa.BigInteger(), nullable=False)


def _make_files() -> None:
    op.create_table(
        "payment_file",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("message", _REFERENCE, nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("run", sa.String(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sha256", _HASH, nullable=False),
        sa.Column("instructions", sa.Integer(), nullable=False),
        _cents(),
        *_recorded(),
        sa.PrimaryKeyConstraint("number", name="pk_payment_file"),
        sa.UniqueConstraint("message", name="uq_payment_file_message"),
        sa.CheckConstraint("instructions > 0 AND cents > 0", name="ck_payment_file_moves_money"),
        sa.CheckConstraint("direction IN ('collect', 'pay_out')", name="ck_payment_file_direction"),
    )
    op.create_table(
        "payment_content",
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("file", name="pk_payment_content"),
        sa.ForeignKeyConstraint(["file"], ["payment_file.number"], name="fk_payment_content_file"),
    )


def _make_instructions() -> None:
    op.create_table(
        "payment_instruction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("party", _NAME, nullable=False),
        sa.Column("end_to_end", _REFERENCE, nullable=False),
        sa.Column("mandate", _REFERENCE, nullable=False),
        _cents(),
        sa.PrimaryKeyConstraint("id", name="pk_payment_instruction"),
        sa.ForeignKeyConstraint(
            ["file"], ["payment_file.number"], name="fk_payment_instruction_file"
        ),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_payment_instruction_party"),
        sa.UniqueConstraint("end_to_end", name="uq_payment_instruction_end_to_end"),
        sa.CheckConstraint("cents > 0", name="ck_payment_instruction_above_zero"),
    )
    op.create_index("ix_payment_instruction_file", "payment_instruction", ["file"])
    op.create_index("ix_payment_instruction_mandate", "payment_instruction", ["mandate"])
    op.create_table(
        "payment_part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instruction", sa.Integer(), nullable=False),
        sa.Column("document", _DOCUMENT, nullable=False),
        sa.Column("account", _ACCOUNT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        _cents(),
        sa.PrimaryKeyConstraint("id", name="pk_payment_part"),
        sa.ForeignKeyConstraint(
            ["instruction"], ["payment_instruction.id"], name="fk_payment_part_instruction"
        ),
        sa.UniqueConstraint(
            "document", "account", "attempt", name="uq_payment_part_document_account_attempt"
        ),
    )
    op.create_index("ix_payment_part_instruction", "payment_part", ["instruction"])


def _make_steps() -> None:
    op.create_table(
        "payment_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("entry", sa.Integer()),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_payment_step"),
        sa.ForeignKeyConstraint(["file"], ["payment_file.number"], name="fk_payment_step_file"),
        sa.UniqueConstraint("file", "state", name="uq_payment_step_file_state"),
    )


def _make_settlements() -> None:
    op.create_table(
        "item_settlement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document", _DOCUMENT, nullable=False),
        sa.Column("account", _ACCOUNT, nullable=False),
        sa.Column("party", _NAME, nullable=False),
        _cents(),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_item_settlement"),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_item_settlement_party"),
        sa.UniqueConstraint(
            "document",
            "account",
            "source",
            "reference",
            name="uq_item_settlement_document_account_source_reference",
        ),
    )
    op.create_index("ix_item_settlement_document", "item_settlement", ["document"])


def _make_statements() -> None:
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_fingerprint", _HASH, nullable=False),
        sa.Column("name", _REFERENCE, nullable=False),
        sa.Column("content_hash", _HASH, nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("opening_cents", sa.BigInteger(), nullable=False),
        sa.Column("closing_cents", sa.BigInteger(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_bank_statement"),
        sa.UniqueConstraint(
            "account_fingerprint", "name", name="uq_bank_statement_account_fingerprint_name"
        ),
        sa.UniqueConstraint("content_hash", name="uq_bank_statement_content_hash"),
    )


def _make_lines() -> None:
    op.create_table(
        "bank_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("fingerprint", _HASH, nullable=False),
        sa.Column("booked", sa.Date(), nullable=False),
        _cents(),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.Column("reason", _REFERENCE, nullable=False),
        sa.Column("end_to_end", _REFERENCE, nullable=False),
        sa.Column("batch", _REFERENCE, nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_bank_line"),
        sa.ForeignKeyConstraint(
            ["statement"], ["bank_statement.id"], name="fk_bank_line_statement"
        ),
        sa.UniqueConstraint("fingerprint", name="uq_bank_line_fingerprint"),
        sa.CheckConstraint("cents <> 0", name="ck_bank_line_moves_money"),
    )
    op.create_index("ix_bank_line_statement", "bank_line", ["statement"])
    op.create_table(
        "bank_line_detail",
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("iban_fingerprint", _HASH, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("line", name="pk_bank_line_detail"),
        sa.ForeignKeyConstraint(["line"], ["bank_line.id"], name="fk_bank_line_detail_line"),
    )
    op.create_index(
        "ix_bank_line_detail_iban_fingerprint", "bank_line_detail", ["iban_fingerprint"]
    )


def _make_matches() -> None:
    op.create_table(
        "bank_match",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        _cents(),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("party", _NAME, nullable=False),
        sa.Column("file", sa.Integer()),
        sa.Column("instruction", sa.Integer()),
        sa.Column("entry", sa.Integer(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_bank_match"),
        sa.ForeignKeyConstraint(["line"], ["bank_line.id"], name="fk_bank_match_line"),
        sa.ForeignKeyConstraint(["file"], ["payment_file.number"], name="fk_bank_match_file"),
        sa.ForeignKeyConstraint(
            ["instruction"], ["payment_instruction.id"], name="fk_bank_match_instruction"
        ),
    )
    op.create_index("ix_bank_match_line", "bank_match", ["line"])


def _guard_steps() -> None:
    """Keep the order of steps, and two people at every file."""
    drafted, released, withdrawn = (_step_is(state) for state in _STATES)
    refuse_insert(
        "payment_step",
        "two_people",
        f"NEW.state = 'released' AND {_step_is('drafted', by_the_same=True)}",
        "a payment file is released by somebody else than who drafted it",
    )
    refuse_insert(
        "payment_step",
        "in_order",
        f"(NEW.state = 'released' AND (NOT {drafted} OR {withdrawn})) "
        f"OR (NEW.state = 'sent' AND NOT {released}) "
        f"OR (NEW.state = 'withdrawn' AND {released})",
        "a payment file goes from drafted to released to sent, or is withdrawn before that",
    )


def _step_is(state: str, *, by_the_same: bool = False) -> str:
    same = " AND s.recorded_by = NEW.recorded_by" if by_the_same else ""
    of_file = f"s.file = NEW.file AND s.state = '{state}'{same}"
    return f"EXISTS (SELECT 1 FROM payment_step s WHERE {of_file})"  # noqa: S608 - words of ours
