"""Somebody brings a home on the air from a phone, without internet, from the code to the paper."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.browser.conftest import WAIT_MS
from tests.browser.looking import too_wide, violations
from tests.gateway.commissioning import Home, home

pytestmark = pytest.mark.browser

HOW = Literal["keys", "no-script"]


@dataclass(slots=True)
class Walk:
    """One way through the wizard: what is pressed, what is looked at, and what was wrong."""

    page: Page
    home: Home
    name: str
    keys: bool
    judged: bool
    wrong: list[str] = field(default_factory=list)
    _pictures: int = 0
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def press(self, button: str) -> None:
        """Press a button: with the keyboard alone, or as a finger does."""
        if not self.keys:
            self.page.get_by_role("button", name=button).click()
            return
        target = self.page.get_by_role("button", name=button)
        target.wait_for()
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if target.evaluate("one => one === document.activeElement"):
                break
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def shows(self, words: str) -> None:
        """Look at the page until it says so; without script it has to be asked again."""
        if not self.keys:
            self.page.goto(self.page.url)
        expect(self.page.locator("#live h2").first).to_contain_text(words, timeout=WAIT_MS)

    def look(self, what: str) -> None:
        """Judge the page in both languages, and keep a picture when somebody asked for them.

        A page that was judged before is looked at again only for what another state can break.
        """
        if self.judged:
            self.wrong += [f"{what} nl: {one}" for one in self._judge(what, "nl")]
            self.page.locator(".tongue").click()
            self.wrong += [f"{what} en: {one}" for one in self._judge(what, "en")]
            self.page.locator(".tongue").click()
            assert self.page.locator("html").get_attribute("lang") == "nl"

    def _judge(self, what: str, language: str) -> list[str]:
        folder = os.environ.get("KWARTIER_PICTURES")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            path = Path(folder) / f"wizard-{self._pictures:02d}-{what}-{language}.png"
            self.page.screenshot(path=path, full_page=True)
            self._pictures += 1
        place = self.page.url, language
        found = []
        if place not in self._seen:
            found = violations(self.page)
        elif language == "nl":
            found = violations(self.page, colours_only=True)
        self._seen.add(place)
        self.page.set_viewport_size({"width": 320, "height": 700})
        found += too_wide(self.page)
        self.page.set_viewport_size({"width": 390, "height": 844})
        return found


@contextmanager
def walk(browser: Browser, folder: Path, how: HOW) -> Iterator[Walk]:
    complaints: list[str] = []
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        locale="nl-NL",
        reduced_motion="reduce",
        java_script_enabled=how == "keys",
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with home(folder) as there:
        one = Walk(page, there, how, keys=how == "keys", judged=how == "keys")
        page.goto(there.address)
        yield one
        page.close()
    context.close()
    assert one.wrong == []
    assert complaints == []


def fill(walking: Walk, field_name: str, text: str) -> None:
    walking.page.locator(f"[name={field_name}]").focus()
    if walking.keys:
        walking.page.keyboard.type(text)
    else:
        walking.page.locator(f"[name={field_name}]").fill(text)


def to_the_signs(walking: Walk) -> None:
    """From the door up to the fourth step."""
    there = walking.home
    walking.look("code")
    fill(walking, "code", there.door.code)
    walking.press("Verder")
    walking.shows("Dit kastje kent nog geen server")
    walking.look("aanmelden")
    walking.press("Later vanzelf")
    there.wait_for_meter()
    there.pass_time(65)
    walking.shows("De meter is goed te lezen")
    walking.look("meter")
    walking.press("Verder")
    walking.shows("Zoek de omvormer")
    walking.look("zoeken")
    walking.press("Zoek apparaten")
    if not walking.keys:
        walking.page.wait_for_timeout(200)
    there.wizard.wait_for_search()
    walking.shows("1 gevonden")
    walking.look("gevonden")
    walking.press("Verder")


def to_the_paper(walking: Walk) -> None:
    """From the fourth step to the handover."""
    there = walking.home
    there.pass_time(30)
    walking.shows("Even meten")
    walking.press("Ik zet nu de waterkoker aan")
    there.pass_time(4)
    there.kettle = True
    there.pass_time(45)
    there.kettle = False
    walking.look("meten")
    there.pass_time(660)
    walking.shows("plus en min andersom")
    walking.look("andersom")
    walking.press("Draai de omvormer om")
    walking.shows("Plus en min kloppen")
    walking.look("kloppen")
    walking.press("Verder")
    walking.shows("De proef komt later vanzelf")
    walking.look("proef")
    walking.press("Later vanzelf")
    walking.shows("Is de bewoner akkoord?")
    walking.look("toestemming")
    fill(walking, "name", "M. Jansen")
    walking.page.locator("[name=agree-readings]").focus()
    if walking.keys:
        walking.page.keyboard.press("Space")
    else:
        walking.page.locator("[name=agree-readings]").check()
    walking.press("De bewoner is akkoord")
    walking.shows("4 van 6 goed")
    walking.look("klaar")
    walking.press("Maak de overdracht")
    walking.shows("Overgedragen")
    walking.look("overgedragen")


def test_a_home_is_brought_on_the_air_with_the_keyboard_and_its_sign_is_turned_round(
    browser: Browser, tmp_path: Path
) -> None:
    with walk(browser, tmp_path, "keys") as walking:
        to_the_signs(walking)
        to_the_paper(walking)
        walking.page.goto(walking.home.address + "/overdracht")
        walking.look("papier")
        printed = walking.page.pdf(format="A4")

    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(printed)).pages)
    for words in ("Overdracht", "M. Jansen", "omgedraaid", "helling", "geen batterij", "6789"):
        assert words in text
    assert [one.turned for one in walking.home.wizard.book.devices] == [True]


def test_without_script_the_same_way_leads_to_the_paper(browser: Browser, tmp_path: Path) -> None:
    with walk(browser, tmp_path, "no-script") as walking:
        to_the_signs(walking)
        to_the_paper(walking)
        walking.page.goto(walking.home.address + "/overdracht")
        expect(walking.page.locator("h1")).to_have_text("Overdracht")
