"""A battery is looked at by everybody before the members vote on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from api.cooperative.canonical import digest
from api.cooperative.whatif import replay_of
from api.embedded.prices import MadeUpPrices
from kwartier.wire import Json
from tests.api.board_place import Served, hidden, served_to_many
from tests.api.cooperative.stages import Stage
from tests.api.town import Towns

FORM = {
    "name": "accu-2027",
    "from": "2027-01-01",
    "kwh": "20",
    "kw": "10",
    "efficiency": "0,9",
    "price": "8000",
    "years": "15",
    "way": "beside",
    "home": "",
    "kwp": "",
    "yield": "875",
    "outside_buy": "0,25",
    "outside_sell": "0,05",
}


@pytest.fixture(scope="module")
def place(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A closed October, shared by this file; every test uses a name of its own."""
    with (
        towns.at(Stage.CLOSED, tmp_path_factory.mktemp("asset")) as town,
        served_to_many(town) as made,
    ):
        town.house.market.source = MadeUpPrices()
        yield made


def treasurer(place: Served) -> httpx.Client:
    return place.client(place.town.officer("treasurer"))


@dataclass(frozen=True)
class Proposed:
    """A proposal, and what was looked at before it was made."""

    number: int
    page: str
    told: dict[str, Json]


@pytest.fixture(scope="module")
def proposed(place: Served) -> Proposed:
    """A battery that was tried and proposed."""
    client = treasurer(place)
    path = place.tried(client, FORM, "straat")
    page = client.get(path).text
    told = client.get(f"/api/v1/board/whatif/{path.rsplit('/', 1)[1]}").json()
    sent = client.post(path, data={"hash": hidden(page)})
    number = int(sent.headers["location"].split("?")[0].rsplit("/", 1)[1])
    return Proposed(number, page, told)


def test_a_battery_is_proposed_with_the_hash_of_what_was_looked_at(
    place: Served, proposed: Proposed
) -> None:
    client = treasurer(place)

    made = client.get(f"/api/v1/board/proposals/{proposed.number}").json()
    page = client.get(f"/bestuur/voorstellen/{proposed.number}").text

    assert made["matter"] == "asset"
    assert made["replay_hash"] == proposed.told["hash"] == digest(proposed.told["replay"])
    for each in (proposed.page, page):
        assert "De straat samen" in each
        assert "In een jaar" in each


def test_a_battery_is_steered_by_the_market_where_its_prices_are_known(proposed: Proposed) -> None:
    replay = replay_of(proposed.told["replay"])

    assert replay.street is not None
    assert replay.street.fixed_price == 0
    assert replay.street.new.battery_wh > 0


def test_a_resident_sees_the_own_effect_of_a_battery_and_classes_of_five(
    place: Served, proposed: Proposed
) -> None:
    resident = place.client(place.town.resident("home-1"))

    page = resident.get(f"/afrekening/voorstel/{proposed.number}")
    told = resident.get(f"/api/v1/proposals/{proposed.number}").json()

    assert page.status_code == 200
    assert "Voorstel voor een batterij of een dak" in page.text
    assert "Van uw afrekening alleen" in page.text
    assert min(each["members"] for each in told["classes"]) >= 5
    assert told["difference_cents"] == told["new_cents"][0] - told["old_cents"][0]
    assert not [name for name in ("lid-2", "lid-4", "corporatie") if name in page.text]


def test_a_second_person_says_yes_to_a_battery(place: Served, proposed: Proposed) -> None:
    board = place.client(place.town.officer("board"))
    number = proposed.number
    seen = board.get(f"/api/v1/board/proposals/{number}").json()["body_hash"]

    sent = board.post(f"/bestuur/voorstellen/{number}/goedkeuren", data={"hash": seen})

    assert sent.status_code == 303
    assert "goedgekeurd" in board.get(f"/bestuur/voorstellen/{number}").text


def test_what_makes_no_battery_is_told_on_the_form(place: Served) -> None:
    client = treasurer(place)

    for field, typed, why in (
        ("kwh", "veel", "kwh"),
        ("efficiency", "1,2", "0.5 to 1"),
        ("outside_buy", "", "outside_buy"),
        ("home", "home-99", "kwp"),
    ):
        sent = client.post("/bestuur/regels/straat", data={**FORM, field: typed})
        assert sent.status_code == 422, field
        assert why in sent.text, field


def test_nothing_to_try_is_told_on_the_form(place: Served) -> None:
    sent = treasurer(place).post("/bestuur/regels/straat", data={**FORM, "kwh": "", "kw": ""})

    assert sent.status_code == 422
    assert "nothing is tried" in sent.text


def test_only_the_board_tries_a_battery_or_stops_a_replay(place: Served) -> None:
    resident = place.client(place.town.resident("home-1"))

    assert resident.get("/bestuur/regels/straat").status_code == 403
    assert resident.post("/bestuur/regels/straat", data=FORM).status_code == 403
    assert resident.post(f"/bestuur/regels/proef/{'0' * 32}/stop").status_code == 403


def test_a_replay_that_is_not_here_cannot_be_stopped(place: Served) -> None:
    sent = treasurer(place).post(f"/bestuur/regels/proef/{'0' * 32}/stop")

    assert sent.status_code == 404
