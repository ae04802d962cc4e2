"""The nightly look at the books: every sum, number, seal and chain, as a list of faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from sqlalchemy import String, and_, cast, func, select

from api.cooperative.books import MANUAL, WRITE_OFF, approved_matter, entries, journal_body
from api.cooperative.chain import Fault, Head, counted, verify_chains
from api.cooperative.database import Desk
from api.cooperative.documents import Series, documents
from api.cooperative.errors import TamperedError
from api.cooperative.four_eyes import approval, broken_verdicts
from api.cooperative.tables.ledger import (
    DocumentRow,
    EntryRow,
    LockRow,
    PostingRow,
    ProposalRow,
    VerdictRow,
)

_WITH_FOUR_EYES = (MANUAL, WRITE_OFF)

Check: TypeAlias = Callable[[Desk], list[Fault]]
"""Looks at one part of the books and says what is wrong with it."""

__all__ = ["LEDGER_CHECKS", "Check", "Fault", "verify"]


def verify(desk: Desk, more: Iterable[Check] = (), kept: Iterable[Head] = ()) -> list[Fault]:
    """Return everything that is wrong with the books; nothing when all is well.

    Args:
        desk: Where to look.
        more: Checks of other parts of the company, beside the ledger's own.
        kept: Heads that somebody kept outside the books, such as a member.
    """
    faults = verify_chains(desk, kept)
    for check in (*LEDGER_CHECKS, *more):
        faults += check(desk)
    return faults


def entries_balance(desk: Desk) -> list[Fault]:
    """Look whether each entry has two lines or more, of one unit, that sum to zero."""
    total, units = func.sum(PostingRow.amount), func.count(PostingRow.unit.distinct())
    lines = func.count()
    chosen = (
        select(PostingRow.entry, lines, units, total)
        .group_by(PostingRow.entry)
        .having((lines < 2) | (units > 1) | (total != 0))
        .order_by(PostingRow.entry)
    )
    faults = [
        Fault(f"entry {entry}", f"{count} lines of {kinds} units sum to {off}")
        for entry, count, kinds, off in desk.session.execute(chosen)
    ]
    bare = select(EntryRow.id).where(
        EntryRow.id.not_in(select(PostingRow.entry)),
    )
    return faults + [Fault(f"entry {row}", "has no lines") for row in desk.session.scalars(bare)]


def units_balance(desk: Desk) -> list[Fault]:
    """Look whether the trial balance is zero for each unit."""
    chosen = select(PostingRow.unit, func.sum(PostingRow.amount)).group_by(PostingRow.unit)
    return [
        Fault("trial balance", f"is off by {off} {unit}")
        for unit, off in desk.session.execute(chosen)
        if off
    ]


def numbers_have_no_gap(desk: Desk) -> list[Fault]:
    """Look whether the numbers of entries and papers run from 1 without a gap."""
    number = EntryRow.number
    of_entries = select(EntryRow.year, func.count(), func.min(number), func.max(number))
    number = DocumentRow.number
    of_papers = select(
        DocumentRow.series + cast(DocumentRow.year, String),
        func.count(),
        func.min(number),
        func.max(number),
    )
    rows = [
        *desk.session.execute(of_entries.group_by(EntryRow.year)),
        *desk.session.execute(of_papers.group_by(DocumentRow.series, DocumentRow.year)),
    ]
    return [
        Fault(f"numbers of {row[0]}", f"{row[1]} run from {row[2]} to {row[3]}")
        for row in rows
        if (row[2], row[3]) != (1, row[1])
    ]


def papers_fit_the_ledger(desk: Desk) -> list[Fault]:
    """Look whether each paper comes to what its entry moved on the party's account."""
    try:
        found = documents(desk)
    except TamperedError as error:
        return [Fault("papers", str(error))]
    of = {paper.number: paper for paper in found}
    moved = _moved(desk)
    faults = []
    for paper in found:
        if paper.entry is None:
            continue
        original = of.get(paper.replaces, paper) if paper.series is Series.CREDIT else paper
        earned = original.series is Series.PURCHASE
        account = "payable" if earned else "receivable"
        cents = moved.get((paper.entry, account, paper.party), 0) * (-1 if earned else 1)
        if cents != paper.amount_cents:
            faults.append(
                Fault(f"paper {paper.number}", f"{paper.amount_cents} cents, its entry {cents}")
            )
    return faults


def nothing_in_locked_periods(desk: Desk) -> list[Fault]:
    """Look whether an entry was written in a month after that was locked."""
    chosen = (
        select(EntryRow.id, EntryRow.period)
        .join(LockRow, and_(LockRow.period == EntryRow.period, EntryRow.at_s > LockRow.at_s))
        .order_by(EntryRow.id)
    )
    return [
        Fault(f"entry {entry}", f"was written in {period} after that was locked")
        for entry, period in desk.session.execute(chosen)
    ]


def two_people_approved(desk: Desk) -> list[Fault]:
    """Look whether every proposal and verdict is the books' own, and journals by hand have one."""
    faults = [Fault(f"proposal {number}", what) for number, what in broken_verdicts(desk)]
    try:
        by_hand = [each for source in _WITH_FOUR_EYES for each in entries(desk, source=source)]
    except TamperedError as error:
        return [*faults, Fault("entries", str(error))]
    for booked in by_hand:
        matter = approved_matter(booked.journal)
        if matter is None:
            continue
        try:
            found = approval(desk, matter, booked.journal.key, journal_body(booked.journal))
        except TamperedError as error:
            faults.append(Fault(f"entry {booked.id}", str(error)))
            continue
        if found is None:
            faults.append(Fault(f"entry {booked.id}", f"{matter} without a second person"))
    return faults


def log_knows_all(desk: Desk) -> list[Fault]:
    """Look whether the audit log knows as many acts as there are rows of each kind."""
    return [
        *counted(desk, DocumentRow, "document.issue"),
        *counted(desk, ProposalRow, "proposal.make"),
        *counted(desk, VerdictRow, "proposal.approve", "proposal.reject"),
        *counted(desk, LockRow, "period.lock"),
    ]


LEDGER_CHECKS: Sequence[Check] = (
    entries_balance,
    units_balance,
    numbers_have_no_gap,
    papers_fit_the_ledger,
    nothing_in_locked_periods,
    two_people_approved,
    log_knows_all,
)
"""The ledger's own checks, beside its chains."""


def _moved(desk: Desk) -> dict[tuple[int, str, str], int]:
    """Return what each entry with a paper moved on each party's account [cents]."""
    chosen = (
        select(PostingRow.entry, PostingRow.chart, PostingRow.part, func.sum(PostingRow.amount))
        .where(PostingRow.entry.in_(select(DocumentRow.entry)))
        .group_by(PostingRow.entry, PostingRow.chart, PostingRow.part)
    )
    return {
        (entry, account, party): int(cents)
        for entry, account, party, cents in desk.session.execute(chosen)
    }
