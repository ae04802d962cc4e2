"""How people come in: the first start, an invitation, somebody who looks along, a passkey."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.sync_api import expect

from api.cooperative.registry import confirm, propose_new_secret, renew_secret
from api.people.first_start import first_code
from tests.api.cooperative.stages import BOARD, TREASURER, Stage
from tests.api.doors import PASSWORD
from tests.api.matrix import Who
from tests.api.town import Towns
from tests.browser.conftest import Places
from tests.browser.persons import Person, Persons
from tests.browser.places import Place, place

pytestmark = pytest.mark.browser

CODE = re.compile(r"[2-9A-Z]{4}(-[2-9A-Z]{4})+")


def add_app(person: Person) -> pyotp.TOTP:
    """Scan the picture of the page for an app, and type what the app shows."""
    page = person.page
    if person.path == "/bevestig":
        person.follow("App toevoegen")
    expect(page).to_have_url(re.compile("/mijn/app"))
    page.locator("details.quiet summary").click()
    phone = pyotp.TOTP(page.locator(".secret code").inner_text().replace(" ", ""))
    page.get_by_label("De zes cijfers van uw app").fill(phone.at(int(person.at.town.clock.now_s())))
    person.press("Klaar")
    expect(page.locator(".paper-codes li").first).to_be_visible()
    assert person.faults() == []
    person.follow("Ik heb ze opgeschreven")
    person.at.town.clock.advance(30)
    return phone


def new_secret(at: Place, officer: str) -> str:
    """Let two officers give an officer a secret, which the officer changes for their own."""
    with at.town.books.desk(TREASURER) as desk:
        asked = propose_new_secret(desk, officer)
    with at.town.books.desk(BOARD) as desk:
        first = confirm(desk, asked.id, asked.body_hash)
    return renew_secret(at.town.books, officer, first.secret).secret


def test_the_first_start_leads_to_an_operator_who_invites_the_board(
    persons: Persons, towns: Towns, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with place(towns, tmp_path_factory.mktemp("first"), Stage.READY) as at:
        code = first_code(at.town.house.people)
        assert code is not None
        operator = persons.enter(at)
        page = operator.go(f"/begin#{code}")
        expect(page.get_by_label("De code van dat scherm")).to_have_value(code)
        assert code not in page.url
        assert operator.faults() == []
        page.get_by_label("Uw naam").fill("Ina")
        page.get_by_label("Inlognaam").fill("ina")
        page.get_by_label("Nieuw wachtwoord").fill(PASSWORD)
        operator.press("Maak mij beheerder")
        add_app(operator)

        operator.go("/accounts")
        invite = page.locator("form[action='/accounts/nieuw']")
        invite.get_by_label("Naam").fill("Bram")
        operator.press("Uitnodigen")
        invitation = page.locator(".secret code").inner_text()
        assert CODE.fullmatch(invitation)
        assert operator.faults() == []

        guest = persons.enter(at)
        guest.go(f"/inloggen/code#{invitation}")
        guest.page.locator("main form button").click()
        if guest.path == "/inloggen/code":
            guest.press("Beginnen")
        expect(guest.page).to_have_url(re.compile("/mijn/wachtwoord"))
        guest.page.get_by_label("Inlognaam").fill("bram")
        guest.page.get_by_label("Nieuw wachtwoord").fill(PASSWORD)
        guest.page.locator("main form button").click()
        guest.go("/mijn/app")
        add_app(guest)
        # Who is on the board is decided in the books: two officers gave him this secret.
        guest.go("/mijn/functie")
        guest.page.locator("#officer").fill("board")
        guest.page.locator("#secret").fill(new_secret(at, "board"))
        guest.page.locator("main form").get_by_role("button").click()
        guest.sees("board")
        guest.go("/bestuur/leden")
        expect(guest.page.get_by_role("heading", level=1)).to_be_visible()
        assert guest.path == "/bestuur/leden"
        again = persons.enter(at)
        again.go("/begin")
        expect(again.page.get_by_label("De code van dat scherm")).to_have_count(0)
        assert persons.leave() == []


def test_somebody_looks_along_and_the_resident_sees_that(persons: Persons, places: Places) -> None:
    at = places.at(Stage.CORRECTED)
    resident = persons.enter(at, at.town.resident("home-6"))
    page = resident.go("/hulp/meekijken")
    page.get_by_label("Naam van wie meekijkt").fill("Fatma")
    resident.press("Maak de code")
    link = page.locator(".link-text a").get_attribute("href")
    assert link is not None
    assert resident.faults() == []

    helper = persons.enter(at)
    helper.page.goto(link)
    expect(helper.page.get_by_label("De code die u kreeg")).to_have_value(CODE)
    helper.press("Ja, ik kijk mee")
    helper.sees("U kijkt mee")
    helper.go("/overzicht?p=dag&d=2026-10-25")
    helper.go("/afrekening/2026-10/2/2/2026-10-25")
    expect(helper.page.get_by_role("link", name="Klopt dit niet?")).to_have_count(0)

    resident.go("/hulp/gekeken")
    resident.sees("Fatma, die met u meekijkt")
    resident.sees("25 oktober 2026")
    resident.go("/hulp/meekijken")
    page.get_by_role("button", name="Fatma").click()
    helper.go("/overzicht")
    assert helper.path == "/inloggen"


def test_a_passkey_is_made_and_logs_in(
    persons: Persons, towns: Towns, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("passkey")
    with place(towns, folder, Stage.READY, host="localhost") as at:
        operator = persons.enter(at, Who.OPERATOR)
        device = operator.context.new_cdp_session(operator.page)
        device.send("WebAuthn.enable")
        device.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        page = operator.go("/mijn")
        page.get_by_label("Naam, bijvoorbeeld: mijn telefoon").fill("mijn telefoon")
        page.get_by_role("button", name="Toevoegen Passkey").click()
        expect(page).to_have_url(re.compile("/mijn/codes"))
        operator.follow("Terug naar uw account")
        expect(page.get_by_role("button", name="Weghalen Passkey mijn telefoon")).to_be_visible()
        assert operator.faults() == []
        page.get_by_role("button", name="Uitloggen", exact=True).click()
        operator.go("/inloggen?verder=/accounts")
        operator.press("Inloggen met een passkey")

        # A passkey is both factors at once: there is no second question.
        expect(page).to_have_url(re.compile("/accounts$"))
        expect(page.get_by_role("heading", name="Toegang", level=1)).to_be_visible()
        assert persons.leave() == []
