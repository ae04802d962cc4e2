"""Step 0001_people: everybody who may come in, and what the house remembers of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.people.guards import guard

revision = "0001_people"
down_revision = None


def upgrade() -> None:
    """Make the tables and their guards."""
    _make_account()
    _make_act()
    _make_erasure()
    _make_forgotten()
    _make_look()
    _make_message()
    _make_replay()
    _make_told_homes()
    _make_card()
    _make_companion()
    _make_consent_choice()
    _make_grant_given()
    _make_passkey()
    _make_password()
    _make_question()
    _make_recovery()
    _make_stay()
    _make_token()
    _make_told()
    _make_told_live()
    _make_totp()
    _make_wish()
    _make_session()
    guard(op.get_bind(), ("act", "look"))


def _make_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("party", sa.String(32), nullable=True),
        sa.Column("officer", sa.String(32), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_fingerprint", sa.String(64), nullable=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("pictures", sa.Boolean(), nullable=False),
        sa.Column("made_at_s", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_s", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("email_fingerprint", name="uq_account_email_fingerprint"),
        sa.UniqueConstraint("officer", name="uq_account_officer"),
        sa.UniqueConstraint("party", name="uq_account_party"),
    )


def _make_act() -> None:
    op.create_table(
        "act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_act"),
    )


def _make_erasure() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("party", sa.String(32), nullable=False),
        sa.Column("asked_at_s", sa.BigInteger(), nullable=False),
        sa.Column("done_at_s", sa.BigInteger(), nullable=True),
        sa.Column("done_by", sa.String(32), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasure"),
    )
    op.create_index("ix_erasure_account", "erasure", ["account"], unique=False)


def _make_forgotten() -> None:
    op.create_table(
        "forgotten",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forgotten"),
    )
    op.create_index("ix_forgotten_last_day", "forgotten", ["last_day"], unique=False)


def _make_look() -> None:
    op.create_table(
        "look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("as_what", sa.String(16), nullable=False),
        sa.Column("companion", sa.Integer(), nullable=True),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_look"),
    )
    op.create_index("ix_look_at_s", "look", ["at_s"], unique=False)
    op.create_index("ix_look_home", "look", ["home"], unique=False)


def _make_message() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("party", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("mail_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at_s", sa.BigInteger(), nullable=False),
        sa.Column("made_at_s", sa.BigInteger(), nullable=False),
        sa.Column("tried_at_s", sa.BigInteger(), nullable=True),
        sa.Column("done_at_s", sa.BigInteger(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("key", name="uq_message_key"),
        sa.UniqueConstraint("mail_id", name="uq_message_mail_id"),
    )
    op.create_index("ix_message_account", "message", ["account"], unique=False)
    op.create_index("ix_message_due_at_s", "message", ["due_at_s"], unique=False)
    op.create_index("ix_message_state", "message", ["state"], unique=False)
    op.create_index("ix_message_subject", "message", ["subject"], unique=False)
    op.create_index("ix_message_tried_at_s", "message", ["tried_at_s"], unique=False)


def _make_replay() -> None:
    op.create_table(
        "replay",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("kept_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_replay"),
    )


def _make_told_homes() -> None:
    op.create_table(
        "told_homes",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("homes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_told_homes"),
    )


def _make_card() -> None:
    op.create_table(
        "card",
        sa.Column("number", sa.String(4), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_card_account"),
        sa.PrimaryKeyConstraint("number", name="pk_card"),
    )
    op.create_index("ix_card_account", "card", ["account"], unique=False)


def _make_companion() -> None:
    op.create_table(
        "companion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_s", sa.BigInteger(), nullable=True),
        sa.Column("seen_at_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_companion_account"),
        sa.PrimaryKeyConstraint("id", name="pk_companion"),
        sa.UniqueConstraint("hash", name="uq_companion_hash"),
    )
    op.create_index("ix_companion_account", "companion", ["account"], unique=False)


def _make_consent_choice() -> None:
    op.create_table(
        "consent_choice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("until_s >= from_s", name="ck_consent_choice_in_order"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_consent_choice_account"),
        sa.PrimaryKeyConstraint("id", name="pk_consent_choice"),
    )
    op.create_index("ix_consent_choice_account", "consent_choice", ["account"], unique=False)


def _make_grant_given() -> None:
    op.create_table(
        "grant_given",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=True),
        sa.Column("given_by", sa.String(32), nullable=False),
        sa.Column("ended_at_s", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("until_s > from_s", name="ck_grant_given_in_order"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_grant_given_account"),
        sa.PrimaryKeyConstraint("id", name="pk_grant_given"),
    )
    op.create_index("ix_grant_given_account", "grant_given", ["account"], unique=False)


def _make_passkey() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("made_at_s", sa.BigInteger(), nullable=False),
        sa.Column("used_at_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_passkey_account"),
        sa.PrimaryKeyConstraint("id", name="pk_passkey"),
        sa.UniqueConstraint("credential", name="uq_passkey_credential"),
    )
    op.create_index("ix_passkey_account", "passkey", ["account"], unique=False)


def _make_password() -> None:
    op.create_table(
        "password",
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("login_fingerprint", sa.String(64), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("set_at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_password_account"),
        sa.PrimaryKeyConstraint("account", name="pk_password"),
        sa.UniqueConstraint("login_fingerprint", name="uq_password_login_fingerprint"),
    )


def _make_question() -> None:
    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("party", sa.String(32), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_at_s", sa.BigInteger(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at_s", sa.BigInteger(), nullable=True),
        sa.Column("answered_by", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_question_account"),
        sa.PrimaryKeyConstraint("id", name="pk_question"),
    )
    op.create_index("ix_question_account", "question", ["account"], unique=False)


def _make_recovery() -> None:
    op.create_table(
        "recovery",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("used_at_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_recovery_account"),
        sa.PrimaryKeyConstraint("hash", name="pk_recovery"),
    )
    op.create_index("ix_recovery_account", "recovery", ["account"], unique=False)


def _make_stay() -> None:
    op.create_table(
        "stay",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("until_s > from_s", name="ck_stay_in_order"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_stay_account"),
        sa.PrimaryKeyConstraint("id", name="pk_stay"),
    )
    op.create_index("ix_stay_account", "stay", ["account"], unique=False)
    op.create_index("ix_stay_home", "stay", ["home"], unique=False)


def _make_token() -> None:
    op.create_table(
        "token",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("account", sa.String(32), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
        sa.Column("used_at_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_token_account"),
        sa.PrimaryKeyConstraint("hash", name="pk_token"),
    )
    op.create_index("ix_token_account", "token", ["account"], unique=False)


def _make_told() -> None:
    op.create_table(
        "told",
        sa.Column("start_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("homes", sa.String(64), nullable=False),
        sa.Column("import_wh", sa.BigInteger(), nullable=False),
        sa.Column("export_wh", sa.BigInteger(), nullable=False),
        sa.Column("solar_wh", sa.BigInteger(), nullable=False),
        sa.Column("use_wh", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.Integer(), nullable=False),
        sa.Column("shared_wh", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["homes"], ["told_homes.key"], name="fk_told_homes"),
        sa.PrimaryKeyConstraint("start_s", name="pk_told"),
    )


def _make_told_live() -> None:
    op.create_table(
        "told_live",
        sa.Column("start_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("homes", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["homes"], ["told_homes.key"], name="fk_told_live_homes"),
        sa.PrimaryKeyConstraint("start_s", name="pk_told_live"),
    )


def _make_totp() -> None:
    op.create_table(
        "totp",
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_totp_account"),
        sa.PrimaryKeyConstraint("account", name="pk_totp"),
    )


def _make_wish() -> None:
    op.create_table(
        "wish",
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("since_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_wish_account"),
        sa.PrimaryKeyConstraint("account", "kind", "channel", name="pk_wish"),
    )


def _make_session() -> None:
    op.create_table(
        "session",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("way", sa.String(16), nullable=False),
        sa.Column("card", sa.String(4), nullable=True),
        sa.Column("companion", sa.Integer(), nullable=True),
        sa.Column("made_at_s", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_s", sa.BigInteger(), nullable=False),
        sa.Column("strong_at_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_session_account"),
        sa.ForeignKeyConstraint(
            ["card"], ["card.number"], name="fk_session_card", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["companion"], ["companion.id"], name="fk_session_companion", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name="pk_session"),
    )
    op.create_index("ix_session_account", "session", ["account"], unique=False)
    op.create_index("ix_session_card", "session", ["card"], unique=False)
    op.create_index("ix_session_companion", "session", ["companion"], unique=False)
