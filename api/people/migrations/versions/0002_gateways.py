"""Step 0002_gateways: gateways that are let in, their certificates and their handovers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.people.guards import guard

revision = "0002_gateways"
down_revision = "0001_people"


def upgrade() -> None:
    """Make the tables and the guard of the handovers."""
    _make_job()
    _make_claim()
    _make_certificate()
    _make_nonce()
    _make_handover()
    guard(op.get_bind(), ("gateway_handover",))


def _make_job() -> None:
    op.create_table(
        "gateway_job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(32), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("steering", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_by", sa.String(32), nullable=False),
        sa.Column("made_at_s", sa.BigInteger(), nullable=False),
        sa.Column("judged_by", sa.String(32), nullable=False),
        sa.Column("judged_at_s", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(32), nullable=False),
        sa.Column("ended_at_s", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_job"),
    )
    for column in ("gateway", "home", "state"):
        op.create_index(f"ix_gateway_job_{column}", "gateway_job", [column])


def _make_claim() -> None:
    op.create_table(
        "gateway_claim",
        sa.Column("mark", sa.String(4), nullable=False),
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("typed_hash", sa.String(64), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("made_at_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("spoiled", sa.Boolean(), nullable=False),
        sa.Column("ticket_hash", sa.String(64), nullable=True),
        sa.Column("csr", sa.Text(), nullable=False),
        sa.Column("key_print", sa.String(16), nullable=False),
        sa.Column("shown_at_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["gateway_job.id"], name="fk_gateway_claim_job"),
        sa.PrimaryKeyConstraint("mark", name="pk_gateway_claim"),
        sa.UniqueConstraint("ticket_hash", name="uq_gateway_claim_ticket_hash"),
    )
    op.create_index("ix_gateway_claim_job", "gateway_claim", ["job"])


def _make_certificate() -> None:
    op.create_table(
        "gateway_certificate",
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("gateway", sa.String(32), nullable=False),
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
        sa.Column("pem", sa.Text(), nullable=False),
        sa.Column("revoked_at_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["gateway_job.id"], name="fk_gateway_certificate_job"),
        sa.PrimaryKeyConstraint("serial", name="pk_gateway_certificate"),
    )
    for column in ("gateway", "job"):
        op.create_index(f"ix_gateway_certificate_{column}", "gateway_certificate", [column])


def _make_nonce() -> None:
    op.create_table(
        "gateway_nonce",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_gateway_nonce"),
    )
    op.create_index("ix_gateway_nonce_until_s", "gateway_nonce", ["until_s"])


def _make_handover() -> None:
    op.create_table(
        "gateway_handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.String(32), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_handover"),
        sa.UniqueConstraint("hash", name="uq_gateway_handover_hash"),
    )
    for column in ("gateway", "home"):
        op.create_index(f"ix_gateway_handover_{column}", "gateway_handover", [column])
