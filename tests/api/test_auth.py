"""Who may see what: cards, sessions, foreign homes, and writes from elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.attempts import Attempts
from api.auth import Doorkeeper, check_policies
from api.people.accounts import SYSTEM
from api.people.book import PeopleBook
from api.people.cards import ALPHABET, card_for_home, card_of
from api.people.opening import open_people
from api.people.sessions import IDLE_S, open_session, visitor_of
from api.people.visitor import ANYBODY, Role
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError
from tests.api.conftest import log_in, served
from tests.api.street import LUNCH_S, Street, street

PERIOD = "from=2026-07-01T08:00:00Z&to=2026-07-01T09:00:00Z"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(LUNCH_S)


@pytest.fixture
def people(tmp_path: Path, clock: VirtualClock) -> Iterator[PeopleBook]:
    book = open_people(tmp_path, clock)
    yield book
    book.close()


def come_in(people: PeopleBook, code: str) -> str | None:
    """Return a session's id for a card's code, or None when the code is wrong."""
    card = card_of(people, code)
    if card is None:
        return None
    with people.writing() as desk:
        return open_session(desk, card.account, "card", card=card.number)


def test_a_card_opens_a_session_for_its_home(people: PeopleBook) -> None:
    visitor = visitor_of(people, come_in(people, card_for_home(people, "huis-01", SYSTEM)))

    assert (visitor.home, visitor.roles) == ("huis-01", frozenset({Role.RESIDENT}))


def test_a_code_may_be_typed_in_small_letters_and_with_spaces(people: PeopleBook) -> None:
    code = card_for_home(people, "huis-01", SYSTEM)

    assert come_in(people, f" {code.lower().replace('-', ' ')} ") is not None


def test_a_wrong_code_opens_nothing(people: PeopleBook) -> None:
    code = card_for_home(people, "huis-01", SYSTEM)
    wrong = code[:-1] + ALPHABET[(ALPHABET.index(code[-1]) + 1) % len(ALPHABET)]

    assert come_in(people, wrong) is None
    assert come_in(people, "") is None


def test_neither_code_nor_session_stands_in_the_file(people: PeopleBook, tmp_path: Path) -> None:
    code = card_for_home(people, "huis-01", SYSTEM)
    session = come_in(people, code)
    assert session is not None

    with sqlite3.connect(tmp_path / "people.db") as file:
        text = "\n".join(file.iterdump())
    file.close()

    assert code[5:9] not in text
    assert session not in text


def test_a_new_card_ends_the_old_one_and_its_sessions(people: PeopleBook) -> None:
    old = card_for_home(people, "huis-01", SYSTEM)
    session = come_in(people, old)

    card_for_home(people, "huis-01", SYSTEM)

    assert come_in(people, old) is None
    assert visitor_of(people, session) == ANYBODY


def test_a_session_that_is_not_used_ends(people: PeopleBook, clock: VirtualClock) -> None:
    session = come_in(people, card_for_home(people, "huis-01", SYSTEM))

    clock.advance(IDLE_S)
    assert visitor_of(people, session).known
    clock.advance(IDLE_S + 1)
    assert visitor_of(people, session) == ANYBODY


def test_tries_are_counted_per_key_and_forgotten_after_the_window(clock: VirtualClock) -> None:
    attempts = Attempts(clock, 2, 60.0)

    assert [attempts.wait_s("a") for _ in range(3)] == [0.0, 0.0, 60.0]
    assert attempts.wait_s("b") == 0.0
    clock.advance(60)
    assert attempts.wait_s("a") == 0.0


def test_a_route_without_a_policy_stops_the_start() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_api_route("/open", lambda: "nobody asked who you are")

    with pytest.raises(SettingsError, match="'/open' declares no policy"):
        check_policies(app)


def test_a_mounted_app_stops_the_start_because_nobody_can_see_its_policy() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/inside", FastAPI())

    with pytest.raises(SettingsError, match="'/inside' declares no policy"):
        check_policies(app)


@pytest.mark.parametrize("address", ["http://wijk.example", "wijk.example", "ftp://127.0.0.1"])
def test_codes_never_cross_a_network_in_the_clear(people: PeopleBook, address: str) -> None:
    with pytest.raises(SettingsError, match="public_url"):
        Doorkeeper(people, address)


@pytest.mark.parametrize(
    ("who", "home", "status"),
    [
        (None, "huis-02", 401),
        (None, "huis-99", 401),
        ("huis-02", "huis-02", 200),
        ("huis-02", "huis-03", 404),
        ("huis-02", "huis-99", 404),
    ],
)
def test_a_home_exists_only_for_those_who_live_in_it(
    noon: Street, client: httpx.Client, who: str | None, home: str, status: int
) -> None:
    with httpx.Client(base_url=client.base_url) as visitor:
        if who is not None:
            log_in(noon, visitor, who)
        reply = visitor.get(f"/api/v1/homes/{home}/quarters?{PERIOD}")

    assert reply.status_code == status


def test_no_answer_of_the_street_names_a_home_to_the_public(client: httpx.Client) -> None:
    addresses = ["/", "/wijk", "/api/v1/day", "/api/v1/now", "/api/v1/settlement", "/metrics"]

    for address in addresses:
        assert "huis-" not in client.get(address).text, address


def test_the_cookie_is_out_of_reach_for_scripts(noon: Street, client: httpx.Client) -> None:
    reply = log_in(noon, client, "huis-05")
    client.cookies.clear()

    cookie = reply.headers["set-cookie"]
    assert reply.status_code == 303
    assert cookie.startswith("kwartier=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


def test_over_https_the_cookie_is_bound_to_its_host(tmp_path: Path) -> None:
    address = "https://wijk.example"
    with street(tmp_path, homes=5, public_url=address) as made, served(made) as visitor:
        reply = log_in(made, visitor, "huis-01")

    cookie = reply.headers["set-cookie"]
    assert cookie.startswith("__Host-kwartier=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert reply.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("form", ["/inloggen", "/uitloggen"])
def test_a_form_from_another_page_is_refused(
    noon: Street, client: httpx.Client, form: str, origin: str | None
) -> None:
    headers = {} if origin is None else {"Origin": origin}

    reply = client.post(form, data={"code": noon.card("huis-06")}, headers=headers)

    assert reply.status_code == 403
    assert "set-cookie" not in reply.headers


def test_a_form_of_our_own_page_is_taken_at_any_name_of_this_machine(
    noon: Street, client: httpx.Client
) -> None:
    port = client.base_url.port
    for name in ("localhost", "127.0.0.1"):
        headers = {"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}
        assert client.post("/uitloggen", headers=headers).status_code == 303


def test_a_name_that_was_bent_to_this_machine_is_refused(
    noon: Street, client: httpx.Client
) -> None:
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}

    assert client.post("/uitloggen", headers=headers).status_code == 403


def test_logging_out_ends_the_session_on_the_server(noon: Street, client: httpx.Client) -> None:
    with httpx.Client(base_url=client.base_url) as resident:
        log_in(noon, resident, "huis-07")
        stolen = resident.cookies["kwartier"]
        resident.post("/uitloggen", headers={"Origin": noon.house.public_url})

    assert visitor_of(noon.house.people, stolen) == ANYBODY


def test_a_card_that_is_guessed_at_makes_the_guesser_wait(tmp_path: Path) -> None:
    with street(tmp_path, homes=5) as made, served(made) as guesser:
        number = made.card("huis-01")[:4]
        origin = {"Origin": made.house.public_url}
        replies = [
            guesser.post("/inloggen", data={"code": f"{number}-AAAA-AAA{last}"}, headers=origin)
            for last in "234567"
        ]

    assert [reply.status_code for reply in replies] == [422] * 5 + [429]
    assert int(replies[-1].headers["retry-after"]) > 800


def test_a_form_of_a_megabyte_is_refused(noon: Street, client: httpx.Client) -> None:
    origin = {"Origin": noon.house.public_url}

    reply = client.post("/inloggen", content=b"code=" + b"A" * 1_000_000, headers=origin)

    assert reply.status_code == 413
