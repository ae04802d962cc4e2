"""Who belongs to the cooperative, what is connected, who owns what, and who may act.

Personal fields are sealed. They stand in ``party_details``, ``mandate``, ``payout_account`` and
``connection`` only, where they may be overwritten; everything else refers to them by id.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.cooperative.tables.base import Base

NAME = String(32)
"""An id: a-z, 0-9 and '-'."""
HASH = String(64)
"""SHA-256 in hex."""


class PartyRow(Base):
    """A resident or an organisation; its id says nothing about the person."""

    __tablename__ = "party"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class PartyDetailsRow(Base):
    """The personal fields of a party, each sealed; overwritten when they change or are erased."""

    __tablename__ = "party_details"

    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    vat_number: Mapped[str] = mapped_column(Text)
    kvk: Mapped[str] = mapped_column(Text)
    oin: Mapped[str] = mapped_column(Text)
    erased_at_s: Mapped[int | None] = mapped_column(BigInteger)


class PartyVatRow(Base):
    """How a party stands to VAT from a day on; the newest row of the latest day counts."""

    __tablename__ = "party_vat"

    id: Mapped[int] = mapped_column(primary_key=True)
    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"), index=True)
    from_day: Mapped[date] = mapped_column(Date)
    vat_status: Mapped[str] = mapped_column(String(16))
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class MembershipRow(Base):
    """A membership from a day up to, not including, another; it is ended once."""

    __tablename__ = "membership"
    __table_args__ = (CheckConstraint("to_day > from_day", name="in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"), index=True)
    vote_class: Mapped[str] = mapped_column(String(16))
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date | None] = mapped_column(Date)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class MandateRow(Base):
    """A SEPA mandate: leave to collect from an account; it is ended once."""

    __tablename__ = "mandate"

    reference: Mapped[str] = mapped_column(String(35), primary_key=True)
    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"), index=True)
    iban: Mapped[str] = mapped_column(Text)
    iban_fingerprint: Mapped[str] = mapped_column(HASH)
    signed_on: Mapped[date] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class MandateUseRow(Base):
    """A day on which was collected with a mandate: after it the next one is recurrent."""

    __tablename__ = "mandate_use"

    id: Mapped[int] = mapped_column(primary_key=True)
    mandate: Mapped[str] = mapped_column(String(35), ForeignKey("mandate.reference"), index=True)
    used_on: Mapped[date] = mapped_column(Date)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class PayoutAccountRow(Base):
    """An account to pay a party on; it counts once a second officer approved it."""

    __tablename__ = "payout_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"), index=True)
    iban: Mapped[str] = mapped_column(Text)
    iban_fingerprint: Mapped[str] = mapped_column(HASH)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class ConnectionRow(Base):
    """A connection to the grid."""

    __tablename__ = "connection"
    __table_args__ = (
        CheckConstraint("fuse_ampere > 0", name="fuse"),
        CheckConstraint("phases IN (1, 3)", name="phases"),
    )

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    ean: Mapped[str] = mapped_column(Text)
    ean_fingerprint: Mapped[str] = mapped_column(HASH, unique=True)
    fuse_ampere: Mapped[int]
    phases: Mapped[int]
    grid_area: Mapped[str] = mapped_column(String(32))
    gateway: Mapped[str] = mapped_column(NAME)
    meter: Mapped[str] = mapped_column(NAME)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class SupplyRow(Base):
    """Who supplies a connection from an instant on."""

    __tablename__ = "supply"

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(NAME, ForeignKey("connection.id"), index=True)
    supplier: Mapped[str] = mapped_column(NAME)
    start_s: Mapped[int] = mapped_column(BigInteger)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class OwnershipRow(Base):
    """Who settles a connection in ``[start_s, end_s)``; the database refuses two at once."""

    __tablename__ = "ownership"
    __table_args__ = (CheckConstraint("end_s > start_s", name="in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(NAME, ForeignKey("connection.id"), index=True)
    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"), index=True)
    start_s: Mapped[int] = mapped_column(BigInteger)
    end_s: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_at_s: Mapped[int | None] = mapped_column(BigInteger)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class ConsentRow(Base):
    """For what the values of a connection may be used in ``[start_s, end_s)``."""

    __tablename__ = "consent"
    __table_args__ = (CheckConstraint("end_s >= start_s", name="in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(NAME, ForeignKey("connection.id"), index=True)
    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    start_s: Mapped[int] = mapped_column(BigInteger)
    end_s: Mapped[int | None] = mapped_column(BigInteger)
    evidence: Mapped[str] = mapped_column(Text)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class OfficerRow(Base):
    """An account in the books, and the person whose it is."""

    __tablename__ = "officer"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    person: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"))
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class OfficerTermRow(Base):
    """What an officer may do, up to a day; the newest row counts, and it is ended once."""

    __tablename__ = "officer_term"

    id: Mapped[int] = mapped_column(primary_key=True)
    officer: Mapped[str] = mapped_column(NAME, ForeignKey("officer.id"), index=True)
    roles: Mapped[str] = mapped_column(Text)
    until_day: Mapped[date | None] = mapped_column(Date)
    ended_at_s: Mapped[int | None] = mapped_column(BigInteger)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class OfficerSecretRow(Base):
    """The slow hash of an officer's secret; the newest row counts."""

    __tablename__ = "officer_secret"

    id: Mapped[int] = mapped_column(primary_key=True)
    officer: Mapped[str] = mapped_column(NAME, ForeignKey("officer.id"), index=True)
    hash: Mapped[str] = mapped_column(Text)
    one_time: Mapped[bool]
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class OfficerTryRow(Base):
    """A try at an officer's secret; only those of the last minutes are kept."""

    __tablename__ = "officer_try"

    id: Mapped[int] = mapped_column(primary_key=True)
    officer: Mapped[str] = mapped_column(NAME, ForeignKey("officer.id"), index=True)
    at_s: Mapped[int] = mapped_column(BigInteger)
