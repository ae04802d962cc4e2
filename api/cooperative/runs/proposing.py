"""Proposing and approving a run: two people sign one hash."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.four_eyes import Proposal
from kwartier.wire import Json


def run_body(desk: Desk, run: str) -> Json:
    """Return what is signed: totals, hashes, open warnings and waivers."""
    raise NotImplementedError


def propose(desk: Desk, run: str) -> Proposal:
    """Propose a computed run to a second person.

    Raises:
        StateError: It is not computed, or a blocker or a gap is not waived.
    """
    raise NotImplementedError


def approve(desk: Desk, run: str, body_hash: str) -> None:
    """Approve a proposed run as the second person, by the hash of what was looked at."""
    raise NotImplementedError


def reject(desk: Desk, run: str, reason: str) -> None:
    """Send a proposed run back to draft."""
    raise NotImplementedError
