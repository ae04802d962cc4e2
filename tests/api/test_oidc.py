"""Logging in at another service, which is a real one here: what it may open, and what never."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from joserfc.jwk import RSAKey

from api.app import create_app
from api.elsewhere import OidcSettings
from api.oidc import OidcService
from api.people.accounts import accounts
from api.people.visitor import Role
from api.server import WebServer, open_port, port_of
from tests.api.cooperative.stages import Stage
from tests.api.doors import Door, Letters
from tests.api.oidc_house import CLIENT, SECRET, Service, oidc_house
from tests.api.town import Towns

EMAIL = "gerda@voorbeeld.nl"


@pytest.fixture(scope="module")
def both(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Door, Service]]:
    port = open_port("127.0.0.1", 0)
    address = f"http://127.0.0.1:{port_of(port)}"
    folder = tmp_path_factory.mktemp("oidc")
    with oidc_house() as service, towns.at(Stage.READY, folder, public_url=address) as town:
        settings = OidcSettings(service.issuer, CLIENT, SECRET, "Mijn Dorp")
        there = OidcService(settings, address, town.clock)
        house = replace(town.house, elsewhere=there)
        server = WebServer(create_app(house), "127.0.0.1", 0, opened=port)
        server.start()
        door = Door(replace(town, house=house), Letters(), address)
        door.person("gerda", Role.OPERATOR, email=EMAIL)
        yield door, service
        door.later()
        there.close()
        town.house.live.close()
        server.stop()


@pytest.fixture
def door(both: tuple[Door, Service]) -> Door:
    both[0].later()
    return both[0]


@pytest.fixture
def service(door: Door, both: tuple[Door, Service]) -> Service:
    there = both[1]
    there.claims, there.shown, there.refused = {"email": EMAIL}, None, False
    there.now_s = door.town.clock.now_s()
    return there


def come_back(browser: httpx.Client) -> str:
    """Leave, log in there, and return the address with which the browser comes back."""
    left = browser.get("/inloggen/dienst?verder=/overzicht")
    there = httpx.get(left.headers["location"])
    return there.headers["location"]


def log_in(door: Door) -> tuple[httpx.Client, httpx.Response]:
    browser = door.browser()
    return browser, browser.get(come_back(browser))


def test_a_verified_mail_address_opens_the_account_that_has_it(
    door: Door, service: Service
) -> None:
    browser, reply = log_in(door)
    me = browser.get("/api/v1/me").json()

    assert "Inloggen via Mijn Dorp" in browser.get("/inloggen?lang=nl").text
    assert (me["name"], me["roles"]) == ("gerda", [])
    assert reply.headers["location"].startswith("/bevestig"), "a second factor is still needed"


@pytest.mark.parametrize("said", [{"amr": ["pwd", "mfa"]}, {"acr": "mfa"}])
def test_it_is_a_second_factor_only_when_the_service_says_so(
    door: Door, service: Service, said: dict[str, object]
) -> None:
    service.claims |= said

    browser, reply = log_in(door)

    assert reply.headers["location"] == "/overzicht"
    assert browser.get("/api/v1/me").json()["roles"] == ["operator"]


@pytest.mark.parametrize(
    "said",
    [
        {"email": "iemand@voorbeeld.nl"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another house"},
        {"aud": [CLIENT, "another house"]},
        {"azp": "another house"},
        {"nonce": "of another login"},
        {"exp": 1_000_000_000},
        {"iat": 3_000_000_000},
    ],
)
def test_what_is_not_said_of_this_person_and_this_login_opens_nothing(
    door: Door, service: Service, said: dict[str, object]
) -> None:
    with door.town.house.people.reading() as desk:
        before = len(accounts(desk))
    service.claims |= said

    browser, reply = log_in(door)

    assert reply.headers["location"] == "/inloggen?dienst=niet"
    assert browser.get("/api/v1/me").status_code == 401
    with door.town.house.people.reading() as desk:
        assert len(accounts(desk)) == before, "an account was made"


def test_a_token_that_another_key_signed_opens_nothing(door: Door, service: Service) -> None:
    service.shown = RSAKey.generate_key(2048)

    assert log_in(door)[1].headers["location"] == "/inloggen?dienst=niet"


def test_who_says_no_there_stays_out(door: Door, service: Service) -> None:
    service.refused = True

    assert log_in(door)[1].headers["location"] == "/inloggen?dienst=niet"


def test_only_the_browser_that_left_comes_back_once_and_in_time(
    door: Door, service: Service
) -> None:
    browser, stranger = door.browser(), door.browser()
    address = come_back(browser)

    elsewhere = stranger.get(address).headers["location"]
    bent = browser.get(address.replace("state=", "state=x")).headers["location"]
    late = door.browser()
    back = come_back(late)
    door.town.clock.advance(601)
    service.now_s += 601

    assert elsewhere == bent == "/inloggen?dienst=niet"
    assert late.get(back).headers["location"] == "/inloggen?dienst=niet"


def test_without_another_service_there_is_no_such_page(door: Door) -> None:
    plain = create_app(replace(door.town.house, elsewhere=None))
    server = WebServer(plain, "127.0.0.1", 0)
    server.start()
    try:
        reply = httpx.get(f"http://127.0.0.1:{server.port}/inloggen/dienst")
    finally:
        server.stop()

    assert reply.status_code == 404
