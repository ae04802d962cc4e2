"""Readings: versions of days, what was set aside, meters and their registers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.cooperative.migrations.guards import append_only, refuse_insert

revision = "0004_readings"
down_revision = "0003_law"

_WAYS = "('import', 'export', 'charge', 'discharge')"
_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_days()
    _make_quarantine()
    _make_meters()
    _make_registers()
    for table in (
        "reading_day",
        "reading_quarantine",
        "meter",
        "meter_removal",
        "register_reading",
    ):
        append_only(table)
    refuse_insert(
        "reading_day",
        "one_after_another",
        "NEW.version <> 1 + (SELECT coalesce(max(version), 0) FROM reading_day"
        " WHERE connection = NEW.connection AND direction = NEW.direction AND day = NEW.day)",
        "reading_day versions follow one another without a hole",
    )


def _make_days() -> None:
    op.create_table(
        "reading_day",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("connection", sa.String(32), nullable=False),
        sa.Column("direction", sa.String(9), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wh", sa.Text, nullable=False),
        sa.Column("quality", sa.String(100), nullable=False),
        sa.Column("origins", sa.String(100), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        *_recorded(),
        sa.CheckConstraint(f"direction IN {_WAYS}", name="way"),
        sa.CheckConstraint("length(quality) IN (92, 96, 100)", name="quarters"),
        sa.CheckConstraint("length(origins) = length(quality)", name="origins"),
        sa.CheckConstraint("source IN ('p1', 'p4', 'manual', 'estimate')", name="source"),
    )
    op.create_index(
        "uq_reading_day",
        "reading_day",
        ["connection", "direction", "day", "version"],
        unique=True,
    )
    op.create_index("ix_reading_day_day", "reading_day", ["day"])


def _make_quarantine() -> None:
    op.create_table(
        "reading_quarantine",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("connection", sa.String(32), nullable=False),
        sa.Column("direction", sa.String(9), nullable=False),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("value", sa.String(40), nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        *_recorded(),
    )
    op.create_index("ix_reading_quarantine_at", "reading_quarantine", ["connection", "at_s"])


def _make_meters() -> None:
    op.create_table(
        "meter",
        sa.Column("connection", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("serial_fingerprint", sa.String(64), nullable=False),
        sa.Column("digits", sa.Integer),
        sa.Column("installed_s", sa.BigInteger, nullable=False),
        *_recorded(),
    )
    op.create_index("ix_meter_serial_fingerprint", "meter", ["serial_fingerprint"])
    op.create_table(
        "meter_removal",
        sa.Column("connection", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("removed_s", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        *_recorded(),
    )


def _make_registers() -> None:
    op.create_table(
        "register_reading",
        sa.Column("connection", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("register", sa.String(9), primary_key=True),
        sa.Column("at_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("wh", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        *_recorded(),
        sa.CheckConstraint("wh >= 0", name="counts_up"),
        sa.CheckConstraint(f"register IN {_WAYS}", name="register"),
    )


def _recorded() -> tuple[sa.Column[int], sa.Column[str]]:
    return (
        sa.Column("recorded_at_s", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.String(32), nullable=False),
    )
