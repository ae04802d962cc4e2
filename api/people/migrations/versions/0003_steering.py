"""Step 0003_steering: residents who take back that their battery is steered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_steering"
down_revision = "0002_gateways"


def upgrade() -> None:
    """Make the table; a home has one no at a time."""
    op.create_table(
        "steering_refusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(32), nullable=False),
        sa.CheckConstraint("until_s >= from_s", name="ck_steering_refusal_in_order"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_steering_refusal_account"),
        sa.PrimaryKeyConstraint("id", name="pk_steering_refusal"),
    )
    op.create_index("ix_steering_refusal_account", "steering_refusal", ["account"])
    op.create_index(
        "one_no",
        "steering_refusal",
        ["home"],
        unique=True,
        sqlite_where=sa.text("until_s IS NULL"),
        postgresql_where=sa.text("until_s IS NULL"),
    )
