"""Filling the parcel: everything an auditor needs of a run, under ids."""

from __future__ import annotations

from sqlalchemy import select

from api.cooperative.books import BookedEntry, entries
from api.cooperative.bundle.parcel import packed
from api.cooperative.canonical import canonical
from api.cooperative.chain import heads
from api.cooperative.database import Desk
from api.cooperative.documents import documents
from api.cooperative.four_eyes import Matter, approval, proposal
from api.cooperative.runs import Run, run_document, run_of
from api.cooperative.runs.freezing import entry_of
from api.cooperative.runs.posting import entries_of_run, taken_back
from api.cooperative.tables.ledger import ProposalRow
from kwartier.ledger import Entry
from kwartier.wire import Json

RUN, ENTRIES, PAPERS, APPROVALS, HEADS, README = (
    "run.json",
    "entries.json",
    "papers.json",
    "approvals.json",
    "heads.json",
    "README.txt",
)
"""The files of a parcel."""
_TOLD = """\
A settlement run of a neighbourhood energy cooperative, for an auditor.

  run.json        readings as they were used, rules, owners, tariffs, every result and hash
  entries.json    the journal entries of the run; of a correction also the reversals
  papers.json     numbers and amounts of invoices, purchase notes and credit notes
  approvals.json  who proposed and who approved the run, its keys and its tariffs
  heads.json      how far the books were, as it was told to the members
  manifest.json   the SHA-256 of each file

Members and connections stand under ids; there is no name, address, EAN or account number in it.

    kwartier audit verify THIS-FILE

reckons the whole month again, without the books and without any key, and compares every number.
Compare the heads with the line that a member received: that proves the books have not been
rewritten since.
"""


def audit_bundle(desk: Desk, run: str) -> bytes:
    """Return the parcel of a run; the same run in the same state makes the same bytes.

    Raises:
        BooksError: There is no such run, or nothing was computed yet.
    """
    known = run_of(desk, run)
    document = run_document(desk, run)
    files: dict[str, Json] = {
        RUN: document,
        ENTRIES: [_entry(each) for each in _entries_of(desk, known)],
        PAPERS: [
            {
                "number": paper.number,
                "series": paper.series.value,
                "party": paper.party,
                "day": paper.day.isoformat(),
                "amount_cents": paper.amount_cents,
                "body_hash": paper.body_hash,
                "entry": paper.entry,
                "replaces": paper.replaces,
            }
            for paper in documents(desk, run=run)
        ],
        APPROVALS: _approvals(desk, known, document),
        HEADS: [head.text() for head in heads(desk)],
    }
    written = {name: canonical(content).encode() for name, content in files.items()}
    return packed(run, {**written, README: _TOLD.encode()})


def _entries_of(desk: Desk, run: Run) -> list[BookedEntry]:
    """Return the run's entries, and the reversals it brought when it is a correction."""
    own = entries_of_run(desk, run.id)
    if run.corrects is None or not own:
        return own
    reversals = set(taken_back(desk, run.corrects).values())
    return [each for each in entries(desk, "reversal") if each.id in reversals] + own


def _run_of(booked: BookedEntry) -> str:
    return booked.journal.key.rpartition("/")[0]


def _entry(booked: BookedEntry) -> Json:
    journal = booked.journal
    # A posted reference begins with the run; the run's own result knows it without.
    reference = journal.entry.reference.removeprefix(f"{_run_of(booked)} ")
    return {
        "id": booked.id,
        "number": booked.number,
        "day": journal.day.isoformat(),
        "period": booked.period,
        "service_period": journal.service_period,
        "source": journal.source,
        "key": journal.key,
        "reason": journal.reason,
        "decision": journal.decision,
        "reverses": journal.reverses,
        "officer": booked.officer,
        "at_s": booked.at_s,
        "hash": booked.hash,
        **entry_of(Entry(reference, journal.entry.lines)),
    }


def _approvals(desk: Desk, run: Run, document: Json) -> list[Json]:
    """Return who approved the run and each key and tariff in it, with what they approved."""
    wanted = {(Matter.RUN, run.id)}
    inputs = document["inputs"] if isinstance(document, dict) else None
    assert isinstance(inputs, dict), run.id
    for key, name, matter in (
        ("keys", "id", Matter.KEY),
        ("tariffs", "version", Matter.TARIFF),
    ):
        versions = inputs[key]
        assert isinstance(versions, list), key
        for version in versions:
            assert isinstance(version, dict), key
            wanted.add((matter, str(version[name])))
    return [told for matter, subject in sorted(wanted) for told in _approval(desk, matter, subject)]


def _approval(desk: Desk, matter: Matter, subject: str) -> list[Json]:
    numbers = desk.session.scalars(
        select(ProposalRow.id)
        .where(ProposalRow.matter == matter, ProposalRow.subject == subject)
        .order_by(ProposalRow.id)
    )
    told: list[Json] = []
    for number in numbers:
        proposed = proposal(desk, number)
        approved = approval(desk, matter, subject, proposed.body)
        if approved is None or approved.proposal != number:
            continue
        told.append(
            {
                "matter": matter.value,
                "subject": subject,
                "body": proposed.body,
                "body_hash": proposed.body_hash,
                "proposed_by": proposed.officer,
                "proposed_person": proposed.person,
                "proposed_at_s": proposed.at_s,
                "approved_by": approved.officer,
                "approved_person": approved.person,
                "approved_at_s": approved.at_s,
            }
        )
    return told
