"""A resident takes back, and gives again, that the battery at home is steered: by hand and keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.embedded.prices import MadeUpPrices
from api.people.steering import homes_refusing
from api.plan_book import SqlitePlanBook
from api.planner import Planner
from api.price_book import PriceBook
from api.server import WebServer, open_port, port_of
from tests.api.street import street
from tests.api.test_the_plan_of_a_home_battery import NOW_S, heard_of, with_home_batteries
from tests.browser.conftest import Neighbour, Served, Visitors
from tests.browser.looking import too_wide, violations

pytestmark = pytest.mark.browser

HOME, PAGE = "huis-02", "/batterij#toestemming"
KEPT = os.environ.get("KWARTIER_PICTURES")


@pytest.fixture
def at_home(browser: Browser, tmp_path: Path) -> Iterator[Visitors]:
    """Opens pages of a street in which huis-02 has a battery that is steered."""
    port = open_port("127.0.0.1", 0)
    address, community = f"http://127.0.0.1:{port_of(port)}", with_home_batteries()
    with (
        street(
            tmp_path, public_url=address, community=community, now_s=NOW_S, planned=False
        ) as made,
        closing(SqlitePlanBook(":memory:")) as book,
    ):
        house = made.house
        heard_of(made)
        Planner(
            community,
            house.store,
            house.records,
            PriceBook(MadeUpPrices()),
            book,
            made.bus,
            made.clock,
            kept=house.last_plan,
            refusing=partial(homes_refusing, house.people),
        ).plan_now()
        server = WebServer(made.app, "127.0.0.1", 0, opened=port)
        server.start()
        opener = Visitors(browser, Served(made, address))
        yield opener
        for context in opener.contexts:
            context.close()
        house.live.close()
        server.stop()


def faults(neighbour: Neighbour, name: str) -> list[str]:
    """Return what is wrong with the open page; kept as a picture where somebody wants them."""
    page = neighbour.page
    if KEPT:
        page.screenshot(path=f"{KEPT}/leave-{name}.png", full_page=True)
    return [*violations(page), *too_wide(page), *neighbour.complaints]


def by_keys(page: Page, name: str) -> None:
    """Walk to a button with the tab key, and press it."""
    button = page.get_by_role("button", name=name, exact=True)
    for _ in range(60):
        if button.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")


def test_a_telephone_and_its_keys_are_enough(at_home: Visitors) -> None:
    me = at_home.open(PAGE, home=HOME, width=320, height=640)
    page = me.page
    expect(page.get_by_text("Er is toestemming voor.")).to_be_visible()
    before = faults(me, "given-nl-320")

    by_keys(page, "Stop met sturen")
    expect(page.get_by_text("Binnen twee minuten laten wij uw batterij los.")).to_be_visible()
    expect(page.get_by_text("De toestemming is teruggenomen: ")).to_be_visible()
    after = faults(me, "back-nl-320")
    by_keys(page, "Ja, dat mag")
    expect(page.get_by_text("Er is toestemming voor.")).to_be_visible()

    assert [*before, *after, *faults(me, "again-nl-320")] == []


def test_without_script_and_from_right_to_left(at_home: Visitors) -> None:
    me = at_home.open(PAGE, home=HOME, language="ar", script=False, width=360)
    page = me.page
    page.get_by_role("button", name="أوقفوا التحكم", exact=True).click()
    expect(page.get_by_text("لا يتحكم الحي ببطاريتك.")).to_be_visible()
    assert too_wide(page) == []

    wide = at_home.open("/batterij", home=HOME, language="ar", width=1280)
    expect(wide.page.locator("html")).to_have_attribute("dir", "rtl")
    heading = wide.page.get_by_role("heading", level=2, name="هل يجوز للحي").bounding_box()
    button = wide.page.get_by_role("button", name="نعم، مسموح", exact=True).bounding_box()

    assert heading is not None
    assert button is not None
    # Both end at the same edge, on the right.
    ends = [round(box["x"] + box["width"]) for box in (heading, button)]
    assert ends[0] == ends[1] > 640
    assert faults(wide, "back-ar-1280") == []
