"""Hulp: whom to call, eight answers, how my home is read, and how I want my pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.people.accounts import SYSTEM, add_account
from api.people.sessions import open_session
from api.reach import HelpLine
from api.settings import read_serve_settings
from kwartier.errors import SettingsError
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

DAY_S = 86_400


def by(session: str) -> dict[str, str]:
    """Return what a browser with a session sends along."""
    return {"Cookie": f"kwartier={session}"}


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A street where somebody answers the telephone."""
    with towns.at(Stage.READY, tmp_path_factory.mktemp("help")) as made:
        house = replace(made.house, help_line=HelpLine("085 - 123 45 67", "ma-vr 9-17 uur"))
        yield replace(made, house=house, app=create_app(house))


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    """Somebody without a session."""
    with served(town) as made:
        made.headers["Origin"] = town.house.public_url
        yield made


def test_a_stranger_reads_whom_to_call_and_how_to_log_in(client: httpx.Client) -> None:
    page = client.get("/hulp")

    assert page.status_code == 200
    assert 'href="tel:0851234567"' in page.text
    assert "ma-vr 9-17 uur" in page.text
    assert "Pak uw inlogkaart" in page.text
    assert page.text.count('<details class="answer">') == 8
    assert "Uitloggen" not in page.text
    assert "Wie keek naar mijn gegevens?" not in page.text


def test_a_resident_reads_that_all_is_well(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-1")

    told = client.get("/api/v1/help", headers=by(session)).json()
    page = client.get("/hulp", headers=by(session)).text

    assert told["links"]["broken"] == "none"
    assert told["links"]["heard"] == "2026-11-02T09:00:01+01:00"
    assert "Alles werkt." in page
    assert "Niemand anders keek naar uw gegevens." in page
    assert 'action="/uitloggen"' in page


def test_who_moved_away_is_told_nothing_of_the_home_now(town: Town, client: httpx.Client) -> None:
    with town.house.people.writing() as desk:
        account = add_account(desk, SYSTEM, party="lid-3")
        session = open_session(desk, account, "card")

    told = client.get("/api/v1/help", headers=by(session)).json()
    page = client.get("/hulp", headers=by(session)).text
    invited = client.post("/hulp/meekijken", data={"name": "F", "days": "7"}, headers=by(session))

    assert told["links"] is None
    assert "Zo komt uw meting bij ons" not in page
    assert invited.status_code == 403


def test_a_language_is_kept_with_the_account(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-2")

    client.post("/hulp/taal", data={"lang": "en"}, headers=by(session))
    page = client.get("/hulp", headers=by(session) | {"Accept-Language": "nl"})
    refused = client.post("/hulp/taal", data={"lang": "xx"}, headers=by(session))

    assert '<html lang="en"' in page.text
    assert client.get("/api/v1/help", headers=by(session)).json()["language"] == "en"
    assert refused.status_code == 422


def test_pictures_are_kept_with_the_account(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-5")

    client.post("/hulp/beeld", data={"pictures": "yes"}, headers=by(session))
    with_pictures = client.get("/hulp", headers=by(session)).text
    client.post("/hulp/beeld", data={"pictures": "no"}, headers=by(session))
    without = client.get("/hulp", headers=by(session)).text

    assert "pictures" in with_pictures.split("<head>", maxsplit=1)[0]
    assert "pictures" not in without.split("<head>", maxsplit=1)[0]


def test_a_choice_from_another_site_is_refused(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-5")

    sent = client.post(
        "/hulp/taal",
        data={"lang": "en"},
        headers=by(session) | {"Origin": "https://elsewhere.example"},
    )

    assert sent.status_code == 403


def test_when_nobody_is_heard_it_is_our_own_fault(town: Town, client: httpx.Client) -> None:
    session = town.resident("home-6")
    town.clock.advance(2 * DAY_S)

    told = client.get("/api/v1/help", headers=by(session)).json()["links"]
    page = client.get("/hulp", headers=by(session)).text

    assert (told["broken"], told["you_can_help"]) == ("centre", False)
    assert "Onze computer krijgt nu van niemand metingen." in page
    assert "U hoeft niets te doen." in page


def test_the_settings_name_the_telephone(tmp_path: Path) -> None:
    wijk = 'coop = "wijk"\nname = "Wijk"\n'
    serve = 'community = "wijk.toml"\nstore = "r.db"\nstate = "s"\n[help]\nphone = "085"\n'
    (tmp_path / "wijk.toml").write_text(wijk)
    file = tmp_path / "serve.toml"

    file.write_text(serve + 'hours = "ma-vr"\n')
    assert read_serve_settings(file).help_line == HelpLine("085", "ma-vr")
    file.write_text(serve + 'fax = "086"\n')
    with pytest.raises(SettingsError, match="fax"):
        read_serve_settings(file)
