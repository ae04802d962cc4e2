"""Numbering a run's papers: an invoice for what is owed, a purchase note for what was earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from api.cooperative.books import BookedEntry
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.documents import Document, Series, documents, issue, mirrored
from api.cooperative.law import parameter
from api.cooperative.officers import DECIDERS
from api.cooperative.runs.assembling import assembled
from api.cooperative.runs.changes import delta_of
from api.cooperative.runs.papers import live_papers, paper_body
from api.cooperative.runs.posting import entries_of_run, taken_back
from api.cooperative.runs.states import Run, State, run_of, take
from api.cooperative.runs.storing import computation_of
from api.cooperative.settings import CoopSettings
from api.cooperative.statement import Statement
from kwartier.interval import day_of

PAYMENT_DAYS = "payment_days"
"""The rule that says how long after its day a paper is collected or paid [days]."""
_SIDES = (Series.INVOICE, Series.PURCHASE)


def invoice(desk: Desk, settings: CoopSettings, run: str) -> list[Document]:
    """Give every member's papers their numbers, and return them.

    The body of an invoice or purchase note is the member's statement, with the day on which it
    is due: as many days after today as the rule ``payment_days`` says. A correction credits each
    old paper whose amounts change and issues a new one; other members get nothing. Again on an
    invoiced run it changes nothing.

    Raises:
        StateError: It is not posted.
    """
    desk.officer.need(*DECIDERS)
    known = run_of(desk, run)
    if known.state in (State.INVOICED, State.CLOSED):
        return documents(desk, run=known.id)
    known.need(State.POSTED)
    concerned = _concerned(desk, known)
    old: Mapping[tuple[str, Series], Document] = {}
    if known.corrects is not None:
        old = live_papers(desk, run_of(desk, known.corrects))
        _credit(desk, known, [paper for place, paper in old.items() if place in concerned])
    posted = _by_side(entries_of_run(desk, known.id))
    due = _due(desk)
    for statement in assembled(desk, settings, known):
        told = replace(statement, due=due)
        for series in _SIDES:
            place = statement.party.id, series
            if place in concerned and place in posted:
                _issue(desk, known, told, series, posted[place], old.get(place))
    take(desk, known, State.INVOICED)
    made = documents(desk, run=known.id)
    record(desk, "run.invoice", known.id, {"papers": len(made)})
    return made


def _due(desk: Desk) -> date:
    """Return when what is numbered today is collected or paid."""
    days = int(parameter(desk, PAYMENT_DAYS, desk.at_s).value)
    return day_of(desk.at_s) + timedelta(days=days)


def _concerned(desk: Desk, run: Run) -> set[tuple[str, Series]]:
    """Return who gets which paper: everybody, or in a correction whose amounts change."""
    computation = computation_of(desk, run)
    if run.corrects is None:
        return {(name, series) for name in computation.invoices for series in _SIDES}
    delta = delta_of(desk, run, computation)
    return {(name, Series.INVOICE) for name in delta.owed} | {
        (name, Series.PURCHASE) for name in delta.earned
    }


def _credit(desk: Desk, run: Run, papers: Sequence[Document]) -> None:
    """Take papers back to the cent, each with the entry that took its own entry back."""
    assert run.corrects is not None, run.id
    reversals = taken_back(desk, run.corrects)
    latest = _latest_entries(desk, run)
    for paper in sorted(papers, key=lambda each: each.number):
        body = mirrored(paper.body)
        assert isinstance(body, dict), paper.number
        entry = latest.get((paper.party, paper.series), paper.entry)
        issue(
            desk,
            Series.CREDIT,
            paper.party,
            day_of(desk.at_s),
            body | {"credits": paper.number, "reason": run.reason},
            None if entry is None else reversals.get(entry),
            run.id,
            paper.number,
        )


def _latest_entries(desk: Desk, run: Run) -> dict[tuple[str, Series], int]:
    """Return the entries of the version that a correction takes back, by side.

    A member whose paper is of an older version had the same amounts in the one between.
    """
    assert run.corrects is not None, run.id
    return {
        place: booked.id for place, booked in _by_side(entries_of_run(desk, run.corrects)).items()
    }


def _issue(
    desk: Desk,
    run: Run,
    statement: Statement,
    series: Series,
    booked: BookedEntry,
    old: Document | None,
) -> None:
    correction = statement.correction
    if correction is not None and old is not None:
        statement = replace(statement, correction=replace(correction, replaces=(old.number,)))
    issue(
        desk,
        series,
        statement.party.id,
        day_of(desk.at_s),
        paper_body(desk, statement, series),
        booked.id,
        run.id,
        "" if old is None else old.number,
    )


def _by_side(posted: Sequence[BookedEntry]) -> dict[tuple[str, Series], BookedEntry]:
    """Return a run's entries by member and side."""
    found = {}
    for booked in posted:
        _, side, member = booked.journal.entry.reference.rsplit(" ", 2)
        series = Series.INVOICE if side == "invoice" else Series.PURCHASE
        found[member, series] = booked
    return found
