"""What rules of law put on papers: the day they are due, and what nobody confirmed yet."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest

from api.cooperative.database import Books
from api.cooperative.keys import read_keys
from api.cooperative.law import set_parameter
from api.cooperative.law.dutch import RULES
from api.cooperative.law.rule import UNCONFIRMED
from api.cooperative.papers.legal import invoice_of, purchase_of
from api.cooperative.papers.pdf import legal_html, statement_html
from api.cooperative.papers.ubl import ubl_xml
from api.cooperative.papers.wording import LOCALES, wording
from api.cooperative.registry import renew_secret
from api.cooperative.registry.founding import FirstOfficer, found
from api.cooperative.runs import statements
from api.cooperative.settings import KEYS, read_settings
from api.cooperative.statement import Statement
from kwartier.cli import main
from kwartier.clock import VirtualClock
from tests.api.cooperative import stages as acts
from tests.api.cooperative.stages import BOARD, RUN, SMALL, TREASURER, Stage, Stages
from tests.api.cooperative.street import NOVEMBER_S, OCTOBER, SETTINGS, set_up

OPEN_RULES = {rule.name: rule.remark for rule in RULES if rule.remark}
DRAFT = quote(f">{wording('nl').say('draft')}<")
"""The watermark as it stands in a page."""


def told(books: Books) -> list[Statement]:
    with books.reading(TREASURER) as desk:
        return statements(desk, SETTINGS, RUN)


def pages(statement: Statement) -> list[str]:
    """Return the letter and the legal papers of a member as pages."""
    papers = invoice_of(statement), purchase_of(statement)
    legal = [legal_html(paper, statement) for paper in papers if paper is not None]
    assert legal
    return [statement_html(statement), *legal]


def test_papers_are_due_by_the_rule_of_the_day_they_were_numbered(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.POSTED, tmp_path)
    with books.desk(BOARD) as desk:
        set_parameter(desk, "payment_days", "21", OCTOBER.start_s, "2026-01")
    acts.invoiced(books)
    before = told(books)
    with books.desk(BOARD) as desk:
        set_parameter(desk, "payment_days", "7", OCTOBER.start_s, "2026-01")
    after = told(books)
    books.close()

    # Numbered on 2 November, and 21 days later.
    assert {each.due for each in before} == {date(2026, 11, 23)}
    assert after == before
    statement = next(each for each in before if each.invoice_number)
    paper = invoice_of(statement)
    assert paper is not None
    for page in pages(statement):
        assert "23 november 2026" in page
    businesses = replace(
        paper,
        seller=replace(paper.seller, vat_number="NL123456782B90"),
        buyer=replace(paper.buyer, kvk="87654321"),
    )
    assert b"DueDate>2026-11-23</" in ubl_xml(businesses)


def test_what_is_not_confirmed_stands_on_every_paper(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.INVOICED, tmp_path)

    for page in (page for statement in told(books) for page in pages(statement)):
        assert DRAFT in page
        for remark in OPEN_RULES.values():
            assert wording("nl").say(f"warning.{remark}") in page
    books.close()


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with books of a small street whose month is not computed, and a secret."""
    folder = tmp_path_factory.mktemp("founded")
    clock = VirtualClock(NOVEMBER_S)
    _, one_time = found(
        replace(SETTINGS, folder=folder / "books"),
        {"url": "sqlite:///books.db"},
        FirstOfficer("treasurer", "person-1", "A"),
        FirstOfficer("board", "person-2", "B"),
        clock,
    )
    books = opened(folder)
    own = renew_secret(books, "board", one_time.secret)
    (folder / "secret").write_text(own.secret, encoding="utf-8")
    set_up(books, TREASURER, BOARD, homes=SMALL)
    books.close()
    return folder


def opened(folder: Path) -> Books:
    """Return the books of such a folder."""
    at = folder / "books"
    return Books(read_settings(at).database, read_keys(at / KEYS), VirtualClock(NOVEMBER_S))


@pytest.mark.parametrize("rule", OPEN_RULES)
def test_confirming_a_rule_by_the_command_takes_its_remark_away(
    founded: Path, tmp_path: Path, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    words = ["coop", "parameter", "set", rule, "Belastingdienst, 2026-07-18, map 4"]
    words += ["--decision", "2026-01", "--from", "2026-10-01", "--as", "board"]
    words += ["--books", str(tmp_path / "books"), "--secret-file", str(tmp_path / "secret")]

    code = main(words)

    assert code == 0, capsys.readouterr().err
    books = opened(tmp_path)
    steps: tuple[Callable[[Books], None], ...] = (
        acts.computed,
        acts.proposed,
        acts.approved,
        acts.posted,
        acts.invoiced,
    )
    for step in steps:
        step(books)
    for page in (page for statement in told(books) for page in pages(statement)):
        assert (DRAFT in page) == (rule != "tax_treatment")
        for name, remark in OPEN_RULES.items():
            assert (wording("nl").say(f"warning.{remark}") in page) == (name != rule)
    books.close()


def test_what_is_uncertain_has_words_for_the_papers_in_every_language() -> None:
    unconfirmed = {rule.name for rule in RULES for step in rule.steps if step.value == UNCONFIRMED}

    assert unconfirmed == OPEN_RULES.keys() == {"tax_treatment", "organiser_role"}
    for language in LOCALES:
        for remark in (*OPEN_RULES.values(), "below_reasonable_fee", "reference_unknown"):
            assert wording(language).knows(f"warning.{remark}")
