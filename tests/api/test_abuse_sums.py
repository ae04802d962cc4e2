"""What somebody learns from sums: never one home, also not from two sums or two versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import httpx
import pytest

from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

SUMS = ("community_supply_wh", "community_use_wh", "community_shared_wh")


@pytest.fixture(scope="module")
def corrected(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with towns.at(Stage.CORRECTED, tmp_path_factory.mktemp("sums")) as town:
        yield town


@pytest.fixture(scope="module")
def client(corrected: Town) -> Iterator[httpx.Client]:
    with served(corrected) as made:
        yield made


def quarters(client: httpx.Client, town: Town, version: int) -> Mapping[str, Mapping[str, object]]:
    """Return the quarters of every line and day of home-2 in a version, by place and start."""
    headers = {"Cookie": f"kwartier={town.resident('home-2')}"}
    front = f"/api/v1/statements/2026-10/{version}"
    found = {}
    for line in client.get(front, headers=headers).json()["lines"]:
        number = line["number"]
        way = client.get(f"{front}/lines/{number}", headers=headers).json()
        for day in way["days"]:
            if not day["quarters"]:
                continue
            path = f"{front}/lines/{number}/days/{day['day']}"
            for one in client.get(path, headers=headers).json()["quarters"]:
                found[f"{line['charge']} {one['start']}"] = one
    return found


def test_two_versions_of_a_quarter_never_tell_two_sums(
    corrected: Town, client: httpx.Client
) -> None:
    first, second = (quarters(client, corrected, version) for version in (1, 2))

    told = [(first[place][name], second[place][name]) for place in first for name in SUMS]

    assert len(told) > 1_000
    assert [pair for pair in told if None not in pair and pair[0] != pair[1]] == []
    assert any(pair[1] is None and pair[0] is not None for pair in told), "nothing was corrected"
    assert any(None not in pair for pair in told), "what was not corrected is still told"


def test_a_corrected_month_tells_no_second_total_of_all_homes(
    corrected: Town, client: httpx.Client
) -> None:
    headers = {"Cookie": f"kwartier={corrected.resident('home-2')}"}

    totals = {
        version: client.get(f"/api/v1/statements/2026-10/{version}/lines/1", headers=headers).json()
        for version in (1, 2)
    }

    assert totals[1]["community_cents"] is not None
    assert totals[2]["community_cents"] is None
    assert totals[2]["community_exact_eur"] is None
