"""Meters: registers rise, a swap has both ends, and a paper shows no whole serial."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from api.cooperative.checks import CheckCase, Code, check_all
from api.cooperative.checks.meters_read import meter_cases
from api.cooperative.database import Books
from api.cooperative.errors import BooksError, ConflictError, StateError
from api.cooperative.officers import Officer
from api.cooperative.readings import (
    DayValues,
    Direction,
    Source,
    day_values,
    matrix,
    meters_between,
    store_day,
)
from api.cooperative.readings.intake import SetAside, Why, set_aside
from api.cooperative.readings.meters import hanging, install_meter, meters_of, remove_meter
from api.cooperative.readings.registers import RegisterBackError, RegisterReading, read_register
from api.cooperative.readings.swaps import Swap, enter_register, swap_meter
from api.cooperative.statement import MeterPart
from kwartier.interval import local_day

DAY = date(2026, 7, 6)
START_S, END_S = local_day(DAY)
SWAP_S = START_S + 10 * 3600 + 300
"""Five minutes past ten, within the quarter of ten o'clock."""
TEN_S = START_S + 10 * 3600


def reading(at_s: int, wh: int, register: Direction = Direction.IMPORT) -> RegisterReading:
    """Return what a register stood at, read at home."""
    return RegisterReading(register, at_s, wh, Source.P1)


def test_a_serial_is_sealed_and_only_its_end_is_shown(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        install_meter(desk, "huis-01", "E0047000123456724", START_S, {Direction.IMPORT: 0})
        parts = meters_between(desk, "huis-01", START_S, END_S)
        rows = desk.session.execute(text("SELECT * FROM meter")).all()
        log = desk.session.execute(text("SELECT * FROM audit")).all()
    assert parts == (MeterPart("…6724", 0, None, None, None),)
    assert "E0047000123456724" not in repr(rows)
    assert "E0047000" not in repr(log)


def test_opening_and_closing_are_those_of_the_period(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        meter = install_meter(desk, "huis-01", "A1", 0, {Direction.IMPORT: 0, Direction.EXPORT: 0})
        for at_s, wh in ((START_S, 1000), (START_S + 900, 1100), (END_S, 9000)):
            read_register(desk, meter, reading(at_s, wh))
        parts = meters_between(desk, "huis-01", START_S, END_S)
    assert parts == (MeterPart("…A1", 1000, 9000, None, None),)


def test_a_register_that_would_run_back_is_refused_whatever_comes_first(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        meter = install_meter(desk, "huis-01", "A1", START_S, {Direction.IMPORT: 5000})
        read_register(desk, meter, reading(END_S, 9000))
        for at_s, wh in ((START_S + 900, 4999), (START_S + 900, 9001), (END_S + 900, 8999)):
            with pytest.raises(RegisterBackError, match="would run back from"):
                read_register(desk, meter, reading(at_s, wh))


def test_a_meter_that_declares_its_digits_may_begin_again(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        meter = install_meter(
            desk, "huis-01", "A1", START_S, {Direction.IMPORT: 99_999_900}, digits=5
        )
        assert read_register(desk, hanging(desk, "huis-01", END_S), reading(END_S, 200)) == 1
        with pytest.raises(RegisterBackError):
            read_register(desk, meter, reading(END_S + 900, 100))


def test_another_value_for_an_instant_needs_a_reason(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        meter = install_meter(desk, "huis-01", "A1", START_S, {Direction.IMPORT: 5000})
        assert read_register(desk, meter, reading(START_S, 5000)) == 1
        with pytest.raises(ConflictError, match="correct it with a reason"):
            read_register(desk, meter, reading(START_S, 5001))
        better = RegisterReading(Direction.IMPORT, START_S, 5001, Source.MANUAL, "typed wrong")
        assert read_register(desk, meter, better, corrects=True) == 2


def test_two_meters_never_hang_at_once(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        install_meter(desk, "huis-01", "A1", START_S, {})
        with pytest.raises(StateError, match="hangs there"):
            install_meter(desk, "huis-01", "B2", SWAP_S, {})
        with pytest.raises(BooksError, match="no meter is known"):
            hanging(desk, "huis-02", SWAP_S)


def swapped(books: Books, treasurer: Officer) -> None:
    """Swap a meter at 10:05; the old counted 30 Wh since ten, the new one 45 Wh until 10:15."""
    with books.desk(treasurer) as desk:
        old = install_meter(desk, "huis-01", "A1", 0, {Direction.IMPORT: 0})
        read_register(desk, old, reading(START_S, 100_000))
        read_register(desk, old, reading(TEN_S, 104_000))
        new = swap_meter(
            desk,
            "huis-01",
            Swap(SWAP_S, {Direction.IMPORT: 104_030}, "B2-9913", {Direction.IMPORT: 7}),
        )
        read_register(desk, new, reading(END_S, 5_752))
        # 40 quarters before ten, 100 Wh each; 55 from 10:15 on, 5700 Wh together.
        wh = (100,) * 40 + (None,) + (100,) * 53 + (200, 200)
        store_day(
            desk,
            DayValues("huis-01", Direction.IMPORT, DAY, wh, "m" * 40 + "-" + "m" * 55, Source.P1),
        )


def test_a_paper_shows_both_meters_of_a_swap(books: Books, treasurer: Officer) -> None:
    swapped(books, treasurer)
    with books.reading(treasurer) as desk:
        parts = meters_between(desk, "huis-01", START_S, END_S)
        serials = [meter.serial for meter in meters_of(desk, ["huis-01"])]
    assert parts == (
        MeterPart("…A1", 100_000, 104_030, None, None),
        MeterPart("…9913", 7, 5_752, None, None),
    )
    assert serials == ["A1", "B2-9913"]


def test_the_quarter_of_a_swap_is_both_ends_together(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        old = install_meter(desk, "huis-01", "A1", 0, {Direction.IMPORT: 0})
        read_register(desk, old, reading(TEN_S, 104_000))
        swap = Swap(SWAP_S, {Direction.IMPORT: 104_030}, "B2", {Direction.IMPORT: 7})
        swap_meter(desk, "huis-01", swap)
        assert day_values(desk, "huis-01", DAY) == {}, "the new one's end is not read yet"
        enter_register(desk, "huis-01", reading(TEN_S + 900, 52))
    with books.reading(treasurer) as desk:
        values = day_values(desk, "huis-01", DAY)[Direction.IMPORT].values
    # 30 Wh on the old meter and 45 Wh on the new one.
    assert values.wh[40] == 75
    assert (values.quality[40], values.origins[40]) == ("m", "h")
    assert values.quality.count("-") == 95


def test_the_checks_see_that_a_swap_adds_up(books: Books, treasurer: Officer) -> None:
    swapped(books, treasurer)
    with books.reading(treasurer) as desk:
        readings, _ = matrix(desk, ["huis-01"], START_S, END_S)
        meters = meter_cases(desk, ["huis-01"], START_S, END_S)
    assert len(meters) == 2
    found = check_all(CheckCase(readings, (), meters=meters))
    # 4000 + 5700 Wh are known, the registers say 4030 + 5745: the missing quarter hides 75 Wh.
    assert [finding for finding in found if finding.code is Code.REGISTER] == []


def test_a_register_that_was_set_aside_blocks_until_somebody_decides(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        meter = install_meter(desk, "huis-01", "A1", 0, {Direction.IMPORT: 5000})
        doubted = SetAside(
            "huis-01", Direction.IMPORT, END_S, "4.000 kWh", Why.REGISTER_BACK, Source.P1
        )
        set_aside(desk, [doubted])
        readings, _ = matrix(desk, ["huis-01"], START_S, END_S)
        read_register(desk, meter, reading(START_S, 5000))
        doubt = CheckCase(readings, (), meters=meter_cases(desk, ["huis-01"], START_S, END_S))
        read_register(desk, meter, reading(END_S, 5100))
        decided = CheckCase(readings, (), meters=meter_cases(desk, ["huis-01"], START_S, END_S))
    assert [finding.kind for finding in check_all(doubt)] == ["went_back"]
    assert check_all(decided) == []


def test_a_meter_that_is_gone_does_not_go_again(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        install_meter(desk, "huis-01", "A1", 0, {Direction.IMPORT: 0})
        remove_meter(desk, "huis-01", START_S, {Direction.IMPORT: 500}, "worn out")

        with pytest.raises(StateError, match="went 2026-07-05T22:00:00Z already"):
            remove_meter(desk, "huis-01", START_S, {Direction.IMPORT: 500}, "worn out")
