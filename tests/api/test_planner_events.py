"""What happens within a quarter makes one new plan, and only what matters does."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.embedded.prices import MadeUpPrices
from api.plan_book import SqlitePlanBook
from api.planner import Planner
from api.planning.calls import PutCall
from api.plans import MadeBecause, NeighbourhoodPlan
from collectors.answers import NothingToldError
from collectors.prices.model import PriceDay
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS
from tests.api.planning import HOMES, Scene, charge_of, scene
from tests.api.street import community_of
from tests.api.test_planner import live_before

NOON_S = int(datetime(2026, 7, 8, 10, 0, tzinfo=UTC).timestamp())
TOMORROW = date(2026, 7, 9)
STREET = """coop = "zonnehof"
name = "Zonnehof"
{limit}
[[battery]]
id = "wijkbatterij"
gateway = "gw-accu"
device = "battery"
capacity_wh = 120000
charge_max_w = 40000
discharge_max_w = 40000
"""


@dataclass(slots=True)
class Auction:
    """The far side of the internet: tomorrow is told once it is published."""

    published: bool = False

    def day(self, day: date) -> PriceDay:
        """Return the prices of a day."""
        if day >= TOMORROW and not self.published:
            raise NothingToldError(f"nothing about {day} yet")
        return MadeUpPrices().day(day)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, NOON_S + 5) as made:
        live_before(made, NOON_S + 5)
        yield made


def call(name: str, start_s: EpochS, most_w: int = 1_000) -> PutCall:
    return PutCall(name, start_s, start_s + 8 * QUARTER_S, most_w, None, None, 0.0, NOON_S)


def planned(planner: Planner) -> NeighbourhoodPlan:
    plan = planner.turn()
    assert plan is not None
    return plan


def test_nothing_new_makes_no_new_plan(street: Scene) -> None:
    planner = street.planner()
    first = planned(planner)
    for _ in range(12):
        street.clock.advance(70)
        assert planner.turn() is None

    street.clock.advance(55)
    second = planned(planner)

    assert [first.made_because, second.made_because] == ["quarter", "quarter"]
    assert second.quarters[0].start_s == NOON_S + QUARTER_S
    assert len(street.sent) == 2


def test_prices_for_tomorrow_make_a_new_plan_once_they_are_published(
    street: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "api.planner")
    auction = Auction()
    planner = street.planner(prices=auction)
    first = planned(planner)
    street.clock.advance(130)
    assert planner.turn() is None

    auction.published = True
    street.clock.advance(130)
    plan = planned(planner)
    street.clock.advance(130)

    assert planner.turn() is None
    assert plan.made_because is MadeBecause.PRICES
    assert plan.name == f"plan-{NOON_S}-265"
    assert street.book.current() == plan
    assert first.name == f"plan-{NOON_S}"
    assert [schedule.plan for schedule in street.sent] == [first.name, plan.name]
    assert [record.message for record in caplog.records] == [
        f"plan-{NOON_S}-265 was made within the quarter because of: prices"
    ]


def test_a_call_makes_a_new_plan_in_which_less_passes(street: Scene) -> None:
    planner = street.planner()
    before = planned(planner)
    start_s = NOON_S + 8 * QUARTER_S
    street.calls.add(call("cbc-1", start_s))
    street.clock.advance(61)

    plan = planned(planner)

    assert plan.made_because is MadeBecause.CALL
    passing = passing_w(plan)
    called = [at_s for at_s in passing if start_s <= at_s < start_s + 8 * QUARTER_S]
    assert len(called) == 8
    assert max(passing_w(before)[at_s] for at_s in called) >= 4_000
    assert max(passing[at_s] for at_s in called) <= 1_001


def passing_w(plan: NeighbourhoodPlan) -> dict[EpochS, int]:
    """Return what the street takes by a plan in each quarter [W]."""
    return {one.start_s: 4 * (one.use_wh - one.solar_wh) + one.battery_w for one in plan.quarters}


def test_a_call_that_is_taken_back_makes_another(street: Scene) -> None:
    street.calls.add(call("cbc-1", NOON_S + 8 * QUARTER_S))
    planner = street.planner()
    planned(planner)

    street.calls.drop("cbc-1", NOON_S + 30)
    street.clock.advance(61)

    assert planned(planner).made_because is MadeBecause.CALL


def test_a_book_of_calls_that_cannot_be_read_stops_no_plan_and_frees_from_no_call(
    street: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start_s = NOON_S + 8 * QUARTER_S
    street.calls.add(call("cbc-1", start_s))
    planner = street.planner()
    planned(planner)
    book = tmp_path / "calls.db"
    whole = book.read_bytes()
    book.write_bytes(b"this is no book of calls any more, as anybody can see")

    street.clock.advance(QUARTER_S)
    charge_of(street, NOON_S + QUARTER_S, 500, seq=2)
    plan = planned(planner)
    street.clock.advance(61)
    assert planner.turn() is None
    book.write_bytes(whole)
    street.clock.advance(61)
    assert planner.turn() is None

    assert plan.made_because is MadeBecause.QUARTER
    assert passing_w(plan)[start_s] <= 1_001
    said = [one.message for one in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("calls that are known already stay in force: the book of calls")
    assert said[1] == "the book of calls is back"


def test_a_battery_that_is_not_where_it_was_planned_to_be_makes_a_new_plan(street: Scene) -> None:
    planner = street.planner()
    first = planned(planner)
    street.clock.advance(61)
    charge_of(street, NOON_S + 60, expected_permille(first, 55) + 40, seq=2)
    assert planner.turn() is None

    street.clock.advance(61)
    charge_of(street, NOON_S + 121, expected_permille(first, 116) - 60, seq=3)
    plan = planned(planner)
    street.clock.advance(61)

    assert plan.made_because is MadeBecause.CHARGE
    assert planner.turn() is None


def expected_permille(plan: NeighbourhoodPlan, after_s: int) -> int:
    """Return the state of charge that a plan from 500 permille on expects in its first quarter."""
    return round(500 + (plan.quarters[0].soc_permille - 500) * after_s / QUARTER_S)


def test_a_changed_limit_makes_a_new_plan_and_a_broken_file_does_not(
    street: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "street.toml"
    file.write_text(STREET.format(limit=""))
    planner = street.planner(street_file=file)
    planned(planner)
    street.clock.advance(61)
    file.write_text(STREET.format(limit="import_limit_w = true"))
    assert planner.turn() is None

    file.write_text(STREET.format(limit="import_limit_w = 5000"))
    street.clock.advance(61)
    plan = planned(planner)

    assert plan.made_because is MadeBecause.LIMIT
    assert max(passing_w(plan).values()) <= 5_001
    (said,) = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    assert said.startswith("changed limits are not taken over: ")
    assert "import_limit_w is 'True'" in said


def test_a_burst_makes_one_plan_and_not_within_a_minute(street: Scene, tmp_path: Path) -> None:
    file = tmp_path / "street.toml"
    file.write_text(STREET.format(limit=""))
    auction = Auction()
    planner = street.planner(prices=auction, street_file=file)
    planned(planner)
    auction.published = True
    file.write_text(STREET.format(limit="import_limit_w = 50000"))
    for number in range(5):
        street.calls.add(call(f"cbc-{number}", NOON_S + (8 + number) * QUARTER_S))
    charge_of(street, NOON_S + 30, 900, seq=2)

    made = []
    for _ in range(59):
        street.clock.advance(1)
        made.append(planner.turn())
    assert made == [None] * 59
    street.clock.advance(61)
    plan = planned(planner)
    for _ in range(30):
        street.clock.advance(10)
        made.append(planner.turn())

    assert plan.made_because is MadeBecause.CALL
    assert made == [None] * 89


def test_a_battery_that_falls_silent_leaves_the_last_plan(tmp_path: Path) -> None:
    with scene(tmp_path, NOON_S + 5) as street:
        live_before(street, NOON_S + 5, days=2)
        charge_of(street, NOON_S + 5, 500, seq=2)
        planner = street.planner()
        street.clock.advance(1_795)
        last = planned(planner)
        street.clock.advance(61)

        assert planner.turn() is None
        assert street.book.current() == last
        assert [schedule.plan for schedule in street.sent] == [last.name]
        charge_of(street, NOON_S + 1_870, 500, seq=3)
        street.clock.advance(61)
        assert planner.turn() is None  # it is back where the plan in force takes it to be


def test_a_battery_that_is_lost_or_back_makes_a_plan_for_those_that_are_there(
    tmp_path: Path,
) -> None:
    community = community_of(HOMES, solar_every=HOMES + 1)
    (first,) = community.batteries.values()
    second = replace(first, id="schuur", gateway="gw-schuur", capacity_wh=60_000)
    both = replace(community, batteries={first.id: first, second.id: second})
    with scene(tmp_path, NOON_S + 5, community=both) as street:
        live_before(street, NOON_S + 5, days=2)
        charge_of(street, NOON_S - 1_790, 500, gateway=second.gateway)
        planner = street.planner()
        together = planned(planner)
        street.clock.advance(61)
        alone = planned(planner)
        charge_of(street, NOON_S + 120, 500, seq=2, gateway=second.gateway)
        street.clock.advance(61)
        again = planned(planner)

    assert [one.made_because for one in (together, alone, again)] == ["quarter", "device", "device"]
    assert [{block.battery for block in one.blocks} for one in (together, alone, again)] == [
        {first.id, "schuur"},
        {first.id},
        {first.id, "schuur"},
    ]
    assert [schedule.plan for schedule in street.sent] == [
        together.name,
        together.name,
        alone.name,
        again.name,
        again.name,
    ]


def test_an_older_book_of_plans_is_read_on(tmp_path: Path, street: Scene) -> None:
    path = tmp_path / "older.db"
    with sqlite3.connect(path) as older:
        older.execute(
            "create table plan (made_s integer not null, name text not null, status text not null,"
            " first_s integer not null, end_s integer not null, cost_eur real not null,"
            " cost_without_battery_eur real not null, primary key (made_s, name)) without rowid"
        )
        older.execute("insert into plan values (1, 'p', 'optimal', 0, 900, 1.0, 2.0)")
    older.close()
    plan = planned(street.planner())

    book = SqlitePlanBook(path)
    book.keep(replace(plan, made_because=MadeBecause.CHARGE))
    kept = book.current()
    book.close()

    assert kept == replace(plan, made_because=MadeBecause.CHARGE)
