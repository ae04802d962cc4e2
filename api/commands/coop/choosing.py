"""How a second person approves: by the hash of what was looked at, or by yes on a terminal."""

from __future__ import annotations

import sys

from api.commands.coop.acting import shown
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.four_eyes import Matter, Proposal, open_proposals
from kwartier.errors import UsageError

LEAST_LETTERS = 8
"""How many letters of a hash tell bodies apart well enough."""


def chosen_proposal(desk: Desk, matter: Matter, subject: str, hash_begin: str | None) -> Proposal:
    """Return the open proposal about something, once the approver showed to have seen it.

    Raises:
        StateError: Nothing about it waits.
        BooksError: The hash is another one, or the answer was not yes.
    """
    for found in open_proposals(desk):
        if found.matter is matter and found.subject == subject:
            confirm_seen(found, hash_begin)
            return found
    raise StateError(
        f"{matter} {subject[:60]!r}: no proposal waits: see `kwartier coop proposal list`"
    )


def confirm_seen(found: Proposal, hash_begin: str | None) -> None:
    """Refuse an approver who did not look at what is approved.

    Raises:
        BooksError: The hash is another one, or the answer was not yes.
        UsageError: There is neither a hash nor a terminal.
    """
    if hash_begin is not None:
        if len(hash_begin) < LEAST_LETTERS or not found.body_hash.startswith(hash_begin):
            raise BooksError(
                f"proposal {found.id} has hash {found.body_hash[:16]}…: look at it again with "
                f"`kwartier coop proposal list`, and give {LEAST_LETTERS} letters or more"
            )
        return
    if not sys.stdin.isatty():
        raise UsageError(
            f"proposal {found.id}: which one did you look at? give its hash with --hash, "
            "or run on a terminal"
        )
    print(f"{found.matter} {found.subject}, by {found.officer}:", file=sys.stderr)
    print(f"  {shown(found.body)}", file=sys.stderr)
    print("approve this? type yes: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() not in {"yes", "ja"}:
        raise BooksError(f"proposal {found.id} was not approved")
