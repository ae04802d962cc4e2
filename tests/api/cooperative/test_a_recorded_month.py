"""A month of recorded households goes from draft to closed and corrected, and is paid.

Sums of quarters = lines = run = ledger = papers = payment file, to the Wh and the cent.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from api.cooperative.auditfile import auditfile
from api.cooperative.books import entries, trial_balance
from api.cooperative.bundle.checking import verify_bundle
from api.cooperative.bundle.making import audit_bundle
from api.cooperative.database import Books, Desk
from api.cooperative.documents import Series, documents
from api.cooperative.four_eyes import open_proposals
from api.cooperative.officers import Officer
from api.cooperative.papers.gathering import papers_of_run
from api.cooperative.papers.printing import Format, print_papers
from api.cooperative.payments import (
    Direction as Money,
)
from api.cooperative.payments import draft, export, import_statement, open_items, release
from api.cooperative.payments.camt import BankLine
from api.cooperative.payments.sepa_reading import read_order
from api.cooperative.readings import Direction, store_day
from api.cooperative.runs import (
    approve,
    close,
    compute,
    correct,
    findings,
    invoice,
    post,
    propose,
    quarters,
    statements,
    verify_runs,
    waive,
)
from api.cooperative.settings import CoopSettings
from api.cooperative.statement import Charge, Statement
from api.cooperative.verify import verify
from kwartier.clock import VirtualClock
from kwartier.interval import local_day
from kwartier.ledger import Account
from optimizer.settling.matrix import ReadingMatrix
from tests.api.cooperative.paying import camt
from tests.api.cooperative.recorded_month import (
    BATTERY,
    DAYS,
    GAP,
    MOVE,
    PERIOD,
    SWAP,
    books_settings,
    days_of,
    recorded,
    set_up,
)

NOVEMBER_S = local_day(date(2026, 11, 2))[0] + 9 * 3600
PAY_DAY = date(2026, 11, 16)
PRINTED = frozenset(
    {"lid-01", "lid-02", "lid-04", "lid-06", "lid-06b", "lid-09", "lid-13", "lid-17"}
)
"""Members whose papers are printed."""
EARNED = (Charge.SELL, Charge.BATTERY)
LONG = date(2026, 10, 25)
"""The day of a hundred quarters."""


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that stands at the morning on which October is settled."""
    return VirtualClock(NOVEMBER_S)


@pytest.fixture
def books_url(tmp_path: Path, sqlite_template: Path) -> Callable[[], str]:
    """The recorded month is played on SQLite; a made-up one on both databases."""
    file = tmp_path / "books.db"
    file.write_bytes(sqlite_template.read_bytes())
    return lambda: f"sqlite:///{file}"


@pytest.fixture
def month(shared_data: Path) -> ReadingMatrix:
    """Twenty recorded connections of one October."""
    return recorded(shared_data)


def test_a_recorded_month_is_settled_signed_paid_and_corrected(
    books: Books, treasurer: Officer, board: Officer, month: ReadingMatrix, tmp_path: Path
) -> None:
    settings = books_settings(tmp_path)
    set_up(books, treasurer, board, month)

    with books.desk(treasurer) as desk:
        first = compute(desk, settings, PERIOD)
        kept = compute(desk, settings, PERIOD)
        assert kept == first
        found = {each.finding.code.value: each.finding for each in findings(desk, first)}
    assert found["A1"].connection == month.connections[3]
    assert found["A9"].connection == month.connections[5]
    assert "A2" not in found
    go_to_invoices(books, settings, treasurer, board, first)
    with books.reading(treasurer) as desk:
        told = statements(desk, settings, first)
        everything_adds_up(desk, first, told, month, days=set(DAYS))
        assert told[3].waivers
        swapped = told[1].connections[0].meters
        assert [meter.serial[-3:] for meter in swapped] == ["old", "new"]
    sent = pay(books, settings, treasurer, board, first)
    assert sent == sum(each.to_pay_cents for each in told)
    with books.desk(treasurer) as desk:
        close(desk, first)
    papers_are_printed(books, settings, treasurer, first, told, tmp_path / "papers")

    second = corrected(books, settings, treasurer, board, month)

    with books.reading(treasurer) as desk:
        again = statements(desk, settings, second)
        everything_adds_up(desk, second, again, month, days={GAP, MOVE, SWAP, LONG})
        deltas = {
            each.party.id: each.to_pay_cents - before.to_pay_cents
            for each, before in zip(again, told, strict=True)
        }
        assert deltas["lid-05"] > 0
        assert verify(desk, [verify_runs]) == []
    assert pay(books, settings, treasurer, board, second) == sum(deltas.values())
    with books.desk(treasurer) as desk:
        close(desk, second)
        assert open_items(desk) == []
        for run in (first, second):
            file = tmp_path / f"{run.replace('/', '-')}.zip"
            file.write_bytes(audit_bundle(desk, run))
            assert verify_bundle(file).faults == ()
    with books.reading(treasurer) as desk:
        assert b"<auditfile" in auditfile(desk, settings, 2026)


def go_to_invoices(
    books: Books, settings: CoopSettings, treasurer: Officer, board: Officer, run: str
) -> None:
    """Waive what stops a run, and take it through two people to its papers."""
    with books.desk(treasurer) as desk:
        for each in findings(desk, run):
            if each.stops:
                waive(desk, run, each.finding.key, "the meter was off, the resident agrees")
        propose(desk, run)
    with books.desk(board) as desk:
        (waiting,) = open_proposals(desk)
        approve(desk, run, waiting.body_hash)
    with books.desk(treasurer) as desk:
        post(desk, run)
        invoice(desk, settings, run)


def corrected(
    books: Books,
    settings: CoopSettings,
    treasurer: Officer,
    board: Officer,
    month: ReadingMatrix,
) -> str:
    """Let the fifth home have used 9 kWh more on one noon, and bring the correction in."""
    days = {(each.connection, each.direction, each.day): each for each in days_of(month)}
    old = days[month.connections[4], Direction.IMPORT, SWAP]
    wh = list(old.wh)
    wh[48] = (wh[48] or 0) + 9_000
    with books.desk(treasurer) as desk:
        store_day(desk, type(old)(
            old.connection, old.direction, old.day, tuple(wh), old.quality, old.source, "read again"
        ))  # fmt: skip
        run = correct(desk, settings, PERIOD, "uw meter is nog eens gelezen")
    go_to_invoices(books, settings, treasurer, board, run)
    return run


def everything_adds_up(
    desk: Desk, run: str, told: list[Statement], month: ReadingMatrix, *, days: set[date]
) -> None:
    """Follow every amount from its quarters, on some days one by one, to the ledger."""
    for statement in told:
        quarters_make_the_lines(desk, run, statement, days)
        owed = sum(x.amount_cents for x in statement.lines if x.charge not in EARNED)
        earned = sum(x.amount_cents for x in statement.lines if x.charge in EARNED)
        assert (owed, earned) == (statement.net_cents, statement.earned_cents)
        assert statement.to_pay_cents == statement.owed_cents - statement.earned_gross_cents
    bought = sum(day.bought_wh for x in told for part in x.connections for day in part.days)
    sold = sum(day.sold_wh for x in told for part in x.connections for day in part.days)
    given = sum(sum(wh or 0 for wh in day.wh) for day in days_of(month)
                if day.connection == BATTERY and day.direction is Direction.DISCHARGE)  # fmt: skip
    assert sold < bought <= sold + given
    booked = [
        each.journal.entry
        for each in entries(desk, "settlement")
        if each.journal.key.startswith(f"{run}/")
    ]
    ledger = {statement.party.id: 0 for statement in told}
    for entry in booked:
        for line in entry.lines:
            kind, _, party = line.account.name.partition(":")
            if kind in ("receivable", "payable"):
                ledger[party] += line.amount
    assert ledger == {statement.party.id: statement.to_pay_cents for statement in told}
    assert sum(trial_balance(desk).values()) == 0


def quarters_make_the_lines(desk: Desk, run: str, statement: Statement, days: set[date]) -> None:
    """Add up a member's quarters, one by one, and compare with its days and its lines."""
    bought = sold = 0
    for part in statement.connections:
        for day in part.days:
            bought += day.bought_wh
            sold += day.sold_wh
            if day.day not in days:
                continue
            rows = [
                row
                for row in quarters(desk, run, part.id, day.day)
                if row.member == statement.party.id
            ]
            assert sum(row.bought_wh for row in rows) == day.bought_wh
            assert sum(row.sold_wh for row in rows) == day.sold_wh
            assert len(rows) == day.quarters
    lines = dict.fromkeys(Charge, 0)
    for line in statement.lines:
        lines[line.charge] += line.energy_wh or 0
    assert (lines[Charge.BUY], lines[Charge.LEVY]) == (bought, bought)
    assert lines[Charge.SELL] == sold


def pay(books: Books, settings: CoopSettings, treasurer: Officer, board: Officer, run: str) -> int:
    """Draft, release and export the files, let the bank book them; return what came in."""
    with books.desk(treasurer) as desk:
        drafted = draft(desk, settings, run, PAY_DAY)
    assert [each.party for each in drafted.by_hand] in ([], ["lid-06b"])
    with books.desk(board) as desk:
        for file in drafted.files:
            release(desk, file.number)
    moved: list[BankLine] = []
    with books.desk(treasurer) as desk:
        for file in drafted.files:
            read = read_order(export(desk, file.number))
            assert read.control_cents == sum(line.cents for line in read.lines) == file.cents
            sign = 1 if file.direction is Money.COLLECT else -1
            moved += [
                BankLine(PAY_DAY, sign * line.cents, line.end_to_end, iban=line.iban, name="x",
                         reference=f"{run}-{line.end_to_end}")
                for line in read.lines
            ]  # fmt: skip
        left = [each for each in open_items(desk) if each.party == "lid-06b"]
        by_hand = sum(each.rest for each in left)
        if by_hand:
            numbers = " ".join(sorted(each.document for each in left))
            moved.append(BankLine(PAY_DAY, by_hand, text=numbers, name="x", reference=run))
        opening = trial_balance(desk).get(Account("bank:main"), 0)
        statement = camt(moved, opening, name=run, day=PAY_DAY)
        import_statement(desk, settings, statement)
        import_statement(desk, settings, statement)
    return sum(line.cents for line in moved)


def papers_are_printed(
    books: Books,
    settings: CoopSettings,
    officer: Officer,
    run: str,
    told: list[Statement],
    folder: Path,
) -> None:
    """Print some members' papers in every form, open them, and find their numbers again.

    Who moved, whose meter was swapped, who was not read, who sells and who only buys are among
    them; how a paper looks is the same for all, and other tests print many.
    """
    with books.reading(officer) as desk:
        papers = papers_of_run(desk, settings, run)
        issued = [each for each in documents(desk, run=run) if each.party in PRINTED]
    told = [each for each in told if each.party.id in PRINTED]
    printed = print_papers(
        [each for each in papers.statements if each.party.id in PRINTED],
        papers.credit_notes,
        frozenset(Format),
        folder,
        papers.numbers,
    )
    names = {each.name for each in printed}
    for paper in issued:
        word = "invoice" if paper.series is Series.INVOICE else "purchase"
        text = _text(folder / f"{word}-{paper.number}.pdf")
        assert paper.number in text
        assert _euros(paper.amount_cents) in text
    assert len(names) >= len(issued) + 2 * len(told)
    for file in folder.glob("statement-*.json"):
        body = json.loads(file.read_text())
        text = _text(file.with_suffix(".pdf"))
        assert _euros(abs(body["to_pay_cents"])) in text


def _text(file: Path) -> str:
    ran = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True)
    return ran.stdout.replace("\u00a0", " ").replace(".", ",")


def _euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"
