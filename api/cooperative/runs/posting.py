"""Posting a run: all of its entries in one transaction, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from api.cooperative.books import BookedEntry, Journal, entries, reverse, reversed_by
from api.cooperative.books import post as post_entry
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import StateError
from api.cooperative.four_eyes import Matter, approval
from api.cooperative.officers import DECIDERS
from api.cooperative.periods import open_day
from api.cooperative.runs.frozen_result import entries_of
from api.cooperative.runs.proposing import body_of
from api.cooperative.runs.states import BOOKED, Run, State, run_of, take
from api.cooperative.runs.storing import computation_of
from kwartier.interval import day_of

SOURCE = "settlement"
"""The source of a run's entries; their keys are the run and a number."""


def post(desk: Desk, run: str) -> None:
    """Write an approved run into the books; of a correction the old entries are reversed first.

    Entries of a first version are dated on the month's last day, or on the first open day after
    it; those of a correction today, or on the first open day after. Again on a posted run it
    changes nothing.

    Raises:
        StateError: It is not approved, or not exactly what was approved.
    """
    desk.officer.need(*DECIDERS)
    known = run_of(desk, run)
    if known.state in BOOKED:
        return
    known.need(State.APPROVED)
    computation = computation_of(desk, known)
    body = body_of(desk, known, computation)
    if approval(desk, Matter.RUN, known.id, body) is None:
        raise StateError(f"run {known.id}: exactly this was not approved by a second person")
    day = posting_day(desk, known)
    month = str(known.name.month)
    reason = known.reason or f"settlement of {month}"
    if known.corrects is not None:
        for booked in entries_of_run(desk, known.corrects):
            reverse(desk, booked.id, day, reason)
    new = entries_of(computation.result)
    for number, entry in enumerate(new, 1):
        named = replace(entry, reference=f"{known.id} {entry.reference}")
        key = f"{known.id}/{number}"
        post_entry(desk, Journal(SOURCE, key, day, named, reason, month, known.decision))
    take(desk, known, State.POSTED)
    record(
        desk,
        "run.post",
        known.id,
        {"entries": len(new), "day": day.isoformat(), "result_hash": computation.result_hash},
    )


def posting_day(desk: Desk, run: Run) -> date:
    """Return the day a run is booked on."""
    wanted = run.name.month.last if run.corrects is None else day_of(desk.at_s)
    return open_day(desk, wanted)


def entries_of_run(desk: Desk, run: str) -> list[BookedEntry]:
    """Return the entries that a run posted, in order."""
    return entries(desk, SOURCE, under=f"{run}/")


def taken_back(desk: Desk, run: str) -> dict[int, int]:
    """Return by which entry each entry of a run was taken back."""
    return reversed_by(desk, SOURCE, under=f"{run}/")
