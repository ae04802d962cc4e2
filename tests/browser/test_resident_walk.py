"""A resident finds out why: from the euro to the line, the day, the quarter and the meter."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from playwright.sync_api import Locator, expect

from tests.api.cooperative.stages import Stage
from tests.api.matrix import Who
from tests.browser.conftest import Places
from tests.browser.persons import Person, Persons

pytestmark = pytest.mark.browser


def number(text: str) -> Fraction:
    """Return a number as Dutch pages tell it: ``€ 1.234,50`` or ``0,210 kWh``."""
    found = re.search(r"-?\s*[\d.]+(?:,\d+)?", text.replace("\N{NO-BREAK SPACE}", " "))
    assert found is not None, text
    return Fraction(found[0].replace(" ", "").replace(".", "").replace(",", "."))


def numbers(cells: Locator) -> list[Fraction]:
    """Return the numbers of some cells."""
    return [number(text) for text in cells.all_inner_texts()]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_every_step_from_the_euro_to_the_meter_adds_up(
    persons: Persons, places: Places, script: bool
) -> None:
    # Registers were read here at every quarter, and home-4 has no panels: one register tells all.
    at = places.at(Stage.CORRECTED)
    me = persons.enter(at, at.town.resident("home-4"), script=script)
    page = me.go("/afrekening")

    head = number(page.locator(".verdict .sum").inner_text().split("€")[1])
    me.follow("Bekijk alle regels")
    assert number(page.locator(".verdict .sum").inner_text().split("€")[1]) == head
    lines = numbers(page.locator(".amount"))
    sums = numbers(page.locator(".sums dd"))
    assert sum(lines) == sums[0]
    assert sums[0] + sums[1] == sums[2] == sums[-1] == head

    _second_line(me)
    told = number(page.locator(".heading p").inner_text().split("€")[1])
    days = page.locator("#days tbody tr")
    exact = numbers(days.locator("td:nth-of-type(2)"))
    energy = numbers(days.locator("td:nth-of-type(1)"))
    foot = numbers(page.locator("#days tfoot td"))
    assert (sum(energy), sum(exact)) == (foot[0], foot[1])
    # The cents of all homes together are shared out by largest remainder: less than one away.
    assert abs(sum(exact) - told) < Fraction(1, 100)

    days.get_by_role("link", name=re.compile("25")).click()
    me.sees("Deze dag duurt 25 uur")
    of_day = numbers(page.locator("#kwartieren tbody td:nth-of-type(2)"))
    own = numbers(page.locator("#kwartieren tbody td:nth-of-type(1)"))
    assert len(of_day) == len(own) == 100
    totals = numbers(page.locator("#kwartieren tfoot td"))
    assert (sum(own), sum(of_day)) == (totals[0], totals[1])
    assert totals[1] in energy

    page.locator("#kwartieren").get_by_role("link", name="02.15 (wintertijd)").click()
    expect(page.locator("#kwartier h2")).to_contain_text("02.15 (wintertijd)")
    readings = numbers(page.locator("#kwartier .sheet td"))
    used = number(page.locator("#kwartier .sums dd").first.inner_text())
    assert readings[1] - readings[0] == used
    if script:
        assert me.faults() == []


def _second_line(me: Person) -> None:
    """Open the line of the second half of the month."""
    lines = me.page.locator(".how")
    lines.nth(1).click()
    expect(me.page.get_by_role("heading", level=1)).to_be_visible()


def test_a_resident_asks_and_the_board_answers(persons: Persons, places: Places) -> None:
    at = places.at(Stage.CORRECTED)
    me = persons.enter(at, at.town.resident("home-5"))
    board = persons.enter(at, Who.BOARD)

    me.go("/afrekening/2026-10/2")
    me.follow("Klopt dit niet?")
    me.page.get_by_role("textbox").fill("Was ik die dag niet thuis?")
    me.page.locator("main form").get_by_role("button").click()
    me.sees("Was ik die dag niet thuis?")
    assert me.faults() == []
    board.go("/bestuur/vragen")
    board.sees("Was ik die dag niet thuis?")
    assert board.faults() == []
