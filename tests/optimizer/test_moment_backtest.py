"""The judge of the signal: right on days that repeat, wrong on days that do not, never knowing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kwartier.errors import InputError
from kwartier.interval import Quarter
from optimizer.forecast import DAY
from optimizer.moment import MomentRules
from optimizer.moment_backtest import StreetDays, judge
from optimizer.nowcast import DEFAULT_NOWCAST, Follow, corrected
from optimizer.problem import FloatArray

START_S = Quarter.parse("2026-05-31T22:00:00Z").start_s
RULES = MomentRules(least_kw=2.0)


def sun_kw(from_hour: int, until_hour: int, kw: float = 10.0) -> FloatArray:
    """Return a day on which the sun shines between two hours and not outside them."""
    day = np.zeros(DAY)
    day[from_hour * 4 : until_hour * 4] = kw
    return day


def street_of(*days: FloatArray, use_kw: float = 3.0) -> StreetDays:
    solar = np.array(days)
    starts = tuple(START_S + place * 86_400 for place in range(len(days)))
    return StreetDays(starts, np.full(solar.shape, use_kw), solar)


def test_days_that_repeat_are_judged_right() -> None:
    found = judge(street_of(*[sun_kw(12, 18)] * 10), RULES, solar_spread=0.3)

    # Three days are judged, each with 24 quarters of sun to spare.
    assert (found.days, found.quarters) == (3, 288)
    assert (found.signal.said_good, found.signal.right, found.signal.had_surplus) == (72, 72, 72)
    assert (found.signal.precision, found.signal.recall) == (1.0, 1.0)
    # From 11 to 15 there are 16 quarters a day, and 12 of them are sunny.
    assert (found.noon.said_good, found.noon.right) == (48, 36)
    assert (found.false_alarms, found.missed_moments) == (0, 0)
    assert (found.good_moments, found.surplus_moments) == (3, 3)
    # 'Better later' from midnight on, good, and normal after it: announced twelve hours before.
    assert found.lead_hours == 12.0


def test_a_grey_day_after_sunny_ones_is_a_false_alarm() -> None:
    days = [sun_kw(12, 18)] * 7 + [sun_kw(12, 18, 1.0)]

    plain = judge(street_of(*days), RULES, solar_spread=0.3, nowcast=None)
    following = judge(street_of(*days), RULES, solar_spread=0.3)

    assert (plain.signal.said_good, plain.signal.right) == (24, 0)
    assert plain.false_alarms == 1
    assert following.signal.said_good < 8


def test_what_comes_is_not_known_before_it_comes() -> None:
    shared = [sun_kw(12, 18)] * 8
    changed = street_of(*shared[:-1], np.where(np.arange(DAY) < 56, shared[-1], 0.0))
    same = street_of(*shared)

    before = [judge(one, RULES, solar_spread=0.3, nowcast=None).signal for one in (same, changed)]

    # Without following the day, what is said cannot depend on how the day itself goes.
    assert before[0].said_good == before[1].said_good
    assert before[1].right == 8


def test_a_day_that_is_not_whole_is_left_out() -> None:
    street = street_of(*[sun_kw(12, 18)] * 10)
    street.solar_kw[8, 3] = np.nan

    assert judge(street, RULES, solar_spread=0.3).days == 2


def test_too_short_a_record_is_refused() -> None:
    with pytest.raises(InputError, match="at least 8 days"):
        judge(street_of(*[sun_kw(12, 18)] * 7), RULES, solar_spread=0.3)


def test_a_forecast_follows_the_last_hour_and_fades() -> None:
    expected = np.full(20, 10.0)

    told = corrected(expected, np.full(8, 5.0), Follow(4, 4.0, 2.0))

    assert told[:8].tolist() == [10.0] * 8
    assert told[8] == pytest.approx(5.0)
    assert told[12] == pytest.approx(10 * (1 - 0.5 / np.e))
    assert corrected(expected, np.full(8, np.nan), Follow(4, 4.0, 2.0)).tolist() == [10.0] * 20
    assert corrected(expected, np.full(8, 90.0), Follow(4, 4.0, 2.0))[8] == pytest.approx(20.0)


def test_a_night_says_nothing_about_noon() -> None:
    expected = sun_kw(12, 18)

    assert corrected(expected, np.zeros(40), DEFAULT_NOWCAST.solar).tolist() == expected.tolist()


@pytest.mark.nightly
def test_on_the_synthesised_street_it_beats_always_noon(shared_data: Path) -> None:
    from api.replay.meters import read_meters
    from api.signals import SOLAR_SPREAD, rules_for
    from api.street_days import judged_days

    file = shared_data / "households" / "de_simbench_neighbourhood_2016_15min.parquet"
    if not file.exists():
        pytest.skip(f"{file} is not on this machine")
    measured = read_meters(file)
    found = judge(
        judged_days(measured, None, None),
        rules_for(len(measured.meters)),
        solar_spread=SOLAR_SPREAD,
    )

    assert found.signal.precision is not None
    assert found.noon.precision is not None
    assert found.signal.precision > 0.8 > found.noon.precision
    assert found.brier < found.brier_noon / 3
