"""What is wrong with a page: by axe, sideways, behind the bar of tabs, and in the console."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # no types in it
    Axe,
)
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""All that axe knows of WCAG 2.2 AA, and more."""
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
"""What another theme can break."""
_AXE: str = Axe().axe_script
_BEHIND = """() => {
  const bar = document.querySelector('.tabs');
  if (!bar) return [];
  const behind = [];
  const reached = 'a, button, input, select, textarea, summary, [tabindex="0"]';
  for (const one of document.querySelectorAll(reached)) {
    if (bar.contains(one) || !one.checkVisibility() || one.type === 'hidden') continue;
    one.focus();
    if (document.activeElement !== one) continue;
    const place = one.getBoundingClientRect(), edge = bar.getBoundingClientRect().top;
    // A browser shows the line that is typed in; all else is shown whole.
    const whole = one.tagName !== 'TEXTAREA' && place.height < innerHeight / 2;
    if ((whole ? place.bottom : place.top + 24) > edge + 1) {
      const over = Math.round(place.bottom - edge);
      behind.push(`${one.outerHTML.slice(0, 100)} ends ${over} px behind`);
    }
  }
  document.activeElement?.blur();
  scrollTo(0, 0);
  return behind;
}"""
_LIFT = """place => {
  const bar = document.querySelector('.tabs');
  if (bar) bar.style.position = place;
}"""
_WIDE = """() => [...document.querySelectorAll('main *, header *, footer *')]
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    && !one.closest('.scroll, .tabs, svg'))
  .slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""


def violations(page: Page, *, colours_only: bool = False) -> list[str]:
    """Return what axe finds wrong, one line each.

    Args:
        page: What is open.
        colours_only: Judge what depends on colours; the rest was judged in others.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    # What lies under the bar now can be scrolled away from it: ``behind_the_bar`` looks there.
    page.evaluate(_LIFT, "static")
    found = page.evaluate(
        "([type, values]) => axe.run(document, {runOnly: {type, values},"
        " resultTypes: ['violations']})"
        ".then(told => told.violations.flatMap(one => one.nodes.map(node =>"
        " `${one.id}: ${node.html.slice(0, 120)} ${node.failureSummary.slice(0, 240)}`)))",
        ["rule", COLOUR_RULES] if colours_only else ["tag", RULES],
    )
    page.evaluate(_LIFT, "")
    return [str(one) for one in found]


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    box = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    return int(box[0]) - int(box[1])


def too_wide(page: Page) -> list[str]:
    """Return that a page is wider than its window, and what reaches out of it."""
    over = sideways(page)
    return [f"{over} pixels too wide: {page.evaluate(_WIDE)}"] if over else []


def behind_the_bar(page: Page) -> list[str]:
    """Return what lies behind the bar of tabs although it has the focus (WCAG 2.2, 2.4.11)."""
    return [str(one) for one in page.evaluate(_BEHIND)]


def open_all(page: Page) -> None:
    """Open every part that is closed at first, but the menus that would cover the page."""
    page.evaluate(
        "document.querySelectorAll('main details, footer details')"
        ".forEach(one => { one.open = true })"
    )
