"""How fast a year is played again: a home with a roof and a battery, planned each quarter."""

from __future__ import annotations

import time

import numpy as np
import pytest

from kwartier.interval import Quarter
from optimizer.backtest.course import Course
from optimizer.backtest.foresight import Usual
from optimizer.backtest.outcome import Outcome, outcome_of
from optimizer.backtest.policies import POLICIES
from optimizer.backtest.stores import stores_of
from optimizer.backtest.walk import Connection, Stretch, Walk
from optimizer.forecast import DAY
from optimizer.problem import Battery
from optimizer.rolling import Rolling

PLAYED_DAYS = 5
TIMES = 3
MOST_S = 120.0
HOME = Battery("home", 0.5, 9.5, 5.0, 3.0, 3.0, 0.96, 0.955, wear_eur_per_kwh=0.02)


def home_of(days: int) -> Course:
    """Return a summer home: noisy use, sun through clouds, two price hills a day."""
    rng = np.random.default_rng(5)
    count = days * DAY
    hour = np.arange(count) % DAY / 4
    sun = np.maximum(0.0, 4.0 * np.sin((hour - 5) / 16 * np.pi)) * (hour > 5) * (hour < 21)
    clouds = np.repeat(rng.uniform(0.2, 1.0, days), DAY)
    use = 0.25 + rng.exponential(0.35, count) + 0.8 * (hour > 17) * (hour < 22)
    price = 0.09 + 0.06 * np.cos((hour - 8) / 6 * np.pi) + rng.normal(0, 0.02, count)
    price -= 0.1 * (hour > 11) * (hour < 15) * (clouds > 0.6)
    start_s = Quarter.parse("2026-05-31T22:00:00Z").start_s
    return Course(start_s, use, sun * clouds, price + 0.1308, price - 0.01)


@pytest.mark.speed
def test_a_home_year_of_plans_each_quarter_takes_two_minutes_of_one_core() -> None:
    course, stores = home_of(30 + PLAYED_DAYS), stores_of([HOME])
    stretch = Stretch(28 * DAY, (28 + PLAYED_DAYS) * DAY, 0)
    found: dict[str, Outcome] = {}
    seconds: dict[str, float] = {}

    for name in ("none", "self-use", "tracking", "perfect"):
        seconds[name] = np.inf
        for _ in range(TIMES):
            begun_s = time.process_time()
            foresight = Usual(course, 28 * DAY, course.quarters)
            walk = Walk(course, stores, Connection(), POLICIES[name], foresight, Rolling().plan)
            walked = walk.over(stretch)
            taken_s = (time.process_time() - begun_s) / PLAYED_DAYS * 365
            seconds[name] = min(seconds[name], taken_s)
        found[name] = outcome_of(course, stores, Connection(), [(stretch, walked)])
        print(
            f"{name:9} a year {seconds[name]:6.1f} s of one core; saves "
            f"{found['none'].cost_eur - found[name].cost_eur:6.2f} EUR in {PLAYED_DAYS} days"
        )

    assert seconds["tracking"] <= MOST_S
