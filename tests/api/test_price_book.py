"""The prices that plans reckon with: known once, asked again in time, older ones until then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from api.price_book import PriceBook
from collectors.answers import NothingToldError, SourceDownError
from collectors.prices.model import PriceDay
from kwartier.errors import KwartierError
from kwartier.interval import QUARTER_S, Quarter, day_of, quarters_of_day

NOW_S = int(datetime(2026, 7, 8, 10, 0, tzinfo=UTC).timestamp())
DAY_S = 86_400
MIDNIGHT = Quarter(int(datetime(2026, 7, 7, 22, 0, tzinfo=UTC).timestamp()))


class Auction:
    """A source whose price is the day of the month [EUR/MWh], and that can be told to fail."""

    def __init__(self, told: Callable[[date], bool] = lambda _: True) -> None:
        self.told = told
        self.failure: KwartierError | None = None
        self.cut_after = 200
        self.asked: list[date] = []

    def day(self, day: date) -> PriceDay:
        self.asked.append(day)
        if self.failure is not None:
            raise self.failure
        if not self.told(day):
            raise NothingToldError(f"no prices for {day}")
        quarters = quarters_of_day(day)
        price = Decimal(day.day)
        prices = tuple(price if place < self.cut_after else None for place in range(len(quarters)))
        return PriceDay(day, tuple(quarters), prices)


def test_known_prices_are_told_per_kwh_and_each_day_is_asked_for_once() -> None:
    auction = Auction()
    book = PriceBook(auction)

    first = book.over(MIDNIGHT, 96 + 4, NOW_S)
    book.over(MIDNIGHT, 96 + 4, NOW_S + 10 * DAY_S / 96)

    assert first.eur_per_kwh.tolist() == [0.008] * 96 + [0.009] * 4
    assert first.known.all()
    assert auction.asked == [date(2026, 7, 8), date(2026, 7, 9)]


def test_what_is_not_known_yet_is_the_newest_known_price_of_that_time_of_day() -> None:
    auction = Auction(lambda day: day <= date(2026, 7, 8))

    told = PriceBook(auction).over(MIDNIGHT, 96 + 4, NOW_S)

    assert told.eur_per_kwh.tolist() == [0.008] * 100
    assert told.known.tolist() == [True] * 96 + [False] * 4


def test_the_time_of_day_is_that_on_the_clock() -> None:
    # 25 October 2026 has 25 hours: 13.00 is 12.00 UTC, and on the day before it was 11.00 UTC.
    class ByHour(Auction):
        def day(self, day: date) -> PriceDay:
            told = super().day(day)
            local = [Decimal(place // 4) for place in range(len(told.quarters))]
            return PriceDay(day, told.quarters, tuple(local))

    source = ByHour(lambda day: day <= date(2026, 10, 24))
    one_pm = Quarter(int(datetime(2026, 10, 25, 12, 0, tzinfo=UTC).timestamp()))

    told = PriceBook(source).over(one_pm, 1, one_pm.start_s)

    assert told.eur_per_kwh.tolist() == [0.013]
    assert not told.known.any()


def test_without_any_price_in_a_week_there_is_one_flat_price() -> None:
    told = PriceBook(Auction(lambda _: False), otherwise_eur_per_kwh=0.2).over(MIDNIGHT, 4, NOW_S)

    assert told.eur_per_kwh.tolist() == [0.2] * 4
    assert not told.known.any()


def test_prices_that_are_not_there_yet_are_asked_for_again_after_a_quarter_of_an_hour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    auction = Auction(lambda day: day <= date(2026, 7, 8))
    book = PriceBook(auction)
    book.over(MIDNIGHT, 100, NOW_S)
    auction.told = lambda _: True

    before = book.over(MIDNIGHT, 100, NOW_S + 899)
    after = book.over(MIDNIGHT, 100, NOW_S + 900)

    assert not before.known.all()
    assert after.known.all()
    assert auction.asked.count(date(2026, 7, 9)) == 2
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_day_that_is_known_in_part_is_asked_for_again() -> None:
    auction = Auction()
    auction.cut_after = 40
    book = PriceBook(auction)
    first = book.over(MIDNIGHT, 96, NOW_S)
    auction.cut_after = 96

    again = book.over(MIDNIGHT, 96, NOW_S + 900)

    assert first.known.tolist() == [True] * 40 + [False] * 56
    assert again.known.all()


def test_a_source_that_is_away_is_asked_once_a_quarter_of_an_hour_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    auction = Auction()
    auction.failure = SourceDownError("no route")
    book = PriceBook(auction)

    for quarter in range(8):
        told = book.over(MIDNIGHT, 144, NOW_S + quarter * QUARTER_S)
        assert not told.known.any()
    asked = len(auction.asked)
    auction.failure = None
    back = book.over(MIDNIGHT, 144, NOW_S + 8 * QUARTER_S)

    assert asked == 8
    assert back.known.all()
    assert [record.message for record in caplog.records] == [
        "no prices for 2026-07-08, plans use older ones: no route",
        "prices are back",
    ]


def test_a_clock_that_is_set_back_does_not_stop_the_asking() -> None:
    auction = Auction(lambda _: False)
    book = PriceBook(auction)
    book.over(MIDNIGHT, 1, NOW_S + 400 * DAY_S)
    auction.told = lambda _: True

    assert book.over(MIDNIGHT, 1, NOW_S).known.all()


@pytest.mark.parametrize("known", [True, False])
def test_months_of_days_keep_only_the_last_weeks(known: bool) -> None:
    book = PriceBook(Auction(lambda _: known))

    for day in range(60):
        start_s = NOW_S + day * DAY_S
        book.over(Quarter.containing(start_s), 144, start_s)

    newest = day_of(NOW_S + 59 * DAY_S)
    for kept in (book._days, book._asked_s):
        assert len(kept) <= 28
        assert all((newest - day).days <= 18 for day in kept)


def test_a_source_that_takes_a_price_back_is_heard() -> None:
    auction = Auction()
    book = PriceBook(auction, ask_again_s=60, fresh_s=60)
    book.over(MIDNIGHT, 96, NOW_S)
    auction.told = lambda day: day < date(2026, 7, 8)

    soon = book.over(MIDNIGHT, 96, NOW_S + 59)
    later = book.over(MIDNIGHT, 96, NOW_S + 60)

    assert soon.known.all()
    assert not later.known.any()
    assert later.eur_per_kwh.tolist() == [0.007] * 96
