"""The board settles a month in the browser: blockers, reasons, two people, papers, a correction."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.sync_api import Page, expect

from api.people.sessions import hash_of
from api.people.tables import SessionRow
from api.people.totp import confirm_totp, draw_totp
from tests.api.blocked_town import read_anew
from tests.api.cooperative.stages import Stage
from tests.browser.conftest import Places
from tests.browser.eyes import WAIT_MS
from tests.browser.persons import Person, Persons
from tests.browser.places import Place, silent_month
from tests.browser.sights import RUN

pytestmark = pytest.mark.browser

REASON = "Het kastje stond een paar dagen uit. De bewoner weet het."


def app_of(at: Place, session: str) -> pyotp.TOTP:
    """Give whoever has a session an app that counts."""
    with at.town.house.people.writing() as desk:
        account = desk.session.get_one(SessionRow, hash_of(session)).account
        secret, drawn = draw_totp(desk, account)
        phone = pyotp.TOTP(secret)
        assert confirm_totp(desk, account, drawn, phone.at(desk.at_s))
    at.town.clock.advance(30)
    return phone


def confirm(person: Person, phone: pyotp.TOTP) -> None:
    """Type what the app shows."""
    expect(person.page).to_have_url(re.compile("/bevestig"))
    person.page.get_by_label("De zes cijfers van uw app").fill(
        phone.at(int(person.at.town.clock.now_s()))
    )
    person.press("Bevestigen")


def account_for_every_blocker(person: Person) -> None:
    for left in (1, 0):
        person.follow("Naar de grootste blokkade")
        person.page.get_by_role("textbox").fill(REASON)
        person.press("Ik verantwoord dit")
        expect(person.page).to_have_url(re.compile(f"{RUN}\\?klaar="))
        stops = person.page.locator("#blokkades .found")
        expect(stops).to_have_count(left)


def sign(page: Page) -> None:
    """Tick every reason, and type the end of the hash."""
    for tick in page.get_by_role("checkbox").all():
        tick.check()
    letters = page.locator("#kenmerk b").inner_text()
    page.get_by_label(re.compile("Typ de laatste")).fill(letters)
    page.get_by_role("button", name="Ik keur dit goed").click()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_two_people_settle_a_month_and_correct_it(
    persons: Persons, places: Places, script: bool
) -> None:
    at = places.fresh(Stage.READY, silent_month)
    treasurer = persons.enter(at, at.town.officer("treasurer"), width=1280, script=script)
    weak = at.town.officer("board", strong=False)
    phone = app_of(at, weak)
    board = persons.enter(at, weak, script=script)

    treasurer.go("/bestuur")
    treasurer.follow("oktober 2026, versie 1")
    treasurer.sees("2 blokkades")
    account_for_every_blocker(treasurer)

    treasurer.follow("Leg voor")
    treasurer.sees(REASON)
    treasurer.press("Leg voor aan een ander bestuurslid")
    treasurer.sees("Iemand anders van het bestuur moet tekenen")
    # Whoever proposed is told so plainly, and has nothing to sign with.
    treasurer.go(f"{RUN}/goedkeuren")
    expect(treasurer.page.get_by_role("button", name="Ik keur dit goed")).to_have_count(0)
    treasurer.sees("Iemand anders van het bestuur moet tekenen")

    board.go("/bestuur")
    confirm(board, phone)
    board.follow("Bekijk en keur goed")
    board.sees("som leden = wijk")
    sign(board.page)
    board.sees("Twee mensen tekenden")

    treasurer.go(RUN)
    for way, button in (
        ("Boek", "Schrijf in de boeken"),
        ("Maak de facturen", "Geef de nummers"),
        ("Sluit de maand af", "Sluit de maand af"),
    ):
        treasurer.follow(way)
        treasurer.press(button)
        expect(treasurer.page).to_have_url(re.compile(f"{RUN}\\?klaar="))
    treasurer.follow("Naar de bezorging")
    treasurer.press("Verstuur")
    expect(treasurer.page.get_by_role("row")).to_have_count(11)  # ten members and the heading
    if script:
        assert treasurer.faults() == []

    read_anew(at.town.books, "home-5")
    treasurer.go(RUN)
    treasurer.follow("Verbeter deze maand")
    treasurer.page.get_by_label("Waarom").first.fill("De metingen van home-5 zijn er nu.")
    treasurer.press("Begin de verbetering")
    while "/bestuur/werk/" in treasurer.path:
        treasurer.page.reload()
    expect(treasurer.page).to_have_url(re.compile("/bestuur/runs/2026-10/2"), timeout=WAIT_MS)
    treasurer.sees("De metingen van home-5 zijn er nu.")
    treasurer.follow("Vergelijk")
    changed = treasurer.page.get_by_role("rowheader", name="home-5", exact=True)
    expect(changed).to_have_count(3)  # the three days of which the readings came later
