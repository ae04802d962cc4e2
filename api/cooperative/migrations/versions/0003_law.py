"""Step 0003_law: decisions and the versions they made; nothing of it is ever edited."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.cooperative.migrations.guards import append_only

revision = "0003_law"
down_revision = "0002_registry"

_NAME, _HASH = sa.String(32), sa.String(64)
_TABLES = ("decision", "key_version", "tariff_version", "vat_code", "parameter")


def upgrade() -> None:
    """Make the tables and their guards."""
    _make_decision()
    _make_key_version()
    _make_tariff_version()
    _make_vat_code()
    _make_parameter()
    for table in _TABLES:
        append_only(table)


def _recorded() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        sa.Column("recorded_at_s", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", _NAME, nullable=False),
    ]


def _make_decision() -> None:
    op.create_table(
        "decision",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text_hash", _HASH, nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("eligible", sa.Integer(), nullable=False),
        sa.Column("turnout", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("effective_s", sa.BigInteger(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
        sa.CheckConstraint("turnout >= 0 AND turnout <= eligible", name="ck_decision_turnout"),
    )


def _make_key_version() -> None:
    op.create_table(
        "key_version",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("decision", _NAME, nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_key_version"),
        sa.ForeignKeyConstraint(["decision"], ["decision.id"], name="fk_key_version_decision"),
    )


def _make_tariff_version() -> None:
    op.create_table(
        "tariff_version",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("decision", _NAME, nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_tariff_version"),
        sa.ForeignKeyConstraint(["decision"], ["decision.id"], name="fk_tariff_version_decision"),
    )


def _make_vat_code() -> None:
    op.create_table(
        "vat_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", _NAME, nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("decision", _NAME, nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_vat_code"),
        sa.ForeignKeyConstraint(["decision"], ["decision.id"], name="fk_vat_code_decision"),
    )
    op.create_index("ix_vat_code_code", "vat_code", ["code"])


def _make_parameter() -> None:
    op.create_table(
        "parameter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(1), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("decision", _NAME, nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_parameter"),
        sa.ForeignKeyConstraint(["decision"], ["decision.id"], name="fk_parameter_decision"),
    )
    op.create_index("ix_parameter_name", "parameter", ["name"])
