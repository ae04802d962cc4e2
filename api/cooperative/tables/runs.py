"""Settlement runs: what was frozen, what came of it, what was found, and every step taken.

A run is a row that never changes; where it stands is its last step. Computing anew adds a
computation, so what somebody looked at yesterday can be shown tomorrow.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.cooperative.tables.base import Base

NAME = String(32)
"""An id: a-z, 0-9 and '-'."""
HASH = String(64)
"""SHA-256 in hex."""
RUN = String(16)
"""A run's name, such as ``2026-07/1``."""


class RunRow(Base):
    """A settlement of one month; version 2 and later take the place of an earlier one."""

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("period", "version"),
        CheckConstraint("version >= 1", name="version"),
    )

    id: Mapped[str] = mapped_column(RUN, primary_key=True)
    period: Mapped[str] = mapped_column(String(7))
    version: Mapped[int]
    corrects: Mapped[str | None] = mapped_column(RUN, ForeignKey("run.id"))
    reason: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(NAME)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class RunComputationRow(Base):
    """One reckoning of a run: inputs frozen as canonical JSON, and the result of them."""

    __tablename__ = "run_computation"
    __table_args__ = (UniqueConstraint("run", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(RUN, ForeignKey("run.id"))
    number: Mapped[int]
    code_version: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(HASH)
    input_hash: Mapped[str] = mapped_column(HASH)
    result_hash: Mapped[str] = mapped_column(HASH)
    status: Mapped[str] = mapped_column(String(16))
    inputs: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class RunDayRow(Base):
    """One local day of one connection in a computation: what was read, and what came of it.

    ``taken`` to ``to_battery`` are JSON lists of whole Wh, null where nothing was read; the
    qualities hold one letter a quarter. The battery is the row named ``:battery``.
    """

    __tablename__ = "run_day"

    computation: Mapped[int] = mapped_column(ForeignKey("run_computation.id"), primary_key=True)
    connection: Mapped[str] = mapped_column(NAME, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    taken: Mapped[str] = mapped_column(Text)
    given: Mapped[str] = mapped_column(Text)
    taken_quality: Mapped[str] = mapped_column(String(100))
    given_quality: Mapped[str] = mapped_column(String(100))
    bought: Mapped[str] = mapped_column(Text)
    sold: Mapped[str] = mapped_column(Text)
    to_battery: Mapped[str] = mapped_column(Text)
    taken_wh: Mapped[int] = mapped_column(BigInteger)
    given_wh: Mapped[int] = mapped_column(BigInteger)
    bought_wh: Mapped[int] = mapped_column(BigInteger)
    sold_wh: Mapped[int] = mapped_column(BigInteger)
    to_battery_wh: Mapped[int] = mapped_column(BigInteger)


class RunFindingRow(Base):
    """Something a check found in a computation, the largest effect first."""

    __tablename__ = "run_finding"
    __table_args__ = (UniqueConstraint("computation", "key"),)

    computation: Mapped[int] = mapped_column(ForeignKey("run_computation.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(32))
    severity: Mapped[str] = mapped_column(String(8))
    connection: Mapped[str] = mapped_column(NAME)
    member: Mapped[str] = mapped_column(NAME)
    effect_cents: Mapped[int] = mapped_column(BigInteger)
    facts: Mapped[str] = mapped_column(Text)
    first_s: Mapped[int | None] = mapped_column(BigInteger)
    last_s: Mapped[int | None] = mapped_column(BigInteger)


class RunWaiverRow(Base):
    """A finding somebody answers for, with the reason; other facts make another finding."""

    __tablename__ = "run_waiver"
    __table_args__ = (CheckConstraint("length(reason) >= 10", name="reason"),)

    run: Mapped[str] = mapped_column(RUN, ForeignKey("run.id"), primary_key=True)
    finding: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class RunStepRow(Base):
    """A step of a run; the last one is where it stands."""

    __tablename__ = "run_step"
    __table_args__ = (UniqueConstraint("run", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(RUN, ForeignKey("run.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    computation: Mapped[int | None] = mapped_column(ForeignKey("run_computation.id"), index=True)
    proposal: Mapped[int | None]
    body_hash: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)
