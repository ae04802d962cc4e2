"""Who looked at my data: told to whom it is about, and never changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import httpx
import pytest
from sqlalchemy import text

from api.people.book import PeopleBook
from api.people.errors import PeopleError
from api.people.looks import note_look
from api.people.sessions import visitor_of
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

MOVE = date(2026, 10, 16)
"""On this day another resident came to live at home-3."""


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A street whose month is still to be settled."""
    with towns.at(Stage.READY, tmp_path_factory.mktemp("looks")) as made:
        yield made


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    """Somebody without a session."""
    with served(town) as made:
        yield made


def by(session: str) -> dict[str, str]:
    """Return what a browser with a session sends along."""
    return {"Cookie": f"kwartier={session}"}


def looks(client: httpx.Client, session: str, query: str = "") -> list[dict[str, object]]:
    answer = client.get(f"/api/v1/looks{query}", headers=by(session))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["looks"]
    return found


def test_a_resident_sees_who_looked_when_at_what_and_why(town: Town, client: httpx.Client) -> None:
    board = visitor_of(town.house.people, town.officer("board"))
    session = town.resident("home-1")

    note_look(town.house.people, board, "home-1", "quarters", MOVE, MOVE, "<b>een vraag</b>")
    told = looks(client, session)[0]
    page = client.get("/hulp/gekeken", headers=by(session)).text

    assert {name: told[name] for name in ("as_what", "home", "what", "first_day", "reason")} == {
        "as_what": "board",
        "home": "home-1",
        "what": "quarters",
        "first_day": "2026-10-16",
        "reason": "<b>een vraag</b>",
    }
    assert told["at"] == "2026-11-02T09:00:00+01:00"
    assert "Het bestuur" in page
    assert "16 oktober 2026" in page
    assert "&lt;b&gt;een vraag" in page
    assert "bram" not in page


def test_the_old_and_the_new_resident_each_see_looks_at_their_own_days(
    town: Town, client: httpx.Client
) -> None:
    board = visitor_of(town.house.people, town.officer("board"))
    new = town.resident("home-3")
    for day in (15, 16):
        note_look(
            town.house.people, board, "home-3", "quarters", date(2026, 10, day), date(2026, 10, day)
        )

    seen = [look["first_day"] for look in looks(client, new)]

    assert seen == ["2026-10-16"]


def test_what_i_look_at_myself_is_no_look_of_another(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-4")

    note_look(
        town.house.people,
        visitor_of(town.house.people, session),
        "home-4",
        "export",
        MOVE,
        MOVE,
    )

    assert looks(client, session) == []
    page = client.get("/hulp/gekeken", headers=by(session)).text
    assert "Niemand anders keek naar uw gegevens." in page


def test_an_office_is_told_rather_than_living_elsewhere(town: Town, client: httpx.Client) -> None:
    treasurer = visitor_of(town.house.people, town.officer("treasurer"))

    note_look(town.house.people, treasurer, "home-5", "statement", MOVE, MOVE, "controle")

    assert [look["as_what"] for look in looks(client, town.resident("home-5"))] == ["treasurer"]


def test_looks_come_in_pages(town: Town, client: httpx.Client) -> None:
    board = visitor_of(town.house.people, town.officer("board"))
    session = town.resident("home-6")
    for day in range(1, 6):
        note_look(
            town.house.people, board, "home-6", "quarters", date(2026, 10, day), date(2026, 10, day)
        )

    first = client.get("/api/v1/looks?limit=3", headers=by(session)).json()
    second = client.get(first["next"], headers=by(session)).json()

    assert [look["first_day"][-2:] for look in first["looks"]] == ["05", "04", "03"]
    assert [look["first_day"][-2:] for look in second["looks"]] == ["02", "01"]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["?limit=0", "?limit=201", "?before=0", f"?before={2**70}"])
def test_a_page_that_cannot_be_is_refused(town: Town, client: httpx.Client, query: str) -> None:
    session = town.resident("home-6")

    answer = client.get(f"/api/v1/looks{query}", headers=by(session))

    assert answer.status_code == 422


def test_nobody_but_the_resident_reads_the_list(town: Town, client: httpx.Client) -> None:
    board = town.officer("board")

    without = client.get("/api/v1/looks")
    as_board = client.get("/api/v1/looks", headers=by(town.operator()))

    assert (without.status_code, as_board.status_code) == (401, 403)
    assert client.get("/api/v1/looks", headers=by(board)).status_code == 403


@pytest.mark.parametrize("table", ["look", "act"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {0} SET account = 'x'",
        "DELETE FROM {0}",
        "INSERT OR REPLACE INTO {0} SELECT * FROM {0} LIMIT 1",
    ],
)
def test_the_database_itself_refuses_to_change_what_is_logged(
    town: Town, table: str, change: str
) -> None:
    people = town.house.people
    board = visitor_of(people, town.officer("board"))
    note_look(people, board, "home-1", "quarters", MOVE, MOVE)

    with pytest.raises(PeopleError, match="never changed"):
        _run(people, change.format(table))


def _run(people: PeopleBook, statement: str) -> None:
    with people.writing() as desk:
        desk.session.execute(text(statement))
