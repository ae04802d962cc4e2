"""Decisions of the members or the board: what makes a key, a tariff or a rule hold."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.officers import DECIDERS
from api.cooperative.plain_text import checked_line
from api.cooperative.stamp import stamp
from api.cooperative.tables.law import DecisionRow
from kwartier.errors import ContractError
from kwartier.identity import checked_name
from kwartier.interval import instant_text
from kwartier.units import EpochS

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class DecisionKind(StrEnum):
    """What was decided about."""

    KEY = "key"
    TARIFF = "tariff"
    VAT = "vat"
    RULE = "rule"
    FUND = "fund"
    STATUTES = "statutes"
    OTHER = "other"


class Result(StrEnum):
    """What came of it."""

    ADOPTED = "adopted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision of the members or the board.

    Attributes:
        id: Its number, such as ``2026-07``.
        kind: What it is about.
        title: What it is about, in a line.
        text_hash: SHA-256 of the text that was decided on, in hex.
        decided_on: The local day on which it was taken.
        eligible: How many had a vote.
        turnout: How many used it.
        result: What came of it.
        effective_s: From when it holds [s].

    Raises:
        ContractError: A value is no such thing.
    """

    id: str
    kind: DecisionKind
    title: str
    text_hash: str
    decided_on: date
    eligible: int
    turnout: int
    result: Result
    effective_s: EpochS

    def __post_init__(self) -> None:
        checked_name(self.id, "decision")
        checked_line(self.title, f"decision {self.id}: title", 1, 200)
        if _SHA256.fullmatch(self.text_hash) is None:
            raise ContractError(f"decision {self.id}: the text's hash is 64 of 0-9 and a-f")
        if not 0 <= self.turnout <= self.eligible <= 1_000_000:
            raise ContractError(
                f"decision {self.id}: {self.turnout} of {self.eligible} voted: count again"
            )


def record_decision(desk: Desk, decision: Decision) -> None:
    """Write down a decision; the same again changes nothing.

    Raises:
        ConflictError: Another decision has that number.
    """
    desk.officer.need(*DECIDERS)
    known = decision_or_none(desk, decision.id)
    if known is not None:
        if known != decision:
            raise ConflictError(f"decision {decision.id} is there already: use another number")
        return
    desk.session.add(DecisionRow(**asdict(decision), **stamp(desk)))
    desk.session.flush()
    record(
        desk,
        "decision.record",
        decision.id,
        {
            "kind": decision.kind,
            "text_hash": decision.text_hash,
            "eligible": decision.eligible,
            "turnout": decision.turnout,
            "result": decision.result,
            "effective": instant_text(decision.effective_s),
        },
    )


def decision_or_none(desk: Desk, number: str) -> Decision | None:
    """Return a decision; None when there is none of that number."""
    row = desk.session.get(DecisionRow, number)
    return None if row is None else _decision(row)


def decisions(desk: Desk) -> list[Decision]:
    """Return all decisions, by number."""
    return [
        _decision(row) for row in desk.session.scalars(select(DecisionRow).order_by(DecisionRow.id))
    ]


def adopted_decision(desk: Desk, number: str, start_s: EpochS, what: str) -> Decision:
    """Return the decision that lets something hold from an instant on [s].

    Args:
        desk: The books.
        number: The decision's number.
        start_s: From when the thing is to hold [s].
        what: What it is, for messages, such as ``key k2``.

    Raises:
        BooksError: There is no such decision, it was not adopted, or holds only later.
    """
    if not number:
        raise BooksError(f"{what} has no decision: name the number of one that was recorded")
    decision = decision_or_none(desk, number)
    if decision is None:
        raise BooksError(
            f"{what}: decision {number[:40]!r} is not recorded: do that first with "
            "`kwartier coop decision record`"
        )
    if decision.result is not Result.ADOPTED:
        raise BooksError(f"{what}: decision {number} was {decision.result}: it lets nothing hold")
    if start_s < decision.effective_s:
        raise BooksError(
            f"{what}: begins {instant_text(start_s)}, before decision {number} holds from "
            f"{instant_text(decision.effective_s)}: begin later"
        )
    return decision


def _decision(row: DecisionRow) -> Decision:
    return Decision(
        row.id,
        DecisionKind(row.kind),
        row.title,
        row.text_hash,
        row.decided_on,
        row.eligible,
        row.turnout,
        Result(row.result),
        row.effective_s,
    )
