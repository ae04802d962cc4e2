"""The next hours: surer than the day where a forecast follows it, and no surer where it cannot."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from optimizer.forecast import Forecast
from optimizer.forecasting.choose import Widened, choose
from optimizer.forecasting.follower import Follower
from optimizer.forecasting.history import History
from optimizer.forecasting.methods import YESTERDAY, load_blend
from optimizer.forecasting.newcomer import Newcomer
from optimizer.forecasting.score import beside, midnights, said_at
from optimizer.forecasting.soon import SPANS, Soon, followed, learned, near, widened
from optimizer.nowcast import Follow

START_S = int(datetime(2026, 1, 4, 23, tzinfo=UTC).timestamp())  # Monday 5 January, 00:00 local
FOLLOW = Follow(2, 8.0, 2.0)


def days_of_another_level(
    count: int, seed: int = 1
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Days of 0.5 to 1.5 kW each, with 5 % of noise on every quarter."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.uniform(0.5, 1.5, count), 96) * rng.uniform(0.95, 1.05, 96 * count)


def test_a_day_moves_to_where_its_last_half_hour_was() -> None:
    told = np.array([np.ones(96), np.full(96, 0.5), np.full(96, 1.5)])

    moved, count = followed(told, np.array([1.0, 1.2, 1.2]), FOLLOW)

    assert count == 93
    assert moved[:, 3] == pytest.approx([1.2, 0.7, 1.7])  # likely, low and high alike
    assert moved[:, :3].tolist() == told[:, :3].tolist()


def test_what_has_nothing_to_follow_stays_as_it_was() -> None:
    told = np.array([np.ones(96), np.zeros(96), np.full(96, 2.0)])

    moved, count = followed(told, np.full(4, np.nan), FOLLOW)

    assert count == 0
    assert moved.tolist() == told.tolist()


def test_a_range_is_narrower_in_the_next_hour_and_as_wide_as_ever_after_nine() -> None:
    soon = Soon((0.2, 0.6, 0.8))

    widths = soon.widths(40)

    # The middles of the spans are 1.5, 7.5 and 17.5 quarters ahead.
    assert widths[[0, 1]].tolist() == [0.2, 0.2]
    assert widths[[12, 13]].mean() == pytest.approx(0.6 + 0.2 * 5 / 10)
    assert widths[36:].tolist() == [1.0] * 4
    assert len(SPANS) == len(soon.times)


def test_only_steps_that_follow_are_narrowed_and_none_falls_below_zero() -> None:
    ones = np.ones(4)
    told = Forecast(ones, 0.5 * ones, 2 * ones, ones, following=2)

    narrow = widened(told, 3.0, Soon((0.1, 0.1, 0.1)))

    assert narrow.low.tolist() == pytest.approx([0.85, 0.85, 0.0, 0.0])
    assert narrow.high.tolist() == pytest.approx([1.3, 1.3, 4.0, 4.0])


def test_how_much_narrower_is_learned_from_days_gone_by() -> None:
    # Each day came at its own level, which its first hour tells: later errors are the noise.
    ones, came = np.ones(96), days_of_another_level(14)
    said = Forecast(ones, 0.6 * ones, 1.4 * ones, ones)
    days = [(said, came[96 * day : 96 * day + 96]) for day in range(14)]

    follow = Follow(2, 1e9, 4.0)
    soon = learned(days, follow, near(days, follow).part)

    # Noise on two quarters and on the one that is forecast, against a range of 0.4: about 0.1.
    assert all(0.2 <= one <= 0.25 for one in soon.times)  # 0.2 is the least
    assert soon.part == 1.0


def test_who_jumps_about_is_not_followed() -> None:
    # Every quarter is drawn anew: what it was says nothing about the next.
    ones = np.ones(96)
    came = np.random.default_rng(2).uniform(0.2, 1.8, (14, 96))
    said = Forecast(ones, 0.4 * ones, 1.6 * ones, ones)

    days = [(said, day) for day in came]
    soon = learned(days, FOLLOW, near(days, FOLLOW).part)

    assert soon.part == 0.0
    assert all(0.9 <= one <= 1.1 for one in soon.times)


def test_a_method_that_never_looks_at_today_is_made_to_follow_it() -> None:
    days = np.concatenate([np.ones(96 * 20), np.full(40, 1.5)])
    history, method = History(START_S, days), Follower(YESTERDAY, Follow(2, 8.0, 2.0))

    told, plain = method.forecast(history, 96), YESTERDAY.forecast(history, 96)

    assert (method.name, told.following) == ("yesterday", 56)
    assert told.likely[0] == pytest.approx(1.5)
    assert told.likely[40] < 1.05
    assert told.likely[56:].tolist() == plain.likely[56:].tolist()  # tomorrow
    at_midnight = method.forecast(history.until(96 * 20), 96)
    assert at_midnight.likely.tolist() == [1.0] * 96
    assert at_midnight.following == 0


def test_ranges_of_the_day_and_of_the_next_hour_hold_on_days_that_chose_nothing() -> None:
    history = History(START_S, days_of_another_level(60))
    at = list(midnights(history))

    method = choose(history.until(at[42]), [load_blend()], Newcomer()).method
    day = beside(said_at(method, history, at[43:]))
    hours = [start + slot for start in at[43:] for slot in range(4, 96, 12)]
    hour = beside(said_at(method, history, hours, 4))

    assert isinstance(method, Widened)
    assert method.soon.times[0] < 0.6
    for one in (day.score(), hour.score()):
        assert one.coverage is not None
        assert one.coverage == pytest.approx(0.8, abs=0.15)  # seventeen days
    wide, narrow = (float((one.high - one.low).mean()) for one in (day, hour))
    assert narrow < 0.6 * wide


class FixedDay:
    """Says the same shape of every day."""

    def __init__(self, name: str, day: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        self.name = name
        self._day = day

    def forecast(self, history: History, steps: int) -> Forecast:
        slots = history.clock(steps).slot[history.kw.size :]
        likely = self._day[slots]
        return Forecast(likely, likely, likely, np.ones(steps))


def test_who_is_surer_of_the_next_hours_is_chosen_where_both_know_the_day_as_well() -> None:
    # Days of 0.5 to 1.5 kW with the shape of one morning and evening: whoever knows the shape is
    # right as soon as a day has a level; whoever says a flat day never is.
    shape = 1 + 0.5 * np.sin(np.arange(96) * 2 * np.pi / 96)
    levels = np.random.default_rng(3).uniform(0.5, 1.5, 40)
    history = History(START_S, np.concatenate([level * shape for level in levels]))
    # A day that is known 2 % better at midnight is not worth hours that are far off.
    flat, shaped = FixedDay("flat", np.ones(96)), FixedDay("shaped", 1.5 * shape)

    choice = choose(history, [flat, shaped], Newcomer(), follow=Follow(2, 1e9, 4.0))

    flat_error, shaped_error = (choice.scores[name].error for name in ("flat", "shaped"))
    assert flat_error is not None
    assert shaped_error is not None
    assert flat_error < shaped_error  # by whole days the flat one is better
    assert choice.method.name == "shaped"
