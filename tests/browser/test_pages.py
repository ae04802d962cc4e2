"""The pages as people meet them: in Chromium, in both languages, colours and sizes."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import expect

from kwartier.reading import Reading
from kwartier.wire import encode_live
from tests.api.street import LUNCH_S
from tests.browser.conftest import WAIT_MS, Neighbour, Served, Visitors
from tests.browser.looking import open_all, sideways, violations

pytestmark = pytest.mark.browser

COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def looked_at(neighbour: Neighbour, widths: tuple[int, ...]) -> dict[str, list[str]]:
    """Return what is wrong with a page at some widths, in light and in dark."""
    page = neighbour.page
    wrong: dict[str, list[str]] = {}
    for colours in COLOURS:
        page.emulate_media(color_scheme=colours)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 844})
            # Other colours break what depends on colours; the rest was judged in the first.
            told = violations(page, colours_only=colours != COLOURS[0])
            if sideways(page):
                told.append(f"{sideways(page)} pixels too wide")
            if told:
                wrong[f"{colours} {width}"] = told
            # A hundred rows look alike: they are examined once.
            page.evaluate(
                "document.querySelector('details:has(#quarters)')?.removeAttribute('open')"
            )
    if neighbour.complaints:
        wrong["console"] = neighbour.complaints
    return wrong


@pytest.mark.parametrize("home", [None, "huis-02"], ids=["public", "resident"])
@pytest.mark.parametrize("language", ["nl-NL", "en-GB"])
def test_today_is_fit_for_everyone(visitors: Visitors, language: str, home: str | None) -> None:
    neighbour = visitors.open("/", language=language, home=home)
    open_all(neighbour.page)

    assert looked_at(neighbour, (320, 1280)) == {}


@pytest.mark.parametrize("path", ["/wijk", "/inloggen", "/onbekend"])
def test_the_other_pages_are_fit_for_everyone(visitors: Visitors, path: str) -> None:
    neighbour = visitors.open(path)
    if path == "/onbekend":
        neighbour.complaints.clear()  # the browser itself reports the 404 that is meant

    assert looked_at(neighbour, (320, 1920)) == {}


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (1024, 768)])
def test_the_big_screen_never_needs_scrolling(visitors: Visitors, width: int, height: int) -> None:
    page = visitors.open("/wijk", width=width, height=height).page

    assert page.evaluate("document.documentElement.scrollHeight") <= height
    assert page.get_by_role("heading", level=2).bounding_box() is not None
    letters = page.evaluate("parseFloat(getComputedStyle(document.querySelector('h2')).fontSize)")
    assert letters >= height / 14


def test_text_twice_as_large_still_fits(visitors: Visitors) -> None:
    page = visitors.open("/", width=640).page

    page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert sideways(page) == 0


def test_without_script_a_resident_logs_in_and_reads_everything(
    visitors: Visitors, served: Served
) -> None:
    page = visitors.open("/", script=False).page

    page.get_by_role("link", name="Inloggen met uw kaart").click()
    page.get_by_label("De code op uw kaart").fill(served.street.card("huis-04"))
    page.get_by_role("button", name="Inloggen").click()
    page.get_by_text("Bekijk de getallen per kwartier").click()

    expect(page.get_by_role("heading", name="Nu is een goed moment")).to_be_visible()
    expect(page.get_by_text("Uw huis vandaag")).to_be_visible()
    expect(page.get_by_role("row", name="12.45")).to_be_visible()
    page.get_by_role("button", name="Uitloggen").click()
    expect(page.get_by_text("Uw huis vandaag")).to_have_count(0)


def test_a_live_value_changes_the_number_on_an_open_page(
    visitors: Visitors, served: Served
) -> None:
    neighbour = visitors.open("/", home="huis-02")  # others hear of use a day later
    number = neighbour.page.locator(".flowing summary [data-live='use_w']")
    before = number.inner_text()

    def say(watts: int) -> None:
        topic = f"nec/v1/{served.street.house.community.coop}/gw-01/live/p1"
        reading = Reading("p1", "", LUNCH_S, {"import_w": watts, "export_w": 0})
        served.street.bus.publish(topic, encode_live(reading), qos=0)

    say(30_000)
    expect(number).not_to_have_text(before, timeout=WAIT_MS)
    say(0)
    assert neighbour.complaints == []


def test_a_browser_in_new_york_shows_the_times_of_the_street(visitors: Visitors) -> None:
    page = visitors.open("/").page

    assert page.evaluate("new Date(1782903900000).getHours()") == 7  # its own clock
    expect(page.get_by_text("Gegevens tot 13.0")).to_be_visible()
    expect(page.get_by_text("14.30 uur")).to_be_visible()


def test_the_curve_is_read_by_keyboard(visitors: Visitors) -> None:
    page = visitors.open("/").page
    slider = page.get_by_role("slider")
    told = page.locator(".told")

    expect(told).to_contain_text("12.45")
    slider.focus()
    page.keyboard.press("ArrowLeft")

    expect(told).to_contain_text("12.30")
    expect(told).to_contain_text("gemeten")


def test_everything_is_reached_by_tab_and_the_focus_is_seen(visitors: Visitors) -> None:
    page = visitors.open("/", home="huis-02").page
    seen = []
    for _ in range(24):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 30)"))
        if seen[-1] == "Nederlands":
            page.keyboard.press("Enter")  # opens the menu of languages

    assert seen[0] == "Naar de inhoud"
    for words in ("English", "Hoe komen we hieraan?", "Bekijk de getallen per kwartie"):
        assert words in seen
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
