"""Prices are fetched in time, agreed on, kept, and asked for patiently when a source is away."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep

import pytest

from collectors.answers import NothingToldError
from collectors.outside import Patience
from collectors.prices.agreement import Standing
from collectors.prices.book import SqlitePrices
from collectors.prices.energyzero import EnergyZero
from collectors.prices.fetching import NamedSource, PriceFetching
from collectors.prices.nordpool import NordPool
from kwartier.clock import VirtualClock
from kwartier.interval import local_day
from tests.collectors.loopback import Asked, FarSide, Reply, far_side
from tests.collectors.prices.answers import nordpool, rest

TODAY, TOMORROW = date(2026, 7, 8), date(2026, 7, 9)
MORNING_S = datetime(2026, 7, 8, 8, 0, tzinfo=UTC).timestamp()
AFTERNOON_S = datetime(2026, 7, 8, 10, 56, tzinfo=UTC).timestamp()
QUICK = Patience(connect_s=2, silence_s=5, answer_s=20, tries=1, jitter=0)
HASTY = Patience(connect_s=2, silence_s=0.3, answer_s=20, tries=1, jitter=0)


class Market(FarSide):
    """Both services on one address; each can be away, late or wrong."""

    def __init__(self) -> None:
        self.published = {TODAY, TOMORROW}
        self.away: set[str] = set()
        self.nordpool_eur = 80.0
        super().__init__(Reply())

    def reply(self, asked: Asked) -> Reply:
        name = "nordpool" if "DayAhead" in asked.path else "energyzero"
        if name in self.away:
            return Reply(503)
        day = self.day_of(asked.path)
        if day not in self.published:
            return Reply(204) if name == "nordpool" else Reply(body=rest(0, []))
        start_s, end_s = local_day(day)
        count = (end_s - start_s) // 900
        if name == "nordpool":
            return Reply(body=nordpool(start_s, [self.nordpool_eur] * count))
        return Reply(body=rest(start_s, ["0.08"] * count))

    def day_of(self, path: str) -> date:
        text = path.split("date=", 1)[1].split("&", maxsplit=1)[0]
        pattern = "%Y-%m-%d" if text[4] == "-" else "%d-%m-%Y"
        return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()

    def asked_for(self, day: date) -> int:
        return sum(self.day_of(asked.path) == day for asked in self.asked)


@pytest.fixture
def market() -> Iterator[Market]:
    service = Market()
    yield service
    service.close()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SqlitePrices]:
    prices = SqlitePrices(tmp_path / "prices.db")
    yield prices
    prices.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(AFTERNOON_S)


@pytest.fixture
def fetching(market: Market, book: SqlitePrices, clock: VirtualClock) -> Iterator[PriceFetching]:
    sources: list[NamedSource] = [EnergyZero(market.url, QUICK), NordPool(market.url, QUICK)]
    loop = PriceFetching(sources, book, clock)
    yield loop
    loop.stop()


def standings(book: SqlitePrices, day: date) -> list[Standing]:
    return [known.standing for known in book.known(*local_day(day)).values()]


def test_what_two_services_tell_alike_is_kept_as_agreed(
    market: Market, book: SqlitePrices, fetching: PriceFetching
) -> None:
    fetching.step()

    assert book.day(TOMORROW).eur_per_mwh == (Decimal(80),) * 96
    assert standings(book, TOMORROW) == [Standing.AGREED] * 96
    fetching.step()
    assert (market.asked_for(TODAY), market.asked_for(TOMORROW)) == (2, 2)


def test_tomorrow_is_not_asked_for_before_it_is_published(
    market: Market, book: SqlitePrices, fetching: PriceFetching, clock: VirtualClock
) -> None:
    clock.jump(MORNING_S - AFTERNOON_S)
    fetching.step()
    before = market.asked_for(TOMORROW)
    clock.jump(AFTERNOON_S - MORNING_S)
    fetching.step()

    assert before == 0
    assert book.day(TOMORROW).complete


def test_an_auction_that_is_late_is_asked_for_every_five_minutes(
    market: Market,
    book: SqlitePrices,
    fetching: PriceFetching,
    clock: VirtualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    market.published.remove(TOMORROW)
    for _ in range(20):
        fetching.step()
        clock.advance(60)
    asked = market.asked_for(TOMORROW)
    with pytest.raises(NothingToldError):
        book.day(TOMORROW)
    market.published.add(TOMORROW)
    fetching.step()

    assert asked == 2 * 4
    assert book.day(TOMORROW).complete
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_service_that_is_away_is_one_line_and_ever_fewer_questions(
    market: Market,
    book: SqlitePrices,
    fetching: PriceFetching,
    clock: VirtualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    market.away.add("nordpool")
    for _ in range(6 * 60):
        fetching.step()
        clock.advance(60)
    single = standings(book, TOMORROW)
    energyzero, watch = fetching.watches
    failures, up = watch.failures, watch.up
    market.away.clear()
    clock.advance(3600)
    fetching.step()

    # 5, 10, 20, 40 and then 60 minutes apart, up to a tenth later: at most ten in six hours.
    assert 7 <= failures <= 10
    assert (up, watch.up, energyzero.failures) == (False, True, 0)
    assert single == [Standing.SINGLE] * 96
    assert standings(book, TOMORROW) == [Standing.AGREED] * 96
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 2, lines
    assert lines[0].startswith("prices from nordpool: none of 2026-07-08, plans go on with known")
    assert lines[1] == "prices from nordpool: answers again"


def test_services_that_differ_are_not_believed_and_what_was_agreed_stays(
    market: Market,
    book: SqlitePrices,
    fetching: PriceFetching,
    clock: VirtualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    market.published.remove(TOMORROW)
    fetching.step()
    market.published.add(TOMORROW)
    market.nordpool_eur = 81.0
    clock.advance(600)
    fetching.step()

    assert standings(book, TODAY) == [Standing.AGREED] * 96
    assert standings(book, TOMORROW) == []
    assert "prices of 2026-07-09: sources disagree on 96 quarters" in caplog.text
    assert "energyzero 80, nordpool 81.0 EUR/MWh" in caplog.text


def test_services_that_differ_are_asked_again_every_hour_until_they_agree(
    market: Market, book: SqlitePrices, fetching: PriceFetching, clock: VirtualClock
) -> None:
    market.nordpool_eur = 81.0
    for _ in range(60):
        fetching.step()
        clock.advance(60)
    asked, disputed = market.asked_for(TOMORROW), standings(book, TOMORROW)
    market.nordpool_eur = 80.0
    fetching.step()
    clock.advance(3600)
    fetching.step()

    assert (asked, disputed) == (2, [])
    assert market.asked_for(TOMORROW) == 2 * 2
    assert standings(book, TOMORROW) == [Standing.AGREED] * 96


def test_what_one_service_told_is_taken_back_when_another_differs(
    market: Market, book: SqlitePrices, fetching: PriceFetching, clock: VirtualClock
) -> None:
    market.away.add("nordpool")
    fetching.step()
    alone = standings(book, TOMORROW)
    market.away.clear()
    market.nordpool_eur = 81.0
    clock.advance(700)
    fetching.step()

    assert alone == [Standing.SINGLE] * 96
    assert standings(book, TOMORROW) == []


def test_prices_outlive_the_process(
    book: SqlitePrices, fetching: PriceFetching, tmp_path: Path
) -> None:
    fetching.step()
    again = SqlitePrices(tmp_path / "prices.db")

    assert again.day(TODAY) == book.day(TODAY)
    again.close()


def test_a_stop_does_not_wait_for_a_service_that_says_nothing(
    book: SqlitePrices, clock: VirtualClock
) -> None:
    with far_side(Reply(silent=True)) as service:
        loop = PriceFetching([NordPool(service.url, HASTY)], book, clock)
        loop.start()
        ends = monotonic() + 60
        while not service.asked:
            assert monotonic() < ends
            sleep(0.01)
        loop.stop()

    assert standings(book, TODAY) == []


@pytest.mark.parametrize(("eur", "left"), [(3000.0, []), (80.0, [Standing.SINGLE] * 96)])
def test_who_is_alone_after_a_restart_is_believed_if_who_was_alone_before_told_the_same(
    market: Market,
    book: SqlitePrices,
    fetching: PriceFetching,
    clock: VirtualClock,
    eur: float,
    left: list[Standing],
) -> None:
    market.away.add("nordpool")
    fetching.step()
    market.away = {"energyzero"}
    market.nordpool_eur = eur
    again = PriceFetching([NordPool(market.url, QUICK)], book, clock)
    again.step()
    again.stop()

    assert standings(book, TODAY) == left
