"""Estimates: they add up to the register, and say what they are and who made them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from api.cooperative.database import Books
from api.cooperative.officers import Officer
from api.cooperative.readings import DayValues, Direction, Source, day_values, store_days
from api.cooperative.readings.estimates import EstimatedGap, Estimates, estimate
from api.cooperative.readings.meters import install_meter
from api.cooperative.readings.registers import RegisterReading
from api.cooperative.readings.swaps import Swap, enter_register, swap_meter
from kwartier.interval import QUARTER_S, local_day
from optimizer.settling.estimation import Method
from optimizer.settling.period import Ownership

pytestmark = pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
"""What is written here goes the way of every other version; that is tried on both databases."""

MONDAY = date(2026, 7, 27)
START_S, END_S = local_day(MONDAY)
HOME = "huis-01"


def told(
    day: date, wh: int, gaps: Mapping[int, int] | None = None, source: Source = Source.P1
) -> DayValues:
    """Return a day in which every quarter counted the same, with gaps: place and length."""
    values: list[int | None] = [wh] * 96
    for place, length in (gaps or {}).items():
        values[place : place + length] = [None] * length
    quality = "".join("-" if value is None else "m" for value in values)
    return DayValues(HOME, Direction.IMPORT, day, tuple(values), quality, source)


def of_home(
    books: Books,
    officer: Officer,
    *,
    apply: bool = True,
    ownership: tuple[Ownership, ...] | None = None,
) -> Estimates:
    with books.desk(officer) as desk:
        return estimate(desk, [HOME], MONDAY, MONDAY, apply=apply, ownership=ownership)


def read(books: Books, officer: Officer, *stood: tuple[int, int]) -> None:
    """Enter what the register stood at."""
    with books.desk(officer) as desk:
        install_meter(desk, HOME, "A1", 0, {Direction.IMPORT: 0})
        for at_s, wh in stood:
            enter_register(desk, HOME, RegisterReading(Direction.IMPORT, at_s, wh, Source.MANUAL))


def test_two_gaps_of_a_day_add_up_to_its_register(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        for weeks in (1, 2):
            store_days(desk, [told(MONDAY - timedelta(weeks=weeks), 30 * weeks)])
        store_days(desk, [told(MONDAY, 100, {10: 4, 50: 3})])
    # 89 quarters of 100 Wh are known, the register says 8900 + 1001 Wh.
    read(books, treasurer, (START_S, 50_000), (END_S, 59_901))

    (gap,) = of_home(books, treasurer).gaps

    assert (gap.method, gap.difference_wh, len(gap.quarters)) == (Method.PROFILE, 1001, 7)
    with books.reading(treasurer) as desk:
        version = day_values(desk, HOME, MONDAY)[Direction.IMPORT]
    assert sum(wh or 0 for wh in version.values.wh) == 9_901
    assert version.values.wh[10:14] == (143,) * 4  # the profile is flat: 7 x 143 Wh
    assert version.values.quality == "m" * 10 + "eeee" + "m" * 36 + "eee" + "m" * 43
    assert (version.values.method, version.recorded_by) == ("profile", "treasurer")


def test_a_swap_within_the_gap_is_counted_through(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [told(MONDAY, 100, {40: 8})])
    read(books, treasurer, (START_S, 50_000))
    with books.desk(treasurer) as desk:
        swap = Swap(
            START_S + 42 * QUARTER_S + 300,
            {Direction.IMPORT: 54_200},
            "B2",
            {Direction.IMPORT: 17},
        )
        swap_meter(desk, HOME, swap)
        last = RegisterReading(Direction.IMPORT, END_S, 17 + 5_401, Source.P4)
        enter_register(desk, HOME, last)
    (gap,) = of_home(books, treasurer).gaps
    # 4200 + 5401 Wh less 88 known quarters of 100 Wh.
    assert (gap.difference_wh, sum(gap.energy_wh)) == (801, 801)


def test_without_registers_the_last_three_weeks_tell(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        for weeks, wh in ((1, 10), (2, 20), (3, 60), (4, 9_000)):
            store_days(desk, [told(MONDAY - timedelta(weeks=weeks), wh)])
        store_days(desk, [told(MONDAY, 100, {10: 2, 20: 1})])
    found = of_home(books, treasurer).gaps
    assert [(gap.method, gap.energy_wh) for gap in found] == [
        (Method.RECENT, (30, 30)),
        (Method.RECENT, (30,)),
    ]


def test_a_gap_of_which_nothing_is_known_is_left_to_a_person(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [told(MONDAY, 100, {10: 2})])
    result = of_home(books, treasurer)
    assert result.gaps == ()
    assert "enter a value by hand" in result.undecided[0]
    with books.reading(treasurer) as desk:
        assert len(set(day_values(desk, HOME, MONDAY))) == 1


def test_quarters_that_are_more_than_their_register_are_left_to_a_person(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [told(MONDAY, 100, {10: 1})])
    read(books, treasurer, (START_S, 50_000), (END_S, 50_100))
    result = of_home(books, treasurer)
    assert "are 9400 Wh more than the register rose" in result.undecided[0]


def test_looking_keeps_nothing_and_estimating_again_changes_nothing(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [told(MONDAY, 100, {10: 2})])
    read(books, treasurer, (START_S, 50_000), (END_S, 59_600))
    looked = of_home(books, treasurer, apply=False)
    first = of_home(books, treasurer)
    again = of_home(books, treasurer)
    with books.reading(treasurer) as desk:
        version = day_values(desk, HOME, MONDAY)[Direction.IMPORT].number
    assert looked == first == again
    assert version == 2


def test_what_comes_late_takes_part_when_it_is_estimated_again(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [told(MONDAY, 100, {10: 2})])
    read(books, treasurer, (START_S, 50_000), (END_S, 59_600))
    of_home(books, treasurer)
    with books.desk(treasurer) as desk:
        values = day_values(desk, HOME, MONDAY)[Direction.IMPORT].values
        late = DayValues(
            HOME,
            Direction.IMPORT,
            MONDAY,
            (*values.wh[:10], 40, *values.wh[11:]),
            "m" * 11 + "e" + "m" * 84,
            Source.P1,
            mixed="1" * 11 + "e" + "1" * 84,
        )
        store_days(desk, [late])
    assert of_home(books, treasurer).gaps == (
        EstimatedGap(
            HOME,
            Direction.IMPORT,
            (START_S + 11 * QUARTER_S,),
            (160,),
            Method.EVEN,
            160,
        ),
    )


def test_a_vacant_connection_needs_no_estimate(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [told(MONDAY, 100, {10: 2, 80: 2})])
        store_days(desk, [told(MONDAY - timedelta(weeks=1), 30)])
    from_noon = (Ownership(HOME, "lid", START_S + 48 * QUARTER_S),)
    (gap,) = of_home(books, treasurer, ownership=from_noon).gaps
    assert gap.quarters[0] == START_S + 80 * QUARTER_S
