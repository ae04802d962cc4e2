"""The tables of the book of people.

Personal fields are sealed with the house's keys. Instants are whole seconds in UTC (``…_s``).
What opens something is kept only as a hash.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
NAME = String(32)
"""An id: a-z, 0-9 and '-'."""
HASH = String(64)
"""SHA-256 in hex."""


class PeopleBase(DeclarativeBase):
    """A table of the book of people."""

    metadata = MetaData(naming_convention=NAMES)


class AccountRow(PeopleBase):
    """Somebody who may come in; its id says nothing about the person."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    party: Mapped[str | None] = mapped_column(NAME, unique=True)
    officer: Mapped[str | None] = mapped_column(NAME, unique=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    email_fingerprint: Mapped[str | None] = mapped_column(HASH, unique=True)
    language: Mapped[str] = mapped_column(String(8))
    pictures: Mapped[bool]
    made_at_s: Mapped[int] = mapped_column(BigInteger)
    ended_at_s: Mapped[int | None] = mapped_column(BigInteger)


class StayRow(PeopleBase):
    """Who lives where in ``[from_s, until_s)``, where no books tell it."""

    __tablename__ = "stay"
    __table_args__ = (CheckConstraint("until_s > from_s", name="in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    home: Mapped[str] = mapped_column(NAME, index=True)
    from_s: Mapped[int] = mapped_column(BigInteger)
    until_s: Mapped[int | None] = mapped_column(BigInteger)


class GrantRow(PeopleBase):
    """A role beside living somewhere, in ``[from_s, until_s)``; an installer's names a home."""

    __tablename__ = "grant_given"
    __table_args__ = (CheckConstraint("until_s > from_s", name="in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    home: Mapped[str] = mapped_column(NAME)
    from_s: Mapped[int] = mapped_column(BigInteger)
    until_s: Mapped[int | None] = mapped_column(BigInteger)
    given_by: Mapped[str] = mapped_column(NAME)
    ended_at_s: Mapped[int | None] = mapped_column(BigInteger)


class CardRow(PeopleBase):
    """A login card: four letters that find it, and the slow hash of the eight that prove it."""

    __tablename__ = "card"

    number: Mapped[str] = mapped_column(String(4), primary_key=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    made_at_s: Mapped[int] = mapped_column(BigInteger)


class PasswordRow(PeopleBase):
    """The slow hash of an account's password, and the name that is typed with it."""

    __tablename__ = "password"

    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), primary_key=True)
    login: Mapped[str] = mapped_column(Text)
    login_fingerprint: Mapped[str] = mapped_column(HASH, unique=True)
    hash: Mapped[str] = mapped_column(Text)
    set_at_s: Mapped[int] = mapped_column(BigInteger)


class TotpRow(PeopleBase):
    """The sealed secret of an account's authenticator, and the last step that was used."""

    __tablename__ = "totp"

    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), primary_key=True)
    secret: Mapped[str] = mapped_column(Text)
    last_step: Mapped[int] = mapped_column(BigInteger)
    confirmed_at_s: Mapped[int] = mapped_column(BigInteger)


class RecoveryRow(PeopleBase):
    """A code on paper that stands in once for a lost second factor, kept as a keyed hash."""

    __tablename__ = "recovery"

    hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    used_at_s: Mapped[int | None] = mapped_column(BigInteger)


class PasskeyRow(PeopleBase):
    """A passkey: what the device gave, nothing secret."""

    __tablename__ = "passkey"

    id: Mapped[str] = mapped_column(HASH, primary_key=True)
    credential: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(Text)
    made_at_s: Mapped[int] = mapped_column(BigInteger)
    used_at_s: Mapped[int | None] = mapped_column(BigInteger)


class TokenRow(PeopleBase):
    """Something that opens once, until an instant: an invitation, a link by mail, a challenge."""

    __tablename__ = "token"

    hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    account: Mapped[str | None] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    facts: Mapped[str] = mapped_column(Text)
    until_s: Mapped[int] = mapped_column(BigInteger)
    used_at_s: Mapped[int | None] = mapped_column(BigInteger)


class SessionRow(PeopleBase):
    """A browser that is logged in; the id it holds is kept as a hash."""

    __tablename__ = "session"

    hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    way: Mapped[str] = mapped_column(String(16))
    card: Mapped[str | None] = mapped_column(
        String(4), ForeignKey("card.number", ondelete="CASCADE"), index=True
    )
    companion: Mapped[int | None] = mapped_column(
        ForeignKey("companion.id", ondelete="CASCADE"), index=True
    )
    made_at_s: Mapped[int] = mapped_column(BigInteger)
    seen_at_s: Mapped[int] = mapped_column(BigInteger)
    strong_at_s: Mapped[int | None] = mapped_column(BigInteger)


class CompanionRow(PeopleBase):
    """A helper's link: somebody a resident lets look along, up to an instant."""

    __tablename__ = "companion"

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    home: Mapped[str] = mapped_column(NAME)
    name: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(HASH, unique=True)
    from_s: Mapped[int] = mapped_column(BigInteger)
    until_s: Mapped[int] = mapped_column(BigInteger)
    ended_at_s: Mapped[int | None] = mapped_column(BigInteger)
    seen_at_s: Mapped[int | None] = mapped_column(BigInteger)


class LookRow(PeopleBase):
    """Somebody looked at quarter-hours of a home; rows are only added."""

    __tablename__ = "look"

    id: Mapped[int] = mapped_column(primary_key=True)
    at_s: Mapped[int] = mapped_column(BigInteger, index=True)
    account: Mapped[str] = mapped_column(NAME)
    as_what: Mapped[str] = mapped_column(String(16))
    companion: Mapped[int | None]
    home: Mapped[str] = mapped_column(NAME, index=True)
    what: Mapped[str] = mapped_column(String(32))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)


class ConsentChoiceRow(PeopleBase):
    """A person's own yes for one purpose in ``[from_s, until_s)``."""

    __tablename__ = "consent_choice"
    __table_args__ = (CheckConstraint("until_s >= from_s", name="in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    home: Mapped[str] = mapped_column(NAME)
    purpose: Mapped[str] = mapped_column(String(16))
    from_s: Mapped[int] = mapped_column(BigInteger)
    until_s: Mapped[int | None] = mapped_column(BigInteger)


class SteeringRefusalRow(PeopleBase):
    """A home's own no to steering its batteries in ``[from_s, until_s)``; one at a time."""

    __tablename__ = "steering_refusal"
    __table_args__ = (
        CheckConstraint("until_s >= from_s", name="in_order"),
        Index(
            "one_no",
            "home",
            unique=True,
            sqlite_where=text("until_s IS NULL"),
            postgresql_where=text("until_s IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    home: Mapped[str] = mapped_column(NAME)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    from_s: Mapped[int] = mapped_column(BigInteger)
    until_s: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(NAME)


class WishRow(PeopleBase):
    """What somebody wants told, by which channel; no row is no."""

    __tablename__ = "wish"

    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    since_s: Mapped[int] = mapped_column(BigInteger)


class MessageRow(PeopleBase):
    """A message on its way to one person, and how far it came; once per key."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str] = mapped_column(String(16))
    account: Mapped[str] = mapped_column(NAME, index=True)
    party: Mapped[str] = mapped_column(NAME)
    subject: Mapped[str] = mapped_column(String(64), index=True)
    facts: Mapped[str] = mapped_column(Text)
    mail_id: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    tries: Mapped[int]
    due_at_s: Mapped[int] = mapped_column(BigInteger, index=True)
    made_at_s: Mapped[int] = mapped_column(BigInteger)
    tried_at_s: Mapped[int | None] = mapped_column(BigInteger, index=True)
    done_at_s: Mapped[int | None] = mapped_column(BigInteger)
    remark: Mapped[str] = mapped_column(Text)


class QuestionRow(PeopleBase):
    """'Klopt dit niet?': a resident's question about a line, and its answer; texts are sealed."""

    __tablename__ = "question"

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(NAME, ForeignKey("account.id"), index=True)
    party: Mapped[str] = mapped_column(NAME)
    place: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    asked_at_s: Mapped[int] = mapped_column(BigInteger)
    answer_by: Mapped[date] = mapped_column(Date)
    answer: Mapped[str] = mapped_column(Text)
    answered_at_s: Mapped[int | None] = mapped_column(BigInteger)
    answered_by: Mapped[str] = mapped_column(NAME)


class ActRow(PeopleBase):
    """Every write in this book, chained: who did what to what; no personal data in it."""

    __tablename__ = "act"

    id: Mapped[int] = mapped_column(primary_key=True)
    at_s: Mapped[int] = mapped_column(BigInteger)
    account: Mapped[str] = mapped_column(NAME)
    act: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    facts: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(HASH)


class ToldHomesRow(PeopleBase):
    """Some homes that sums were told over, once, under a key that stands for them."""

    __tablename__ = "told_homes"

    key: Mapped[str] = mapped_column(HASH, primary_key=True)
    homes: Mapped[str] = mapped_column(Text)


class ToldRow(PeopleBase):
    """The sums of a quarter as they were told; a later answer may not differ by a few homes."""

    __tablename__ = "told"

    start_s: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    homes: Mapped[str] = mapped_column(HASH, ForeignKey("told_homes.key"))
    import_wh: Mapped[int] = mapped_column(BigInteger)
    export_wh: Mapped[int] = mapped_column(BigInteger)
    solar_wh: Mapped[int] = mapped_column(BigInteger)
    use_wh: Mapped[int] = mapped_column(BigInteger)
    estimated: Mapped[int]
    shared_wh: Mapped[int | None] = mapped_column(BigInteger)


class ToldLiveRow(PeopleBase):
    """Over which homes power was told in a quarter-hour; the empty set is a pause."""

    __tablename__ = "told_live"

    start_s: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    homes: Mapped[str] = mapped_column(HASH, ForeignKey("told_homes.key"))


class ReplayRow(PeopleBase):
    """What a proposed rule would have done to everybody's bills; sealed, under its own hash."""

    __tablename__ = "replay"

    hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    told: Mapped[str] = mapped_column(Text)
    kept_at_s: Mapped[int] = mapped_column(BigInteger)


class ErasureRow(PeopleBase):
    """Somebody asked to be forgotten: the account went at once, the books wait for the board."""

    __tablename__ = "erasure"

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(NAME, index=True)
    party: Mapped[str] = mapped_column(NAME)
    asked_at_s: Mapped[int] = mapped_column(BigInteger)
    done_at_s: Mapped[int | None] = mapped_column(BigInteger)
    done_by: Mapped[str] = mapped_column(NAME)
    kept: Mapped[str] = mapped_column(Text)


class ForgottenRow(PeopleBase):
    """Days of a home that are kept apart no more: who lived there then was forgotten."""

    __tablename__ = "forgotten"

    id: Mapped[int] = mapped_column(primary_key=True)
    home: Mapped[str] = mapped_column(NAME)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date, index=True)


class JobRow(PeopleBase):
    """A gateway to be let in at a home, and what the board said of it; words are sealed."""

    __tablename__ = "gateway_job"

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(NAME, index=True)
    home: Mapped[str] = mapped_column(NAME, index=True)
    meter: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    steering: Mapped[bool]
    state: Mapped[str] = mapped_column(String(16), index=True)
    made_by: Mapped[str] = mapped_column(NAME)
    made_at_s: Mapped[int] = mapped_column(BigInteger)
    judged_by: Mapped[str] = mapped_column(NAME)
    judged_at_s: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(NAME)
    ended_at_s: Mapped[int | None] = mapped_column(BigInteger)


class ClaimRow(PeopleBase):
    """A claim code, kept as keyed hashes, and the gateway that showed it."""

    __tablename__ = "gateway_claim"

    mark: Mapped[str] = mapped_column(String(4), primary_key=True)
    job: Mapped[int] = mapped_column(ForeignKey("gateway_job.id"), index=True)
    typed_hash: Mapped[str] = mapped_column(HASH)
    secret_hash: Mapped[str] = mapped_column(HASH)
    made_at_s: Mapped[int] = mapped_column(BigInteger)
    until_s: Mapped[int] = mapped_column(BigInteger)
    tries: Mapped[int]
    spoiled: Mapped[bool]
    ticket_hash: Mapped[str | None] = mapped_column(HASH, unique=True)
    csr: Mapped[str] = mapped_column(Text)
    key_print: Mapped[str] = mapped_column(String(16))
    shown_at_s: Mapped[int | None] = mapped_column(BigInteger)


class CertificateRow(PeopleBase):
    """A certificate that was given to a gateway; nothing in it is secret."""

    __tablename__ = "gateway_certificate"

    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    gateway: Mapped[str] = mapped_column(NAME, index=True)
    job: Mapped[int] = mapped_column(ForeignKey("gateway_job.id"), index=True)
    from_s: Mapped[int] = mapped_column(BigInteger)
    until_s: Mapped[int] = mapped_column(BigInteger)
    pem: Mapped[str] = mapped_column(Text)
    revoked_at_s: Mapped[int | None] = mapped_column(BigInteger)


class NonceRow(PeopleBase):
    """The mark of a signed message that was taken; it is not taken twice."""

    __tablename__ = "gateway_nonce"

    hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    until_s: Mapped[int] = mapped_column(BigInteger, index=True)


class HandoverRow(PeopleBase):
    """How a home was handed over, as its gateway signed it; sealed, and never changed."""

    __tablename__ = "gateway_handover"

    id: Mapped[int] = mapped_column(primary_key=True)
    at_s: Mapped[int] = mapped_column(BigInteger)
    gateway: Mapped[str] = mapped_column(NAME, index=True)
    home: Mapped[str] = mapped_column(NAME, index=True)
    hash: Mapped[str] = mapped_column(HASH, unique=True)
    record: Mapped[str] = mapped_column(Text)
