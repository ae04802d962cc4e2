"""Every page that a guide names is there for somebody the guide is for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = ("board.md", "bestuur.md", "bewoners.md", "people.md")
HERE = {"2026-07": "2026-10", "leden/huis-2": "leden/lid-2", "huis/huis-2": "huis/home-2"}
"""What stands in a guide, and what it is called in the town of the tests."""
NO_PAGE = {404, 405, 422}
SHOWN = {200, 303, 409}
"""A page, the way to one, and an act whose turn it is not: its page says so."""


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with towns.at(Stage.CLOSED, tmp_path_factory.mktemp("guides")) as made:
        yield made


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    with served(town) as made:
        yield made


def pages(guide: str) -> list[str]:
    """Return the addresses of pages in a guide, as they are in the town."""
    named = re.findall(r"`(/[^` ]*)`", (DOCS / guide).read_text())
    for shown, real in HERE.items():
        named = [path.replace(shown, real) for path in named]
    return sorted({path for path in named if not path.endswith("…")})


@pytest.mark.parametrize("guide", GUIDES)
def test_every_page_of_a_guide_is_there(town: Town, client: httpx.Client, guide: str) -> None:
    sessions = [town.officer("treasurer"), town.resident("home-1"), town.installer("home-1")]
    asked = {
        path: {
            client.get(path, headers={"Cookie": f"kwartier={session}"}).status_code
            for session in sessions
        }
        for path in pages(guide)
    }

    lost = {path: seen for path, seen in asked.items() if seen & NO_PAGE or not seen & SHOWN}

    assert len(asked) > 8
    assert lost == {}


def test_both_guides_of_the_board_name_the_same_pages() -> None:
    assert pages("board.md") == pages("bestuur.md")
