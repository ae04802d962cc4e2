"""A resident who takes leave back is let go of, though a record or a book cannot be read."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from api.plans import MadeBecause
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey, Latest
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S
from optimizer.dispatch import plan
from optimizer.plan import Plan
from optimizer.problem import Problem
from tests.api.home_batteries import (
    battery_at,
    lived,
    told_in,
    with_batteries,
)


def test_a_resident_who_takes_leave_back_is_let_go_of_with_the_next_plan(tmp_path: Path) -> None:
    community, refusing = with_batteries(battery_at(2), battery_at(7)), set[str]()
    with lived(tmp_path, community) as street:
        planner = street.planner(refusing=lambda: frozenset(refusing))
        planner.plan_now()
        refusing.add("huis-03")
        street.clock.advance(61)
        plan = planner.turn()
        refusing.clear()
        street.clock.advance(61)
        planner.turn()

    assert plan is not None
    assert plan.made_because is MadeBecause.LIMIT
    assert told_in(street, "gw-02") == [("plan", True), ("released", False), ("plan", True)]
    assert told_in(street, "gw-07") == [("plan", True)] * 3


def test_who_says_no_while_a_plan_is_made_is_sent_nothing_of_it(tmp_path: Path) -> None:
    community, refusing = with_batteries(battery_at(2), battery_at(7)), set[str]()

    def make(problem: Problem) -> Plan:
        refusing.add("huis-03")
        return plan(problem)

    with lived(tmp_path, community) as street:
        planner = street.planner(refusing=lambda: frozenset(refusing), make=make)
        made = planner.plan_now()
        street.clock.advance(61)
        later = planner.turn()

    assert made is not None
    assert later is not None
    assert set(street.sent_to) == {"gw-accu", "gw-07"}


class FailingStore(SqliteStore):
    """A record on a disk that fails as soon as it is said to."""

    fails = False

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        """Return what is newest, or what a failing disk gives."""
        if self.fails:
            raise StoreBusyError("the record cannot be read now: disk I/O error")
        return super().latest(keys)


def test_a_battery_is_let_go_though_the_record_cannot_be_read(tmp_path: Path) -> None:
    community, refusing = with_batteries(battery_at(2)), set[str]()
    with (
        lived(tmp_path, community) as street,
        FailingStore(tmp_path / "telemetry.db", read_only=True) as failing,
    ):
        street.store = failing
        planner = street.planner(refusing=lambda: frozenset(refusing))
        planner.plan_now()
        failing.fails = True
        refusing.add("huis-03")
        street.clock.advance(61)
        with pytest.raises(StoreBusyError):
            planner.turn()

    assert told_in(street, "gw-02") == [("plan", True), ("released", False)]


def test_what_is_to_be_forgotten_is_told_once_a_quarter_while_there_is_no_plan(
    tmp_path: Path,
) -> None:
    community, refusing = with_batteries(battery_at(2)), set[str]()
    with lived(tmp_path, community) as street:
        planner = street.planner(refusing=lambda: frozenset(refusing))
        planner.plan_now()
        refusing.add("huis-03")
        street.clock.advance(QUARTER_S * 3)  # no battery was heard of in half an hour
        for _ in range(10):
            assert planner.turn() is None
            street.clock.advance(5)
        told = told_in(street, "gw-02")
        street.clock.advance(QUARTER_S)
        planner.turn()

    assert told == [("plan", True), ("released", False)]
    assert told_in(street, "gw-02") == [*told, ("released", False)]


def test_who_took_leave_back_is_remembered_while_their_book_is_busy(tmp_path: Path) -> None:
    answers: list[frozenset[str] | None] = [None]

    def refusing() -> frozenset[str]:
        if answers[0] is None:
            raise StoreBusyError("the book of people cannot be reached now")
        return answers[0]

    with lived(tmp_path, with_batteries(battery_at(2))) as street:
        planner = street.planner(refusing=refusing)
        with pytest.raises(StoreBusyError):
            planner.plan_now()
        answers[0] = frozenset({"huis-03"})
        planner.plan_now()
        answers[0] = None
        planner.plan_now()

    assert "gw-02" not in street.sent_to
    assert len(street.sent_to["gw-accu"]) == 2
