"""Somebody looks along: with a code, reading only, and for as long as the resident wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from api.people.sessions import visitor_of
from api.people.visitor import Role
from kwartier.interval import day_of
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

DAY_S = 86_400
CODE = re.compile(r"#([2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4})")


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A street whose month is still to be settled."""
    with towns.at(Stage.READY, tmp_path_factory.mktemp("along")) as made:
        yield made


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    """Somebody without a session."""
    with served(town) as made:
        made.headers["Origin"] = town.house.public_url
        yield made


def by(session: str) -> dict[str, str]:
    """Return what a browser with a session sends along."""
    return {"Cookie": f"kwartier={session}"}


def make(
    client: httpx.Client, session: str, name: str = "Fatma", days: str = "14"
) -> httpx.Response:
    data = {"name": name, "days": days}
    return client.post("/hulp/meekijken", data=data, headers=by(session))


def code_of(client: httpx.Client, session: str) -> str:
    found = CODE.search(make(client, session).text)
    assert found is not None
    return found[1]


def come(client: httpx.Client, code: str) -> str:
    answer = client.post("/meekijken", data={"code": code})
    assert answer.status_code == 303, answer.text
    session = answer.cookies["kwartier"]
    client.cookies.clear()
    return session


def state_of(client: httpx.Client, session: str) -> list[str]:
    told = client.get("/api/v1/companions", headers=by(session)).json()
    return [each["state"] for each in told["companions"]]


def test_a_code_is_shown_once_as_link_picture_and_letters(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-1")

    made = make(client, session)
    later = client.get("/hulp/meekijken", headers=by(session))

    code = CODE.search(made.text)
    assert code is not None
    assert f"{town.house.public_url}/meekijken#{code[1]}" in made.text
    assert "<svg" in made.text
    assert made.headers["Cache-Control"] == "no-store"
    assert code[1] not in later.text
    assert "Fatma" in later.text
    assert state_of(client, session) == ["new"]


def test_a_helper_reads_and_cannot_write(town: Town, client: httpx.Client) -> None:
    code = code_of(client, town.resident("home-2"))

    helper = come(client, code.lower().replace("-", " "))

    today = client.get("/", headers=by(helper))
    assert "U kijkt mee met iemand." in today.text
    for path in ("/hulp/meekijken", "/hulp/privacy", "/hulp/gekeken"):
        assert client.get(path, headers=by(helper)).status_code == 403, path
    for path in ("/hulp/taal", "/hulp/privacy/kopie", "/hulp/privacy/weg", "/hulp/meekijken"):
        sent = client.post(path, data={"sure": "yes"}, headers=by(helper))
        assert sent.status_code == 403, path
    help_page = client.get("/hulp", headers=by(helper)).text
    assert "Stoppen met meekijken" in help_page
    assert "/hulp/privacy" not in help_page


def test_opening_the_link_alone_lets_nobody_in(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-3")
    code_of(client, session)

    opened = client.get("/meekijken")

    assert opened.status_code == 200
    assert "kwartier" not in opened.cookies
    assert state_of(client, session) == ["new"]


def test_ending_a_link_ends_the_helpers_session_at_once(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-4")
    code = code_of(client, session)
    helper = come(client, code)
    number = client.get("/api/v1/companions", headers=by(session)).json()["companions"][0]

    ended = client.post(f"/hulp/meekijken/{number['id']}/stop", headers=by(session))

    assert ended.status_code == 303
    assert client.get("/api/v1/companions", headers=by(helper)).status_code == 401
    assert client.post("/meekijken", data={"code": code}).status_code == 422
    assert state_of(client, session) == ["ended"]


def test_a_link_is_over_after_its_last_day(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-5")
    make(client, session, days="1")
    code = code_of(client, session)
    helper = come(client, code)

    town.clock.advance(14 * DAY_S + 15 * 3_600 - 60)  # the last minute of 16 November
    before = client.get("/hulp", headers=by(helper)).text
    town.clock.advance(120)
    after = client.get("/hulp", headers=by(helper)).text

    assert "U kijkt mee met iemand." in before
    assert "U kijkt mee met iemand." not in after
    assert client.post("/meekijken", data={"code": code}).status_code == 422
    assert state_of(client, session) == ["over", "over"]


def test_the_first_look_of_each_day_is_noted(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-6")
    helper = come(client, code_of(client, session))

    today = day_of(town.clock.now_s())
    tomorrow = today + timedelta(days=1)
    for _ in range(3):
        client.get("/hulp", headers=by(helper))
    town.clock.advance(DAY_S)
    for _ in range(3):
        client.get("/hulp", headers=by(helper))

    told = client.get("/api/v1/looks", headers=by(session)).json()["looks"]
    along = [(look["what"], look["companion"], look["first_day"]) for look in told]
    assert along.count(("along", "Fatma", f"{tomorrow}")) == 1
    assert along.count(("along", "Fatma", f"{today}")) == 1
    seen = client.get("/api/v1/companions", headers=by(session)).json()["companions"][0]
    assert seen["seen"].startswith(f"{tomorrow}T")


def test_another_resident_cannot_end_it_nor_see_it(town: Town, client: httpx.Client) -> None:
    owner, other = town.resident("home-7"), town.resident("home-1")
    code_of(client, owner)
    number = client.get("/api/v1/companions", headers=by(owner)).json()["companions"][0]

    ended = client.post(f"/hulp/meekijken/{number['id']}/stop", headers=by(other))

    assert ended.status_code == 404
    assert state_of(client, owner) == ["new"]


@pytest.mark.parametrize(
    ("name", "days"), [("", "14"), ("x" * 61, "14"), ("Fatma", "0"), ("Fatma", "91"), ("F", "x")]
)
def test_a_link_without_a_name_or_an_end_is_refused(
    town: Town, client: httpx.Client, name: str, days: str
) -> None:
    session = town.resident("home-8")

    assert make(client, session, name, days).status_code == 422
    assert state_of(client, session) == []


def test_five_people_may_look_along_and_no_sixth(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-4")

    made = [make(client, session).status_code for _ in range(6)]

    assert made == [200, 200, 200, 200, 200, 422]


def test_guessing_is_slowed_down(town: Town, client: httpx.Client) -> None:
    tries = [client.post("/meekijken", data={"code": f"AAAA-BBBB-{n:04}"}) for n in range(8)]

    assert [answer.status_code for answer in tries[:5]] == [422] * 5
    assert tries[-1].status_code == 429
    assert int(tries[-1].headers["Retry-After"]) > 0


def test_a_helper_has_no_role_but_the_residents(town: Town, client: httpx.Client) -> None:
    helper = come(client, code_of(client, town.resident("home-2")))

    visitor = visitor_of(town.house.people, helper)

    assert visitor.roles == {Role.RESIDENT}
    assert [stay.home for stay in visitor.stays] == ["home-2"]
