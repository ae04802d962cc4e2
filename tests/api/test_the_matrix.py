"""Every route, everybody, own and foreign: nobody sees what is not theirs, by construction.

The routes come from the app itself. A route without a policy does not start, and one whose path
has a part that nobody gave values for fails here, so a new route cannot be forgotten.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from api.people.companions import companions, invite
from api.people.questions import ask
from api.people.sessions import hash_of
from api.people.sessions import session_of as still_open
from api.people.tables import SessionRow
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.matrix import (
    MEETS,
    Values,
    Who,
    Whose,
    marks_of_others,
    need_of,
    paths_of,
    session_of,
)
from tests.api.town import Town, Towns

DOORS = ("/inloggen", "/bevestig")
ENDLESS = "/api/v1/stream"
PRINTS = "/bestanden/papieren"
"""A form that prints a month for half a minute; it is sent where what it prints is looked at."""
ASKED = {"quarters": {"from": "2026-11-02T06:00:00Z", "to": "2026-11-02T07:00:00Z"}}
"""What must be asked with a path, by its last part."""
HOME_OF = {
    Who.PUBLIC: None,
    Who.HELPER: "home-1",
    Who.RESIDENT: "home-1",
    Who.FORMER: "home-3",
    Who.WEAK_BOARD: None,
    Who.INSTALLER: "home-1",
    Who.EXPIRED: None,
}
"""Who is nobody's keeper, and the home whose marks they may see."""
CHANGED_BY_LOOKING = {
    "act",
    "audit",
    "look",
    "told_live",
    "told_homes",
    "told_quarters",
    "told",
    "session",
    "companion",
    "token",
}
"""Tables in which reading leaves a trace: who looked, what was told, that somebody was here."""


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with towns.at(Stage.CLOSED, tmp_path_factory.mktemp("matrix")) as made:
        yield made


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    with served(town) as made:
        yield made


@pytest.fixture(scope="module")
def known(town: Town) -> Mapping[str, Values]:
    """What a path may name, by its part; ``part@path`` where the same name means another thing."""
    people = town.house.people
    accounts: dict[str, str] = {}
    numbers: dict[str, dict[str, str]] = {}
    for home, party in (("home-1", "lid-1"), ("home-2", "lid-2")):
        with people.writing() as desk:
            account = desk.session.get_one(SessionRow, hash_of(town.resident(home))).account
            asked = ask(desk, account, party, "2026-10/1", "Klopt deze regel wel?")
            invite(desk, account, account, home, "een vriend")
            mine = companions(desk, account)[0].id
        accounts[home] = account
        numbers[home] = {"question": str(asked.number), "companion": str(mine)}
    return {
        "account": Values(accounts["home-1"], accounts["home-2"], "a-nobody"),
        "home": Values("home-1", "home-2", "home-99"),
        "party": Values("lid-1", "lid-2", "lid-99"),
        "month": Values("2026-10", None, "2031-01"),
        "version": Values("1", None, "9"),
        "line": Values("1", None, "99"),
        "day": Values("2026-10-25", None, "2031-01-01"),
        "kind": Values("csv", None, "zip"),
        "kind@/bestuur/runs/{month}/{version}/bestanden/{kind}": Values("csv", None, "exe"),
        "act": Values("correct", None, "steal"),
        "act@/bestuur/maanden/{month}/{act}": Values("compute", None, "steal"),
        "key": Values("A9-home-3", None, "A9-home-99"),
        "name": Values("style.css", None, "../../etc/passwd"),
        "token": Values("nothing", None, "nothing"),
        "passkey": Values("0" * 64, None, "1" * 64),
        "proposal": Values("1", None, "999"),
        "gateway": Values("gw-00", None, "gw-99"),
        "job": Values("1", None, "999"),
        "mark": Values("2222", None, "3333"),
        "number": Values("1", None, "999"),
        "number@/hulp/meekijken/{number}/stop": Values(
            numbers["home-1"]["companion"], numbers["home-2"]["companion"], "999"
        ),
        "number@/afrekening/vraag/{number}": Values(
            numbers["home-1"]["question"], numbers["home-2"]["question"], "999"
        ),
    }


def routes_of(town: Town, method: str) -> list[APIRoute]:
    return [
        route
        for route in town.app.routes
        if isinstance(route, APIRoute) and method in (route.methods or ())
    ]


def test_every_part_of_every_path_has_values(town: Town, known: Mapping[str, Values]) -> None:
    routes = [route for route in town.app.routes if isinstance(route, APIRoute)]

    paths = [path for route in routes for _, path in paths_of(route, known)]

    assert len(paths) > len(routes)
    assert not [path for path in paths if "{" in path]


@pytest.mark.parametrize("who", Who)
def test_reading_shows_nobody_what_is_not_theirs(
    town: Town, client: httpx.Client, known: Mapping[str, Values], who: Who
) -> None:
    session, before = session_of(town, who), written(town)
    marks = marks_of_others(HOME_OF[who]) if who in HOME_OF else []
    if who is Who.OPERATOR:
        marks = [mark for mark in marks_of_others(None) if not mark.startswith("home-")]
    if who is Who.FORMER:
        marks = [mark for mark in marks if mark not in {"lid-3", "Bewoner 3"}]
    wrong = []
    for route in routes_of(town, "GET"):
        allowed = who in MEETS[need_of(route)]
        for whose, path in paths_of(route, known):
            status, where, text = read(client, path, session)
            wrong += [
                f"{path} says {mark}" for mark in marks if mark not in path and says(text, mark)
            ]
            if status >= 500:
                wrong.append(f"{path} fails with {status}")
            elif not allowed and not refused(status, where):
                wrong.append(f"{path} ({need_of(route)}) is open: {status} {where}")
            elif whose is Whose.FOREIGN and who in HOME_OF and status not in {404, 403, 401, 303}:
                wrong.append(f"{path} is foreign and answers {status}")

    assert wrong == []
    assert written(town) == before


@pytest.mark.parametrize("who", [who for who in Who if who in HOME_OF])
def test_writing_is_refused_to_whom_it_is_not_for(
    town: Town, client: httpx.Client, known: Mapping[str, Values], who: Who
) -> None:
    session, wrong = session_of(town, who), []
    before = written(town)
    for route in routes_of(town, "POST"):
        allowed = who in MEETS[need_of(route)]
        for whose, path in paths_of(route, known):
            if allowed and whose is not Whose.FOREIGN:
                continue
            headers = {"Origin": town.house.public_url, "Cookie": f"kwartier={session}"}
            reply = client.post(path, headers=headers)
            where = reply.headers.get("location", "")
            if reply.status_code >= 500 or not refused(reply.status_code, where):
                wrong.append(f"{path} answers {reply.status_code} {where}")

    assert wrong == []
    assert written(town) == before


def test_a_form_from_elsewhere_is_refused_on_every_route(
    town: Town, client: httpx.Client, known: Mapping[str, Values]
) -> None:
    session = town.officer("treasurer")
    cookie = {"Cookie": f"kwartier={session}"}

    statuses = {
        path: client.post(path, headers=cookie | {"Origin": "https://evil.example"}).status_code
        for route in routes_of(town, "POST")
        for whose, path in paths_of(route, known)
        if whose is Whose.OWN
    }

    assert set(statuses.values()) == {403}, statuses


def test_a_member_of_the_board_may_send_any_form_empty_and_nothing_breaks(
    towns: Towns, tmp_path: Path, known: Mapping[str, Values]
) -> None:
    wrong = []
    with towns.at(Stage.CLOSED, tmp_path) as town, served(town) as client:
        for who in (Who.TREASURER, Who.OPERATOR, Who.RESIDENT, Who.INSTALLER, Who.PUBLIC):
            session = session_of(town, who)
            for route in routes_of(town, "POST"):
                if who not in MEETS[need_of(route)]:
                    continue
                for whose, path in paths_of(route, known):
                    if path.endswith(PRINTS) and whose is Whose.OWN:
                        continue
                    if session is not None and still_open(town.house.people, session) is None:
                        session = session_of(town, who)  # the form before logged out
                    headers = {"Origin": town.house.public_url, "Cookie": f"kwartier={session}"}
                    reply = client.post(path, headers=headers)
                    if reply.status_code >= 500:
                        wrong.append(f"{path} as {who} fails with {reply.status_code}")

    assert wrong == []


def read(client: httpx.Client, path: str, session: str | None) -> tuple[int, str, str]:
    """Return status, where it leads, and the text of an answer; of a stream its first event."""
    headers = {} if session is None else {"Cookie": f"kwartier={session}"}
    if path == ENDLESS:
        with httpx.stream("GET", client.base_url.join(path), headers=headers, timeout=30) as open_:
            return open_.status_code, "", next(open_.iter_text(), "")
    reply = client.get(path, params=ASKED.get(path.rpartition("/")[2]), headers=headers)
    text = reply.text if "pdf" not in reply.headers.get("content-type", "") else ""
    return reply.status_code, reply.headers.get("location", ""), text


def refused(status: int, where: str) -> bool:
    """Return whether an answer lets nobody in."""
    return status in {401, 403, 404, 405} or (status == 303 and where.startswith(DOORS))


def says(text: str, mark: str) -> bool:
    """Return whether a text names something; ``home-1`` is not ``home-11``."""
    return mark in text and re.search(rf"(?<![\w-]){re.escape(mark)}(?!\w)", text) is not None


def written(town: Town) -> dict[str, list[tuple[object, ...]]]:
    """Return all that both databases hold, without the traces of looking."""
    told = {}
    for engine in (town.house.people.engine, town.books.engine):
        with sqlite3.connect(str(engine.url.database)) as file:
            tables = [
                name
                for (name,) in file.execute("select name from sqlite_master where type = 'table'")
            ]
            for table in sorted(set(tables) - CHANGED_BY_LOOKING):
                told[table] = file.execute(f"select * from {table}").fetchall()  # noqa: S608 - our tables
        file.close()
    return told
