"""Giving a run up before it is posted."""

from __future__ import annotations

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.officers import DECIDERS
from api.cooperative.runs.states import State, run_of, take


def withdraw(desk: Desk, run: str, reason: str) -> None:
    """Give a run up that is not posted; the month can then be computed as a new version.

    Raises:
        StateError: It is posted, or waits for a second person: reject it first.
    """
    desk.officer.need(*DECIDERS)
    known = run_of(desk, run)
    known.need(State.DRAFT, State.COMPUTED, State.APPROVED)
    if not reason.strip():
        raise BooksError(f"run {known.id}: say why, in a few words")
    take(desk, known, State.WITHDRAWN, reason=reason)
    record(desk, "run.withdraw", known.id, {"reason": reason})
