"""Everything is reached by keyboard, in the order of the page, and the focus is always seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.api.matrix import Who
from tests.browser.conftest import Furnished
from tests.browser.persons import Persons

pytestmark = pytest.mark.browser

_STEP = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const all = [...document.querySelectorAll('*')];
  return [all.indexOf(one), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
          box.bottom > 0 && box.top < innerHeight, one.outerHTML.slice(0, 90)];
}"""
_REACHABLE = """() => {
  const reached = 'a[href], button, input:not([type=hidden]), select, textarea, summary, '
    + '[tabindex="0"]';
  const all = [...document.querySelectorAll('*')], groups = new Set();
  return all.filter((one) => {
    if (!one.matches(reached)) return false;
    if (!one.checkVisibility({ visibilityProperty: true }) || one.disabled) return false;
    if (one.type !== 'radio') return true;
    const first = !groups.has(one.name);
    groups.add(one.name);
    return first;
  }).map((one) => all.indexOf(one));
}"""


def walk(page: Page, wanted: set[int]) -> list[tuple[int, bool, bool, str]]:
    """Return where Tab leads: the place on the page, whether it is seen and in the window.

    A field for a date has several steps of its own, so there are more steps than places.
    """
    steps: list[tuple[int, bool, bool, str]] = []
    while wanted - {place for place, *_ in steps} and len(steps) < 2 * len(wanted):
        page.keyboard.press("Tab")
        place, seen, inside, html = page.evaluate(_STEP)
        steps.append((int(place), bool(seen), bool(inside), str(html)))
    return steps


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/", Who.RESIDENT),
        ("/overzicht", Who.RESIDENT),
        ("/afrekening/2026-10/1", Who.RESIDENT),
        ("/hulp", Who.RESIDENT),
        ("/inloggen", Who.PUBLIC),
        ("/bestuur", Who.BOARD),
    ],
)
def test_tab_leads_everywhere_in_order(
    persons: Persons, furnished: Furnished, path: str, who: Who
) -> None:
    page = persons.enter(furnished.place, who).go(path)
    wanted = set(page.evaluate(_REACHABLE))

    steps = walk(page, wanted)

    assert "Naar de inhoud" in steps[0][3]
    assert [html for _, seen, _, html in steps if not seen] == []
    assert [html for _, _, inside, html in steps if not inside] == []
    # The bar of tabs stands before the foot for the eye and for the finger alike.
    assert [place for place, *_ in steps] == sorted(place for place, *_ in steps)
    assert {place for place, *_ in steps} >= wanted


def test_the_skip_link_leads_to_the_content(persons: Persons, furnished: Furnished) -> None:
    page = persons.enter(furnished.place, Who.RESIDENT).go("/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "content"
