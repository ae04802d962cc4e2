"""Prices of one year lent to another, by position: for playing back what was measured earlier.

Meters of 2016 and prices of 2025 never meet in time. Each quarter then takes the price of the same
day of the year at the same time on the clock, in the zone where people live. That keeps summer
with summer and evening with evening; weekdays differ, and whoever shows a result says so: the
answer carries the sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from collectors.prices.model import PriceQuarter, PriceSeries
from kwartier.errors import InputError
from kwartier.interval import (
    HOME_ZONE,
    Quarter,
    Zone,
    day_of,
    epoch_s,
    quarters_between,
    quarters_of_day,
)
from kwartier.units import EpochS


class Position(StrEnum):
    """How prices were laid beside quarters."""

    INSTANT = "instant"
    """Every price stands at its own time."""
    DAY_OF_YEAR = "day-of-year"
    """A year without prices took those of another: same day of the year, same time of day."""
    DAY_COUNT = "day-count"
    """Days were counted from the first of each, because the days of the year did not meet."""


@dataclass(frozen=True, slots=True)
class Match:
    """Prices for the quarters that were asked for.

    Attributes:
        series: One price for each quarter that has one.
        position: How they were found.
        borrowed: How many prices come from another time than their own.
        missing: How many quarters have no price.
        said: All this in a sentence.
    """

    series: PriceSeries
    position: Position
    borrowed: int
    missing: int
    said: str


def match(prices: PriceSeries, start_s: EpochS, end_s: EpochS, zone: Zone = HOME_ZONE) -> Match:
    """Return prices for every quarter of ``[start_s, end_s)``, borrowed where years differ.

    A gap within a year that has prices stays a gap: only a year without any whole day of prices
    borrows. The 366th day of a leap year takes the 365th of a year that has no more.

    Raises:
        InputError: There are no prices at all.
    """
    if not prices:
        raise InputError("there are no prices to match: give a price file with at least one row")
    wanted = list(quarters_between(start_s, end_s))
    years = _priced_years(prices, zone)
    lender = years.most_common(1)[0][0]
    by_year = _matched(
        prices, wanted, zone, lambda day: day if day.year in years else _same_day(day, lender)
    )
    if by_year or all(day_of(quarter.start_s, zone).year in years for quarter in wanted):
        return _told(prices, wanted, by_year, Position.DAY_OF_YEAR, f"prices of {lender}")
    first = next(iter(prices)).quarter
    shift = day_of(first.start_s, zone) - day_of(start_s, zone)
    by_count = _matched(prices, wanted, zone, lambda day: day + shift)
    return _told(prices, wanted, by_count, Position.DAY_COUNT, f"prices from {first}")


def _matched(
    prices: PriceSeries, wanted: list[Quarter], zone: Zone, lending_day: Callable[[date], date]
) -> list[PriceQuarter]:
    """Return the price of each quarter: its own, else that of the lending day at its hour."""
    found: list[PriceQuarter] = []
    for quarter in wanted:
        price = prices.at(quarter)
        if price is None:
            price = prices.at(_lender_of(quarter, zone, lending_day))
        if price is not None:
            found.append(PriceQuarter(quarter, price))
    return found


def _lender_of(quarter: Quarter, zone: Zone, lending_day: Callable[[date], date]) -> Quarter:
    """Return the quarter at the same time on the clock of the lending day.

    A time that the clock skips there is read with the offset from before the skip.
    """
    local = datetime.fromtimestamp(quarter.start_s, zone)
    there = datetime.combine(lending_day(local.date()), local.timetz())
    return Quarter(epoch_s(there))


def _priced_years(prices: PriceSeries, zone: Zone) -> Counter[int]:
    """Return how many quarters are priced in each local year that has a whole day of them."""
    days = Counter(day_of(price.quarter.start_s, zone) for price in prices)
    whole = {day.year for day, count in days.items() if count == len(quarters_of_day(day, zone))}
    years: Counter[int] = Counter()
    for day, count in days.items():
        if day.year in whole or not whole:
            years[day.year] += count
    return years


def _same_day(day: date, year: int) -> date:
    """Return the same day of another year, counted from 1 January."""
    there = date(year, 1, 1) + timedelta(days=day.timetuple().tm_yday - 1)
    return there if there.year == year else date(year, 12, 31)


def _told(
    prices: PriceSeries,
    wanted: list[Quarter],
    found: list[PriceQuarter],
    position: Position,
    lender: str,
) -> Match:
    borrowed = sum(1 for price in found if prices.at(price.quarter) is None)
    missing = len(wanted) - len(found)
    said = f"{len(found) - borrowed} of {len(wanted)} quarters have a price of their own time"
    if borrowed:
        rule = {
            Position.DAY_OF_YEAR: "the same day of the year and time of day",
            Position.DAY_COUNT: "days counted from the first of each, and the same time of day",
        }[position]
        said += f"; {borrowed} take {lender} by {rule}, so weekdays differ"
    if missing:
        said += f"; {missing} have none"
    how = position if borrowed else Position.INSTANT
    return Match(PriceSeries.of(found), how, borrowed, missing, said)
