"""What batteries make of a quarter in which the homes used something else than was expected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.tracking.band import OWN_USE, Band
from optimizer.tracking.quarter import Contract, Stores, tracked_kw

HOURS = 0.25


def stores(*stored_kwh: float) -> Stores:
    """Return batteries of 10 kWh and 4 kW that lose nothing."""
    count = len(stored_kwh)
    ones = np.ones(count)
    return Stores(np.array(stored_kwh), 0 * ones, 10 * ones, 4 * ones, 4 * ones, ones, ones)


def test_the_meter_shows_nothing_though_the_homes_use_more() -> None:
    power = tracked_kw(np.array([-1.0, -1.0]), 5.0, stores(5, 5), HOURS, band=OWN_USE)

    assert power == pytest.approx([-2.5, -2.5])


def test_an_empty_battery_leaves_it_to_the_other() -> None:
    # 0.25 kWh are 1 kW for a quarter.
    power = tracked_kw(np.array([-1.0, -1.0]), 5.0, stores(0.25, 5), HOURS, band=OWN_USE)

    assert power == pytest.approx([-1.0, -4.0])


def test_what_is_bought_for_its_price_is_bought_whatever_the_homes_use() -> None:
    assert tracked_kw(np.array([3.0]), 2.5, stores(5), HOURS) == pytest.approx([3.0])


@pytest.mark.parametrize(
    ("rest_kw", "power_kw"), [(5.0, -2.0), (3.0, 0.0), (0.0, 0.0), (-1.0, 0.0), (-2.5, 1.5)]
)
def test_batteries_rest_inside_of_a_band_and_bring_the_meter_to_its_edges(
    rest_kw: float, power_kw: float
) -> None:
    power = tracked_kw(np.array([-2.0]), rest_kw, stores(5), HOURS, band=Band(-1.0, 3.0))

    assert power == pytest.approx([power_kw])


def test_none_charges_while_another_gives_where_the_meter_is_followed() -> None:
    planned_kw = np.array([-2.0, 1.0])

    resting = tracked_kw(planned_kw, 0.0, stores(5, 5), HOURS, band=OWN_USE)
    covering = tracked_kw(planned_kw, 1.5, stores(5, 5), HOURS, band=OWN_USE)

    assert resting == pytest.approx([0.0, 0.0])
    assert covering == pytest.approx([-1.5, 0.0])


@pytest.mark.parametrize(("rest_kw", "power_kw"), [(5.0, 1.0), (8.0, -2.0), (11.0, -4.0)])
def test_a_contract_is_kept_as_far_as_the_battery_can(rest_kw: float, power_kw: float) -> None:
    power = tracked_kw(np.array([3.0]), rest_kw, stores(5), HOURS, contract=Contract(6.0, 6.0))

    assert power == pytest.approx([power_kw])


def test_the_contract_for_giving_is_kept_too() -> None:
    power = tracked_kw(np.array([-3.0]), -4.0, stores(5), HOURS, contract=Contract(6.0, 5.0))

    assert power == pytest.approx([-1.0])


edges = st.floats(-20, 20)
bands = st.tuples(edges, edges).map(lambda both: Band(min(both), max(both)))


@given(st.lists(st.floats(0, 10), min_size=1, max_size=6), st.floats(-20, 20), st.none() | bands)
@settings(max_examples=80)
def test_no_battery_leaves_its_store_or_its_power(
    stored: list[float], rest_kw: float, band: Band | None
) -> None:
    held = stores(*stored)
    planned_kw = np.linspace(-5, 5, len(stored))

    power = tracked_kw(planned_kw, rest_kw, held, HOURS, band=band, contract=Contract(12.0, 9.0))
    after = held.after(power, HOURS)

    assert np.all(np.abs(power) <= 4 + 1e-9)
    assert np.all((after >= -1e-9) & (after <= 10 + 1e-9))
    assert after - held.stored_kwh == pytest.approx(power * HOURS)


@given(st.floats(-8, 8), bands, st.floats(1, 3))
@settings(max_examples=60)
def test_more_batteries_never_miss_a_band_by_more(rest_kw: float, band: Band, more: float) -> None:
    def missed_kw(power: float) -> float:
        return abs(band.wanted_kw(rest_kw + power))

    alone = tracked_kw(np.array([1.0]), rest_kw, stores(5), HOURS, band=band).sum()
    two = stores(5, 5 * more / 3)
    together = tracked_kw(np.array([1.0, 0.0]), rest_kw, two, HOURS, band=band).sum()

    assert missed_kw(together) <= missed_kw(alone) + 1e-9


def test_losses_are_reckoned_each_way() -> None:
    one = np.ones(1)
    held = Stores(9.9 * one, 0 * one, 10 * one, 4 * one, 4 * one, 0.8 * one, 0.5 * one)

    # 0.1 kWh of room takes 0.125 kWh in, or 0.5 kW for a quarter; giving 1 kW takes 0.5 kWh out.
    assert held.most_kw(HOURS) == pytest.approx([0.5])
    assert held.after(-one, HOURS) == pytest.approx([9.4])
