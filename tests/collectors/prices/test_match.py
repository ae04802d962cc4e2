from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import chain

import pytest

from collectors.prices.match import Position, match
from collectors.prices.model import PriceQuarter, PriceSeries
from kwartier.errors import InputError
from kwartier.interval import Quarter, local_day, quarters_between, quarters_of_day


def days(first: date, last: date, *, without: date | None = None) -> PriceSeries:
    """A price that tells its own day and local time, as month * 1000 + day * 24 + hour / 100."""
    wanted = quarters_between(local_day(first)[0], local_day(last)[1])
    lost = set() if without is None else set(quarters_of_day(without))
    return PriceSeries.of(
        PriceQuarter(quarter, told_by(quarter)) for quarter in wanted if quarter not in lost
    )


def told_by(quarter: Quarter) -> Decimal:
    return Decimal(quarter.number % 9000)


YEAR = days(date(2025, 1, 1), date(2025, 12, 31))


def price_at(text: str) -> Decimal:
    price = YEAR.at(Quarter.parse(text))
    assert price is not None
    return price


def test_prices_of_the_same_time_are_left_where_they_are() -> None:
    start_s, end_s = local_day(date(2025, 6, 1))

    matched = match(YEAR, start_s, end_s)

    assert matched.series == YEAR.between(start_s, end_s)
    assert (matched.position, matched.borrowed, matched.missing) == (Position.INSTANT, 0, 0)
    assert matched.said == "96 of 96 quarters have a price of their own time"


@pytest.mark.parametrize(
    ("wanted", "lent"),
    [
        # 2016 is a leap year: its 60th day is 29 February, that of 2025 is 1 March
        ("2016-01-01T00:00:00+01:00", "2025-01-01T00:00:00+01:00"),
        ("2016-02-29T12:30:00+01:00", "2025-03-01T12:30:00+01:00"),
        ("2016-07-01T08:15:00+02:00", "2025-07-02T08:15:00+02:00"),
        # day 88 is 28 March in 2016 (summer time began on the 27th) and 29 March in 2025
        # (a day before it began): the same time on the clock has another offset
        ("2016-03-28T05:00:00+02:00", "2025-03-29T05:00:00+01:00"),
        # day 89 of 2025, 30 March, has no 02:15; it is read with the offset before the skip
        ("2016-03-29T02:15:00+02:00", "2025-03-30T02:15:00+01:00"),
        # the 366th day takes the last one
        ("2016-12-31T23:45:00+01:00", "2025-12-31T23:45:00+01:00"),
        ("2016-12-30T23:45:00+01:00", "2025-12-31T23:45:00+01:00"),
    ],
)
def test_another_year_takes_the_same_day_of_the_year_at_the_same_time_on_the_clock(
    wanted: str, lent: str
) -> None:
    quarter = Quarter.parse(wanted)

    matched = match(YEAR, quarter.start_s, quarter.end_s)

    assert matched.series.at(quarter) == price_at(lent)
    assert matched.position is Position.DAY_OF_YEAR


def test_the_answer_says_that_prices_were_borrowed_and_how() -> None:
    start_s, end_s = local_day(date(2016, 1, 1))

    matched = match(YEAR, start_s, end_s)

    assert matched.said == (
        "0 of 96 quarters have a price of their own time; 96 take prices of 2025 by the same day "
        "of the year and time of day, so weekdays differ"
    )


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2016, 3, 27), 92), (date(2016, 2, 29), 96), (date(2016, 10, 30), 100)],
)
def test_every_quarter_of_a_long_and_of_a_short_day_gets_a_price(day: date, quarters: int) -> None:
    matched = match(YEAR, *local_day(day))

    assert len(matched.series) == quarters
    assert matched.missing == 0


def test_a_gap_in_a_year_that_has_prices_stays_a_gap() -> None:
    gone = date(2025, 6, 1)
    prices = days(date(2025, 1, 1), date(2025, 12, 31), without=gone)

    matched = match(prices, *local_day(gone))

    assert (len(matched.series), matched.missing) == (0, 96)


def test_a_gap_in_the_lending_year_is_missing_and_said() -> None:
    prices = days(date(2025, 1, 1), date(2025, 12, 31), without=date(2025, 1, 2))
    start_s, end_s = local_day(date(2016, 1, 1))[0], local_day(date(2016, 1, 2))[1]

    matched = match(prices, start_s, end_s)

    assert (matched.borrowed, matched.missing) == (96, 96)
    assert matched.said.endswith("; 96 have none")


def test_a_stretch_over_new_year_keeps_its_own_prices_and_borrows_the_rest() -> None:
    start_s, end_s = local_day(date(2025, 12, 31))[0], local_day(date(2026, 1, 1))[1]

    matched = match(YEAR, start_s, end_s)

    assert (len(matched.series), matched.borrowed) == (192, 96)
    assert matched.series.at(Quarter(end_s - 900)) == price_at("2025-01-01T23:45:00+01:00")


def test_days_that_do_not_meet_in_the_year_are_counted_from_the_first() -> None:
    summer = days(date(2025, 7, 1), date(2025, 7, 3))
    start_s, end_s = local_day(date(2016, 1, 10))[0], local_day(date(2016, 1, 13))[1]

    matched = match(summer, start_s, end_s)

    assert matched.position is Position.DAY_COUNT
    assert (matched.borrowed, matched.missing) == (288, 96)
    assert matched.series.at(Quarter.parse("2016-01-11T12:00:00+01:00")) == price_at(
        "2025-07-02T12:00:00+02:00"
    )


def test_no_prices_at_all_are_refused() -> None:
    with pytest.raises(InputError, match="no prices to match"):
        match(PriceSeries.of([]), 0, 900)


def test_every_quarter_is_either_priced_or_counted_as_missing() -> None:
    for day in chain([date(2016, 3, 27)], [date(2019, 10, 27)], [date(2025, 3, 30)]):
        start_s, end_s = local_day(day)
        matched = match(YEAR, start_s, end_s)
        assert len(matched.series) + matched.missing == (end_s - start_s) // 900
