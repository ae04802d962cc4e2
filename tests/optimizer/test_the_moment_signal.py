"""The signal is good when sun is likely left over, is calm, and admits when it does not know."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kwartier.errors import InputError
from kwartier.interval import QUARTER_S, Quarter
from optimizer.moment import (
    Moment,
    MomentReason,
    Signal,
    Surplus,
    chance_of_surplus,
    json_of_signal,
    signal_of,
)

NOON = Quarter.parse("2026-05-21T10:00:00Z")
NOTHING = float("nan")


def surplus(*likely_kw: float, spread: float = 2.0) -> Surplus:
    likely = np.array(likely_kw, dtype=np.float64)
    return Surplus(NOON, likely, likely - spread, likely + spread)


def at(quarter: float) -> int:
    return round(NOON.start_s + quarter * QUARTER_S)


def test_an_hour_of_sun_to_spare_is_a_good_moment() -> None:
    signal = signal_of(surplus(9, 9, 9, 9, -5, -5), at(0))

    assert (signal.state, signal.reason) == (Moment.GOOD, MomentReason.SOLAR_SURPLUS)
    assert (signal.from_s, signal.until_s) == (at(0), at(4))
    assert (signal.next_from_s, signal.next_until_s) == (None, None)
    assert signal.confidence == 0.95


def test_three_quarters_of_sun_are_not_enough() -> None:
    signal = signal_of(surplus(9, 9, 9, -5, -5), at(0))

    assert (signal.state, signal.reason) == (Moment.NORMAL, MomentReason.SURPLUS_SHORT)


def test_taking_from_the_grid_before_a_sunny_hour_can_better_wait() -> None:
    signal = signal_of(surplus(-3, -3, 9, 9, 9, 9, 9, -3), at(0))

    assert (signal.state, signal.reason) == (Moment.LATER, MomentReason.SURPLUS_LATER)
    assert signal.until_s == signal.next_from_s == at(2)
    assert signal.next_until_s == at(7)


def test_an_evening_without_sun_in_sight_is_a_normal_moment() -> None:
    signal = signal_of(surplus(*[-3.0] * 60, 9, 9, 9, 9), at(0))

    assert (signal.state, signal.reason) == (Moment.NORMAL, MomentReason.NO_SURPLUS)
    # From 48 quarters before the sun on, waiting makes sense.
    assert (signal.until_s, signal.next_from_s) == (at(12), at(60))


@pytest.mark.parametrize("likely", [(), (NOTHING, 9, 9, 9, 9)])
def test_without_a_forecast_for_now_it_does_not_know(likely: tuple[float, ...]) -> None:
    signal = signal_of(surplus(*likely), at(0))

    assert (signal.state, signal.confidence) == (Moment.UNKNOWN, 0.0)
    assert signal.reason is MomentReason.DATA_MISSING


def test_after_the_forecast_has_ended_it_does_not_know() -> None:
    assert signal_of(surplus(9, 9, 9, 9), at(4)).state is Moment.UNKNOWN
    assert signal_of(surplus(9, 9, 9, 9), at(-1)).state is Moment.UNKNOWN


def test_a_good_moment_lasts_to_its_end_also_when_less_than_an_hour_is_left() -> None:
    before = signal_of(surplus(9, 9, 9, 9, -5, -5), at(0))
    rest = Surplus(NOON.next(3), *(np.array([9.0, -5.0, -5.0]) + more for more in (0, -2, 2)))

    signal = signal_of(rest, at(3), before)

    assert (signal.state, signal.from_s, signal.until_s) == (Moment.GOOD, at(0), at(4))


def test_a_signal_stays_at_least_half_an_hour() -> None:
    before = Signal(Moment.NORMAL, at(0), at(1), None, None, 0.9, MomentReason.NO_SURPLUS)
    sunny = surplus(*[9.0] * 8)

    held = signal_of(sunny, at(1), before)
    changed = signal_of(sunny, at(2), before)

    assert (held.state, held.from_s, held.until_s) == (Moment.NORMAL, at(0), at(2))
    assert (changed.state, changed.from_s) == (Moment.GOOD, at(2))


def test_not_knowing_is_said_at_once() -> None:
    before = Signal(Moment.GOOD, at(0), at(8), None, None, 0.9, MomentReason.SOLAR_SURPLUS)

    assert signal_of(surplus(9, NOTHING, 9), at(1), before).state is Moment.UNKNOWN


def test_a_chance_just_below_even_ends_no_good_moment() -> None:
    before = Signal(Moment.GOOD, at(-4), at(8), None, None, 0.9, MomentReason.SOLAR_SURPLUS)
    # Likely 0.8 kW where 1 kW is asked, between -1.2 and 2.8: a chance of 0.46.
    wavering = surplus(0.8, 0.8, 0.8, 0.8)

    assert signal_of(wavering, at(0), before).state is Moment.GOOD
    assert signal_of(wavering, at(0)).state is Moment.NORMAL


def test_the_chance_runs_straight_between_the_known_points() -> None:
    forecast = Surplus(NOON, np.full(5, 4.0), np.full(5, 2.0), np.full(5, 8.0))

    chances = [chance_of_surplus(forecast, least)[0] for least in (2.0, 3.0, 4.0, 6.0, 8.5)]

    assert chances == pytest.approx([0.95, 0.7, 0.5, 0.3, 0.05])


def test_a_forecast_without_doubt_is_still_not_certain() -> None:
    sure = surplus(5, 0, spread=0)

    assert chance_of_surplus(sure, 1.0).tolist() == [0.95, 0.05]


def test_the_three_rows_of_a_surplus_are_equally_long() -> None:
    with pytest.raises(InputError, match="2 low, 3 likely and 3 high"):
        Surplus(NOON, np.zeros(3), np.zeros(2), np.zeros(3))


def test_the_same_words_go_to_every_lamp_and_page() -> None:
    assert json_of_signal(signal_of(surplus(-3, 9, 9, 9, 9), at(0))) == {
        "state": "later",
        "from": "2026-05-21T10:00:00Z",
        "until": "2026-05-21T10:15:00Z",
        "next_from": "2026-05-21T10:15:00Z",
        "next_until": "2026-05-21T11:15:00Z",
        "confidence": 0.95,
        "reason_code": "surplus_later",
    }


@given(st.lists(st.sampled_from([-5.0, 0.9, 1.1, 9.0, NOTHING]), min_size=8, max_size=40))
def test_a_signal_changes_at_most_every_half_hour_unless_it_did_or_does_not_know(
    likely: list[float],
) -> None:
    forecast = surplus(*likely)
    said: list[Signal] = []
    for minute in range(0, 15 * len(likely), 5):
        said.append(signal_of(forecast, at(minute / 15), said[-1] if said else None))

    spoken = [said[0]] + [
        now for now, before in zip(said[1:], said, strict=False) if now.state != before.state
    ]
    for before, now in pairwise(spoken):
        at_once = Moment.UNKNOWN in {before.state, now.state}
        assert at_once or now.from_s - before.from_s >= 1800
