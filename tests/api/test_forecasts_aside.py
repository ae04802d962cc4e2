"""Forecasts are learned beside everything else: no plan waits, the old ones serve until then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest

from api.forecasts.aside import Aside
from api.forecasts.asked import DAYS_BACK
from api.forecasts.homes import HomeForecasts
from api.forecasts.keeper import Forecasts
from api.forecasts.night import NightWork
from api.forecasts.states import ForecastStates
from api.history import History as Measured
from kwartier.interval import Quarter
from optimizer.forecast import Forecast
from optimizer.forecasting.history import History, Method
from optimizer.forecasting.methods import USUAL, YESTERDAY
from optimizer.forecasting.newcomer import Newcomer
from optimizer.nowcast import DEFAULT_NOWCAST
from tests.api.planning import Scene, scene, use_in

HOMES = 6
DAY_S = 86_400
MIDNIGHT_S = int(datetime(2026, 7, 7, 22, tzinfo=UTC).timestamp())
"""8 July 2026, 00:00 in the Netherlands."""
PATIENCE_S = 60.0
FOLLOW = DEFAULT_NOWCAST.use


@dataclass(frozen=True)
class SlowLearner:
    """Learns nothing, and not before it may; it says what was usual and calls that its own."""

    may: threading.Event = field(default_factory=threading.Event)
    name: str = "slow"

    def learn(self, history: History) -> Method:  # noqa: ARG002 - it never looks
        assert self.may.wait(PATIENCE_S)
        return USUAL

    def forecast(self, history: History, steps: int) -> Forecast:
        return self.learn(history).forecast(history, steps)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Six homes that used 100 Wh a quarter for twelve days."""
    with scene(tmp_path_factory.mktemp("street"), MIDNIGHT_S + DAY_S, homes=HOMES) as made:
        for home in range(HOMES):
            use_in(made, home, MIDNIGHT_S - 11 * DAY_S, MIDNIGHT_S + DAY_S, 1)
        yield made


def test_a_choice_that_takes_long_is_waited_for_by_nobody() -> None:
    aside, slow = Aside(), SlowLearner()
    history = History(MIDNIGHT_S, np.ones(96 * 12))

    waiting = aside.choose(history, [slow, YESTERDAY], Newcomer(), None, FOLLOW)
    was_done = waiting.done()
    slow.may.set()
    choice = waiting.result(PATIENCE_S)
    aside.stop()

    assert not was_done
    assert choice.method.name == "usual"
    assert set(choice.scores) == {"slow", "yesterday"}


def test_who_has_not_learned_in_time_is_left_out() -> None:
    aside = Aside(budget_s=0.0)
    history = History(MIDNIGHT_S, np.ones(96 * 12))

    waiting = aside.choose(history, [SlowLearner(), YESTERDAY], Newcomer(), None, FOLLOW)
    choice = waiting.result(PATIENCE_S)
    aside.stop()

    assert set(choice.scores) == {"yesterday"}


def test_the_street_is_forecast_while_others_are_learning(street: Scene) -> None:
    aside, slow, states = Aside(), SlowLearner(), ForecastStates()
    aside.choose(History(MIDNIGHT_S, np.ones(96 * 12)), [slow], Newcomer(), None, FOLLOW)
    said = Forecasts(Measured(street.records, DAYS_BACK), states=states, learn=aside)

    first, _ = said.ahead(Quarter(MIDNIGHT_S), 96, MIDNIGHT_S)
    chosen = states.all()[0].method
    next_day, _ = said.ahead(Quarter(MIDNIGHT_S + DAY_S), 96, MIDNIGHT_S + DAY_S)
    kept = states.all()[0].method
    # The thread goes before it has come to the street.
    stopping = threading.Thread(target=aside.stop)
    stopping.start()
    slow.may.set()
    stopping.join(PATIENCE_S)
    after, _ = said.ahead(Quarter(MIDNIGHT_S + DAY_S + 900), 96, MIDNIGHT_S + DAY_S + 900)

    assert (chosen, kept) == ("usual", "usual")
    for told in (first, next_day, after):
        assert told.likely == pytest.approx(np.full(96, 2.4), abs=0.1)


@pytest.mark.nightly  # loading scikit-learn alone takes seconds
def test_trees_are_grown_aside_and_compete(street: Scene) -> None:
    aside = Aside()
    said = Forecasts(Measured(street.records, DAYS_BACK), learn=aside)

    first, _ = said.ahead(Quarter(MIDNIGHT_S), 96, MIDNIGHT_S)
    aside.stop()
    second, _ = said.ahead(Quarter(MIDNIGHT_S + 900), 96, MIDNIGHT_S + 900)

    assert first.likely == pytest.approx(np.full(96, 2.4), abs=0.01)
    assert second.likely == pytest.approx(np.full(96, 2.4), abs=0.05)


def test_homes_are_forecast_on_a_thread_until_its_budget_of_the_quarter_is_spent(
    street: Scene,
) -> None:
    states = ForecastStates()
    homes = HomeForecasts(street.records, street.community, states=states)
    poor = NightWork(homes, street.clock, budget_s=0.0)
    poor.turn()
    at_midnight = states.homes()
    street.clock.advance(120.0)
    rich = NightWork(homes, street.clock)
    rich.turn()
    after = states.homes()

    assert at_midnight is None  # a quarter's plan goes first
    assert after is not None
    assert after.ready == HOMES
    assert after.work_s > 0
