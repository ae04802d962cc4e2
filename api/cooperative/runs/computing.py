"""Computing a run: inputs frozen, everybody's result stored, checks made."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import insert

from api.cooperative.canonical import canonical
from api.cooperative.chain import record
from api.cooperative.checks import Finding
from api.cooperative.database import Desk
from api.cooperative.errors import StateError
from api.cooperative.officers import CLERKS
from api.cooperative.runs.checking import found_in
from api.cooperative.runs.freezing import result_of
from api.cooperative.runs.frozen import case_of, input_hash
from api.cooperative.runs.frozen_days import days_of
from api.cooperative.runs.gathering import gather
from api.cooperative.runs.month import Month, RunName
from api.cooperative.runs.states import Run, State, begin, booked, latest, run_of, take
from api.cooperative.runs.storing import hashes_of, inputs_of, keep, keep_days
from api.cooperative.settings import CoopSettings
from api.cooperative.tables.runs import RunFindingRow
from kwartier.interval import instant_text
from kwartier.units import Wh
from optimizer.month import settle_month

_GATHERED, _SETTLED, _KEPT = 0.2, 0.6, 0.9
"""How much is done after each part of the work."""


def compute(
    desk: Desk,
    settings: CoopSettings,
    period: str,
    *,
    content_wh: Wh | None = None,
    show: Callable[[float], None] | None = None,
) -> str:
    """Compute the run of a month that is under way, or begin one; return its name.

    On unchanged data nothing is added: the same run, computation and hash come back.

    Args:
        desk: The open books.
        settings: The cooperative.
        period: The month, such as ``2026-07``.
        content_wh: What the battery could still give at the month's end, as measured [Wh]; None
            for what was told before of this month. When nobody measured, its claims are not
            trued up.
        show: Told how much is done, from 0 to 1.

    Raises:
        StateError: The month is not over, or its run is proposed or further: correct it instead.
        BooksError: Something is not in force in the month; the message names it.
    """
    del settings
    desk.officer.need(*CLERKS)
    month = Month.parse(period.partition("/")[0])
    if desk.at_s < month.end_s:
        raise StateError(f"{month} ends {instant_text(month.end_s)}: compute it after that")
    run = latest(desk, str(month))
    if run is None or (run.state is State.WITHDRAWN and booked(desk, str(month)) is None):
        version = 1 if run is None else run.name.version + 1
        run = begin(desk, RunName(month, version), None, "", "")
    if run.state not in (State.DRAFT, State.COMPUTED):
        raise StateError(
            f"run {run.id} is {run.state}: "
            + (
                "send it back first with `kwartier coop run reject`"
                if run.state in (State.PROPOSED, State.APPROVED)
                else f"correct it with `kwartier coop run correct {month}`"
            )
        )
    return reckon(desk, run, content_wh, show).id


def reckon(
    desk: Desk,
    run: Run,
    content_wh: Wh | None = None,
    show: Callable[[float], None] | None = None,
) -> Run:
    """Compute a run anew; on unchanged inputs what is there already counts."""
    tell = show or _say_nothing
    measured_wh = _measured_before(desk, run) if content_wh is None else content_wh
    gathered = gather(desk, run.name.month, measured_wh)
    before = next((step.computation for step in reversed(run.steps) if step.computation), None)
    if before is not None:
        kept = hashes_of(desk, before)
        if kept.input_hash == input_hash(gathered.inputs):
            if run.state is State.COMPUTED:
                return run
            return take(desk, run, State.COMPUTED, computation=before)
    tell(_GATHERED)
    result = settle_month(case_of(gathered.inputs, gathered.readings))
    tell(_SETTLED)
    frozen = result_of(result)
    computation = keep(desk, run, gathered.inputs, frozen, gathered.fingerprint)
    keep_days(desk, computation, days_of(gathered.readings, result.allocation))
    tell(_KEPT)
    found = found_in(desk, gathered, result)
    if found:
        rows = [_row(computation, rank, each) for rank, each in enumerate(found, 1)]
        desk.session.execute(insert(RunFindingRow), rows)
    computed = take(desk, run, State.COMPUTED, computation=computation)
    kept = hashes_of(desk, computation)
    record(
        desk,
        "run.compute",
        run.id,
        {
            "computation": kept.number,
            "input_hash": kept.input_hash,
            "result_hash": kept.result_hash,
            "status": kept.status,
            "findings": len(found),
        },
    )
    return computed


def _measured_before(desk: Desk, run: Run) -> Wh | None:
    """Return the battery's content as this run, or the one it corrects, knew it; else None."""
    told = run
    if not any(step.computation for step in run.steps):
        if run.corrects is None:
            return None
        told = run_of(desk, run.corrects)
    battery = inputs_of(desk, told)["battery"]
    content_wh = battery["content_wh"] if isinstance(battery, dict) else None
    return content_wh if isinstance(content_wh, int) else None


def _say_nothing(_: float) -> None:
    """Tell nobody how much is done."""


def _row(computation: int, rank: int, found: Finding) -> dict[str, object]:
    return {
        "computation": computation,
        "rank": rank,
        "key": found.key,
        "code": found.code.value,
        "kind": found.kind,
        "severity": found.severity.value,
        "connection": found.connection,
        "member": found.member,
        "effect_cents": found.effect_cents,
        "facts": canonical(dict(found.facts)),
        "first_s": None if found.first is None else found.first.start_s,
        "last_s": None if found.last is None else found.last.start_s,
    }
