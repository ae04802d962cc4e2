"""Pages without internet, without script, with large letters, without motion, and in pictures."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from api.people.accounts import SYSTEM
from api.people.cards import card_for_home
from tests.api.cooperative.stages import Stage
from tests.api.matrix import Who
from tests.browser.conftest import Furnished, Places
from tests.browser.looking import sideways
from tests.browser.persons import Person, Persons
from tests.browser.places import Place

pytestmark = pytest.mark.browser

STATEMENT = "/afrekening/2026-10/1"
MAIN = ("/", "/overzicht?p=dag&d=2026-10-25", STATEMENT, f"{STATEMENT}/2/2026-10-25", "/hulp")
BOARD_PAGES = ("/bestuur", "/bestuur/runs/2026-10/1", "/bestuur/leden/lid-1", "/ops", "/accounts")


def awake(page: Page) -> None:
    """Wait until the page's worker is there."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def kept(page: Page) -> list[str]:
    """Return the pages that the browser keeps."""
    names = page.evaluate(
        "caches.open('kwartier-kept').then(kept => kept.keys())"
        ".then(all => all.map(one => new URL(one.url).pathname))"
    )
    return sorted(name for name in names if not name.startswith("/static/"))


def resident_at(persons: Persons, at: Place, home: str) -> Person:
    return persons.enter(at, at.town.resident(home))


def test_without_internet_the_last_pages_are_there_until_the_log_out(
    persons: Persons, places: Places
) -> None:
    at = places.at(Stage.CORRECTED)
    me = resident_at(persons, at, "home-2")
    page = me.go("/")
    awake(page)
    me.go("/")
    me.go(STATEMENT)

    me.context.set_offline(True)
    me.go("/")
    expect(page.locator("[data-offline]")).to_contain_text("Geen internet. U ziet de gegevens van")
    expect(page.get_by_role("heading", name="Uw huis vandaag")).to_be_visible()
    page.reload()
    expect(page.locator("[data-offline]")).to_be_visible()
    assert sideways(page) == 0
    me.go(STATEMENT)
    expect(page.locator("[data-offline]")).to_be_visible()
    expect(page.locator("#lines")).to_be_visible()
    me.go("/overzicht")
    me.sees("Er is nu geen internet.")
    me.context.set_offline(False)

    me.go("/")
    expect(page.locator("[data-offline]")).to_be_hidden()
    me.press("Uitloggen")
    expect(page.get_by_role("link", name="Inloggen met uw kaart")).to_be_visible()
    me.context.set_offline(True)
    me.go(STATEMENT)
    me.sees("Er is nu geen internet.")
    assert [name for name in kept(page) if name not in {"/", "/offline"}] == []
    me.go("/")
    expect(page.get_by_text("Uw huis vandaag")).to_have_count(0)
    me.complaints.clear()  # without internet the console says so


def test_without_script_a_resident_reads_from_the_card_to_the_quarter(
    persons: Persons, places: Places
) -> None:
    at = places.at(Stage.CORRECTED)
    me = persons.enter(at, script=False)
    page, people = me.page, at.town.house.people

    me.go("/inloggen?verder=/afrekening")
    page.get_by_label("De code op uw kaart").fill(card_for_home(people, "home-7", SYSTEM))
    page.locator("form[action='/inloggen']").get_by_role("button").click()
    me.follow("Bekijk alle regels")
    page.locator(".how").first.click()
    page.locator("#days").get_by_role("link").first.click()
    page.locator("#kwartieren").get_by_role("link", name="12.15").click()
    expect(page.locator("#kwartier h2")).to_contain_text("12.15")
    me.follow("Volgend kwartier")
    expect(page.locator("#kwartier h2")).to_contain_text("12.30")
    me.go("/hulp")
    me.press("Toon vooral plaatjes en getallen")
    expect(page.locator("html.pictures")).to_have_count(1)


@pytest.mark.parametrize("path", [*MAIN, *BOARD_PAGES])
def test_letters_twice_as_large_fit(persons: Persons, furnished: Furnished, path: str) -> None:
    who = Who.RESIDENT if path in MAIN else Who.BOARD
    page = persons.enter(furnished.place, who, width=640).go(path)

    page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert sideways(page) == 0


def test_nothing_moves_for_who_asked_for_rest(persons: Persons, furnished: Furnished) -> None:
    me = persons.enter(furnished.place, Who.RESIDENT)
    me.page.emulate_media(reduced_motion="reduce")

    for path in (*MAIN, "/wijk"):
        me.go(path)
        assert me.page.evaluate("document.getAnimations().length") == 0


def test_pictures_and_numbers_stay_when_words_are_put_away(
    persons: Persons, places: Places
) -> None:
    at = places.at(Stage.CORRECTED)
    me = resident_at(persons, at, "home-1")
    me.go("/hulp")
    me.press("Toon vooral plaatjes en getallen")
    for path in ("/", "/overzicht", "/afrekening", "/hulp"):
        me.go(path)
        expect(me.page.locator("html.pictures")).to_have_count(1)
        assert me.faults() == []
        me.page.set_viewport_size({"width": 320, "height": 700})
        assert sideways(me.page) == 0
    me.go("/")
    expect(me.page.locator(".signal svg")).to_be_visible()
    # Put away for the eye only: who hears the page read still hears why.
    expect(me.page.get_by_role("status")).to_contain_text("moment")


def test_the_page_is_read_aloud_in_its_own_words(persons: Persons, furnished: Furnished) -> None:
    me = persons.enter(furnished.place, Who.RESIDENT)
    me.context.add_init_script(
        """
        globalThis.said = [];
        speechSynthesis.speak = (words) => globalThis.said.push([words.lang, words.text]);
        """
    )
    page = me.go("/")
    button = page.get_by_role("button", name="Lees deze pagina voor")
    button.click()

    expect(button).to_have_attribute("aria-pressed", "true")
    ((language, text),) = page.evaluate("globalThis.said")
    assert language == "nl"
    assert page.get_by_role("status").get_by_role("heading").inner_text() in text
    assert "Vandaag" not in text.split(".")[0]  # the tabs are not read, the page is
    assert "<" not in text
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
