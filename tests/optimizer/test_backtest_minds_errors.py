"""Ways of steering that mind errors: what they know of them, and what they make of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.backtest.course import Course
from optimizer.backtest.foresight import Usual
from optimizer.backtest.minding import Minding
from optimizer.backtest.outcome import Outcome, outcome_of
from optimizer.backtest.policies import POLICIES
from optimizer.backtest.ranges import Ranges
from optimizer.backtest.stores import stores_of
from optimizer.backtest.walk import HORIZON, Connection, Stretch, Walk, Walked
from optimizer.forecast import DAY
from optimizer.problem import Battery
from optimizer.rolling import Rolling

WINTER_S = 1768172400
"""2026-01-11T23:00:00Z, a Dutch midnight."""
BATTERY = Battery("b", 0.0, 8.0, 4.0, 4.0, 4.0, 0.96, 0.96)
NOW = 34 * DAY + 20


def evenings(seed: int = 4) -> Course:
    """Return five weeks of evenings that differ, with dear hours just before them."""
    chance = np.random.default_rng(seed)
    days = 36
    hour = np.tile(np.arange(DAY) / 4, days)
    evening = np.repeat(chance.uniform(0.0, 3.0, days), DAY) * (hour >= 18) * (hour < 21)
    use = 1.0 + 0.4 * chance.random(days * DAY) + evening
    price = 0.20 + 0.20 * ((hour >= 14) & (hour < 18)) + 0.01 * chance.random(days * DAY)
    return Course(WINTER_S, use, np.zeros(days * DAY), price, price - 0.1)


def ranges_of(course: Course) -> Ranges:
    return Ranges(course, Usual(course, 0, course.quarters), HORIZON)


def played(
    course: Course, policy: str, stretch: Stretch, connection: Connection
) -> tuple[Walked, Outcome]:
    stores, rolling, chosen = stores_of([BATTERY]), Rolling(), POLICIES[policy]
    minding = Minding(chosen.minds, ranges_of(course), rolling)
    foresight = Usual(course, 0, course.quarters)
    walk = Walk(course, stores, connection, chosen, foresight, rolling.plan, minding=minding)
    walked = walk.over(stretch)
    return walked, outcome_of(course, stores, connection, [(stretch, walked)])


def test_a_range_is_wide_where_days_differ() -> None:
    told = ranges_of(evenings()).at(NOW, DAY)

    # It is five o'clock in the morning; evenings are 0 to 3 kW more, other hours 0 to 0.4.
    assert told is not None
    evening, morning = slice(54, 63), slice(4, 40)
    assert (told.less_kw + told.more_kw)[evening].mean() == pytest.approx(0.8 * 3.0, rel=0.25)
    assert (told.less_kw + told.more_kw)[morning].mean() < 0.8


def test_of_the_first_days_no_range_is_told() -> None:
    assert ranges_of(evenings()).at(2 * DAY, DAY) is None


@pytest.mark.parametrize("policy", ["scenarios", "cautious", "reserve"])
def test_nothing_of_the_future_is_known_to_who_minds_errors(policy: str) -> None:
    course = evenings()
    later = np.arange(course.quarters) >= NOW
    otherwise = replace(course, use_kw=np.where(later, 9.0, course.use_kw))
    stretch, bears = Stretch(NOW - 3, NOW + 3, 0), Connection(4.0, 4.0, 2.0)

    seen, _ = played(course, policy, stretch, bears)
    blind, _ = played(otherwise, policy, stretch, bears)

    assert np.array_equal(seen.stored_kwh[:3], blind.stored_kwh[:3])
    assert not np.array_equal(seen.stored_kwh, blind.stored_kwh)


def test_who_keeps_a_reserve_passes_a_limit_less_often() -> None:
    course, stretch = evenings(), Stretch(33 * DAY + 52, 33 * DAY + 84, 0)
    course.use_kw[33 * DAY + 72 : 33 * DAY + 84] = 3.8
    bears = Connection(2.2, 4.0)

    _, plain = played(course, "tracking", stretch, bears)
    _, careful = played(course, "reserve", stretch, bears)

    assert careful.over_limit_quarters < plain.over_limit_quarters


def test_a_range_is_the_same_whoever_asked_before() -> None:
    course = evenings()
    asked_once, asked_often = ranges_of(course), ranges_of(course)
    for now in range(33 * DAY, NOW, 4):
        asked_often.at(now, DAY)

    once, often = asked_once.at(NOW, DAY), asked_often.at(NOW, DAY)

    assert once is not None
    assert often is not None
    assert np.array_equal(once.more_kw, often.more_kw)
