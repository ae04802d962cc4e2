"""The residents' pages in the languages that are begun; Arabic runs from right to left."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from api.pages.language import BEGUN
from tests.api.matrix import Who
from tests.browser.conftest import Furnished
from tests.browser.persons import Persons

pytestmark = pytest.mark.browser

PATHS = ("/", "/batterij", "/overzicht", "/afrekening/2026-10/1", "/hulp")


@pytest.mark.parametrize(
    "language",
    [one if one == "ar" else pytest.param(one, marks=pytest.mark.nightly) for one in BEGUN],
)
def test_a_language_that_is_begun_is_fit_for_residents(
    persons: Persons, furnished: Furnished, language: str
) -> None:
    me = persons.enter(furnished.place, Who.RESIDENT, width=320, language=language)
    for path in PATHS:
        page = me.go(path)
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert me.faults() == []


def test_arabic_stands_on_the_right(persons: Persons, furnished: Furnished) -> None:
    me = persons.enter(furnished.place, Who.RESIDENT, language="ar")
    page = me.go("/")

    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    heading = page.get_by_role("heading", level=1).bounding_box()
    tabs = [tab.bounding_box() for tab in page.locator(".tabs a").all()]
    assert heading is not None
    assert heading["x"] + heading["width"] > 360
    places = [box["x"] for box in tabs if box is not None]
    assert places == sorted(places, reverse=True)
