"""The street's forecasts: kept when a day begins, held against what came, told to who keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from api.forecasts.asked import DAYS_BACK
from api.forecasts.book import KEPT_S, ForecastBook, Said
from api.forecasts.keeper import Forecasts
from api.forecasts.states import ForecastStates
from api.forecasts.told import ToldWeather
from api.history import History
from collectors.weather.book import SqliteWeather
from collectors.weather.model import Measure, Span, weather
from kwartier.interval import Quarter
from optimizer.forecasting.choose import Why
from tests.api.planning import HOMES, Scene, scene, use_in

DAY_S = 86_400
MIDNIGHT_S = int(datetime(2026, 7, 7, 22, tzinfo=UTC).timestamp())
"""8 July 2026, 00:00 in the Netherlands."""


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Ten homes that used 100 Wh a quarter for twelve days, until the evening of 8 July."""
    with scene(tmp_path_factory.mktemp("street"), MIDNIGHT_S + DAY_S) as made:
        for home in range(HOMES):
            use_in(made, home, MIDNIGHT_S - 11 * DAY_S, MIDNIGHT_S + DAY_S - 900, 1)
        yield made


def forecasts(street: Scene, book: ForecastBook, states: ForecastStates) -> Forecasts:
    return Forecasts(History(street.records, DAYS_BACK), book, states)


def test_what_is_said_when_a_day_begins_is_kept_and_held_against_what_came(street: Scene) -> None:
    book, states = ForecastBook(":memory:"), ForecastStates()
    said = forecasts(street, book, states)

    use, sun = said.ahead(Quarter(MIDNIGHT_S), 144, MIDNIGHT_S)
    first = states.all()
    said.ahead(Quarter(MIDNIGHT_S + DAY_S), 144, MIDNIGHT_S + DAY_S)
    second = states.all()

    assert use.likely == pytest.approx(np.full(144, 4.0), abs=0.01)  # 10 homes at 400 W
    assert set(sun.likely.tolist()) == {0.0}
    kept = book.said("use", MIDNIGHT_S, MIDNIGHT_S + DAY_S)
    assert [one.start_s for one in kept] == list(range(MIDNIGHT_S, MIDNIGHT_S + DAY_S, 900))
    assert {abs(one.likely_w - 4000) <= 10 for one in kept} == {True}
    assert [one.name for one in first] == ["use", "sun"]
    assert first[0].score.quarters == 0
    assert first[0].score.error is None
    assert second[0].score.quarters == 95  # the day's last quarter is not read yet
    assert second[0].score.error == pytest.approx(0.0, abs=0.01)


def test_a_restart_at_noon_leaves_what_was_said_at_midnight(street: Scene) -> None:
    book = ForecastBook(":memory:")
    book.keep("use", "blend", [Said(MIDNIGHT_S + DAY_S // 2, 7, 6, 8)])

    said = forecasts(street, book, ForecastStates())
    said.ahead(Quarter(MIDNIGHT_S + DAY_S // 2), 144, MIDNIGHT_S + DAY_S // 2)

    kept = book.said("use", MIDNIGHT_S, MIDNIGHT_S + 2 * DAY_S)
    assert kept[0] == Said(MIDNIGHT_S + DAY_S // 2, 7, 6, 8)
    assert len(kept) == 48


def test_a_street_of_a_few_days_says_that_it_is_a_newcomer(street: Scene) -> None:
    states = ForecastStates()
    early = MIDNIGHT_S - 8 * DAY_S

    use, _ = forecasts(street, ForecastBook(":memory:"), states).ahead(Quarter(early), 96, early)

    assert states.all()[0].why is Why.NEWCOMER
    assert use.likely == pytest.approx(np.full(96, 4.0))


def test_a_street_that_begins_is_forecast_the_same_day(street: Scene) -> None:
    states, begun = ForecastStates(), MIDNIGHT_S - 11 * DAY_S
    said = forecasts(street, ForecastBook(":memory:"), states)

    before, _ = said.ahead(Quarter(begun), 96, begun)
    after, _ = said.ahead(Quarter(begun + 6 * 3600), 96, begun + 6 * 3600)

    assert np.isnan(before.likely).all()
    assert not np.isnan(after.likely).any()
    assert states.all()[0].method == "few-days"


def test_a_street_without_readings_has_no_forecast_and_no_score(tmp_path: Path) -> None:
    states = ForecastStates()
    with scene(tmp_path, MIDNIGHT_S) as empty:
        said = forecasts(empty, ForecastBook(":memory:"), states)
        use, sun = said.ahead(Quarter(MIDNIGHT_S), 4, MIDNIGHT_S)

    assert np.isnan(use.likely).all()
    assert np.isnan(sun.likely).all()


def test_the_book_lets_go_after_two_months_and_opens_again(tmp_path: Path) -> None:
    book = ForecastBook(tmp_path / "forecasts.db")
    book.keep("use", "blend", [Said(0, 1, 0, 2), Said(KEPT_S, 1, 0, 2)])
    book.keep("use", "blend", [Said(KEPT_S + 900, 3, 2, 4)])
    book.close()

    again = ForecastBook(tmp_path / "forecasts.db")

    assert again.said("use", 0, 2 * KEPT_S) == [Said(KEPT_S, 1, 0, 2), Said(KEPT_S + 900, 3, 2, 4)]
    again.close()


def test_a_damaged_book_is_put_aside_and_a_new_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "forecasts.db"
    path.write_bytes(b"this is no database, and long enough to be looked at as one" * 20)

    book = ForecastBook(path)
    book.keep("use", "blend", [Said(0, 1, 0, 2)])

    assert book.said("use", 0, 900) == [Said(0, 1, 0, 2)]
    assert path.with_suffix(".damaged").read_bytes().startswith(b"this is no database")
    book.close()


def test_a_book_that_is_away_stops_no_forecast(street: Scene) -> None:
    book, states = ForecastBook(":memory:"), ForecastStates()
    book.close()

    use, _ = forecasts(street, book, states).ahead(Quarter(MIDNIGHT_S), 96, MIDNIGHT_S)

    assert use.likely == pytest.approx(np.full(96, 4.0), abs=0.01)
    assert states.all()[0].score.quarters == 0


def test_told_sunlight_of_a_day_gone_by_is_what_was_told_when_it_began(tmp_path: Path) -> None:
    book = SqliteWeather(tmp_path / "weather.db")
    day_s = 20_000 * DAY_S
    for issued_s, light in ((day_s - 3600, 100.0), (day_s + 3600, 900.0)):
        spans = [Span(at_s, at_s + 3600, light) for at_s in range(day_s, day_s + 3 * DAY_S, 3600)]
        book.keep(weather("test", issued_s, {Measure.GHI_W_M2: spans}))

    told = ToldWeather(book).over(day_s, 96, 8, day_s + DAY_S)

    assert told.sun_w_per_m2.tolist() == [100.0] * 96 + [900.0] * 8
    assert np.isnan(told.outside_c).all()
    book.close()


def test_without_sun_the_middle_of_four_weeks_will_do(street: Scene) -> None:
    states = ForecastStates()
    forecasts(street, ForecastBook(":memory:"), states).ahead(Quarter(MIDNIGHT_S), 96, MIDNIGHT_S)

    assert [one.method for one in states.all()][1] == "usual"
