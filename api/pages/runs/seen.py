"""Runs as the board sees them: where each stands, how much was found, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from api.cooperative.checks import Code
from api.cooperative.database import Desk
from api.cooperative.four_eyes import proposal
from api.cooperative.officers import SYSTEM, Officer
from api.cooperative.registry import officer_or_none, parties_of
from api.cooperative.registry.officer_book import terms
from api.cooperative.runs import FoundInRun, Run, State, Step, runs
from api.cooperative.runs.states import latest
from api.cooperative.runs.storing import hashes_of
from api.cooperative.runs.waiving import found_of
from api.pages.runs.next import NextStep, next_step
from api.pages.runs.shelf import Reckoned, Shelf
from api.people.visitor import Visitor
from api.schemas import moment_time
from kwartier.units import Wh


@dataclass(frozen=True, slots=True)
class StepTold:
    """One step of a run: where it stood after it, by whom, when and why."""

    number: int
    state: State
    officer: str
    at: datetime
    reason: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many members and findings.

    Attributes:
        members: Members in the run.
        ready: Members about whom nothing stops the run.
        blockers: Findings that stop it.
        warnings: Other findings that nobody answered for.
        waived: Findings that somebody answered for.
    """

    members: int
    ready: int
    blockers: int
    warnings: int
    waived: int


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in the list.

    Attributes:
        run: Its name, such as ``2026-10/1``.
        month: Its month, such as ``2026-10``.
        version: Its version, from 1.
        state: Where it stands.
        corrects: The run whose place it takes, or null.
        to_pay_cents: What all members pay together; null before it was computed.
        shared_wh: What was shared [Wh]; null before it was computed.
        counts: Members and findings; null before it was computed.
        hash: What two people sign, or else the hash of the result; empty before both.
        last: The last step.
        next: What comes next, for who looks.
    """

    run: str
    month: str
    version: int
    state: State
    corrects: str | None
    to_pay_cents: int | None
    shared_wh: Wh | None
    counts: Counts | None
    hash: str
    last: StepTold
    next: NextStep


@dataclass(frozen=True, slots=True)
class Seen:
    """A run with everything a page about it needs.

    Attributes:
        run: The run.
        found: What the checks found, the largest effect first.
        reckoned: What was reckoned; None before the first computation.
        line: The run as the list tells it.
    """

    run: Run
    found: tuple[FoundInRun, ...]
    reckoned: Reckoned | None
    line: RunLine

    @property
    def adds_up(self) -> bool:
        """Whether the sum of the members is the neighbourhood."""
        wrong = any(
            each.finding.code is Code.SUM and each.finding.kind != "later_claims"
            for each in self.found
        )
        return self.reckoned is not None and self.reckoned.adds_up and not wrong


def seen_of(desk: Desk, shelf: Shelf, run: Run, visitor: Visitor) -> Seen:
    """Return a run as a visitor sees it."""
    reckoned = shelf.reckoned(desk, run)
    found = () if reckoned is None else tuple(found_of(desk, run))
    counts = None if reckoned is None else counts_of(found, reckoned)
    totals = None if reckoned is None else reckoned.totals
    return Seen(run, found, reckoned, _line(desk, run, visitor, found, (totals, counts)))


def line_of(desk: Desk, shelf: Shelf, run: Run, visitor: Visitor) -> RunLine:
    """Return a run as the list tells it; what was proposed is told without reading it all."""
    totals = proposed_totals(desk, run)
    if totals is None:
        return seen_of(desk, shelf, run, visitor).line
    found = tuple(found_of(desk, run))
    members = totals["members"]
    # Nobody can propose a run that something stops, and an answer is never taken back.
    counts = _counts(found, members, members)
    return _line(desk, run, visitor, found, (totals, counts))


def proposed_totals(desk: Desk, run: Run) -> Mapping[str, int] | None:
    """Return the totals that were proposed of the computation that counts; None when none were."""
    for step in reversed(run.steps):
        if step.proposal is not None and step.computation == run.last.computation:
            body = proposal(desk, step.proposal).body
            totals = body["totals"] if isinstance(body, dict) else None
            if isinstance(totals, dict):
                return {name: value for name, value in totals.items() if isinstance(value, int)}
    return None


def _line(
    desk: Desk,
    run: Run,
    visitor: Visitor,
    found: tuple[FoundInRun, ...],
    known: tuple[Mapping[str, int] | None, Counts | None],
) -> RunLine:
    totals, counts = known
    return RunLine(
        run.id,
        str(run.name.month),
        run.name.version,
        run.state,
        run.corrects,
        None if totals is None else totals["to_pay_cents"],
        None if totals is None else totals["bought_wh"],
        counts,
        hash_of(desk, run),
        told(run.last),
        next_step(
            run, me_of(desk, visitor), proposer_of(desk, run), found, newest=_is_newest(desk, run)
        ),
    )


def listed(
    desk: Desk, shelf: Shelf, visitor: Visitor, most: int, before: str = ""
) -> list[RunLine]:
    """Return the newest runs first, those of months before one when it is named."""
    known = [run for run in runs(desk) if not before or str(run.name.month) < before]
    ordered = sorted(known, key=lambda run: run.name, reverse=True)
    months = sorted({str(run.name.month) for run in ordered}, reverse=True)[:most]
    return [line_of(desk, shelf, run, visitor) for run in ordered if str(run.name.month) in months]


def counts_of(found: Iterable[FoundInRun], reckoned: Reckoned) -> Counts:
    """Return how many members are ready, and how much was found."""
    each_found = tuple(found)
    stopping = [each.finding for each in each_found if each.stops]
    about = {each.member for each in stopping} | {each.connection for each in stopping}
    all_of_it = any(not each.member and not each.connection for each in stopping)
    ready = [
        one for one in reckoned.members if one.member not in about and not about & {*one.homes}
    ]
    members = len(reckoned.members)
    return _counts(each_found, members, 0 if all_of_it else len(ready))


def _counts(found: tuple[FoundInRun, ...], members: int, ready: int) -> Counts:
    return Counts(
        members,
        ready,
        sum(each.stops for each in found),
        sum(not each.stops and not each.waived for each in found),
        sum(bool(each.waived) for each in found),
    )


def hash_of(desk: Desk, run: Run) -> str:
    """Return what stands for a run: what two people sign, else what was reckoned; or nothing."""
    for step in reversed(run.steps):
        if step.state in (State.DRAFT, State.COMPUTED):
            break
        if step.body_hash:
            return step.body_hash
    if all(step.computation is None for step in run.steps):
        return ""
    return hashes_of(desk, run.computation).result_hash


def told(step: Step) -> StepTold:
    """Return a step as it is answered."""
    return StepTold(
        step.number, step.state, step.officer, moment_time(step.at_s), step.reason, step.body_hash
    )


def me_of(desk: Desk, visitor: Visitor) -> Officer | None:
    """Return the officer who looks; None for who has no account in the books."""
    return officer_or_none(desk, visitor.officer) if visitor.officer else None


def proposer_of(desk: Desk, run: Run) -> str:
    """Return the person who proposed a run that waits; empty when none does."""
    last = run.last
    if last.state is not State.PROPOSED or last.proposal is None:
        return ""
    return proposal(desk, last.proposal).person


def names_of_officers(desk: Desk) -> Mapping[str, str]:
    """Return the people behind the officers' accounts, by account."""
    persons = {term.officer: term.person for term in terms(desk)}
    known = parties_of(desk, set(persons.values()))
    found = {name: known[person].name for name, person in persons.items() if person in known}
    return {**found, SYSTEM.id: "kwartier"}


def _is_newest(desk: Desk, run: Run) -> bool:
    newest = latest(desk, str(run.name.month))
    return newest is not None and newest.id == run.id
