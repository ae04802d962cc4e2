"""Correcting a run that was posted: a new version, and never a change."""

from __future__ import annotations

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, NotAllowedError, StateError
from api.cooperative.law import adopted_decision, parameter
from api.cooperative.officers import DECIDERS
from api.cooperative.runs.computing import reckon
from api.cooperative.runs.month import Month, RunName
from api.cooperative.runs.states import State, begin, booked, latest
from api.cooperative.settings import CoopSettings
from kwartier.interval import local_day
from kwartier.units import EpochS, Wh

WINDOW = "correction_months"
"""The rule of law that says how long a month is corrected without a decision."""
LEAST_REASON = 10
"""How many letters a reason has at the least; members read it."""


def correct(
    desk: Desk,
    settings: CoopSettings,
    period: str,
    reason: str,
    decision: str = "",
    *,
    content_wh: Wh | None = None,
) -> str:
    """Begin and compute the next version of a month that is in the books; return its name.

    Posting it takes back every entry of the version before in full and books the new ones, dated
    in the open period, at the prices of the corrected quarters.

    Args:
        desk: The open books.
        settings: The cooperative.
        period: The month, such as ``2026-07``.
        reason: Why, in words for the members; ten letters or more.
        decision: The board's decision; needed when the correction window has passed.
        content_wh: As in ``compute``.

    Raises:
        StateError: There is nothing to correct, or a correction is under way.
        NotAllowedError: The window has passed and no decision is named.
        BooksError: The reason is too short, or there is no such decision.
    """
    del settings
    desk.officer.need(*DECIDERS)
    month = Month.parse(period.partition("/")[0])
    said = " ".join(reason.split())
    if len(said) < LEAST_REASON:
        raise BooksError(f"{month}: the reason has {len(said)} letters: members read it, write 10")
    last, standing = latest(desk, str(month)), booked(desk, str(month))
    if last is None or standing is None:
        raise StateError(f"{month} is not in the books: there is nothing to correct, compute it")
    if last.state not in (State.INVOICED, State.CLOSED, State.WITHDRAWN):
        raise StateError(
            f"run {last.id} is {last.state}: finish it, or withdraw it, before you correct {month}"
        )
    if standing.state is State.POSTED:
        raise StateError(f"run {standing.id} has no papers yet: invoice it first")
    if decision:
        adopted_decision(desk, decision, desk.at_s, f"correction of {month}")
    elif desk.at_s >= window_end_s(desk, month):
        raise NotAllowedError(
            f"{month} could be corrected without a decision until its correction window ended: "
            "name the board's decision"
        )
    run = begin(desk, RunName(month, last.name.version + 1), standing.id, said, decision)
    record(
        desk,
        "run.correct",
        run.id,
        {"corrects": standing.id, "reason": said, "decision": decision},
    )
    return reckon(desk, run, content_wh).id


def window_end_s(desk: Desk, month: Month) -> EpochS:
    """Return from when on a month is corrected only by decision [s].

    Source:
        Section 6.5 of docs/settlement.md: four months after the month, by default.
    """
    months = int(parameter(desk, WINDOW, month.start_s).value)
    return local_day(month.plus(months).last)[1]
