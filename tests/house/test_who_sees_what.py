"""The table of who sees what in docs/architecture.md, held against the policy of every address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from api.auth import Need
from tests.api.cooperative.stages import Stage
from tests.api.matrix import MEETS, Who, need_of
from tests.api.town import Towns

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "no"
COLUMNS = {
    "anybody": Who.PUBLIC,
    "helper": Who.HELPER,
    "resident": Who.RESIDENT,
    "installer": Who.INSTALLER,
    "board": Who.BOARD,
    "treasurer": Who.TREASURER,
    "operator": Who.OPERATOR,
}
"""Who each column of the table is."""
OWN = frozenset({Need.HOME, Need.OWNER, Need.ACCOUNT})
"""Needs with which one sees one's own and nothing else."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A row: a kind of data, its addresses, and a mark for each column."""

    name: str
    addresses: tuple[str, ...]
    marks: dict[str, str]

    def covers(self, path: str) -> int:
        """Return how much of a path this row names; 0 for nothing."""
        named = [
            len(one)
            for one in self.addresses
            if path == one or (one.endswith("…") and path.startswith(one[:-1]))
        ]
        return max(named, default=0)


def kinds() -> list[Kind]:
    """Return the rows of the table."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.split("\n## Who sees what\n", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line] for line in lines)
    assert head == ["kind of data", *COLUMNS, "addresses"]
    return [
        Kind(
            row[0],
            tuple(re.findall(r"`([^`]+)`", row[-1])),
            dict(zip(COLUMNS, row[1:-1], strict=True)),
        )
        for row in rows
    ]


def row_of(path: str) -> Kind:
    """Return the row that names most of a path."""
    found = max(kinds(), key=lambda kind: kind.covers(path))
    assert found.covers(path), f"{path} stands in no row"
    return found


@pytest.fixture(scope="module")
def needs(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Need]]:
    """What every address that is read asks."""
    with towns.at(Stage.READY, tmp_path_factory.mktemp("sees")) as town:
        yield {
            route.path: need_of(route)
            for route in town.app.routes
            if isinstance(route, APIRoute) and "GET" in (route.methods or ())
        }


def test_every_address_stands_in_a_row_with_its_policy(needs: dict[str, Need]) -> None:
    wrong = [
        f"{path}: {column} is told {mark!r}, and the policy is {need}"
        for path, need in needs.items()
        for column, mark in row_of(path).marks.items()
        if (mark != NOBODY) != (COLUMNS[column] in MEETS[need])
    ]

    assert wrong == []


def test_whoever_sees_only_their_own_is_told_so(needs: dict[str, Need]) -> None:
    wrong = [
        path
        for path, need in needs.items()
        if need in OWN and set(row_of(path).marks.values()) - {NOBODY} != {"own"}
    ]

    assert wrong == []


def test_every_address_of_the_table_exists(needs: dict[str, Need]) -> None:
    told = [Kind("", (one,), {}) for kind in kinds() for one in kind.addresses]

    gone = [one.addresses for one in told if not any(one.covers(path) for path in needs)]

    assert gone == []
