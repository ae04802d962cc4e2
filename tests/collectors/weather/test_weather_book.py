"""Weather by quarter-hour, as it was known at the time, and fetched patiently."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.outside import Patience
from collectors.sqlite_schema import StoreDamagedError
from collectors.weather.book import SqliteWeather
from collectors.weather.fetching import WeatherFetching
from collectors.weather.model import Measure, Span, Weather, on_quarters, weather
from collectors.weather.open_meteo import OpenMeteo
from collectors.weather.settings import (
    Roof,
    WeatherSettings,
    read_weather_settings,
    weather_sources,
)
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError
from kwartier.interval import Quarter
from kwartier.settings import read_toml
from tests.collectors.loopback import Reply, far_side
from tests.collectors.weather.answers import open_meteo

NOON = Quarter.parse("2026-07-01T12:00:00Z")
GHI = Measure.GHI_W_M2
QUICK = Patience(connect_s=2, silence_s=5, answer_s=20, tries=1, jitter=0)


def told(issued_s: int, value: float, quarters: int, source: str = "test") -> Weather:
    spans = [
        Span(NOON.next(place).start_s, NOON.next(place + 1).start_s, value)
        for place in range(quarters)
    ]
    return weather(source, issued_s, {GHI: spans})


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SqliteWeather]:
    kept = SqliteWeather(tmp_path / "weather.db")
    yield kept
    kept.close()


@pytest.mark.parametrize("blob", [b"no zlib", zlib.compress(b"{"), zlib.compress(b'{"ghi": 3}')])
def test_a_forecast_that_cannot_be_read_any_more_names_the_file(
    book: SqliteWeather, tmp_path: Path, blob: bytes
) -> None:
    book.keep(told(NOON.start_s, 500, 1))
    with closing(sqlite3.connect(tmp_path / "weather.db")) as other, other:
        other.execute("UPDATE told SET spans = ?", (blob,))

    with pytest.raises(StoreDamagedError, match=r"weather\.db: a forecast in it"):
        book.expected(GHI, NOON, 1, NOON.start_s)


def test_the_mean_of_an_hour_is_that_of_its_quarters() -> None:
    hour = [Span(NOON.start_s, NOON.start_s + 3600, 400.0)]

    assert on_quarters(hour, NOON.next(-1), 6) == [None, 400, 400, 400, 400, None]


def test_a_quarter_of_two_means_is_weighed_by_how_long_each_holds() -> None:
    spans = [
        Span(NOON.start_s, NOON.start_s + 300, 90.0),
        Span(NOON.start_s + 300, NOON.start_s + 900, 30.0),
    ]

    assert on_quarters(spans, NOON, 1) == [50]


def test_between_instants_there_is_a_straight_line_and_none_over_a_gap() -> None:
    hours = [Span(NOON.start_s + h * 3600, NOON.start_s + h * 3600, 8.0 * h) for h in (0, 1, 4)]

    # The middles of the quarters of the first hour lie at 1/8, 3/8, 5/8 and 7/8 of it.
    assert on_quarters(hours, NOON, 5) == [1, 3, 5, 7, None]


def test_each_quarter_is_from_the_newest_forecast_that_has_it(book: SqliteWeather) -> None:
    book.keep(told(NOON.start_s - 7200, 100, 4))
    book.keep(told(NOON.start_s - 3600, 200, 2))

    assert book.expected(GHI, NOON, 5, NOON.start_s) == [200, 200, 100, 100, None]


def test_what_was_told_later_was_not_known_then(book: SqliteWeather) -> None:
    book.keep(told(NOON.start_s - 7200, 100, 1))
    book.keep(told(NOON.start_s - 3600, 200, 1))

    assert book.expected(GHI, NOON, 1, NOON.start_s - 3601) == [100]
    assert book.expected(GHI, NOON, 1, NOON.start_s - 7201) == [None]
    assert book.expected(GHI, NOON, 1, NOON.start_s, source="other") == [None]


def test_a_service_that_is_away_for_a_day_is_not_pushed_out_by_one_that_talks_on(
    book: SqliteWeather,
) -> None:
    book.keep(told(NOON.start_s - 86_400, 100, 1))
    for hour in range(1, 25):
        book.keep(told(NOON.start_s - hour * 3600, 0, 0, "talks on"))

    assert book.expected(GHI, NOON, 1, NOON.start_s) == [100]


def test_forecasts_outlive_the_process_and_go_after_three_years(
    book: SqliteWeather, tmp_path: Path
) -> None:
    first = told(NOON.start_s, 100, 3)
    book.keep(first)
    again = SqliteWeather(tmp_path / "weather.db")
    before = list(again.known_at(NOON.start_s))
    again.keep(told(NOON.start_s + 1101 * 86_400, 200, 1))
    after = list(again.known_at(NOON.start_s))
    again.close()

    assert before == [first]
    assert after == []


def test_a_forecast_is_fetched_every_three_hours_and_one_that_is_away_is_one_line(
    book: SqliteWeather, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock(datetime(2026, 7, 1, 9, 0, tzinfo=UTC).timestamp())
    good = Reply(body=open_meteo(["2026-07-01T12:15"], {"shortwave_radiation": [500]}))
    with far_side(good, *[Reply(503)] * 3, good) as service:
        fetching = WeatherFetching([OpenMeteo(52, 5, service.url, QUICK)], book, clock)
        asked = []
        for _ in range(5 * 60):
            fetching.step()
            asked.append(len(service.asked))
            clock.advance(60)
        fetching.stop()

    assert (asked[0], asked[179], asked[180], asked[-1]) == (1, 1, 2, 5)
    assert fetching.watches[0].failures == 3
    assert book.expected(GHI, NOON, 1, clock.now_s()) == [500]
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line.split(":")[0] for line in lines] == ["weather from open-meteo"] * 2


def test_the_place_and_the_roof_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "weather.toml"
    path.write_text(
        "latitude = 52.1\nlongitude = 5.12\nknmi_station = 260\n"
        "[roof]\nslope = 35\nazimuth = -20\npeak_kw = 40\n"
    )

    settings = read_toml(path, read_weather_settings)

    assert settings == WeatherSettings(52.1, 5.12, 10_800, 260, Roof(35, -20, 40))
    sources = weather_sources(settings)
    assert [source.name for source in sources] == ["open-meteo", "forecast-solar", "knmi"]
    for source in sources:
        source.close()
    path.write_text("latitude = 52.1\n")
    with pytest.raises(SettingsError, match="longitude is missing"):
        read_toml(path, read_weather_settings)
