"""Claim codes: shown once, by one gateway, within half an hour and five tries.

Whoever shows a right code second, with another key, spoils it for both: nobody can tell then
which of the two is the thief.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select

from api.enrolment.authority import key_of
from api.enrolment.jobs import LIVE, row_of
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import PeopleError
from api.people.sessions import hash_of
from api.people.tables import CertificateRow, ClaimRow
from gateway.enrol.code import ALPHABET, HALF, SECRET_LETTERS, Code, drawn_code, drawn_secret
from gateway.enrol.identity import key_fingerprint
from kwartier.units import EpochS

LIFE_S = 1_800
"""How long a code may be shown [s]."""
MOST_TRIES = 5
KEPT_S = 30 * 86_400
"""How long a shown claim may wait for the board, and stays in the book [s]."""
GATEWAY = "gateway"
"""Who stands in the log for a gateway that was not let in yet."""
_TICKET = range(20, 65)


class Shown(StrEnum):
    """What came of showing a code."""

    TAKEN = "taken"
    """It is right, and now this gateway's."""
    WRONG = "wrong"
    """It opens nothing: wrong, used, or tried too often."""
    LATE = "late"
    """It is right, and ran out."""
    SPOILED = "spoiled"
    """Another gateway showed it before: it is nobody's now."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A code as it is shown once to who asked for it.

    Attributes:
        code: Eight letters for people.
        secret: What the QR holds behind ``#``.
        until_s: Until when it may be shown [s].
    """

    code: Code
    secret: str
    until_s: EpochS


def draw(desk: PeopleDesk, by: str, job: int) -> Drawn:
    """Return a new code for a job; codes of before, shown or not, open nothing any more.

    Raises:
        UnknownError: There is no such job.
        PeopleError: The job is over, or its gateway was let in: another box asks the board anew.
    """
    row = row_of(desk, job)
    given = select(CertificateRow.serial).where(CertificateRow.job == job)
    if row.state not in LIVE or desk.session.scalars(given).first() is not None:
        raise PeopleError(f"job {job} is over or done: end it, and make a new one")
    old = ClaimRow.made_at_s < desk.at_s - KEPT_S
    desk.session.execute(delete(ClaimRow).where(old | (ClaimRow.job == job)))
    code, secret = _free(desk), drawn_secret()
    desk.session.add(
        ClaimRow(
            mark=code.mark,
            job=job,
            typed_hash=_kept(desk, code),
            secret_hash=_kept(desk, Code(code.mark, secret)),
            made_at_s=desk.at_s,
            until_s=desk.at_s + LIFE_S,
            tries=0,
            spoiled=False,
            ticket_hash=None,
            csr="",
            key_print="",
            shown_at_s=None,
        )
    )
    desk.session.flush()
    record(desk, by, "claim.make", row.gateway, {"job": job})
    return Drawn(code, secret, desk.at_s + LIFE_S)


def show(desk: PeopleDesk, code: Code, ticket: str, csr: bytes) -> Shown:
    """Return what comes of showing a code; the try is counted, so keep the transaction.

    Args:
        desk: The open book.
        code: What was shown.
        ticket: What the gateway drew, to ask how it stands.
        csr: Its request for a certificate.

    Raises:
        RequestRefusedError: The request is not one we sign; no try is counted.
        PeopleError: The ticket is none.
    """
    if len(ticket) not in _TICKET:
        raise PeopleError("'ticket' must have 20 to 64 letters")
    row = desk.session.get(ClaimRow, code.mark) if _is_code(code) else None
    if row is None or row.spoiled or row.tries >= MOST_TRIES:
        return Shown.WRONG
    kept = row.secret_hash if len(code.proof) == SECRET_LETTERS else row.typed_hash
    if not hmac.compare_digest(_kept(desk, code), kept):
        row.tries += 1
        desk.session.flush()
        return Shown.WRONG
    key_print = key_fingerprint(key_of(csr))
    if row.shown_at_s is None and desk.at_s >= row.until_s:
        return Shown.LATE
    if row.shown_at_s is not None and row.key_print != key_print:
        row.spoiled = True
        desk.session.flush()
        record(desk, GATEWAY, "claim.lock", row_of(desk, row.job).gateway, {"job": row.job})
        return Shown.SPOILED
    if row.shown_at_s is None:
        row.shown_at_s = desk.at_s
        record(desk, GATEWAY, "claim.use", row_of(desk, row.job).gateway, {"job": row.job})
    row.ticket_hash, row.csr, row.key_print = hash_of(ticket), csr.decode(), key_print
    desk.session.flush()
    return Shown.TAKEN


def claim_of_ticket(desk: PeopleDesk, ticket: str) -> ClaimRow | None:
    """Return the claim whose gateway drew a ticket, or None."""
    if len(ticket) not in _TICKET:
        return None
    wanted = select(ClaimRow).where(ClaimRow.ticket_hash == hash_of(ticket))
    return desk.session.scalars(wanted).first()


def claim_of_mark(desk: PeopleDesk, mark: str) -> ClaimRow | None:
    """Return the claim a QR's address names, or None."""
    return desk.session.get(ClaimRow, mark)


def newest_claim(desk: PeopleDesk, job: int) -> ClaimRow | None:
    """Return the newest claim of a job, or None."""
    wanted = select(ClaimRow).where(ClaimRow.job == job).order_by(ClaimRow.made_at_s.desc())
    return desk.session.scalars(wanted).first()


def _free(desk: PeopleDesk) -> Code:
    """Return a code whose first half is nobody's."""
    while desk.session.get(ClaimRow, (code := drawn_code()).mark) is not None:
        pass
    return code


def _is_code(code: Code) -> bool:
    fine = len(code.mark) == HALF and len(code.proof) in {HALF, SECRET_LETTERS}
    return fine and all(letter in ALPHABET for letter in code.mark + code.proof)


def _kept(desk: PeopleDesk, code: Code) -> str:
    return desk.keys.fingerprint(f"claim {code.mark} {code.proof}")
