"""The pictures of the README, drawn from the pages themselves: `make picture`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.api.cooperative.stages import Stage
from tests.api.matrix import Who
from tests.browser.conftest import Furnished, Places, Visitors
from tests.browser.persons import Persons
from tests.browser.places import silent_month
from tests.browser.sights import RUN

FOLDER = os.environ.get("KWARTIER_PICTURES", "")
MOST_BYTES = 150_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not FOLDER, reason="set KWARTIER_PICTURES to a folder for pictures"),
]


@pytest.mark.parametrize(
    ("name", "path", "width", "height", "scale"),
    [("vandaag", "/", 390, 1210, 1.25), ("wijk", "/wijk", 1280, 720, 1.0)],
)
def test_the_pictures_of_the_street_are_taken(
    visitors: Visitors, name: str, path: str, width: int, height: int, scale: float
) -> None:
    page = visitors.open(path, width=width, height=height, scale=scale).page

    page.screenshot(path=_file(name))

    assert _file(name).stat().st_size < MOST_BYTES


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("overzicht", "/overzicht?p=maand&d=2026-10-01"),
        ("afrekening-kwartier", "/afrekening/2026-10/1/2/2026-10-25"),
    ],
)
def test_the_pictures_of_a_resident_are_taken(
    persons: Persons, furnished: Furnished, name: str, path: str
) -> None:
    page = persons.enter(furnished.place, Who.RESIDENT, width=390, height=1210).go(path)

    page.screenshot(path=_file(name))

    assert _file(name).stat().st_size < MOST_BYTES


def test_the_picture_of_the_board_is_taken(persons: Persons, places: Places) -> None:
    blocked = places.at(Stage.READY, silent_month)
    page = persons.enter(blocked, Who.BOARD, width=1280, height=900).go(RUN)

    page.screenshot(path=_file("bestuur-run"))

    assert _file("bestuur-run").stat().st_size < MOST_BYTES


def _file(name: str) -> Path:
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    return Path(FOLDER) / f"{name}.png"
