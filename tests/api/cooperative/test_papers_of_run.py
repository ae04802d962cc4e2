"""A run's papers out of real books: numbered, mirrored by credit notes, printed by the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from api.cooperative.database import Books
from api.cooperative.documents import Document, Series, documents
from api.cooperative.errors import BooksError
from api.cooperative.keys import read_keys
from api.cooperative.papers.gathering import RunPapers, papers_of_run
from api.cooperative.papers.legal import invoice_of, purchase_of
from api.cooperative.papers.machine import read_statement, statement_json
from api.cooperative.papers.pdf import statement_html
from api.cooperative.papers.printing import Format, print_papers
from api.cooperative.registry import renew_secret
from api.cooperative.registry.founding import FirstOfficer, found
from api.cooperative.settings import KEYS, Address, CoopSettings, read_settings
from api.cooperative.statement import StatementState
from api.cooperative.tables.ledger import AuditRow
from kwartier.cli import main
from kwartier.clock import VirtualClock
from tests.api.cooperative.stages import BOARD, RUN, SECOND, SMALL, TREASURER, Stage, Stages
from tests.api.cooperative.stages import computed as compute_it
from tests.api.cooperative.street import NOVEMBER_S, SETTINGS, set_up


def gathered(books: Books, run: str) -> tuple[RunPapers, dict[str, Document]]:
    with books.reading(TREASURER) as desk:
        papers = papers_of_run(desk, SETTINGS, run)
        issued = {paper.number: paper for paper in documents(desk)}
    books.close()
    return papers, issued


def test_every_numbered_paper_is_printed_to_the_cent(stages: Stages, tmp_path: Path) -> None:
    papers, issued = gathered(stages.books(Stage.INVOICED, tmp_path), RUN)

    made = {
        paper.number: paper.total_cents
        for statement in papers.statements
        for paper in (invoice_of(statement), purchase_of(statement))
        if paper is not None
    }
    assert made == {number: paper.amount_cents for number, paper in issued.items()}
    assert papers.numbers == frozenset(issued)
    assert {each.state for each in papers.statements} == {StatementState.FINAL}
    for statement in papers.statements:
        assert read_statement(statement_json(statement)) == statement


def test_a_correction_prints_a_credit_note_for_each_paper_it_took_back(
    stages: Stages, tmp_path: Path
) -> None:
    papers, issued = gathered(stages.books(Stage.CORRECTED, tmp_path), SECOND)

    notes = {note.paper.number: note.paper for note in papers.credit_notes}
    credited = {number: paper for number, paper in issued.items() if paper.series is Series.CREDIT}
    assert notes.keys() == credited.keys() != set()
    for number, note in notes.items():
        assert note.total_cents == -credited[number].amount_cents
        assert note.original == credited[number].replaces
        assert note.original_issued == issued[note.original].day
    printed = print_papers(
        papers.statements,
        papers.credit_notes,
        frozenset({Format.JSON, Format.CSV}),
        tmp_path / "papers",
        papers.numbers,
    )
    assert len(printed) == 2 + len(papers.statements)


def test_a_corrected_letter_names_what_it_takes_the_place_of(
    stages: Stages, tmp_path: Path
) -> None:
    papers, _ = gathered(stages.books(Stage.CORRECTED, tmp_path), SECOND)

    changed = [each for each in papers.statements if each.correction and each.correction.replaces]

    assert changed
    for statement in changed:
        assert statement.correction is not None
        page = statement_html(statement)
        assert "Verbeterd" in page
        assert all(number in page for number in statement.correction.replaces)


def test_one_members_papers_are_that_members_alone(stages: Stages, tmp_path: Path) -> None:
    papers, _ = gathered(stages.books(Stage.CORRECTED, tmp_path), SECOND)
    party = papers.credit_notes[0].original.party.id

    own = papers.of_member(party)

    assert {each.party.id for each in own.statements} == {party}
    assert {note.original.party.id for note in own.credit_notes} == {party}
    with pytest.raises(BooksError, match="'nobody' has no statement in this run"):
        papers.of_member("nobody")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A books' folder with a computed month, and the treasurer's secret beside it."""
    books_folder = tmp_path / "books"
    clock = VirtualClock(NOVEMBER_S)
    nowhere = Address("Meidoornstraat", "12", "3581 AB", "Utrecht")
    settings = CoopSettings(books_folder, "zonnehof", "Zonnehof", nowhere, *[""] * 8)
    one_time, _ = found(
        settings,
        {"url": "sqlite:///books.db"},
        FirstOfficer("treasurer", "person-1", "A"),
        FirstOfficer("board", "person-2", "B"),
        clock,
    )
    books = Books(read_settings(books_folder).database, read_keys(books_folder / KEYS), clock)
    own_secret = renew_secret(books, "treasurer", one_time.secret)
    (tmp_path / "secret").write_text(own_secret.secret, encoding="utf-8")
    set_up(books, TREASURER, BOARD, homes=SMALL)
    compute_it(books)
    books.close()
    return books_folder


def test_the_command_prints_a_run_and_keeps_the_lists_hash_in_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = folder.parent / "papers"
    common = ["--books", str(folder), "--as", "treasurer"]
    common += ["--secret-file", str(folder.parent / "secret")]

    code = main(
        ["coop", "papers", "make", "--run", RUN, "--to", str(to), "--format", "json,csv", *common]
    )

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert {each["name"] for each in told["files"]} < {each.name for each in to.iterdir()}
    books = Books(
        read_settings(folder).database, read_keys(folder / KEYS), VirtualClock(NOVEMBER_S)
    )
    with books.reading(TREASURER) as desk:
        rows = desk.session.scalars(select(AuditRow).where(AuditRow.act == "papers.make")).all()
        assert [row.subject for row in rows] == [RUN]
        assert told["manifest_sha256"] in rows[0].body
    books.close()


def test_the_command_refuses_a_format_it_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["coop", "papers", "make", "--run", RUN, "--to", str(tmp_path), "--format", "docx"]

    with pytest.raises(SystemExit) as left:
        main(words)

    assert left.value.code == 2
    assert "'docx': name formats with commas between" in capsys.readouterr().err
