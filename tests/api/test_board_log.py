"""Both logs as one list, newest first; a chain that was changed is seen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from api.cooperative.chain import publish_head
from api.pages.log.check import ChainCheck, ChainsSeen
from tests.api.board_place import Served, served_to_many
from tests.api.cooperative.stages import TREASURER, Stage
from tests.api.cooperative.street import NOVEMBER_S
from tests.api.town import Towns


@pytest.fixture(scope="module")
def place(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        towns.at(Stage.CLOSED, tmp_path_factory.mktemp("log")) as town,
        served_to_many(town) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def board(place: Served) -> httpx.Client:
    return place.client(place.town.officer("board"))


def test_page_after_page_every_act_is_told_once(board: httpx.Client) -> None:
    seen: list[tuple[str, int]] = []
    after = ""
    while True:
        told = board.get("/api/v1/board/log", params={"na": after, "limit": 7}).json()
        seen += [(each["source"], each["number"]) for each in told["acts"]]
        after = told["next"]
        if not after:
            break

    assert len(seen) == len(set(seen))
    for source in ("books", "people"):
        numbers = [number for of, number in seen if of == source]
        assert numbers == list(range(len(numbers), 0, -1))


def test_acts_are_found_by_what_who_and_when(board: httpx.Client) -> None:
    def found(**asked: str) -> list[dict[str, object]]:
        acts = board.get("/api/v1/board/log", params=asked).json()["acts"]
        assert isinstance(acts, list)
        return acts

    assert [each["act"] for each in found(daad="run.", over="2026-10/1")] == [
        "run.close",
        "run.invoice",
        "run.post",
        "run.approve",
        "run.propose",
        "run.compute",
    ]
    assert {each["who"] for each in found(wie="board", bron="books")} == {"board"}
    assert found(van="2026-11-03") == []
    assert found(tot="2026-11-01") == []
    assert len(found(van="2026-11-02", tot="2026-11-02")) == 50
    assert found(daad="%") == []


def test_the_page_says_acts_in_words(board: httpx.Client) -> None:
    page = board.get("/bestuur/logboek", params={"daad": "run"}).text

    assert "afrekening: goedgekeurd" in page
    assert "Ouder" not in page
    assert "Ouder" in board.get("/bestuur/logboek").text


def test_the_sheet_holds_what_the_list_holds(board: httpx.Client) -> None:
    sent = board.get("/bestuur/logboek.csv", params={"daad": "run", "bron": "books"})
    rows = list(csv.reader(io.StringIO(sent.text.removeprefix("\ufeff")), delimiter=";"))
    told = board.get("/api/v1/board/log", params={"daad": "run", "bron": "books"}).json()["acts"]

    assert sent.text.startswith("\ufeff")
    assert [row[8] for row in rows[1:]] == [each["hash"] for each in told]
    assert rows[1][2] == "2026-11-02T09:00:00+01:00"


def test_a_chain_that_holds_is_said_to_hold(place: Served, board: httpx.Client) -> None:
    with place.town.books.desk(TREASURER) as desk:
        head = publish_head(desk)

    sent = board.post("/bestuur/logboek/controle")
    page = settled(board)

    assert sent.status_code == 303
    assert "De keten klopt." in page
    assert head.text() in page


def test_a_line_that_was_changed_is_found(towns: Towns, tmp_path: Path) -> None:
    with towns.at(Stage.READY, tmp_path) as town, served_to_many(town) as here:
        board = here.client(town.officer("board"))
        with town.house.people.writing() as desk:
            desk.session.execute(text("DROP TRIGGER IF EXISTS act_stays"))
            for name in desk.session.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'act'")
            ).all():
                desk.session.execute(text(f'DROP TRIGGER "{name}"'))
            desk.session.execute(text("UPDATE act SET subject = 'nobody' WHERE id = 1"))
        board.post("/bestuur/logboek/controle")
        page = settled(board)

    assert "De keten klopt niet: 1 fout." in page
    assert "people 1" in page


def test_a_look_that_breaks_never_leaves_the_last_good_one_standing() -> None:
    seen = [ChainsSeen(NOVEMBER_S, 0.1, ())]
    check = ChainCheck(seen.pop)
    check.begin()
    check.wait(10)

    check.begin()  # breaks in a way that nobody thought of
    check.wait(10)

    assert "cannot be read" in check.problem


def test_the_log_is_for_the_board_alone(place: Served) -> None:
    resident = place.client(place.town.resident("home-1"))
    for path in ("/bestuur/logboek", "/bestuur/logboek.csv", "/api/v1/board/log"):
        assert resident.get(path).status_code == 403
    assert resident.post("/bestuur/logboek/controle").status_code == 403


def settled(client: httpx.Client) -> str:
    """Return the log's page once nobody looks at the chains any more."""
    while "Refresh" in (page := client.get("/bestuur/logboek")).headers:
        pass
    return page.text
