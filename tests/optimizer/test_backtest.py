"""Steering played again: by hand on small courses, blind to what is still to come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kwartier.errors import InputError
from kwartier.interval import Quarter
from optimizer.backtest.course import Course, prices_of
from optimizer.backtest.foresight import ByMethods, First, Usual
from optimizer.backtest.outcome import Outcome, foreseen, outcome_of
from optimizer.backtest.policies import POLICIES, policies_named
from optimizer.backtest.stores import Stores, stores_of
from optimizer.backtest.walk import Connection, Stretch, Walk, Walked
from optimizer.forecast import DAY
from optimizer.forecasting.methods import USUAL as SAME_TIME
from optimizer.forecasting.methods import load_blend
from optimizer.problem import Battery, FloatArray
from optimizer.rolling import Rolling

WINTER_S = Quarter.parse("2026-01-11T23:00:00Z").start_s
"""A Dutch midnight."""
BATTERY = Battery("b", 0.0, 4.0, 0.0, 4.0, 4.0, 1.0, 1.0)


def hours(*values: float) -> FloatArray:
    """Return a day from 24 hourly values."""
    return np.repeat(np.array(values, dtype=np.float64), 4)


CHEAP_NIGHT = hours(*[0.10] * 6, *[0.30] * 18)


def course_of(
    use: FloatArray, sun: FloatArray, price: FloatArray, start_s: int = WINTER_S
) -> Course:
    """Return a course in which selling pays a cent less than buying."""
    return Course(start_s, use, sun, price, price - 0.01)


def walked(
    course: Course, policy: str, stretch: Stretch, stores: Stores, connection: Connection
) -> Walked:
    foresight = Usual(course, 0, course.quarters)
    walk = Walk(course, stores, connection, POLICIES[policy], foresight, Rolling().plan)
    return walk.over(stretch)


def played(
    course: Course,
    policy: str,
    stretch: Stretch,
    battery: Battery = BATTERY,
    connection: Connection | None = None,
) -> tuple[Walked, Outcome]:
    stores, joint = stores_of([battery]), connection or Connection()
    walk = walked(course, policy, stretch, stores, joint)
    return walk, outcome_of(course, stores, joint, [(stretch, walk)])


def noisy(days: int, seed: int = 7) -> Course:
    rng = np.random.default_rng(seed)
    use = 1.0 + rng.random(days * DAY)
    sun = np.tile(hours(*[0.0] * 9, *[4.0] * 6, *[0.0] * 9), days) * rng.random(days * DAY)
    return course_of(use, sun, np.tile(CHEAP_NIGHT, days) + 0.02 * rng.random(days * DAY))


def test_without_a_battery_the_cost_is_that_of_the_meter() -> None:
    use, sun = np.ones(2 * DAY), np.tile(hours(*[0.0] * 10, *[3.0] * 2, *[0.0] * 12), 2)

    _, outcome = played(course_of(use, sun, np.tile(CHEAP_NIGHT, 2)), "none", Stretch(DAY, 2 * DAY))

    # Six hours of 1 kWh at 10 cents, sixteen at 30, and two in which 2 kWh are sold at 29.
    assert outcome.cost_eur == pytest.approx(0.6 + 4.8 - 1.16)
    assert (outcome.import_kwh, outcome.export_kwh) == pytest.approx((22.0, 4.0))
    assert outcome.self_use == pytest.approx(2 / 6)
    assert outcome.self_sufficiency == pytest.approx(2 / 24)
    assert (outcome.cycles, outcome.peak_kw) == (0.0, 1.0)


def test_own_sun_first_stores_the_surplus_and_gives_it_back() -> None:
    use, sun = np.ones(2 * DAY), np.tile(hours(*[0.0] * 10, *[3.0] * 2, *[0.0] * 12), 2)
    course = course_of(use, sun, np.tile(CHEAP_NIGHT, 2))

    walk, outcome = played(course, "self-use", Stretch(0, DAY, 0))

    # Four kWh are stored from 10 to 12, and cover 12 to 16.
    assert walk.stored_kwh[[39, 47, 51, 63, 95]] == pytest.approx([0.0, 4.0, 3.0, 0.0, 0.0])
    assert outcome.cost_eur == pytest.approx(0.6 + 12 * 0.3)
    assert (outcome.export_kwh, outcome.cycles) == pytest.approx((0.0, 1.0))


def test_on_days_that_repeat_a_plan_does_as_well_as_one_that_knows_all() -> None:
    use, sun = np.ones(9 * DAY), np.zeros(9 * DAY)
    course = course_of(use, sun, np.tile(CHEAP_NIGHT, 9))
    stretch = Stretch(7 * DAY, 8 * DAY, 0)

    costs = {
        name: played(course, name, stretch)[1].cost_eur
        for name in ("none", "daily", "tracking", "bound")
    }

    # Each day 4 kWh are bought 20 cents cheaper: 6 x 0.1 + 18 x 0.3 - 4 x 0.2.
    assert costs["none"] == pytest.approx(6.0)
    for name in ("daily", "tracking", "bound"):
        assert costs[name] == pytest.approx(5.2), name


@pytest.mark.parametrize("policy", ["daily", "rolling", "tracking", "exchange"])
def test_nothing_of_the_future_is_known(policy: str) -> None:
    now = 9 * DAY + 20
    course, stretch = noisy(11), Stretch(now - 10, now + 10, 4)
    tomorrow = 10 * DAY
    rng = np.random.default_rng(1)
    later = np.arange(course.quarters) >= now
    auction = np.arange(course.quarters) >= tomorrow
    otherwise = Course(
        course.start_s,
        np.where(later, 5 * rng.random(course.quarters), course.use_kw),
        np.where(later, 0.0, course.sun_kw),
        np.where(auction, 3.0, course.buy_eur_per_kwh),
        np.where(auction, 2.9, course.sell_eur_per_kwh),
    )

    seen, _ = played(course, policy, stretch)
    blind, _ = played(otherwise, policy, stretch)

    until = now - stretch.first
    assert np.array_equal(seen.stored_kwh[:until], blind.stored_kwh[:until])
    # A plan for a day that nobody corrects goes on as it was.
    assert np.array_equal(seen.stored_kwh, blind.stored_kwh) == (policy == "daily")


def test_what_is_usual_around_a_gap_looks_not_even_an_hour_ahead() -> None:
    # Two o'clock was never measured, so it takes what is usual around it; it is half past two.
    now = 2 * DAY + 10
    course, otherwise = noisy(4), noisy(4)
    for one in (course, otherwise):
        one.use_kw[np.arange(4 * DAY) % DAY == 8] = np.nan
    course.use_kw[now:], otherwise.use_kw[now:] = 0.0, 50.0

    told = Usual(course, 0, course.quarters).at(now, 120)[0]
    blind = Usual(otherwise, 0, course.quarters).at(now, 120)[0]

    assert not np.isnan(told).any()
    assert np.array_equal(told, blind)


def test_prices_of_tomorrow_are_known_from_one_o_clock() -> None:
    price = np.concatenate([np.full(DAY, 0.1), np.full(DAY, 0.2), np.full(DAY, 0.3)])
    prices = prices_of(course_of(np.ones(3 * DAY), np.zeros(3 * DAY), price))

    before, _ = prices.seen(DAY + 51, DAY, all_known=False)
    after, _ = prices.seen(DAY + 52, DAY, all_known=False)
    hindsight, _ = prices.seen(DAY + 51, DAY, all_known=True)

    assert before == pytest.approx([0.2] * DAY)
    assert after == pytest.approx([0.2] * 44 + [0.3] * 52)
    assert hindsight == pytest.approx([0.2] * 45 + [0.3] * 51)


def test_an_hour_without_prices_takes_those_of_the_day_before() -> None:
    price = np.concatenate([CHEAP_NIGHT, CHEAP_NIGHT + 0.05])
    price[DAY + 8 : DAY + 12] = np.nan

    prices = prices_of(course_of(np.ones(2 * DAY), np.zeros(2 * DAY), price))

    assert prices.buy[DAY + 7 : DAY + 13] == pytest.approx([0.15, 0.1, 0.1, 0.1, 0.1, 0.15])
    assert int(prices.absent.sum()) == 4


def test_a_first_day_without_prices_is_refused() -> None:
    price = np.full(DAY, np.nan)

    with pytest.raises(InputError, match="has no price"):
        prices_of(course_of(np.ones(DAY), np.zeros(DAY), price))


def test_on_the_day_with_25_hours_the_day_before_is_found_by_the_clock() -> None:
    autumn_s = Quarter.parse("2025-10-24T22:00:00Z").start_s
    course = course_of(np.ones(4 * DAY), np.zeros(4 * DAY), np.arange(4.0 * DAY), autumn_s)
    prices = prices_of(
        replace(
            course,
            buy_eur_per_kwh=np.where(
                course.clock.day == course.clock.day[0] + 1, np.nan, course.buy_eur_per_kwh
            ),
        )
    )

    # 26 October lasts 100 quarters; 23:45 on it takes 23:45 of the 25th.
    last = int(np.flatnonzero(course.clock.day == course.clock.day[0] + 1)[-1])
    assert last == 195
    assert prices.buy[last] == 95.0


def test_tracking_follows_the_meter_where_the_plan_exchanges_nothing() -> None:
    days = 10
    use, sun = np.ones(days * DAY), np.tile(hours(*[0.0] * 8, *[2.0] * 8, *[0.0] * 8), days)
    course = course_of(use, sun, np.full(days * DAY, 0.3))
    # The judged day has twice the sun for an hour.
    course.sun_kw[8 * DAY + 36 : 8 * DAY + 40] = 4.0
    stretch, big = Stretch(8 * DAY, 9 * DAY), replace(BATTERY, soc_max_kwh=40.0)

    _, fixed = played(course, "daily", stretch, big)
    _, follows = played(course, "daily-tracking", stretch, big)

    # Fixed set-points sell the two kWh that came unexpected.
    assert fixed.export_kwh == pytest.approx(2.0, abs=1e-6)
    assert follows.export_kwh == pytest.approx(0.0, abs=1e-6)


def test_a_limit_of_the_connection_is_held_where_the_battery_can() -> None:
    course = noisy(10)
    connection = Connection(import_limit_kw=2.2)
    stretch = Stretch(8 * DAY, 8 * DAY + 24, 0)

    _, without = played(course, "tracking", stretch)
    _, within = played(course, "tracking", stretch, connection=connection)

    assert without.peak_kw > 4.0
    assert within.over_limit_quarters == 0
    assert within.peak_kw == pytest.approx(2.2, abs=1e-6)


def test_a_price_for_the_peak_lowers_it() -> None:
    course, stretch = noisy(10), Stretch(8 * DAY, 8 * DAY + 24, 0)

    _, free = played(course, "tracking", stretch)
    _, priced = played(
        course, "tracking", stretch, connection=Connection(peak_price_eur_per_kw=5.0)
    )

    assert priced.peak_kw < 2.5 < free.peak_kw
    assert priced.peak_eur == pytest.approx(5.0 * priced.peak_kw)


def test_what_is_not_measured_is_neither_paid_nor_steered() -> None:
    course = noisy(10)
    gap = slice(8 * DAY + 10, 8 * DAY + 30)
    course.use_kw[gap] = np.nan

    walk, outcome = played(course, "tracking", Stretch(8 * DAY, 8 * DAY + 36, 0))

    assert not walk.charge_kw[10:30].any()
    assert np.isfinite(outcome.cost_eur)


def test_hindsight_plans_over_a_gap_that_nothing_is_usual_for() -> None:
    course = noisy(3)
    course.use_kw[DAY + 10 : DAY + 30] = np.nan

    walk, _ = played(course, "bound", Stretch(0, 2 * DAY, 0))

    assert (walk.plans, walk.failed) == (1, 0)
    assert walk.discharge_kw.any()


def test_every_walk_keeps_the_battery_within_its_edges_and_its_energy() -> None:
    course, stretch = noisy(10), Stretch(8 * DAY + 20, 8 * DAY + 48, 4)
    battery = Battery("b", 0.5, 4.0, 2.0, 1.5, 1.2, 0.9, 0.8, wear_eur_per_kwh=0.02)

    for policy in POLICIES:
        walk, _ = played(course, policy, stretch, battery)
        before = np.concatenate([[walk.before_kwh], walk.stored_kwh[:-1]])
        gained = 0.25 * (0.9 * walk.charge_kw - walk.discharge_kw / 0.8)
        assert walk.stored_kwh == pytest.approx(before + gained), policy
        assert walk.stored_kwh.min() >= 0.5 - 1e-9, policy
        assert walk.stored_kwh.max() <= 4.0 + 1e-9, policy


@pytest.mark.nightly
def test_nobody_does_better_than_the_least_possible() -> None:
    course, stretch = noisy(12), Stretch(8 * DAY, 9 * DAY)
    battery = Battery("b", 0.0, 4.0, 2.0, 1.5, 1.5, 0.95, 0.95, wear_eur_per_kwh=0.02)

    costs = {name: played(course, name, stretch, battery)[1].cost_eur for name in POLICIES}

    # What is stored at the end is reckoned at one price for all: a few cents of difference.
    assert all(costs["bound"] <= cost + 0.1 for cost in costs.values()), costs
    assert costs["tracking"] < costs["rolling"] < costs["none"]


def test_a_forecast_of_days_that_repeat_is_never_off() -> None:
    course = course_of(np.tile(CHEAP_NIGHT, 10), np.tile(CHEAP_NIGHT, 10), np.ones(10 * DAY))

    told = foreseen(course, Stretch(8 * DAY, 9 * DAY), Usual(course, 0, course.quarters))

    # 6 hours of 0.1 and 18 of 0.3, in quarters.
    assert told.use == pytest.approx((0.0, 0.0, 24.0, 24.0))
    assert told.sun == pytest.approx((0.0, 0.0, 24.0, 24.0))


def test_a_day_of_which_nothing_was_said_is_no_day_that_was_said_right() -> None:
    course = course_of(np.tile(CHEAP_NIGHT, 2), np.tile(CHEAP_NIGHT, 2), np.ones(2 * DAY))
    course.use_kw[DAY:] *= 1.5

    told = foreseen(course, Stretch(0, 2 * DAY), Usual(course, 0, course.quarters, None))

    # Nothing is known of the first day; of the second, 24 were expected and 36 came.
    assert told.use == pytest.approx((12.0, 12.0, 36.0, 36.0))
    assert told.sun == pytest.approx((0.0, 0.0, 24.0, 24.0))


def test_a_method_is_asked_with_what_was_known_then() -> None:
    course, now = noisy(12), 9 * DAY + 20
    asked = ByMethods(course, SAME_TIME, SAME_TIME, every=1)
    otherwise = noisy(12)
    otherwise.use_kw[now:] = 9.0

    told = asked.at(now, 120)
    blind = ByMethods(otherwise, SAME_TIME, SAME_TIME, every=1).at(now, 120)

    assert np.array_equal(told[0], blind[0])
    # The same median as is reckoned at once for all quarters.
    assert told[0] == pytest.approx(Usual(course, 0, course.quarters, None).at(now, 120)[0])


def test_between_two_answers_the_last_one_moves_on() -> None:
    course = course_of(np.tile(CHEAP_NIGHT, 10), np.tile(CHEAP_NIGHT, 10), np.ones(10 * DAY))
    asked = ByMethods(course, SAME_TIME, SAME_TIME, every=8)

    first, third = asked.at(8 * DAY, 10)[0], asked.at(8 * DAY + 3, 10)[0]

    assert third[:7] == pytest.approx(first[3:])


def test_who_knows_nothing_yet_leaves_it_to_the_usual() -> None:
    course = noisy(10)
    usual = Usual(course, 0, course.quarters, None)

    told = First(ByMethods(course, load_blend(), load_blend()), usual).at(2 * DAY, 20)

    assert np.array_equal(told[0], usual.at(2 * DAY, 20)[0])


def test_a_method_is_asked_no_further_than_it_can_tell() -> None:
    course = course_of(np.ones(40 * DAY), np.ones(40 * DAY), np.ones(40 * DAY))

    told = ByMethods(course, SAME_TIME, SAME_TIME).at(8 * DAY, 30 * DAY)[0]

    assert not np.isnan(told[: 28 * DAY]).any()
    assert np.isnan(told[28 * DAY :]).all()


def test_an_unknown_way_of_steering_is_refused() -> None:
    with pytest.raises(InputError, match="is not known: there are 'none', 'self-use'"):
        policies_named(("magic",))
