"""A meter's stamp is one instant, whatever night it is."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.p1.stamp import Stamp, stamp_of
from kwartier.interval import HOME_ZONE


def utc_s(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


def test_the_letter_tells_the_repeated_hour_apart() -> None:
    assert stamp_of("261025023000S", HOME_ZONE) == Stamp(utc_s(2026, 10, 25, 0, 30), False)
    assert stamp_of("261025023000W", HOME_ZONE) == Stamp(utc_s(2026, 10, 25, 1, 30), False)


def test_a_letter_that_contradicts_the_date_is_followed_and_told() -> None:
    assert stamp_of("260714120000W", HOME_ZONE) == Stamp(utc_s(2026, 7, 14, 11), True)
    assert stamp_of("200305122139S", HOME_ZONE) == Stamp(utc_s(2020, 3, 5, 10, 21, 39), True)


def test_without_a_letter_the_zone_decides() -> None:
    assert stamp_of("120517020000", HOME_ZONE) == Stamp(utc_s(2012, 5, 17), False)
    assert stamp_of("090212160000", HOME_ZONE) == Stamp(utc_s(2009, 2, 12, 15), False)


def test_winter_in_lithuania_is_two_hours_ahead() -> None:
    vilnius = ZoneInfo("Europe/Vilnius")

    assert stamp_of("250712193949S", vilnius) == Stamp(utc_s(2025, 7, 12, 16, 39, 49), False)
    assert stamp_of("250112193949W", vilnius) == Stamp(utc_s(2025, 1, 12, 17, 39, 49), False)


def test_years_from_seventy_are_of_the_last_century() -> None:
    assert stamp_of("700101010000W", HOME_ZONE) == Stamp(0, False)
    assert stamp_of("691231235959W", HOME_ZONE) == Stamp(utc_s(2069, 12, 31, 22, 59, 59), False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "W",
        "632525252525W",
        "250000000000W",
        "123412341234",
        "260230000000W",
        "261025240000W",
        "26102512000",
        "261025120000X",
        "261025120000WW",
        "2610251200²00",
        "-61025120000",
    ],
)
def test_no_such_instant_is_no_stamp(text: str) -> None:
    assert stamp_of(text, HOME_ZONE) is None


@given(st.integers(0, utc_s(2069, 12, 1)))
def test_a_right_stamp_comes_back_as_its_instant(at_s: int) -> None:
    local = datetime.fromtimestamp(at_s, HOME_ZONE)
    letter = "S" if local.dst() else "W"

    assert stamp_of(f"{local:%y%m%d%H%M%S}{letter}", HOME_ZONE) == Stamp(at_s, False)


@given(st.text(max_size=15))
def test_any_text_is_a_stamp_or_none(text: str) -> None:
    stamp_of(text, HOME_ZONE)
