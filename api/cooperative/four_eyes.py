"""Four eyes: one officer proposes, a second person approves exactly that, or nobody does."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, insert, select

from api.cooperative.canonical import canonical, digest, text_digest
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, NotAllowedError, StateError, TamperedError
from api.cooperative.links import signed_text
from api.cooperative.officers import SYSTEM, Role
from api.cooperative.tables.ledger import ProposalRow, VerdictRow
from kwartier.units import EpochS
from kwartier.wire import Json

_WAITING = (
    select(ProposalRow)
    .outerjoin(VerdictRow, VerdictRow.proposal == ProposalRow.id)
    .where(VerdictRow.proposal.is_(None))
    .order_by(ProposalRow.id)
)


class Matter(StrEnum):
    """What two people decide on."""

    RUN = "run"
    KEY = "key"
    TARIFF = "tariff"
    VAT = "vat"
    IBAN = "iban"
    PAYMENT = "payment"
    WRITE_OFF = "write_off"
    JOURNAL = "journal"
    """A journal by hand above the limit."""
    OFFICER = "officer"
    ASSET = "asset"
    """Something the street might buy or build: a battery, a roof."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an officer proposed.

    Attributes:
        id: Its number.
        matter: What kind of thing.
        subject: Which one, such as ``2026-07/1``; an id.
        body: What exactly; no personal data.
        body_hash: The hash of that, which the approver repeats.
        officer: Who proposed it.
        person: Whose account that is.
        at_s: When [s].
    """

    id: int
    matter: Matter
    subject: str
    body: Json
    body_hash: str
    officer: str
    person: str
    at_s: EpochS


@dataclass(frozen=True, slots=True)
class Approval:
    """A second person's yes to exactly one body.

    Attributes:
        proposal: The proposal's number.
        body_hash: What was approved.
        proposed_by: Who proposed it.
        officer: Who approved it.
        person: Whose account that is.
        at_s: When [s].
    """

    proposal: int
    body_hash: str
    proposed_by: str
    officer: str
    person: str
    at_s: EpochS


@dataclass(frozen=True, slots=True)
class Rejection:
    """A no to a proposal, with its reason; the proposal is over."""

    proposal: int
    officer: str
    reason: str


def propose(desk: Desk, matter: Matter, subject: str, body: Json) -> Proposal:
    """Lay something before a second person; the same twice is one proposal while it waits.

    Args:
        desk: Where, by whom and when.
        matter: What kind of thing.
        subject: Which one; an id.
        body: What exactly is proposed: ids, amounts, hashes; no personal data, no float.

    Raises:
        NotAllowedError: The officer prepares nothing, or is the house itself.
        StateError: Something else is proposed for the same subject, and waits.
    """
    _refuse_the_house(desk)
    desk.officer.need(Role.TREASURER, Role.BOARD, Role.BOOKKEEPER)
    body_hash = digest(body)
    waiting = waiting_proposal(desk, matter, subject)
    if waiting is not None:
        if (waiting.body_hash, waiting.officer) == (body_hash, desk.officer.id):
            return waiting
        raise StateError(
            f"{matter} {subject}: proposal {waiting.id} by {waiting.officer} waits already; "
            "approve or reject that one first"
        )
    last = desk.session.scalar(select(func.max(ProposalRow.id))) or 0
    made = Proposal(
        last + 1,
        matter,
        subject,
        body,
        body_hash,
        desk.officer.id,
        desk.officer.person,
        desk.at_s,
    )
    desk.session.execute(
        insert(ProposalRow).values(
            id=made.id,
            matter=matter,
            subject=subject,
            body=canonical(body),
            body_hash=body_hash,
            officer=made.officer,
            person=made.person,
            at_s=made.at_s,
            seal=_proposal_seal(desk, made),
        )
    )
    facts: Json = {"matter": matter.value, "proposal": made.id, "body_hash": body_hash}
    record(desk, "proposal.make", subject, facts)
    return made


def approve(desk: Desk, proposal_id: int, body_hash: str) -> Approval:
    """Say yes to a proposal of somebody else.

    Args:
        desk: Where, by whom and when.
        proposal_id: The proposal's number.
        body_hash: The hash of what the approver looked at.

    Raises:
        NotAllowedError: It is the officer's own, or the same person's, or no board member's act.
        StateError: It was decided on before.
        BooksError: There is no such proposal, or another body was looked at.
        TamperedError: The proposal was changed in the database.
    """
    _refuse_the_house(desk)
    desk.officer.need(Role.BOARD)
    proposed = proposal(desk, proposal_id)
    if desk.officer.id == proposed.officer or desk.officer.person == proposed.person:
        raise NotAllowedError(
            f"{desk.officer.id} proposed {proposed.matter} {proposed.subject}, from this account "
            "or another of the same person: ask a second person"
        )
    if not hmac.compare_digest(body_hash, proposed.body_hash):
        raise BooksError(
            f"proposal {proposal_id} has hash {proposed.body_hash}, not {body_hash}: "
            "look at it again before you approve"
        )
    return _decide(desk, proposed, "", approved=True)


def reject(desk: Desk, proposal_id: int, reason: str) -> Rejection:
    """Say no to a proposal, or take back one's own; it is over then.

    Raises:
        StateError: It was decided on before.
    """
    _refuse_the_house(desk)
    proposed = proposal(desk, proposal_id)
    if desk.officer.person != proposed.person:
        desk.officer.need(Role.BOARD)
    if not reason.strip():
        raise BooksError(f"proposal {proposal_id}: a rejection needs a reason")
    _decide(desk, proposed, reason, approved=False)
    return Rejection(proposal_id, desk.officer.id, reason)


def approval(desk: Desk, matter: Matter, subject: str, body: Json) -> Approval | None:
    """Return who approved exactly this body, or None.

    Raises:
        TamperedError: A row of it was not written by these books.
    """
    rows = desk.session.execute(
        select(ProposalRow, VerdictRow)
        .join(VerdictRow, VerdictRow.proposal == ProposalRow.id)
        .where(
            ProposalRow.matter == matter,
            ProposalRow.subject == subject,
            ProposalRow.body_hash == digest(body),
            VerdictRow.approved,
        )
        .order_by(ProposalRow.id.desc())
    )
    for proposed, verdict in rows:
        return _checked(desk, _opened(desk, proposed), verdict)
    return None


def approvals(
    desk: Desk, matter: Matter, bodies: Sequence[tuple[str, Json]]
) -> list[Approval | None]:
    """Return who approved exactly these bodies of one matter, each under its subject.

    Raises:
        TamperedError: A row of one was not written by these books.
    """
    wanted = [(subject, digest(body)) for subject, body in bodies]
    rows = desk.session.execute(
        select(ProposalRow, VerdictRow)
        .join(VerdictRow, VerdictRow.proposal == ProposalRow.id)
        .where(
            ProposalRow.matter == matter,
            ProposalRow.subject.in_({subject for subject, _ in wanted}),
            VerdictRow.approved,
        )
        .order_by(ProposalRow.id)
    )
    given = {(proposed.subject, proposed.body_hash): (proposed, it) for proposed, it in rows}
    found = (given.get(place) for place in wanted)
    return [
        None if pair is None else _checked(desk, _opened(desk, pair[0]), pair[1]) for pair in found
    ]


def proposal(desk: Desk, proposal_id: int) -> Proposal:
    """Return a proposal.

    Raises:
        BooksError: There is none.
        TamperedError: It was changed in the database.
    """
    row = desk.session.get(ProposalRow, proposal_id)
    if row is None:
        raise BooksError(f"proposal {proposal_id}: there is none")
    return _opened(desk, row)


def open_proposals(desk: Desk) -> list[Proposal]:
    """Return what waits for a second person, the oldest first."""
    return [_opened(desk, row) for row in desk.session.scalars(_WAITING)]


def waiting_proposal(desk: Desk, matter: Matter, subject: str) -> Proposal | None:
    """Return what waits for a second person about one subject, or None.

    Raises:
        TamperedError: It was changed in the database.
    """
    chosen = _WAITING.where(ProposalRow.matter == matter, ProposalRow.subject == subject)
    row = desk.session.scalars(chosen).first()
    return None if row is None else _opened(desk, row)


def broken_verdicts(desk: Desk) -> list[tuple[int, str]]:
    """Return the proposals that these books did not write or approve, and what is wrong."""
    faults = []
    rows = desk.session.execute(
        select(ProposalRow, VerdictRow)
        .outerjoin(VerdictRow, VerdictRow.proposal == ProposalRow.id)
        .order_by(ProposalRow.id)
        .execution_options(populate_existing=True)
    )
    for proposed, verdict in rows:
        try:
            opened = _opened(desk, proposed)
            if verdict is not None:
                _checked(desk, opened, verdict)
        except TamperedError as error:
            faults.append((proposed.id, str(error)))
    return faults


def _decide(desk: Desk, proposed: Proposal, reason: str, *, approved: bool) -> Approval:
    before = desk.session.get(VerdictRow, proposed.id)
    if before is not None:
        word = "approved" if before.approved else "rejected"
        raise StateError(f"proposal {proposed.id} was {word} by {before.officer}: propose it anew")
    row = VerdictRow(
        proposal=proposed.id,
        approved=approved,
        body_hash=proposed.body_hash,
        officer=desk.officer.id,
        person=desk.officer.person,
        reason=reason,
        at_s=desk.at_s,
    )
    row.seal = _verdict_seal(desk, row)
    desk.session.add(row)
    desk.session.flush()
    facts: Json = {
        "matter": proposed.matter.value,
        "proposal": proposed.id,
        "body_hash": proposed.body_hash,
        "reason": reason,
    }
    act = "proposal.approve" if approved else "proposal.reject"
    record(desk, act, proposed.subject, facts)
    return _checked(desk, proposed, row)


def _opened(desk: Desk, row: ProposalRow) -> Proposal:
    changed = TamperedError(f"proposal {row.id} was changed after it was made: stop and look")
    if text_digest(row.body) != row.body_hash or row.matter not in set(Matter):
        raise changed
    body: Json = json.loads(row.body)
    found = Proposal(
        row.id,
        Matter(row.matter),
        row.subject,
        body,
        row.body_hash,
        row.officer,
        row.person,
        row.at_s,
    )
    if row.seal != _proposal_seal(desk, found):
        raise changed
    return found


def _checked(desk: Desk, proposed: Proposal, row: VerdictRow) -> Approval:
    same = row.officer == proposed.officer or row.person == proposed.person
    if row.seal != _verdict_seal(desk, row) or (row.approved and same):
        raise TamperedError(
            f"the verdict on proposal {row.proposal} was not written by these books: stop and look"
        )
    return Approval(
        row.proposal, row.body_hash, proposed.officer, row.officer, row.person, row.at_s
    )


def _proposal_seal(desk: Desk, made: Proposal) -> str:
    signed = [made.id, made.matter.value, made.subject, made.body_hash]
    return desk.keys.link(
        "proposal", "", signed_text([*signed, made.officer, made.person, made.at_s])
    )


def _verdict_seal(desk: Desk, row: VerdictRow) -> str:
    signed = [row.proposal, row.approved, row.body_hash, row.officer, row.person]
    return desk.keys.link("verdict", "", signed_text([*signed, row.reason, row.at_s]))


def _refuse_the_house(desk: Desk) -> None:
    if SYSTEM.id in {desk.officer.id, desk.officer.person} or not desk.officer.person:
        raise NotAllowedError("the house itself proposes and approves nothing: an officer does")
