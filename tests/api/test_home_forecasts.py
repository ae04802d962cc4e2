"""Each home's own forecast: chosen at night, kept, following the day, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from api.forecasts.asked import DAYS_BACK
from api.forecasts.by_day import FOLLOWS, moved
from api.forecasts.home_book import HomeBook, HomeSaid
from api.forecasts.homes import YEARLY_KWH, HomeForecasts
from api.forecasts.keeper import Forecasts
from api.forecasts.states import ForecastStates, Span
from api.history import History
from kwartier.interval import Quarter
from optimizer.forecasting.choose import Why
from optimizer.forecasting.history import local_quarters
from optimizer.forecasting.newcomer import usual_shape
from optimizer.forecasting.soon import Soon
from tests.api.planning import Scene, scene, use_in

HOMES = 6
DAY_S = 86_400
MIDNIGHT_S = int(datetime(2026, 7, 7, 22, tzinfo=UTC).timestamp())
"""8 July 2026, 00:00 in the Netherlands."""
NOON_S = MIDNIGHT_S + DAY_S // 2
SILENT = "huis-06"
FROM_S = MIDNIGHT_S - 11 * DAY_S


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Five homes for twelve days at 100, 200 … Wh a quarter, and one that was never heard."""
    with scene(tmp_path_factory.mktemp("street"), MIDNIGHT_S + DAY_S, homes=HOMES) as made:
        for home in range(HOMES - 1):
            use_in(made, home, FROM_S, MIDNIGHT_S + DAY_S, 1, wh=100 * (home + 1))
        yield made


@pytest.fixture(scope="module")
def night(street: Scene) -> HomeForecasts:
    """Homes of which all is said since the last midnight but one."""
    return worked(forecasts(street), MIDNIGHT_S)


def forecasts(
    street: Scene, book: HomeBook | None = None, states: ForecastStates | None = None
) -> HomeForecasts:
    return HomeForecasts(street.records, street.community, book, states)


def worked(homes: HomeForecasts, now_s: int) -> HomeForecasts:
    assert not homes.work(now_s, lambda: True, lambda: 0.5)
    return homes


def test_each_home_is_forecast_by_what_it_used_itself(night: HomeForecasts) -> None:
    found = night.per_home(["huis-01", "huis-04"], Quarter(MIDNIGHT_S), 144)

    assert found["huis-01"].use.likely == pytest.approx(np.full(144, 0.4), abs=0.01)
    assert found["huis-04"].use.likely == pytest.approx(np.full(144, 1.6), abs=0.01)
    assert set(found["huis-04"].made.likely.tolist()) == {0.0}


def test_a_home_that_was_never_heard_gets_the_profile_of_a_home(
    street: Scene, night: HomeForecasts
) -> None:
    shape = usual_shape(local_quarters(MIDNIGHT_S, 96))

    before = forecasts(street).per_home([SILENT], Quarter(MIDNIGHT_S), 96)
    after = night.per_home([SILENT], Quarter(MIDNIGHT_S), 96)

    level_kw = YEARLY_KWH / (365.25 * 24)
    for found in (before, after):
        assert found[SILENT].use.likely == pytest.approx(level_kw * shape, rel=0.01)
        assert set(found[SILENT].made.likely.tolist()) == {0.0}


def test_what_was_said_last_night_serves_until_it_is_said_anew(night: HomeForecasts) -> None:
    late = night.per_home(["huis-03"], Quarter(NOON_S + DAY_S), 144)
    too_late = night.per_home(["huis-03"], Quarter(MIDNIGHT_S + 3 * DAY_S), 144)

    assert late["huis-03"].use.likely == pytest.approx(np.full(144, 1.2), abs=0.01)
    assert too_late["huis-03"].use.days.tolist() == [0.0] * 144  # the profile: nothing is said


def test_an_unknown_home_is_left_out(street: Scene) -> None:
    assert forecasts(street).per_home(["huis-99"], Quarter(MIDNIGHT_S), 4) == {}


def test_the_street_hands_on_what_is_said_of_homes_and_nothing_without(
    street: Scene, night: HomeForecasts
) -> None:
    measured = History(street.records, DAYS_BACK)

    found = Forecasts(measured, homes=night).per_home(["huis-02"], Quarter(MIDNIGHT_S), 4)
    without = Forecasts(measured).per_home(["huis-02"], Quarter(MIDNIGHT_S), 4)

    assert found["huis-02"].use.likely == pytest.approx(np.full(4, 0.8), abs=0.01)
    assert without == {}


def test_a_restart_remembers_what_was_said_and_lets_go_of_who_left(
    street: Scene, tmp_path: Path
) -> None:
    book = HomeBook(tmp_path / "homes.db")
    worked(forecasts(street, book), MIDNIGHT_S)
    book.close()

    again = HomeBook(tmp_path / "homes.db")
    found = forecasts(street, again).per_home(["huis-02"], Quarter(NOON_S), 8)
    again.forget_others(["huis-01"])

    assert found["huis-02"].use.likely == pytest.approx(np.full(8, 0.8), abs=0.01)
    assert {of.home for of in again.all_said()} == {"huis-01"}
    again.close()


def test_work_that_is_cut_short_goes_on_where_it_was(street: Scene) -> None:
    states, pieces = ForecastStates(), [True] * 60
    homes = forecasts(street, states=states)

    left = homes.work(MIDNIGHT_S, lambda: bool(pieces and pieces.pop()), lambda: 2.0)
    first = states.homes()
    while homes.work(MIDNIGHT_S, iter([True] * 60 + [False]).__next__, lambda: 2.0):
        pass
    last = states.homes()

    assert left
    assert first is not None
    assert first.ready == 0  # 224 pieces of six hours come first
    assert last is not None
    assert (last.ready, last.homes) == (6, 6)
    assert last.work_s > first.work_s == 2.0


def test_how_homes_held_is_told_as_a_spread_over_them(street: Scene) -> None:
    states = ForecastStates()
    homes = worked(forecasts(street, states=states), MIDNIGHT_S)

    worked(homes, MIDNIGHT_S + DAY_S)
    state = states.homes()

    assert state is not None
    assert state.methods["use"] == {"usual": 5, "few-days": 1}
    assert state.methods["sun"] == {"usual": 6}
    by_day, soon = state.held[:2]
    assert (by_day.name, by_day.span, soon.span) == ("use", Span.DAY, Span.SOON)
    assert by_day.homes == 5  # of the sixth nothing came
    assert by_day.error is not None
    assert by_day.error.high == pytest.approx(0.0, abs=0.01)
    assert [one.homes for one in state.held[2:]] == [0, 0]


def test_tomorrow_is_told_of_who_was_heard_only(night: HomeForecasts) -> None:
    told = night.tomorrow("huis-02", MIDNIGHT_S + 900)

    assert told is not None
    assert told.use_wh == pytest.approx(96 * 200, rel=0.01)
    assert told.made_wh is None
    assert told.since_s == FROM_S
    assert night.tomorrow(SILENT, MIDNIGHT_S) is None
    assert night.tomorrow("huis-02", MIDNIGHT_S + 5 * DAY_S) is None


def test_the_rest_of_a_day_is_moved_to_where_it_is_now_and_its_range_is_narrower() -> None:
    kw = np.ones((3, 96 * 4), dtype=np.float32) * np.array([[1.0], [0.5], [2.0]], dtype=np.float32)
    said = HomeSaid(MIDNIGHT_S, FROM_S, "blend", Why.BEST, FROM_S, 0.0, Soon((0.5, 0.5, 0.5)), kw)

    told = moved(said, FOLLOWS["use"], NOON_S, np.array([0.9, 0.9, 1.5, 1.5]))
    unheard = moved(said, FOLLOWS["use"], NOON_S, np.full(4, np.nan))

    likely, low, high = told
    # The last half-hour was half as much again; half of the range of 0.5 and 1 on either side.
    assert (likely[0], low[0], high[0]) == pytest.approx((1.5, 1.25, 2.0))
    assert likely[24] < 1.05
    assert told[:, 48:].tolist() == kw[:, 96:].tolist()  # tomorrow stays as it was
    assert unheard[:, 0].tolist() == [1.0, 0.5, 2.0]
