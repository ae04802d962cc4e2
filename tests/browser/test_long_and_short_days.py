"""Days of 92 and 100 quarters, as a browser in New York shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import expect

from api.cooperative.runs.month import Month
from kwartier.interval import local_day
from tests.api.cooperative.stages import Stage
from tests.api.cooperative.street import readings
from tests.api.matrix import Who
from tests.api.town import Towns
from tests.browser.conftest import Furnished
from tests.browser.persons import Persons
from tests.browser.places import Place, place

pytestmark = pytest.mark.browser

MARCH = Month(2026, 3)
APRIL_S = local_day(date(2026, 4, 2))[0] + 9 * 3600


@pytest.fixture(scope="module")
def spring(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The town on 2 April, with March in its record."""
    folder = tmp_path_factory.mktemp("spring")
    days = readings(month=MARCH)
    with place(towns, folder, Stage.READY, now_s=APRIL_S, days=days) as made:
        yield made


def test_the_hour_that_comes_twice_is_told_twice(persons: Persons, furnished: Furnished) -> None:
    me = persons.enter(furnished.place, Who.RESIDENT)
    page = me.go("/overzicht?p=dag&d=2026-10-25")

    me.sees("25 uur")
    names = page.locator("main tbody th").all_text_contents()
    assert len(names) == 100
    assert "02.15 (zomertijd)" in names
    assert "02.15 (wintertijd)" in names

    page = me.go("/afrekening/2026-10/1/2/2026-10-25")
    me.sees("Deze dag duurt 25 uur")
    told = page.locator("#kwartieren tbody th a").all_text_contents()
    assert told == names
    page.get_by_role("link", name="02.15 (zomertijd)").click()
    expect(page.locator("#kwartier h2")).to_contain_text("02.15 (zomertijd)")
    me.follow("Volgend kwartier")
    expect(page.locator("#kwartier h2")).to_contain_text("02.30 (zomertijd)")


def test_the_hour_that_is_not_there_is_not_told(persons: Persons, spring: Place) -> None:
    me = persons.enter(spring, spring.town.resident("home-4"))
    page = me.go("/overzicht?p=dag&d=2026-03-29")

    me.sees("23 uur")
    names = page.locator("main tbody th").all_text_contents()
    assert len(names) == 92
    assert names[7:9] == ["01.45", "03.00"]
    assert me.faults() == []


def test_a_browser_in_new_york_shows_the_quarters_of_the_street(
    persons: Persons, furnished: Furnished
) -> None:
    far = persons.enter(furnished.place, Who.RESIDENT, zone="America/New_York")
    near = persons.enter(furnished.place, Who.RESIDENT, zone="Europe/Amsterdam")

    for path in ("/", "/overzicht?p=dag&d=2026-10-25", "/hulp/gekeken"):
        told = [one.go(path).locator("main").inner_text() for one in (far, near)]
        assert told[0] == told[1]
    assert far.page.evaluate("new Date(1793610000000).getHours()") == 4  # its own clock
