"""Every page for everybody, in both languages and colours, at every width: by construction.

The pages come from the app's own routes. The timed suite looks at every page once, as one of those
who may open it, in one language at two widths, and lets axe judge it; who looks, the language, the
colours and the second width change from page to page. The whole product is judged at night. With
``KWARTIER_PAGES`` each page is kept as a picture.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from api.cooperative.database import Books
from tests.api.cooperative.stages import Stage
from tests.api.matrix import Who
from tests.browser.conftest import Furnished, Places
from tests.browser.eyes import LANGUAGES, LOOKS, Eyes
from tests.browser.places import Place, silent_month
from tests.browser.sights import (
    AT_STAGES,
    BY_HAND,
    NEEDS_AN_ACT,
    PEOPLE,
    RUN,
    Sight,
    sights_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(7_200)]

BLOCKED = (
    Sight(RUN, Who.TREASURER),
    Sight(f"{RUN}/voorstellen", Who.TREASURER, 409),
    Sight(f"{RUN}/huis/home-5", Who.BOARD),
)
KEPT = os.environ.get("KWARTIER_PAGES")


def test_each_page_is_fit_for_everybody(browser: Browser, furnished: Furnished) -> None:
    found, nobody = sights_of(furnished.place, furnished.values, PEOPLE)
    inside = furnished.place.fetch("/hulp/gekeken", Who.RESIDENT)

    assert inside.status_code == 200
    assert set(nobody) == NEEDS_AN_ACT
    paths = {sight.path for sight in found}
    assert len(paths) > 40
    once = [*one_each(found), *BY_HAND]
    assert {sight.path for sight in once} >= paths
    assert wrong_at(browser, furnished.place, once, every=False) == {}


def test_a_month_that_waits_is_fit_for_the_board(browser: Browser, places: Places) -> None:
    stage = Stage.PROPOSED
    assert wrong_at(browser, places.at(stage), AT_STAGES[stage], every=False) == {}


@pytest.mark.nightly
def test_each_page_is_fit_for_everybody_in_every_way(
    browser: Browser, furnished: Furnished
) -> None:
    found, _ = sights_of(furnished.place, furnished.values)

    assert wrong_at(browser, furnished.place, [*found, *BY_HAND], every=True) == {}


@pytest.mark.nightly
@pytest.mark.parametrize("stage", AT_STAGES)
def test_each_stage_of_a_month_is_fit_for_everybody(
    browser: Browser, places: Places, stage: Stage
) -> None:
    assert wrong_at(browser, places.at(stage), AT_STAGES[stage], every=True) == {}


@pytest.mark.nightly
def test_a_blocked_month_is_fit_for_the_board(browser: Browser, places: Places) -> None:
    assert wrong_at(browser, _blocked(places), BLOCKED, every=True) == {}


def one_each(sights: Iterable[Sight]) -> list[Sight]:
    """Return each page once, in turn as another of those who see it."""
    seen_by: dict[str, list[Sight]] = {}
    for sight in sights:
        seen_by.setdefault(sight.path, []).append(sight)
    return [those[turn % len(those)] for turn, those in enumerate(seen_by.values())]


def wrong_at(
    browser: Browser, at: Place, sights: Iterable[Sight], *, every: bool
) -> dict[str, list[str]]:
    """Return what is wrong with some pages of a place.

    Args:
        browser: What to look with.
        at: Where.
        sights: Which pages.
        every: Whether each is opened in every language, and axe judges it at every width and in
            all colours; or once.
    """
    wrong: dict[str, list[str]] = {}
    turns = itertools.cycle(itertools.product(LANGUAGES, LOOKS))
    with looking(browser, at) as eyes:
        for sight in sights:
            own_language, own_look = next(turns)
            for language in LANGUAGES if every else (own_language,):
                page = eyes.open(sight, language)
                if page is None:
                    continue
                told = (
                    eyes.judged(page, LOOKS)
                    if every
                    else eyes.judged(page, (own_look,), tuple({320, own_look.width}))
                )
                if told:
                    wrong[f"{sight.path} {sight.who.name} {language}"] = told
                if KEPT:
                    eyes.picture(page, sight, Path(KEPT), language)
    return wrong


@contextmanager
def looking(browser: Browser, at: Place) -> Iterator[Eyes]:
    """Yield eyes, and close their windows."""
    eyes = Eyes(browser, at)
    try:
        yield eyes
    finally:
        eyes.close()


def _blocked(places: Places) -> Place:
    then: Callable[[Books], None] = silent_month
    return places.at(Stage.READY, then)
