"""Payment files and their instructions, bank statements, and what each of them settled.

What a file holds and who stands on a bank's line are sealed and lie in tables of their own, which
may be emptied after the years the law asks for; the hashes beside them stay.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.cooperative.tables.base import Base
from api.cooperative.tables.registry import HASH, NAME

DOCUMENT = String(32)
"""A document's number, such as ``F2026-0001``."""
REFERENCE = String(35)
"""A reference as banks carry it."""
ACCOUNT = String(64)
"""An account of the ledger, such as ``receivable:jansen``."""


class PaymentFileRow(Base):
    """A payment file as it was made; it never changes, where it stands is its last step."""

    __tablename__ = "payment_file"
    __table_args__ = (
        CheckConstraint("instructions > 0 AND cents > 0", name="moves_money"),
        CheckConstraint("direction IN ('collect', 'pay_out')", name="direction"),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    message: Mapped[str] = mapped_column(REFERENCE, unique=True)
    direction: Mapped[str] = mapped_column(String(16))
    run: Mapped[str] = mapped_column(String(16))
    day: Mapped[date] = mapped_column(Date)
    sha256: Mapped[str] = mapped_column(HASH)
    instructions: Mapped[int]
    cents: Mapped[int] = mapped_column(BigInteger)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class PaymentContentRow(Base):
    """A payment file's bytes, sealed."""

    __tablename__ = "payment_content"

    file: Mapped[int] = mapped_column(ForeignKey("payment_file.number"), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)


class PaymentInstructionRow(Base):
    """One amount of a payment file."""

    __tablename__ = "payment_instruction"
    __table_args__ = (CheckConstraint("cents > 0", name="above_zero"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[int] = mapped_column(ForeignKey("payment_file.number"), index=True)
    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"))
    end_to_end: Mapped[str] = mapped_column(REFERENCE, unique=True)
    mandate: Mapped[str] = mapped_column(REFERENCE, index=True)
    cents: Mapped[int] = mapped_column(BigInteger)


class PaymentPartRow(Base):
    """What an instruction takes of one document; a document is taken once per attempt."""

    __tablename__ = "payment_part"
    __table_args__ = (UniqueConstraint("document", "account", "attempt"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instruction: Mapped[int] = mapped_column(ForeignKey("payment_instruction.id"), index=True)
    document: Mapped[str] = mapped_column(DOCUMENT)
    account: Mapped[str] = mapped_column(ACCOUNT)
    attempt: Mapped[int]
    cents: Mapped[int] = mapped_column(BigInteger)


class PaymentStepRow(Base):
    """A step of a payment file: drafted, released by somebody else, sent; or withdrawn."""

    __tablename__ = "payment_step"
    __table_args__ = (UniqueConstraint("file", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[int] = mapped_column(ForeignKey("payment_file.number"))
    state: Mapped[str] = mapped_column(String(16))
    entry: Mapped[int | None]
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class ItemSettlementRow(Base):
    """What was taken off an open item; below zero it was opened again."""

    __tablename__ = "item_settlement"
    __table_args__ = (UniqueConstraint("document", "account", "source", "reference"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[str] = mapped_column(DOCUMENT, index=True)
    account: Mapped[str] = mapped_column(ACCOUNT)
    party: Mapped[str] = mapped_column(NAME, ForeignKey("party.id"))
    cents: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(64))
    entry: Mapped[int]
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class BankStatementRow(Base):
    """A bank's statement of the cooperative's account, as it was read."""

    __tablename__ = "bank_statement"
    __table_args__ = (UniqueConstraint("account_fingerprint", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_fingerprint: Mapped[str] = mapped_column(HASH)
    name: Mapped[str] = mapped_column(REFERENCE)
    content_hash: Mapped[str] = mapped_column(HASH, unique=True)
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    opening_cents: Mapped[int] = mapped_column(BigInteger)
    closing_cents: Mapped[int] = mapped_column(BigInteger)
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class BankLineRow(Base):
    """One amount on a statement; into the account is above zero. It is booked once for ever."""

    __tablename__ = "bank_line"
    __table_args__ = (CheckConstraint("cents <> 0", name="moves_money"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    statement: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"), index=True)
    place: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(HASH, unique=True)
    booked: Mapped[date] = mapped_column(Date)
    cents: Mapped[int] = mapped_column(BigInteger)
    returned: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(35))
    end_to_end: Mapped[str] = mapped_column(REFERENCE)
    batch: Mapped[str] = mapped_column(REFERENCE)
    entry: Mapped[int]
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)


class BankLineDetailRow(Base):
    """Who stands on a bank's line, from which account and with which words, sealed."""

    __tablename__ = "bank_line_detail"

    line: Mapped[int] = mapped_column(ForeignKey("bank_line.id"), primary_key=True)
    iban_fingerprint: Mapped[str] = mapped_column(HASH, index=True)
    sealed: Mapped[str] = mapped_column(Text)


class BankMatchRow(Base):
    """What a bank's line turned out to be, in whole or in part."""

    __tablename__ = "bank_match"

    id: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(ForeignKey("bank_line.id"), index=True)
    cents: Mapped[int] = mapped_column(BigInteger)
    how: Mapped[str] = mapped_column(String(16))
    party: Mapped[str] = mapped_column(NAME)
    file: Mapped[int | None] = mapped_column(ForeignKey("payment_file.number"))
    instruction: Mapped[int | None] = mapped_column(ForeignKey("payment_instruction.id"))
    entry: Mapped[int]
    recorded_at_s: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(NAME)
