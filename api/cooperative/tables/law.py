"""What was decided, and the versions of keys, tariffs, VAT codes and rules that came of it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.cooperative.tables.base import Base
from api.cooperative.tables.registry import HASH, NAME


class DecisionRow(Base):
    """A decision of the members or the board."""

    __tablename__ = "decision"
    __table_args__ = (CheckConstraint("turnout >= 0 AND turnout <= eligible", name="turnout"),)

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(Text)
    text_hash: Mapped[str] = mapped_column(HASH)
    decided_on: Mapped[date] = mapped_column(Date)
    eligible: Mapped[int]
    turnout: Mapped[int]
    result: Mapped[str] = mapped_column(String(16))
    effective_s: Mapped[int] = mapped_column(BigInteger)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class KeyVersionRow(Base):
    """A sharing key and its rules from an instant on, as canonical JSON."""

    __tablename__ = "key_version"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    decision: Mapped[str] = mapped_column(NAME, ForeignKey("decision.id"))
    start_s: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class TariffVersionRow(Base):
    """Prices from an instant on, as canonical JSON with their cost sheet."""

    __tablename__ = "tariff_version"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    decision: Mapped[str] = mapped_column(NAME, ForeignKey("decision.id"))
    start_s: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class VatCodeRow(Base):
    """The rate of a VAT code from an instant on, as canonical JSON."""

    __tablename__ = "vat_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(NAME, index=True)
    start_s: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(NAME, ForeignKey("decision.id"))
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class ParameterRow(Base):
    """The value of a rule from an instant on, and how sure it is."""

    __tablename__ = "parameter"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), index=True)
    start_s: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[str] = mapped_column(Text)
    mark: Mapped[str] = mapped_column(String(1))
    source: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(NAME, ForeignKey("decision.id"))
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)
