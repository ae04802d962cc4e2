"""Step 0002_registry: parties, mandates, connections, owners, consents, officers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.cooperative.migrations.guards import append_only, ends_once, on_postgresql

revision = "0002_registry"
down_revision = "0001_ledger"

_NAME, _HASH = sa.String(32), sa.String(64)
_APPEND_ONLY = (
    "party",
    "party_vat",
    "mandate_use",
    "supply",
    "officer",
    "officer_secret",
)
_STAMP = ("recorded_at_s", "recorded_by")


def upgrade() -> None:
    """Make the tables and their guards."""
    _make_party()
    _make_party_details()
    _make_party_vat()
    _make_membership()
    _make_mandate()
    _make_mandate_use()
    _make_payout_account()
    _make_connection()
    _make_supply()
    _make_ownership()
    _make_consent()
    _make_officer()
    _make_officer_term()
    _make_officer_secret()
    _make_officer_try()
    for table in _APPEND_ONLY:
        append_only(table)
    _guard_ends()
    _refuse_two_owners()


def _guard_ends() -> None:
    ends_once("membership", ("id", "party", "vote_class", "from_day", *_STAMP), ("to_day",))
    ends_once("mandate", ("reference", "party", "signed_on", *_STAMP), ("ended_on",))
    ends_once(
        "ownership", ("id", "connection", "party", "start_s", *_STAMP), ("end_s", "withdrawn_at_s")
    )
    ends_once("consent", ("id", "connection", "party", "purpose", "start_s", *_STAMP), ("end_s",))
    ends_once("officer_term", ("id", "officer", "roles", "until_day", *_STAMP), ("ended_at_s",))


def _refuse_two_owners() -> None:
    """Let the database itself refuse two owners of a connection at once."""
    if on_postgresql():
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        op.execute(
            "ALTER TABLE ownership ADD CONSTRAINT ex_ownership_one_owner EXCLUDE USING gist "
            "(connection WITH =, int8range(start_s, end_s) WITH &&) "
            "WHERE (withdrawn_at_s IS NULL)"
        )
        return
    overlaps = (
        "NEW.withdrawn_at_s IS NULL AND EXISTS (SELECT 1 FROM ownership o "
        "WHERE o.connection = NEW.connection AND o.id IS NOT NEW.id "
        "AND o.withdrawn_at_s IS NULL "
        "AND (o.end_s IS NULL OR o.end_s > NEW.start_s) "
        "AND (NEW.end_s IS NULL OR NEW.end_s > o.start_s))"
    )
    for act in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER ownership_one_owner_{act.lower()} AFTER {act} ON ownership "
            f"WHEN {overlaps} BEGIN SELECT RAISE(ABORT, 'two owners of a connection at once'); END"
        )


def _recorded() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        sa.Column("recorded_at_s", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", _NAME, nullable=False),
    ]


def _make_party() -> None:
    op.create_table(
        "party",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_party"),
    )


def _make_party_details() -> None:
    op.create_table(
        "party_details",
        sa.Column("party", _NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=False),
        sa.Column("kvk", sa.Text(), nullable=False),
        sa.Column("oin", sa.Text(), nullable=False),
        sa.Column("erased_at_s", sa.BigInteger()),
        sa.PrimaryKeyConstraint("party", name="pk_party_details"),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_party_details_party"),
    )


def _make_party_vat() -> None:
    op.create_table(
        "party_vat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("party", _NAME, nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("vat_status", sa.String(16), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_party_vat"),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_party_vat_party"),
    )
    op.create_index("ix_party_vat_party", "party_vat", ["party"])


def _make_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("party", _NAME, nullable=False),
        sa.Column("vote_class", sa.String(16), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date()),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_membership_party"),
        sa.CheckConstraint("to_day > from_day", name="ck_membership_in_order"),
    )
    op.create_index("ix_membership_party", "membership", ["party"])


def _make_mandate() -> None:
    op.create_table(
        "mandate",
        sa.Column("reference", sa.String(35), nullable=False),
        sa.Column("party", _NAME, nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("iban_fingerprint", _HASH, nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        *_recorded(),
        sa.PrimaryKeyConstraint("reference", name="pk_mandate"),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_mandate_party"),
    )
    op.create_index("ix_mandate_party", "mandate", ["party"])


def _make_mandate_use() -> None:
    op.create_table(
        "mandate_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mandate", sa.String(35), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_mandate_use"),
        sa.ForeignKeyConstraint(["mandate"], ["mandate.reference"], name="fk_mandate_use_mandate"),
    )
    op.create_index("ix_mandate_use_mandate", "mandate_use", ["mandate"])


def _make_payout_account() -> None:
    op.create_table(
        "payout_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("party", _NAME, nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("iban_fingerprint", _HASH, nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_payout_account"),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_payout_account_party"),
    )
    op.create_index("ix_payout_account_party", "payout_account", ["party"])


def _make_connection() -> None:
    op.create_table(
        "connection",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("ean", sa.Text(), nullable=False),
        sa.Column("ean_fingerprint", _HASH, nullable=False),
        sa.Column("fuse_ampere", sa.Integer(), nullable=False),
        sa.Column("phases", sa.Integer(), nullable=False),
        sa.Column("grid_area", _NAME, nullable=False),
        sa.Column("gateway", _NAME, nullable=False),
        sa.Column("meter", _NAME, nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_connection"),
        sa.CheckConstraint("phases IN (1, 3)", name="ck_connection_phases"),
        sa.UniqueConstraint("ean_fingerprint", name="uq_connection_ean_fingerprint"),
        sa.CheckConstraint("fuse_ampere > 0", name="ck_connection_fuse"),
    )


def _make_supply() -> None:
    op.create_table(
        "supply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection", _NAME, nullable=False),
        sa.Column("supplier", _NAME, nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_supply"),
        sa.ForeignKeyConstraint(["connection"], ["connection.id"], name="fk_supply_connection"),
    )
    op.create_index("ix_supply_connection", "supply", ["connection"])


def _make_ownership() -> None:
    op.create_table(
        "ownership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection", _NAME, nullable=False),
        sa.Column("party", _NAME, nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger()),
        sa.Column("withdrawn_at_s", sa.BigInteger()),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_ownership"),
        sa.ForeignKeyConstraint(["connection"], ["connection.id"], name="fk_ownership_connection"),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_ownership_party"),
        sa.CheckConstraint("end_s > start_s", name="ck_ownership_in_order"),
    )
    op.create_index("ix_ownership_party", "ownership", ["party"])
    op.create_index("ix_ownership_connection", "ownership", ["connection"])


def _make_consent() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection", _NAME, nullable=False),
        sa.Column("party", _NAME, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger()),
        sa.Column("evidence", sa.Text(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.ForeignKeyConstraint(["connection"], ["connection.id"], name="fk_consent_connection"),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_consent_party"),
        sa.CheckConstraint("end_s >= start_s", name="ck_consent_in_order"),
    )
    op.create_index("ix_consent_party", "consent", ["party"])
    op.create_index("ix_consent_connection", "consent", ["connection"])


def _make_officer() -> None:
    op.create_table(
        "officer",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("person", _NAME, nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_officer"),
        sa.ForeignKeyConstraint(["person"], ["party.id"], name="fk_officer_person"),
    )


def _make_officer_term() -> None:
    op.create_table(
        "officer_term",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("officer", _NAME, nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("until_day", sa.Date()),
        sa.Column("ended_at_s", sa.BigInteger()),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_officer_term"),
        sa.ForeignKeyConstraint(["officer"], ["officer.id"], name="fk_officer_term_officer"),
    )
    op.create_index("ix_officer_term_officer", "officer_term", ["officer"])


def _make_officer_secret() -> None:
    op.create_table(
        "officer_secret",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("officer", _NAME, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("one_time", sa.Boolean(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_officer_secret"),
        sa.ForeignKeyConstraint(["officer"], ["officer.id"], name="fk_officer_secret_officer"),
    )
    op.create_index("ix_officer_secret_officer", "officer_secret", ["officer"])


def _make_officer_try() -> None:
    op.create_table(
        "officer_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("officer", _NAME, nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_officer_try"),
        sa.ForeignKeyConstraint(["officer"], ["officer.id"], name="fk_officer_try_officer"),
    )
    op.create_index("ix_officer_try_officer", "officer_try", ["officer"])
