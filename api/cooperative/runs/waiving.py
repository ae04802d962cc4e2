"""What the checks found in a run, and what somebody answers for."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select

from api.cooperative.chain import record
from api.cooperative.checks import Code, Finding, Severity
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.officers import DECIDERS
from api.cooperative.runs.states import Run, State, run_of
from api.cooperative.tables.runs import RunFindingRow, RunWaiverRow
from kwartier.interval import Quarter

LEAST_REASON = 10
"""How many letters a reason has at the least."""
MOST_REASON = 500
"""How many it has at the most: it must fit on a statement."""


@dataclass(frozen=True, slots=True)
class FoundInRun:
    """A finding of a run's computation, and its waiver.

    Attributes:
        finding: What was found.
        waived: The reason somebody gave; empty while it is open.
        waived_by: Who gave it; empty while it is open.
    """

    finding: Finding
    waived: str
    waived_by: str

    @property
    def stops(self) -> bool:
        """Whether the run cannot be proposed because of it.

        A blocker stops it, and so does everything that makes it provisional: quarters that are
        missing or estimated, however few.
        """
        blocks = self.finding.severity is Severity.BLOCKER or self.finding.code is Code.MISSING
        return blocks and not self.waived


def findings(desk: Desk, run: str) -> list[FoundInRun]:
    """Return what the checks found, the largest effect in euro first."""
    return found_of(desk, run_of(desk, run))


def found_of(desk: Desk, run: Run) -> list[FoundInRun]:
    """Return what the checks found in a run at hand, the largest effect in euro first."""
    waivers = {
        row.finding: row
        for row in desk.session.scalars(select(RunWaiverRow).where(RunWaiverRow.run == run.id))
    }
    rows = desk.session.scalars(
        select(RunFindingRow)
        .where(RunFindingRow.computation == run.computation)
        .order_by(RunFindingRow.rank)
    )
    return [
        FoundInRun(
            _finding(row),
            waivers[row.key].reason if row.key in waivers else "",
            waivers[row.key].recorded_by if row.key in waivers else "",
        )
        for row in rows
    ]


def waive(desk: Desk, run: str, key: str, reason: str) -> None:
    """Answer for a finding of a computed run; the reason stands on the member's statement.

    Again with the same reason it changes nothing.

    Raises:
        BooksError: There is no such finding, or the reason is too short or too long.
        StateError: The run is not computed, or proposed already.
        ConflictError: It was waived for another reason.
    """
    desk.officer.need(*DECIDERS)
    known = run_of(desk, run)
    known.need(State.COMPUTED)
    said = " ".join(reason.split())
    if not LEAST_REASON <= len(said) <= MOST_REASON:
        raise BooksError(
            f"run {known.id}, finding {key}: the reason has {len(said)} letters: write "
            f"{LEAST_REASON} to {MOST_REASON}, for it stands on the member's statement"
        )
    found = {each.finding.key: each for each in found_of(desk, known)}
    if key not in found:
        raise BooksError(
            f"run {known.id} has no finding {key[:64]!r}: see `kwartier coop run findings`"
        )
    if found[key].waived:
        if found[key].waived == said:
            return
        raise ConflictError(f"run {known.id}: {key} was waived for another reason already")
    desk.session.add(
        RunWaiverRow(
            run=known.id,
            finding=key,
            reason=said,
            recorded_at_s=desk.at_s,
            recorded_by=desk.officer.id,
        )
    )
    desk.session.flush()
    record(desk, "run.waive", known.id, {"finding": key, "reason": said})


def _finding(row: RunFindingRow) -> Finding:
    return Finding(
        Code(row.code),
        row.kind,
        Severity(row.severity),
        row.connection,
        row.member,
        row.effect_cents,
        json.loads(row.facts),
        None if row.first_s is None else Quarter(row.first_s),
        None if row.last_s is None else Quarter(row.last_s),
    )
