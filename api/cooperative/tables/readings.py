"""The durable copy of what settlement used: days of quarters, meters and their registers.

Nothing here is ever changed: what is corrected is a new version, and the older one stays.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.cooperative.tables.base import Base

_NAME = String(32)
_HASH = String(64)
_COUNTED = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database counts up by itself."""


class DayRow(Base):
    """One connection, direction and local day, as it was known from an instant on."""

    __tablename__ = "reading_day"
    __table_args__ = (
        Index("uq_reading_day", "connection", "direction", "day", "version", unique=True),
        Index("ix_reading_day_day", "day"),
        CheckConstraint("direction IN ('import', 'export', 'charge', 'discharge')", name="way"),
        CheckConstraint("length(quality) IN (92, 96, 100)", name="quarters"),
        CheckConstraint("length(origins) = length(quality)", name="origins"),
        CheckConstraint("source IN ('p1', 'p4', 'manual', 'estimate')", name="source"),
    )

    id: Mapped[int] = mapped_column(_COUNTED, primary_key=True)
    connection: Mapped[str] = mapped_column(_NAME)
    direction: Mapped[str] = mapped_column(String(9))
    day: Mapped[date] = mapped_column(Date)
    version: Mapped[int] = mapped_column(Integer)
    wh: Mapped[str] = mapped_column(Text)
    quality: Mapped[str] = mapped_column(String(100))
    origins: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(8))
    method: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(_HASH)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(_NAME)


class QuarantineRow(Base):
    """A value that was set aside instead of believed."""

    __tablename__ = "reading_quarantine"
    __table_args__ = (Index("ix_reading_quarantine_at", "connection", "at_s"),)

    id: Mapped[int] = mapped_column(_COUNTED, primary_key=True)
    connection: Mapped[str] = mapped_column(_NAME)
    direction: Mapped[str] = mapped_column(String(9))
    at_s: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[str] = mapped_column(String(40))
    why: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(8))
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(_NAME)


class MeterRow(Base):
    """A meter on a connection, numbered in the order in which they hung there."""

    __tablename__ = "meter"

    connection: Mapped[str] = mapped_column(_NAME, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    serial: Mapped[str] = mapped_column(Text)
    serial_fingerprint: Mapped[str] = mapped_column(_HASH, index=True)
    digits: Mapped[int | None] = mapped_column(Integer)
    installed_s: Mapped[int] = mapped_column(BigInteger)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(_NAME)


class MeterRemovalRow(Base):
    """When a meter was taken away; the newest version counts."""

    __tablename__ = "meter_removal"

    connection: Mapped[str] = mapped_column(_NAME, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    removed_s: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(_NAME)


class RegisterRow(Base):
    """What a register stood at; the newest version of an instant counts."""

    __tablename__ = "register_reading"
    __table_args__ = (
        CheckConstraint("wh >= 0", name="counts_up"),
        CheckConstraint("register IN ('import', 'export', 'charge', 'discharge')", name="register"),
    )

    connection: Mapped[str] = mapped_column(_NAME, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    register: Mapped[str] = mapped_column(String(9), primary_key=True)
    at_s: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wh: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(_NAME)
