"""Deciding on a proposal: what else happens when a second person says yes to it."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.four_eyes import Matter, Proposal, approve, open_proposals, reject
from api.cooperative.payments import payment_files, release, write_off
from api.cooperative.registry import NewSecret, confirm


def approve_seen(desk: Desk, number: int, body_hash: str) -> NewSecret | None:
    """Say yes to a proposal as it was looked at; return the secret where one was drawn.

    Args:
        desk: The books, under the name of the second officer.
        number: The proposal's number.
        body_hash: The hash of what stood on the page.

    Raises:
        NotAllowedError: It is the officer's own, or the same person's.
        StateError: It was decided on before, or belongs to a run.
        BooksError: Another body was looked at.
    """
    found = _open(desk, number)
    if body_hash != found.body_hash:
        raise BooksError(
            f"proposal {number} has hash {found.body_hash}, not {body_hash[:64]}: "
            "look at it again before you approve"
        )
    if found.matter is Matter.RUN:
        raise StateError(f"proposal {number} is about a run: approve it with the run")
    if found.matter is Matter.OFFICER:
        return confirm(desk, number, body_hash)
    if found.matter is Matter.PAYMENT:
        release(desk, _file_of(desk, found))
    elif found.matter is Matter.WRITE_OFF:
        write_off(desk, number)
    else:
        approve(desk, number, body_hash)
    return None


def reject_seen(desk: Desk, number: int, reason: str) -> None:
    """Say no to a proposal, or take back one's own.

    Raises:
        StateError: It was decided on before, or belongs to a run.
        BooksError: There is no reason.
    """
    found = _open(desk, number)
    if found.matter is Matter.RUN:
        raise StateError(f"proposal {number} is about a run: send it back with the run")
    reject(desk, number, reason)


def _open(desk: Desk, number: int) -> Proposal:
    for each in open_proposals(desk):
        if each.id == number:
            return each
    raise StateError(f"proposal {number} does not wait any more: somebody decided on it")


def _file_of(desk: Desk, found: Proposal) -> int:
    for file in payment_files(desk):
        if file.message == found.subject:
            return file.number
    raise StateError(f"payment file {found.subject[:40]!r} is not known: draft it anew")
