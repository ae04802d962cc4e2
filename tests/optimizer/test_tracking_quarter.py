"""What batteries make of a quarter in which the homes used something else than was expected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.tracking.quarter import Contract, Follow, Planned, Stores, rule_of, tracked_kw

HOURS = 0.25


def stores(*stored_kwh: float) -> Stores:
    """Return batteries of 10 kWh and 4 kW that lose nothing."""
    count = len(stored_kwh)
    ones = np.ones(count)
    return Stores(np.array(stored_kwh), 0 * ones, 10 * ones, 4 * ones, 4 * ones, ones, ones)


def test_the_meter_shows_what_was_planned_though_the_homes_use_more() -> None:
    planned = Planned(np.array([-1.0, -1.0]), 0.0)

    power = tracked_kw(planned, 5.0, stores(5, 5), HOURS)

    assert power == pytest.approx([-2.5, -2.5])


def test_an_empty_battery_leaves_it_to_the_other() -> None:
    planned = Planned(np.array([-1.0, -1.0]), 0.0)

    # 0.25 kWh are 1 kW for a quarter.
    power = tracked_kw(planned, 5.0, stores(0.25, 5), HOURS)

    assert power == pytest.approx([-1.0, -4.0])


def test_what_is_bought_for_its_price_is_bought_whatever_the_homes_use() -> None:
    planned = Planned(np.array([3.0]), 4.0)

    assert rule_of(planned, near_kw=0.05) is Follow.PLAN
    assert tracked_kw(planned, 2.5, stores(5), HOURS, follow=Follow.PLAN) == pytest.approx([3.0])


def test_where_the_plan_meets_nothing_the_meter_is_followed() -> None:
    assert rule_of(Planned(np.array([-1.0]), 0.02), near_kw=0.05) is Follow.METER


@pytest.mark.parametrize(("rest_kw", "power_kw"), [(5.0, 1.0), (8.0, -2.0), (11.0, -4.0)])
def test_a_contract_is_kept_as_far_as_the_battery_can(rest_kw: float, power_kw: float) -> None:
    planned = Planned(np.array([3.0]), 4.0)

    power = tracked_kw(
        planned, rest_kw, stores(5), HOURS, follow=Follow.PLAN, contract=Contract(6.0, 6.0)
    )

    assert power == pytest.approx([power_kw])


def test_the_contract_for_giving_is_kept_too() -> None:
    planned = Planned(np.array([-3.0]), -3.0)

    power = tracked_kw(
        planned, -4.0, stores(5), HOURS, follow=Follow.PLAN, contract=Contract(6.0, 5.0)
    )

    assert power == pytest.approx([-1.0])


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=6),
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.sampled_from(Follow),
)
@settings(max_examples=80)
def test_no_battery_leaves_its_store_or_its_power(
    stored: list[float], rest_kw: float, exchange_kw: float, follow: Follow
) -> None:
    held = stores(*stored)
    planned = Planned(np.linspace(-5, 5, len(stored)), exchange_kw)

    power = tracked_kw(planned, rest_kw, held, HOURS, follow=follow, contract=Contract(12.0, 9.0))
    after = held.after(power, HOURS)

    assert np.all(np.abs(power) <= 4 + 1e-9)
    assert np.all((after >= -1e-9) & (after <= 10 + 1e-9))
    assert after - held.stored_kwh == pytest.approx(power * HOURS)


@given(st.floats(-8, 8), st.floats(-8, 8), st.floats(1, 3))
@settings(max_examples=60)
def test_more_batteries_never_miss_the_meter_by_more(
    rest_kw: float, exchange_kw: float, more: float
) -> None:
    planned = Planned(np.array([1.0]), exchange_kw)
    more_planned = Planned(np.array([1.0, 0.0]), exchange_kw)

    alone = tracked_kw(planned, rest_kw, stores(5), HOURS).sum()
    together = tracked_kw(more_planned, rest_kw, stores(5, 5 * more / 3), HOURS).sum()

    assert abs(rest_kw + together - exchange_kw) <= abs(rest_kw + alone - exchange_kw) + 1e-9


def test_losses_are_reckoned_each_way() -> None:
    one = np.ones(1)
    held = Stores(9.9 * one, 0 * one, 10 * one, 4 * one, 4 * one, 0.8 * one, 0.5 * one)

    # 0.1 kWh of room takes 0.125 kWh in, or 0.5 kW for a quarter; giving 1 kW takes 0.5 kWh out.
    assert held.most_kw(HOURS) == pytest.approx([0.5])
    assert held.after(-one, HOURS) == pytest.approx([9.4])
