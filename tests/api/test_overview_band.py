"""The band: only by choice, only in a group, fixed once it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import dictionaries, integers, sampled_from

from api.overview.band import LEAST_HOMES, MOST_PART, Band, bands_of, fix_bands, last_monday
from api.overview.day_file import DayFile
from api.overview.day_sums import AreaDay, HomeDay, HomeQuarters, Origin
from api.people.accounts import SYSTEM, add_account
from api.people.book import PeopleBook
from api.people.consents import Purpose, choose
from api.people.opening import open_people
from kwartier.clock import VirtualClock
from kwartier.interval import day_of, local_day
from tests.api.street import community_of

MONDAY = date(2026, 10, 5)
COMMUNITY = community_of(40)
ROOFLESS = [name for name, one in COMMUNITY.connections.items() if one.solar is None]
CHOSEN_S = local_day(MONDAY)[0]
EMPTY = HomeQuarters(*np.zeros((8, 96), np.int64)).packed()
FIXED_S = local_day(MONDAY + timedelta(days=7))[0] + 36 * 3600


@pytest.fixture
def people(tmp_path: Path) -> Iterator[PeopleBook]:
    book = open_people(tmp_path, VirtualClock(CHOSEN_S))
    yield book
    book.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[DayFile]:
    """A week in which every home used 10 kWh a day, but the first 5 and the last 14."""
    made = DayFile(tmp_path / "overview.db")
    for place in range(7):
        day = MONDAY + timedelta(days=place)
        homes = [
            home_day(
                home,
                day,
                5_000 if home == ROOFLESS[0] else 14_000 if home == ROOFLESS[-1] else 10_000,
            )
            for home in COMMUNITY.connections
        ]
        made.keep_day(AreaDay(day, 0, 96), homes)
    yield made
    made.close()


def home_day(home: str, day: date, use_wh: int, known: int = 96) -> tuple[HomeDay, HomeQuarters]:
    sums = 96, 96, known, 0, use_wh, 0, 0, use_wh, 0, 0, 0, 0, 0, 0
    quarters = HomeQuarters.unpacked(EMPTY)
    return HomeDay(home, day, Origin.RECORD, *sums), quarters


def say_yes(people: PeopleBook, *homes: str) -> dict[str, str]:
    accounts = {}
    with people.writing() as desk:
        for home in homes:
            accounts[home] = add_account(desk, SYSTEM, name="bewoner")
            choose(desk, SYSTEM, accounts[home], home, Purpose.COMPARISON, yes=True)
    return accounts


def test_a_group_of_homes_that_chose_it_is_told_three_bands(
    file: DayFile, people: PeopleBook
) -> None:
    say_yes(people, *ROOFLESS)

    assert fix_bands(file, people, COMMUNITY, MONDAY, FIXED_S)
    assert file.band(ROOFLESS[0], MONDAY) == Band.LESS
    assert file.band(ROOFLESS[1], MONDAY) == Band.EVEN
    assert file.band(ROOFLESS[-1], MONDAY) == Band.MORE


def test_who_did_not_choose_it_is_neither_told_nor_counted(
    file: DayFile, people: PeopleBook
) -> None:
    say_yes(people, *ROOFLESS[: LEAST_HOMES - 1])

    fix_bands(file, people, COMMUNITY, MONDAY, FIXED_S)

    assert [file.band(home, MONDAY) for home in COMMUNITY.connections] == [None] * 40


def test_homes_with_and_without_a_roof_are_apart(file: DayFile, people: PeopleBook) -> None:
    with_roof = [home for home in COMMUNITY.connections if home not in ROOFLESS]
    say_yes(people, *with_roof[:10], *ROOFLESS[:10])

    fix_bands(file, people, COMMUNITY, MONDAY, FIXED_S)

    assert {file.band(home, MONDAY) for home in COMMUNITY.connections} == {None}


def test_leaving_and_joining_change_nothing_that_was_told(
    file: DayFile, people: PeopleBook
) -> None:
    accounts = say_yes(people, *ROOFLESS[:16])
    fix_bands(file, people, COMMUNITY, MONDAY, FIXED_S)
    before = {home: file.band(home, MONDAY) for home in COMMUNITY.connections}

    with people.writing() as desk:
        for home in ROOFLESS[:4]:
            choose(desk, SYSTEM, accounts[home], home, Purpose.COMPARISON, yes=False)
    say_yes(people, *ROOFLESS[16:])
    again = fix_bands(file, people, COMMUNITY, MONDAY, FIXED_S + 86_400)

    assert not again
    assert {home: file.band(home, MONDAY) for home in COMMUNITY.connections} == before


def test_a_lost_file_fixes_the_same_group_again(
    file: DayFile, people: PeopleBook, tmp_path: Path
) -> None:
    say_yes(people, *ROOFLESS[:16])
    fix_bands(file, people, COMMUNITY, MONDAY, FIXED_S)
    told = {home: file.band(home, MONDAY) for home in ROOFLESS}
    clock = people.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(FIXED_S - CHOSEN_S + 60)
    say_yes(people, *ROOFLESS[16:])

    other = DayFile(tmp_path / "anew.db")
    for place in range(7):
        day = MONDAY + timedelta(days=place)
        homes = [
            (one, HomeQuarters.unpacked(EMPTY))
            for one in file.homes_on(day, day + timedelta(days=1), Origin.RECORD)
        ]
        other.keep_day(AreaDay(day, 0, 96), homes)
    fix_bands(other, people, COMMUNITY, MONDAY, FIXED_S + 86_400)
    anew = {home: other.band(home, MONDAY) for home in ROOFLESS}
    other.close()

    assert anew == told


def test_a_home_with_a_gap_is_in_no_group(file: DayFile, people: PeopleBook) -> None:
    say_yes(people, *ROOFLESS[:LEAST_HOMES])
    homes = [home_day(home, MONDAY, 10_000, 95 if home == ROOFLESS[3] else 96) for home in ROOFLESS]
    file.keep_day(AreaDay(MONDAY, 0, 96), homes)

    fix_bands(file, people, COMMUNITY, MONDAY, FIXED_S)

    assert {file.band(home, MONDAY) for home in ROOFLESS} == {None}


def test_nothing_is_told_before_late_readings_are_in(file: DayFile, people: PeopleBook) -> None:
    say_yes(people, *ROOFLESS)

    assert not fix_bands(file, people, COMMUNITY, MONDAY, FIXED_S - 1)
    assert last_monday(FIXED_S - 1, day_of(FIXED_S - 1)) == MONDAY - timedelta(days=7)
    assert last_monday(FIXED_S, day_of(FIXED_S)) == MONDAY


@given(dictionaries(sampled_from(ROOFLESS), integers(0, 200_000), max_size=20))
def test_a_band_is_told_only_in_a_group_that_hides_everybody(used_wh: dict[str, int]) -> None:
    told = bands_of(used_wh)

    if told:
        assert set(told) == set(used_wh)
        assert len(told) >= LEAST_HOMES
        assert max(used_wh.values()) <= MOST_PART * sum(used_wh.values())
