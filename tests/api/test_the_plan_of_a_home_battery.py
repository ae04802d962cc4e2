"""A resident sees the plan of the own battery and of nobody else's; the board what it brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import httpx
import numpy as np
import pytest
from sqlalchemy import select

from api.embedded.prices import MadeUpPrices
from api.pages.language import language
from api.people.tables import LookRow
from api.plan_book import SqlitePlanBook
from api.planned.by_home import by_home
from api.planned.kept import LastPlan
from api.planned.own import OwnBattery, own_plans
from api.planner import Planner
from api.price_book import PriceBook
from kwartier.interval import QUARTER_S, instant_text
from kwartier.model import Battery, Community
from kwartier.reading import Reading
from optimizer.check import violations_of
from optimizer.plan import Action
from tests.api.conftest import log_in, served
from tests.api.street import LUNCH_S, Street, community_of, feed, street
from tests.api.test_the_plan_answers import board, plan_in  # noqa: F401 - a fixture

NOW_S = LUNCH_S + 86_400


def with_home_batteries() -> Community:
    """Return eight homes: 02 and 03 let theirs be planned, 04 not; 03 has two and a thin fuse."""
    street = community_of(8)
    homes = {
        name: Battery(
            f"thuis-{name[-2:]}",
            street.connections[name].gateway,
            "battery",
            10_000,
            4_000,
            4_000,
            reserve_permille=300 if name == "huis-02" else 0,
            home=name,
            steered=name != "huis-04",
        )
        for name in ("huis-02", "huis-03", "huis-04")
    }
    shed = replace(homes["huis-03"], id="schuur-03", device="battery-2")
    thin = replace(street.connections["huis-03"], limit_w=3_000)
    return replace(
        street,
        connections={**street.connections, "huis-03": thin},
        home_batteries={one.id: one for one in (*homes.values(), shed)},
    )


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Eight homes with a day on record, three batteries at home, and a plan made just now."""
    folder, community = tmp_path_factory.mktemp("own"), with_home_batteries()
    with street(folder, community=community, now_s=NOW_S, planned=False) as made:
        heard_of(made)
        plan_in(made)
        yield made


def heard_of(made: Street) -> None:
    """Put two days on record in which batteries of homes stood still, half full."""
    for battery in made.house.community.home_batteries.values():
        still = {"charged_wh": 5_000, "discharged_wh": 4_000}
        edges = range(NOW_S // QUARTER_S * QUARTER_S - 2 * 86_400, NOW_S, QUARTER_S)
        full = {"soc_permille": 500, "battery_w": 0}
        readings = [Reading(battery.device, "b", at_s, dict(still)) for at_s in edges]
        seq = 7 if battery.device == "battery" else 8
        last = Reading(battery.device, "b", NOW_S - 5, full)
        feed(made.house.store, battery.gateway, seq, [*readings, last])


@pytest.fixture(scope="module")
def anybody(planned: Street) -> Iterator[httpx.Client]:
    with served(planned) as client:
        yield client


@pytest.fixture
def resident(planned: Street, anybody: httpx.Client) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=anybody.base_url, timeout=60) as client:
        yield client


def asked(client: httpx.Client, battery: str) -> httpx.Response:
    query = {"battery": battery, "action": Action.HOLD, "at": instant_text(NOW_S)}
    return client.get("/api/v1/plan/why-not", params=query)


def test_who_has_a_battery_sees_its_plan_and_may_ask_about_it(
    planned: Street, resident: httpx.Client
) -> None:
    log_in(planned, resident, "huis-02")

    page = resident.get("/batterij").text
    question = resident.get(f"/batterij?b=thuis-02&om={NOW_S}&doe=wachten").text

    assert "Uw batterij thuis" in page
    assert "zij bewaart stroom voor als het net uitvalt" in page
    assert "thuis-02" in page
    assert "thuis-03" not in page + question
    assert "thuis-04" not in page + question
    assert "Daar is geen antwoord op" not in question
    assert asked(resident, "thuis-02").status_code == 200


def test_a_battery_of_somebody_else_is_as_one_that_is_not_there(
    planned: Street, resident: httpx.Client
) -> None:
    log_in(planned, resident, "huis-05")

    page = resident.get("/batterij").text
    question = resident.get(f"/batterij?b=thuis-02&om={NOW_S}&doe=wachten").text
    answers = [asked(resident, name) for name in ("thuis-02", "no-battery")]

    assert "Uw batterij thuis" not in page
    assert "thuis-0" not in page
    assert "Daar is geen antwoord op" in question
    assert [one.status_code for one in answers] == [422, 422]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_a_helper_who_asks_about_the_battery_is_written_down(
    planned: Street, resident: httpx.Client
) -> None:
    session, number = planned.helper("huis-02")
    resident.cookies.set("kwartier", session)

    statuses = [asked(resident, name).status_code for name in ("wijkbatterij", "thuis-02")]

    with planned.house.people.reading() as desk:
        looks = desk.session.scalars(select(LookRow).where(LookRow.companion == number)).all()
    assert statuses == [200, 200]
    assert [(look.home, look.what) for look in looks] == [("huis-02", "quarters")]


def test_who_did_not_allow_steering_is_told_that_nothing_is_steered(
    planned: Street, resident: httpx.Client
) -> None:
    log_in(planned, resident, "huis-04")

    assert "U gaf daar geen toestemming voor." in resident.get("/batterij").text


def test_leave_that_was_taken_back_since_the_start_is_told_as_such(planned: Street) -> None:
    house, kept = planned.house, LastPlan()
    (battery,) = house.community.batteries_by_home()["huis-02"]
    own = {**house.community.home_batteries, battery.id: replace(battery, steered=False)}
    with closing(SqlitePlanBook(":memory:")) as book:
        Planner(
            replace(house.community, home_batteries=own),
            house.store,
            house.records,
            PriceBook(MadeUpPrices()),
            book,
            planned.bus,
            planned.clock,
            kept=kept,
        ).plan_now()

    (told,) = own_plans(kept.newest(), (battery,), NOW_S, language("en"), may_ask=True)

    assert battery.steered
    assert told == OwnBattery("thuis-02", [], "off")


def test_the_plan_that_all_see_names_no_home(planned: Street, anybody: httpx.Client) -> None:
    told = anybody.get("/api/v1/plan").text

    assert "wijkbatterij" in told
    assert "thuis-" not in told
    assert "huis-" not in told


def test_home_by_home_each_battery_stands_behind_its_home_and_its_fuse(planned: Street) -> None:
    kept = planned.house.last_plan.newest()
    assert kept is not None

    spread = by_home(planned.house, kept)

    assert spread is not None
    problem = spread.problem
    behind = {
        name: None if row < 0 else problem.home_ids[row]
        for name, row in zip(problem.battery_ids, problem.store_home.tolist(), strict=True)
    }
    assert behind == {
        "wijkbatterij": None,
        "thuis-02": "huis-02",
        "thuis-03": "huis-03",
        "schuur-03": "huis-03",
    }
    assert problem.boundaries is not None
    (row,) = problem.boundaries.homes
    assert problem.home_ids[int(np.flatnonzero(row)[0])] == "huis-03"
    assert violations_of(problem, spread.made) == ()
    assert problem.load_kw.sum(axis=0) == pytest.approx(kept.problem.load_kw.sum(axis=0))


def test_nobody_pays_more_with_the_batteries_planned_together(
    planned: Street,
    board: httpx.Client,  # noqa: F811
) -> None:
    told = board.get("/api/v1/board/plan").json()

    assert told["together"]
    assert len(told["homes"]) == 8
    assert all(one["pays_cents"] <= one["alone_cents"] for one in told["homes"])
    assert sum(one["pays_cents"] for one in told["homes"]) == told["group_cents"]
