"""Passkeys: made, shown, taken away; and what is no passkey of this house."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from api.people.sessions import visitor_of
from api.people.visitor import ANYBODY, Role
from tests.api.authenticator import Device
from tests.api.doors import Door, door_of
from tests.api.town import Towns

ORIGIN = "http://localhost:1"


@pytest.fixture(scope="module")
def shared(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with door_of(towns, tmp_path_factory.mktemp("passkeys"), public_url=ORIGIN) as made:
        yield made


@pytest.fixture
def door(shared: Door) -> Door:
    shared.later()
    return shared


def host_of(door: Door) -> str:
    """Return the host a browser on this machine sees."""
    return httpx.URL(door.address).host


def device_of(door: Door, *, verified: bool = True) -> Device:
    return Device(host_of(door), door.address, verified)


def made_by(browser: httpx.Client, device: Device) -> httpx.Response:
    """Make a passkey for whoever is logged in."""
    asked = browser.post("/api/v1/passkeys/new").json()
    return browser.post("/api/v1/passkeys", json=device.make(asked) | {"label": "mijn telefoon"})


def shown_by(browser: httpx.Client, device: Device, further: str = "/") -> httpx.Response:
    """Show a passkey."""
    asked = browser.post("/api/v1/passkeys/ask").json()
    return browser.post("/api/v1/passkeys/show", json=device.show(asked) | {"further": further})


def test_a_passkey_alone_logs_in_with_both_factors(door: Door) -> None:
    account = door.person("ans", Role.OPERATOR)
    other = door.session(account)
    device, first = device_of(door), door.browser(door.session(account))

    made = made_by(first, device)
    browser = door.browser()
    shown = shown_by(browser, device, "/accounts")

    assert (made.status_code, made.json()) == (200, {"path": "/mijn/codes"})
    assert visitor_of(door.town.house.people, other) == ANYBODY
    assert shown.json() == {"path": "/accounts"}
    assert browser.get("/accounts").status_code == 200
    me = browser.get("/api/v1/me").json()
    assert [key["label"] for key in me["passkeys"]] == ["mijn telefoon"]


def test_a_passkey_is_a_second_factor_after_something_else(door: Door) -> None:
    account = door.person("bob", Role.OPERATOR)
    device = device_of(door)
    made_by(door.browser(door.session(account)), device)
    browser = door.browser(door.session(account))

    before = browser.get("/accounts").status_code
    shown_by(browser, device)

    assert (before, browser.get("/accounts").status_code) == (303, 200)


def test_what_a_device_signed_is_taken_once(door: Door) -> None:
    device = device_of(door)
    made_by(door.browser(door.session(door.person("cor"))), device)
    browser = door.browser()
    answer = device.show(browser.post("/api/v1/passkeys/ask").json())

    replies = [browser.post("/api/v1/passkeys/show", json=answer).status_code for _ in range(2)]

    assert replies == [200, 422]


def test_what_was_asked_too_long_ago_is_not_taken(door: Door) -> None:
    device = device_of(door)
    made_by(door.browser(door.session(door.person("dik"))), device)
    browser = door.browser()
    answer = device.show(browser.post("/api/v1/passkeys/ask").json())

    door.town.clock.advance(300)

    assert browser.post("/api/v1/passkeys/show", json=answer).status_code == 422


@pytest.mark.parametrize("wrong", ["host", "origin", "verified", "counter", "key"])
def test_a_passkey_that_does_not_fit_opens_nothing(door: Door, wrong: str) -> None:
    device = device_of(door)
    made_by(door.browser(door.session(door.person(f"eef-{wrong}"))), device)
    browser = door.browser()
    device.counter = 9
    assert shown_by(browser, device).status_code == 200
    browser = door.browser()
    if wrong == "host":
        device.host = "evil.example"
    elif wrong == "origin":
        device.origin = "https://evil.example"
    elif wrong == "verified":
        device.verified = False
    elif wrong == "counter":
        device.counter = 3
    else:
        device.key = device_of(door).key

    reply = shown_by(browser, device)

    assert reply.status_code == 422
    assert browser.get("/api/v1/me").status_code == 401


def test_a_device_that_looked_at_nobody_makes_no_passkey(door: Door) -> None:
    browser = door.browser(door.session(door.person("gon")))

    assert made_by(browser, device_of(door, verified=False)).status_code == 422


def test_a_passkey_asked_for_one_account_is_not_kept_for_another(door: Door) -> None:
    mine = door.browser(door.session(door.person("hans")))
    theirs = door.browser(door.session(door.person("ida")))
    answer = device_of(door).make(mine.post("/api/v1/passkeys/new").json())

    assert theirs.post("/api/v1/passkeys", json=answer).status_code == 422


def test_a_passkey_is_taken_away_by_its_owner_only(door: Door) -> None:
    device, account = device_of(door), door.person("jet")
    browser = door.browser(door.session(account))
    made_by(browser, device)
    page = browser.get("/mijn").text
    path = page.partition('action="/mijn/sleutels/')[2].partition('"')[0]

    stranger = door.browser(door.session(door.person("kor")))
    foreign = stranger.post(f"/mijn/sleutels/{path}").status_code
    own = browser.post(f"/mijn/sleutels/{path}").status_code

    assert (foreign, own) == (404, 303)
    assert shown_by(door.browser(), device).status_code == 422


@pytest.mark.parametrize("body", [{}, {"credential": "é"}, {"credential": "x" * 9_000}])
def test_what_is_no_answer_of_a_device_is_refused(door: Door, body: dict[str, str]) -> None:
    whole = {"credential": "AA", "client_data": "AA", "authenticator": "AA", "signature": "AA"}
    browser = door.browser()

    assert browser.post("/api/v1/passkeys/show", json=whole | body).status_code == 422
    assert browser.post("/api/v1/passkeys/ask", headers={"Origin": "null"}).status_code == 403
