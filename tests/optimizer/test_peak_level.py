"""The peak that a month will have anyway: what the last weeks say it is worth keeping under."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.backtest.course import Course
from optimizer.backtest.foresight import Usual
from optimizer.backtest.outcome import exchange_kw
from optimizer.backtest.policies import POLICIES
from optimizer.backtest.stores import stores_of
from optimizer.backtest.walk import Connection, Stretch, Walk
from optimizer.forecast import DAY
from optimizer.problem import Battery, FloatArray
from optimizer.rolling import Rolling
from optimizer.uncertain.peak_level import PeakLevel, level_kw, room_eur_per_kwh, storage_of

JANUARY_3_S = 1767394800
"""2026-01-02T23:00:00Z, a Dutch midnight: the 29th day after it is the last of January."""
BATTERY = Battery("b", 0.0, 8.0, 4.0, 8.0, 8.0, 1.0, 1.0)
REAL = replace(BATTERY, charge_efficiency=0.98, discharge_efficiency=0.98)
ONE = storage_of([BATTERY])
STEP_KW = 4.0 / 39
"""Between two levels that are tried, from 2 to 6 kW."""


def evenings(days: int) -> FloatArray:
    """Return days of 2 kW, with 4 kW from 17 to 19 and 6 kW from 19 to 20."""
    day = np.full(DAY, 2.0)
    day[68:76], day[76:80] = 4.0, 6.0
    return np.tile(day, days)


@pytest.mark.parametrize(
    ("price", "room", "level"),
    [
        # Above 4 kW a lower peak takes 1 kWh a kW, and below it 3.
        (5.0, 6.0, 6.0),
        (5.0, 3.0, 4.0),
        # 8 kWh hold it from 6 kW down to 4 (2 kWh) and on to 2, and at 2 nothing is left to charge.
        (5.0, 0.1, 2.0),
    ],
)
def test_a_level_is_as_low_as_what_it_takes_is_worth(
    price: float, room: float, level: float
) -> None:
    assert ONE is not None

    found = level_kw(evenings(28), ONE, price, room)

    assert level - 1e-9 <= found <= level + 4 * STEP_KW


def test_nothing_below_what_batteries_can_hold_is_asked() -> None:
    small = storage_of([replace(BATTERY, soc_max_kwh=1.0, soc_start_kwh=0.0)])
    weak = storage_of([replace(BATTERY, discharge_max_kw=0.5)])
    assert small is not None
    assert weak is not None

    # 1 kWh holds one hour of 6 kW down to 5, half a kilowatt holds it to 5.5.
    assert 5.0 <= level_kw(evenings(28), small, 5.0, 0.0) < 5.0 + STEP_KW
    assert 5.5 <= level_kw(evenings(28), weak, 5.0, 0.0) < 5.5 + STEP_KW


def test_of_the_first_days_nothing_is_said() -> None:
    assert ONE is not None
    unknown = np.full(20 * DAY, np.nan)

    assert level_kw(evenings(4), ONE, 5.0, 1.0) == 0.0
    assert level_kw(np.concatenate([unknown, evenings(4)]), ONE, 5.0, 1.0) == 0.0
    assert storage_of([replace(BATTERY, soc_max_kwh=0.0, soc_start_kwh=0.0)]) is None


def test_room_is_worth_what_a_day_of_prices_pays_for_it() -> None:
    lossy = storage_of([replace(BATTERY, charge_efficiency=0.8, wear_eur_per_kwh=0.02)])
    day = np.array([0.10] * 12 + [0.20] * 72 + [0.30] * 12)
    assert ONE is not None
    assert lossy is not None

    assert room_eur_per_kwh(day, ONE) == pytest.approx(0.30 - 0.10)
    assert room_eur_per_kwh(day, lossy) == pytest.approx(0.28 - 0.10 / 0.8)
    assert room_eur_per_kwh(np.full(DAY, 0.2), lossy) == 0.0


def test_a_level_is_reckoned_once_a_day_and_when_batteries_change() -> None:
    level, asked = PeakLevel(), []
    flat = np.full(DAY, 0.2)

    def read() -> FloatArray:
        asked.append(1)
        return evenings(28)

    once = [level.on(7, ONE, 5.0, flat, read) for _ in range(96)]
    weak = level.on(7, storage_of([replace(BATTERY, discharge_max_kw=0.5)]), 5.0, flat, read)
    later = level.on(8, ONE, 5.0, flat, read)

    assert (set(once), len(asked)) == ({later}, 3)
    assert weak > later
    assert level.on(8, None, 5.0, flat, read) == 0.0


def test_a_month_begins_from_the_peak_that_it_will_have_anyway() -> None:
    # Of a kWh held 30 days x 19 cents are lost: 6 EUR a kW above 4 kW, 18 below, for 9 EUR saved.
    days = 33
    price = np.tile(np.repeat([0.1, 0.2, 0.3, 0.2], [12, 60, 12, 12]), days)
    course = Course(JANUARY_3_S, evenings(days), np.zeros(days * DAY), price, price - 0.01)
    stretch = Stretch(29 * DAY + 60, 29 * DAY + 84, 0)
    stores, bears = stores_of([REAL]), Connection(peak_price_eur_per_kw=9.0)
    usual = Usual(course, 0, course.quarters)
    peaks = {}
    for policy in ("tracking", "perfect"):
        walk = Walk(course, stores, bears, POLICIES[policy], usual, Rolling().plan)
        peaks[policy] = float(exchange_kw(course, stretch, walk.over(stretch)).max())

    # Who looks a day and a half ahead only pays all it can for a lower first of February.
    assert 4.0 - 1e-6 <= peaks["tracking"] <= 4.0 + STEP_KW
    assert peaks["perfect"] < 3.9


def test_nothing_of_the_future_is_in_a_level() -> None:
    now, days = 29 * DAY + 20, 34
    chance = np.random.default_rng(3)
    use = evenings(days) + chance.random(days * DAY)
    price = 0.2 + 0.1 * chance.random(days * DAY)
    course = Course(JANUARY_3_S, use, np.zeros(days * DAY), price, price - 0.01)
    later = np.arange(course.quarters) >= now
    otherwise = replace(course, use_kw=np.where(later, 9.0, use))
    stretch, stores = Stretch(now - 3, now + 3, 0), stores_of([REAL])
    held = []
    for one in (course, otherwise):
        usual = Usual(one, 0, one.quarters)
        bears = Connection(peak_price_eur_per_kw=5.0)
        walk = Walk(one, stores, bears, POLICIES["tracking"], usual, Rolling().plan)
        held.append(walk.over(stretch).stored_kwh)

    assert np.array_equal(held[0][:3], held[1][:3])
