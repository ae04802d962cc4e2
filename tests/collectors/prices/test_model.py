from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.prices.model import PriceQuarter, PriceSeries, hour_of
from kwartier.errors import ContractError
from kwartier.interval import Quarter, local_day, quarters_of_day

NOON = Quarter.parse("2026-07-01T10:00:00Z")


def series(first: Quarter, *eur_per_mwh: str) -> PriceSeries:
    return PriceSeries.of(
        PriceQuarter(first.next(place), Decimal(price)) for place, price in enumerate(eur_per_mwh)
    )


def test_a_price_that_is_not_there_is_none_and_never_zero() -> None:
    prices = series(NOON, "0")

    assert prices.at(NOON) == 0
    assert prices.at(NOON.next()) is None
    assert prices.over(NOON.start_s, NOON.next(2).start_s) == (Decimal(0), None)
    assert prices.missing(NOON.start_s, NOON.next(2).start_s) == [NOON.next()]


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2026, 3, 29), 92), (date(2026, 7, 1), 96), (date(2026, 10, 25), 100)],
)
def test_a_day_has_the_quarters_that_its_clock_gives_it(day: date, quarters: int) -> None:
    start_s, _ = local_day(day)

    told = series(Quarter(start_s), *["-1.5"] * quarters).day(day)

    assert len(told.quarters) == quarters
    assert told.complete
    assert set(told.eur_per_mwh) == {Decimal("-1.5")}


def test_a_day_with_its_repeated_hour_lost_at_the_source_says_which_quarters_are_missing() -> None:
    day = date(2026, 10, 25)
    quarters = quarters_of_day(day)
    kept = [quarter for quarter in quarters if not 12 <= quarters.index(quarter) < 16]

    told = PriceSeries.of(PriceQuarter(quarter, Decimal(1)) for quarter in kept).day(day)

    assert not told.complete
    assert [str(quarter) for quarter in told.missing] == [
        "2026-10-25T01:00:00Z",
        "2026-10-25T01:15:00Z",
        "2026-10-25T01:30:00Z",
        "2026-10-25T01:45:00Z",
    ]


def test_one_quarter_has_one_price() -> None:
    twice = [PriceQuarter(NOON, Decimal(1)), PriceQuarter(NOON, Decimal(2))]

    with pytest.raises(ContractError, match=r"2026-07-01T10:00:00Z has two prices, 1 and 2"):
        PriceSeries.of(twice)
    assert len(PriceSeries.of([twice[0], twice[0]])) == 1


@pytest.mark.parametrize("price", ["10000.01", "-1000.01", "NaN", "Infinity"])
def test_a_price_past_all_sense_is_refused(price: str) -> None:
    with pytest.raises(ContractError, match="per kWh or per MWh"):
        series(NOON, price)


def test_a_second_source_fills_only_what_is_missing() -> None:
    ours = series(NOON, "1")
    theirs = series(NOON, "9", "2")

    assert ours.filled_from(theirs) == series(NOON, "1", "2")


def test_an_hour_sold_at_one_price_is_four_quarters() -> None:
    assert PriceSeries.of(hour_of(NOON.start_s, Decimal(7))) == series(NOON, "7", "7", "7", "7")


@given(places=st.sets(st.integers(0, 200)))
def test_what_is_there_and_what_is_missing_tile_the_time(places: set[int]) -> None:
    prices = PriceSeries.of(PriceQuarter(NOON.next(place), Decimal(place)) for place in places)
    end_s = NOON.next(201).start_s

    missing = prices.missing(NOON.start_s, end_s)

    assert len(missing) + len(prices.between(NOON.start_s, end_s)) == 201
    assert [price.quarter for price in prices] == [NOON.next(place) for place in sorted(places)]
