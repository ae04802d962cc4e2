"""The plan book: newer plans replace older ones from their first quarter on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from api.plan_book import SqlitePlanBook, told_in
from api.plans import NeighbourhoodPlan, PlanBlock, PlannedQuarter, ToldBattery
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S
from kwartier.model import Battery

NOON_S = 1_782_900_000  # 2026-07-01T10:00:00Z


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SqlitePlanBook]:
    opened = SqlitePlanBook(tmp_path / "plans.db")
    yield opened
    opened.close()


def plan_of(name: str, first: int, count: int, battery_w: int, action: str) -> NeighbourhoodPlan:
    """Return a plan of ``count`` quarters from quarter ``first`` after noon, in one block."""
    start_s = NOON_S + first * QUARTER_S
    quarters = tuple(
        PlannedQuarter(start_s + place * QUARTER_S, 2_000, 1_000, battery_w, 500, 0.25)
        for place in range(count)
    )
    block = PlanBlock(
        start_s, start_s + count * QUARTER_S, "b1", action, "solar_surplus", "zon", "sun"
    )
    return NeighbourhoodPlan(name, start_s, "optimal", quarters, (block,), 1.5, 2.25)


def test_an_empty_book_has_no_plan(book: SqlitePlanBook) -> None:
    assert book.current() is None
    assert book.covering(NOON_S, NOON_S + 86_400) is None


def test_a_plan_comes_back_as_it_was_kept(book: SqlitePlanBook) -> None:
    plan = plan_of("p1", 0, 8, 4_000, "charge")

    book.keep(plan)

    assert book.current() == plan


def test_a_new_plan_replaces_the_future_and_leaves_the_past(book: SqlitePlanBook) -> None:
    book.keep(plan_of("p1", 0, 8, 4_000, "charge"))
    book.keep(plan_of("p2", 2, 8, -3_000, "discharge"))

    told = book.covering(NOON_S, NOON_S + 10 * QUARTER_S)

    assert told is not None
    assert told.name == "p2"
    assert [quarter.battery_w for quarter in told.quarters] == [4_000] * 2 + [-3_000] * 8
    assert [(block.action, block.end_s - block.start_s) for block in told.blocks] == [
        ("charge", 2 * QUARTER_S),
        ("discharge", 8 * QUARTER_S),
    ]


def test_blocks_of_two_plans_that_say_the_same_are_one_block(book: SqlitePlanBook) -> None:
    book.keep(plan_of("p1", 0, 4, 4_000, "charge"))
    book.keep(plan_of("p2", 1, 4, 4_000, "charge"))

    told = book.covering(NOON_S, NOON_S + 5 * QUARTER_S)

    assert told is not None
    assert [(block.start_s, block.end_s) for block in told.blocks] == [
        (NOON_S, NOON_S + 5 * QUARTER_S)
    ]


def test_the_same_plan_kept_twice_stands_there_once(book: SqlitePlanBook) -> None:
    plan = plan_of("p1", 0, 8, 4_000, "charge")

    book.keep(plan)
    book.keep(plan)

    assert book.current() == plan


def test_a_closed_book_still_knows_its_plan_when_opened_again(tmp_path: Path) -> None:
    first = SqlitePlanBook(tmp_path / "plans.db")
    first.keep(plan_of("p1", 0, 4, 4_000, "charge"))
    first.close()

    again = SqlitePlanBook(tmp_path / "plans.db")

    assert again.current() == plan_of("p1", 0, 4, 4_000, "charge")
    again.close()


def test_numbers_for_commands_are_taken_together_and_never_twice(book: SqlitePlanBook) -> None:
    assert book.next_command(100) == 100
    assert book.next_command(100, 3) == 101
    assert book.next_command(100) == 104
    assert book.next_command(200, 2) == 200
    assert book.next_command(200) == 202


def test_until_when_a_battery_follows_never_goes_back(book: SqlitePlanBook) -> None:
    first, second, third = (battery_of(name) for name in ("b1", "b2", "b3"))
    book.keep_told([first, second], 2_000)
    book.keep_told([second, third], 1_000)

    until = {one.id: one.until_s for one in book.told_batteries()}
    assert until == {"b1": 2_000, "b2": 2_000, "b3": 1_000}


def test_a_battery_is_remembered_by_the_place_where_it_was_told(book: SqlitePlanBook) -> None:
    book.keep_told([battery_of("b1", home="huis-01")], 1_000)
    book.keep_told([replace(battery_of("b1"), gateway="gw-new")], 2_000)

    assert book.told_batteries() == [
        ToldBattery("b1", "gw-b1", "battery", "huis-01", 1_000),
        ToldBattery("b1", "gw-new", "battery", None, 2_000),
    ]


def test_a_book_of_before_knows_until_when_and_not_where(tmp_path: Path) -> None:
    path = tmp_path / "plans.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "create table told_until (battery text primary key, until_s integer not null);"
            "insert into told_until values ('b1', 2000)"
        )

    for _ in range(2):
        with closing(SqlitePlanBook(path)) as book:
            assert book.told_batteries() == [ToldBattery("b1", "", "b1", None, 2_000)]


def test_what_is_not_kept_of_batteries_leaves_the_book_open_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "plans.db"
    with closing(SqlitePlanBook(path)) as book, closing(sqlite3.connect(path)) as other:
        # As a disk that fails in the midst of it: SQLite stops, and leaves the rest to us.
        other.execute(
            "create trigger refuse before insert on told_battery"
            " begin select raise(fail, 'not now'); end"
        )
        with pytest.raises(StoreBusyError, match="cannot be written now: not now"):
            book.keep_told([battery_of("b1")], 1_000)
        other.execute("drop trigger refuse")
        book.keep_told([battery_of("b1")], 1_000)

        assert [one.id for one in book.told_batteries()] == ["b1"]


def test_a_book_that_cannot_be_read_says_so_in_our_own_words(tmp_path: Path) -> None:
    path, no_book = tmp_path / "plans.db", tmp_path / "notes.db"
    no_book.write_text("this is no database " * 100)
    with closing(SqlitePlanBook(path)) as book, closing(sqlite3.connect(path)) as other:
        other.execute("alter table told_battery rename to elsewhere")
        other.execute("alter table plan rename to elsewhere_too")

        for ask in (book.told_batteries, book.current, lambda: book.covering(0, NOON_S)):
            with pytest.raises(StoreBusyError, match="the plan book cannot be read now"):
                ask()
    with pytest.raises(StoreBusyError, match="cannot be read now: file is not a database"):
        told_in(no_book)
    with pytest.raises(StoreBusyError, match="cannot be opened now: file is not a database"):
        SqlitePlanBook(no_book)


def test_a_damaged_book_is_named_with_what_to_do(tmp_path: Path) -> None:
    damaged = tmp_path / "plans.db"
    damaged.write_text("this is no database " * 100)

    for ask in (SqlitePlanBook, told_in):
        with pytest.raises(StoreBusyError) as caught:
            ask(damaged)
        assert str(caught.value).startswith(f"{damaged}: the plan book cannot be ")
        assert str(caught.value).endswith(
            "set the file aside and start again, and a new one is begun"
        )

    damaged.rename(tmp_path / "aside.db")
    SqlitePlanBook(damaged).close()
    assert told_in(damaged) == []


def battery_of(name: str, home: str | None = None) -> Battery:
    """Return a battery at a gateway of its own."""
    return Battery(name, f"gw-{name}", "battery", 1_000, 500, 500, home=home)
