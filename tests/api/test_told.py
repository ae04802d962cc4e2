"""What was told is remembered the same in memory and in the book of people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.people.opening import open_people
from api.people.told import ToldBook
from collectors.told import REMEMBERED_S, Telling, Told, ToldInMemory, ToldSum
from kwartier.clock import VirtualClock

NOON_S = 1_782_900_000
SIX = frozenset("abcdef")
TWELVE = SIX | frozenset("ghijkl")


def sums_of(homes: frozenset[str], start_s: int = NOON_S, use_wh: int = 600) -> ToldSum:
    return ToldSum(start_s, homes, 500, 20, 120, use_wh, 1)


@pytest.fixture(params=["memory", "book"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    if request.param == "memory":
        yield ToldInMemory()
        return
    people = open_people(tmp_path, VirtualClock(NOON_S))
    yield ToldBook(people)
    people.close()


def test_what_is_kept_is_told_again(told: Told) -> None:
    told.keep([Telling(sums_of(SIX)), Telling(sums_of(TWELVE, NOON_S + 900))], NOON_S)

    assert told.sums(NOON_S, NOON_S + 900) == {NOON_S: sums_of(SIX)}
    assert told.sums(NOON_S, NOON_S + 1800).keys() == {NOON_S, NOON_S + 900}


def test_the_first_to_tell_a_quarter_decides(told: Told) -> None:
    told.keep([Telling(sums_of(SIX))], NOON_S)
    told.keep([Telling(sums_of(TWELVE, use_wh=1_200))], NOON_S)

    assert told.sums(NOON_S, NOON_S + 900) == {NOON_S: sums_of(SIX)}


def test_a_quarter_is_told_anew_only_by_who_knows_how_it_was_told(told: Told) -> None:
    told.keep([Telling(sums_of(SIX))], NOON_S)
    told.keep([Telling(sums_of(TWELVE, use_wh=1), instead_of=TWELVE)], NOON_S)
    told.keep([Telling(sums_of(TWELVE, use_wh=1_200), instead_of=SIX)], NOON_S)

    assert told.sums(NOON_S, NOON_S + 900) == {NOON_S: sums_of(TWELVE, use_wh=1_200)}


def test_what_was_shared_is_added_once_and_over_the_same_homes(told: Told) -> None:
    told.keep([Telling(sums_of(SIX))], NOON_S)
    told.keep_shared({NOON_S: 99}, TWELVE)
    before = told.sums(NOON_S, NOON_S + 900)[NOON_S].shared_wh
    told.keep_shared({NOON_S: 20}, SIX)
    told.keep_shared({NOON_S: 21}, SIX)

    assert before is None
    assert told.sums(NOON_S, NOON_S + 900)[NOON_S].shared_wh == 20


def test_power_is_remembered_with_its_pauses(told: Told) -> None:
    told.keep_live(NOON_S, SIX)
    told.keep_live(NOON_S, TWELVE)
    told.keep_live(NOON_S + 900, frozenset())

    assert told.live(NOON_S, NOON_S + 1800) == {NOON_S: SIX, NOON_S + 900: frozenset()}


def test_what_is_older_than_four_hundred_days_is_forgotten(told: Told) -> None:
    told.keep([Telling(sums_of(SIX))], NOON_S)
    told.keep_live(NOON_S, SIX)
    later_s = NOON_S + REMEMBERED_S + 900
    told.keep([Telling(sums_of(SIX, later_s - 900))], later_s)

    assert told.sums(NOON_S, later_s).keys() == {later_s - 900}
    assert told.live(NOON_S, NOON_S + 900) == {}


def test_another_process_finds_what_was_told(tmp_path: Path) -> None:
    people = open_people(tmp_path, VirtualClock(NOON_S))
    ToldBook(people).keep([Telling(sums_of(SIX))], NOON_S)
    people.close()
    again = open_people(tmp_path, VirtualClock(NOON_S))

    assert ToldBook(again).sums(NOON_S, NOON_S + 900) == {NOON_S: sums_of(SIX)}
    again.close()
