"""The steps of a box as an installer sees them on the server, looked at and without script."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.broker import mosquitto_program
from api.enrolment.mirrors import AWAY_S
from tests.api.afar import GATEWAY, Afar, afar
from tests.browser.conftest import WAIT_MS
from tests.browser.looking import too_wide, violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.broker,
    pytest.mark.nightly,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed"),
]


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Afar]:
    for name in ("people", "box"):
        (tmp_path / name).mkdir()
    with afar(tmp_path) as made:
        yield made


@pytest.fixture
def page(browser: Browser, there: Afar) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="nl-NL", java_script_enabled=True
    )
    context.set_default_timeout(WAIT_MS)
    context.add_cookies([{"name": "kwartier", "value": there.session(), "url": there.url}])
    opened = context.new_page()
    yield opened
    opened.close()
    context.close()


def look(page: Page, what: str) -> list[str]:
    """Judge a page in both languages, at two widths, and keep a picture when they are wanted."""
    wrong = []
    address = page.url.partition("?")[0]
    for language in ("en", "nl"):
        page.goto(f"{address}?stil=1&lang={language}")
        folder = os.environ.get("KWARTIER_PICTURES")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.evaluate("document.querySelector('.tabs').style.position = 'static'")
            page.screenshot(path=Path(folder) / f"afar-{what}-{language}.png", full_page=True)
        wrong += [f"{what} {language}: {one}" for one in violations(page)]
        page.set_viewport_size({"width": 320, "height": 700})
        wrong += [f"{what} {language}: {one}" for one in (*too_wide(page), *too_small(page))]
        page.set_viewport_size({"width": 390, "height": 844})
    return wrong


def too_small(page: Page) -> list[str]:
    """Return what is pressed on a step and is lower than 44 pixels."""
    return [
        str(one)
        for one in page.evaluate(
            "() => [...document.querySelectorAll('main button, main .button, .seven a, .tick')]"
            ".filter((one) => one.getBoundingClientRect().height < 44)"
            ".map((one) => one.outerHTML.slice(0, 80))"
        )
    ]


def away(there: Afar) -> bool:
    """Return whether the server misses the box."""
    told = there.house.wizards.of(GATEWAY)
    return told is None or told.is_away


def shows(page: Page, words: str) -> None:
    """Look again until the page says so."""
    end = WAIT_MS // 200
    for _ in range(end):
        if words in page.locator(".judged h2").inner_text():
            return
        page.wait_for_timeout(200)
        page.goto(page.url.partition("?")[0])
    expect(page.locator(".judged h2")).to_contain_text(words)


def test_a_home_comes_on_the_air_from_the_servers_pages(there: Afar, page: Page) -> None:
    box, wrong = there.box, []

    page.goto(f"{there.url}/i/klussen")
    page.get_by_role("link", name="Open de stappen").click()
    wrong += look(page, "1-aanmelden")
    with there.browser(there.session()) as browser:
        there.let_in(browser)
    shows(page, "Toegelaten")
    wrong += look(page, "1-toegelaten")
    page.get_by_role("button", name="Verder").click()
    box.wait_for_meter()
    box.pass_time(65)
    shows(page, "De meter is goed te lezen")
    wrong += look(page, "2-meter")
    page.get_by_role("button", name="Verder").click()
    wrong += look(page, "3-zoeken")
    page.get_by_role("button", name="Zoek apparaten").click()
    box.wizard.wait_for_search()
    shows(page, "1 gevonden")
    wrong += look(page, "3-gevonden")
    page.get_by_role("button", name="Verder").click()
    box.pass_time(30)
    shows(page, "Even meten")
    page.get_by_role("button", name="Ik zet nu de waterkoker aan").click()
    box.pass_time(4)
    box.kettle = True
    box.pass_time(45)
    box.kettle = False
    box.pass_time(660)
    shows(page, "plus en min andersom")
    wrong += look(page, "4-andersom")
    page.get_by_role("button", name="Draai de omvormer om").click()
    shows(page, "Plus en min kloppen")
    wrong += look(page, "4-kloppen")
    page.get_by_role("button", name="Verder").click()
    wrong += look(page, "5-proef")
    there.clock.advance(AWAY_S)
    wrong += look(page, "5-weg")
    there.until(lambda: not away(there), "the box is back")
    page.goto(page.url.partition("?")[0])
    page.get_by_role("button", name="Later vanzelf").click()
    wrong += look(page, "6-toestemming")
    page.get_by_role("button", name="De bewoner is akkoord").scroll_into_view_if_needed()
    page.locator("[name=name]").fill("M. Jansen")
    page.get_by_role("button", name="De bewoner is akkoord").click()
    expect(page.get_by_role("alert")).to_contain_text("Zonder toestemming")
    page.locator("[name=name]").fill("M. Jansen")
    page.locator("[name=agree-readings]").check()
    page.get_by_role("button", name="De bewoner is akkoord").click()
    shows(page, "5 van 6 goed")
    wrong += look(page, "7-klaar")
    page.get_by_role("button", name="Maak de overdracht").click()
    shows(page, "Overgedragen")
    wrong += look(page, "7-overgedragen")

    assert wrong == []
    assert [one.turned for one in box.wizard.book.devices] == [True]
