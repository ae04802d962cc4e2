"""Quarters tile the day, whatever the clock does."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kwartier.errors import ContractError
from kwartier.interval import (
    Quarter,
    day_of,
    instant_text,
    local_day,
    parse_instant,
    quarters_of_day,
)
from kwartier.units import kwh_text, wh_from_kwh


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (date(2026, 7, 1), 96)],
)
def test_a_dutch_day_has_92_96_or_100_quarters(day: date, count: int) -> None:
    assert len(quarters_of_day(day)) == count


@given(st.dates(date(1980, 1, 1), date(2100, 1, 1)))
def test_the_quarters_of_a_day_tile_it_and_all_lie_in_it(day: date) -> None:
    quarters = quarters_of_day(day)
    start_s, end_s = local_day(day)

    assert [quarter.start_s for quarter in quarters] == list(range(start_s, end_s, 900))
    assert {day_of(quarter.start_s) for quarter in quarters} == {day}
    assert local_day(day + timedelta(days=1))[0] == end_s


def test_a_quarter_off_the_grid_is_refused() -> None:
    with pytest.raises(ContractError, match="2026-07-01T09:46:00Z is not the start"):
        Quarter.parse("2026-07-01T09:46:00Z")
    with pytest.raises(ContractError, match=r"'2026-07-01T09:45:00\.5Z' is not the start"):
        Quarter.parse("2026-07-01T09:45:00.5Z")


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ContractError, match="has no offset"):
        parse_instant("2026-07-01T09:45:00")


def test_an_instant_before_the_first_year_in_utc_is_refused() -> None:
    with pytest.raises(ContractError, match="outside the years 1 to 9999"):
        parse_instant("0001-01-01T00:00:00+01:00")


@given(st.integers(0, 4_000_000_000))
def test_an_instant_survives_being_written_down(at_s: int) -> None:
    assert int(parse_instant(instant_text(at_s)).timestamp()) == at_s


@given(st.integers(0, 10**12))
def test_watt_hours_survive_being_written_as_kwh(energy_wh: int) -> None:
    assert wh_from_kwh(kwh_text(energy_wh)) == energy_wh


@pytest.mark.parametrize("text", ["0.1234", "-1", "1e3", "", "1,5", "0.5 ", "NaN", "٣"])
def test_energy_that_is_not_kwh_with_three_decimals_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="at most three decimals"):
        wh_from_kwh(text)
