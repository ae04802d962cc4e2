"""The ledger's views, to read through; they are no tables of the books' metadata."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class View(DeclarativeBase):
    """A view of the books; nothing is ever written through it."""


class _Balance:
    account: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True)
    balance: Mapped[int] = mapped_column(BigInteger)


class TrialBalanceView(_Balance, View):
    """What each account holds."""

    __tablename__ = "trial_balance"


class CostCentreView(_Balance, View):
    """What each cost centre has on each account."""

    __tablename__ = "cost_centre_balance"

    cost_centre: Mapped[str] = mapped_column(primary_key=True)


class _Line:
    entry: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    chart: Mapped[str]
    part: Mapped[str]
    unit: Mapped[str]
    day: Mapped[date]
    period: Mapped[str]
    service_period: Mapped[str]
    reference: Mapped[str]
    item: Mapped[str]
    source: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    balance: Mapped[int] = mapped_column(BigInteger)
    cost_centre: Mapped[str]
    reason: Mapped[str]
    decision: Mapped[str]
    reverses: Mapped[int | None] = mapped_column(BigInteger)


class MemberAccountView(_Line, View):
    """Lines of parties' accounts, each with what the account holds after it."""

    __tablename__ = "member_account"


class FundView(_Line, View):
    """Lines of the funds, each with what the fund holds after it."""

    __tablename__ = "fund_statement"
