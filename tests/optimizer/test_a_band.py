"""From what stored energy is worth to what may pass at the meter: the same as asking the prices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optimizer.tracking.band import OWN_USE, Band, Prices, Worth, band_of, worth_of

COVERS = Band(high_kw=0.0)
TAKES = Band(low_kw=0.0)
RESTS = Band()
PRICES = Prices(0.30, 0.10)


def test_what_is_stored_is_worth_less_at_the_meter_and_costs_more() -> None:
    worth = worth_of(np.array([0.20]), np.array([0.9]), np.array([0.8]), np.array([0.02]))

    # 0.9 kWh are stored of one taken in; 1.25 kWh leave the store for one that is given.
    assert worth.taking_eur_per_kwh == pytest.approx(0.18)
    assert worth.giving_eur_per_kwh == pytest.approx(0.27)


def test_of_several_batteries_the_one_that_gains_most_and_the_one_that_loses_least_count() -> None:
    one = np.ones(2)

    worth = worth_of(np.array([0.10, 0.20]), one, one, 0 * one)

    assert (worth.taking_eur_per_kwh, worth.giving_eur_per_kwh) == (0.20, 0.10)


@pytest.mark.parametrize(
    ("worth", "band"),
    [
        (Worth(0.20, 0.25), OWN_USE),
        (Worth(0.08, 0.12), COVERS),
        (Worth(0.28, 0.35), TAKES),
        (Worth(0.08, 0.35), RESTS),
        (Worth(0.04, 0.08), None),  # the grid pays more than giving costs
        (Worth(0.32, 0.40), None),  # the grid asks less than a kWh is worth in store
    ],
)
def test_a_band_says_what_pays_against_the_grid(worth: Worth, band: Band | None) -> None:
    assert band_of(-1.0, 0.0, worth, PRICES) == band


@pytest.mark.parametrize(("power_kw", "band"), [(-1.0, OWN_USE), (0.0, TAKES)])
def test_where_covering_is_as_good_as_not_the_plan_decides(power_kw: float, band: Band) -> None:
    assert band_of(power_kw, 2.0, Worth(0.20, 0.30), PRICES) == band


@pytest.mark.parametrize(("power_kw", "band"), [(1.0, OWN_USE), (0.0, COVERS)])
def test_where_taking_is_as_good_as_not_the_plan_decides(power_kw: float, band: Band) -> None:
    assert band_of(power_kw, -2.0, Worth(0.10, 0.25), PRICES) == band


def test_what_is_spared_for_a_limit_is_given_as_planned_where_that_is_as_good() -> None:
    covering, taking = Worth(0.20, 0.30), Worth(0.10, 0.25)

    assert band_of(-1.0, 2.0, covering, PRICES, spares=True) == Band(0.0, 2.0)
    assert band_of(1.0, -2.0, taking, PRICES, spares=True) == Band(-2.0, 0.0)
    # Where it pays it is done all the same.
    assert band_of(-1.0, 2.0, Worth(0.20, 0.25), PRICES, spares=True) == OWN_USE


def test_where_buying_is_as_good_as_not_what_the_plan_buys_is_bought() -> None:
    worth = Worth(0.30, 0.40)

    assert band_of(2.0, 1.0, worth, PRICES) is None
    assert band_of(0.0, 1.0, worth, PRICES) == TAKES
    assert band_of(2.0, 0.0, worth, PRICES) == TAKES


def test_where_selling_is_as_good_as_not_it_is_kept_but_for_a_limit() -> None:
    worth = Worth(0.05, 0.10)

    assert band_of(-2.0, -1.0, worth, PRICES) == COVERS
    assert band_of(-2.0, -1.0, worth, PRICES, spares=True) is None


@pytest.mark.parametrize(("exchange_kw", "band"), [(0.005, OWN_USE), (0.5, None), (-0.5, None)])
def test_without_a_worth_the_meter_is_followed_where_the_plan_exchanges_nothing(
    exchange_kw: float, band: Band | None
) -> None:
    assert band_of(1.0, exchange_kw, None, PRICES) == band
    # Nor does a worth say anything where the grid pays more than it asks.
    assert band_of(1.0, exchange_kw, Worth(0.2, 0.25), Prices(0.1, 0.3)) == band


@pytest.mark.parametrize(
    ("band", "inside"),
    [
        (RESTS, Band(-5.0, 8.0)),
        (COVERS, Band(-5.0, 0.0)),
        (OWN_USE, OWN_USE),
        (Band(9.0, 9.0), Band(8.0, 8.0)),
        (Band(-9.0, -7.0), Band(-5.0, -5.0)),
    ],
)
def test_a_band_ends_at_a_limit(band: Band, inside: Band) -> None:
    assert band.within(-5.0, 8.0) == inside


prices_eur = st.integers(-20, 60).map(lambda cents: cents / 100)


@given(
    prices_eur,
    prices_eur,
    st.integers(-10, 50),
    st.floats(0.8, 1.0),
    st.floats(0.8, 1.0),
    st.integers(0, 5),
    st.integers(-50, 50),
)
@settings(max_examples=300)
def test_no_power_is_worth_more_than_the_one_of_the_band(
    one_eur: float,
    other_eur: float,
    stored_cents: int,
    way_in: float,
    way_out: float,
    wear_cents: int,
    rest: int,
) -> None:
    prices = Prices(max(one_eur, other_eur), min(one_eur, other_eur))
    stored, wear, rest_kw = stored_cents / 100, wear_cents / 100, rest / 10

    def cost_eur(power_kw: float) -> float:
        """Return what an hour costs at a power, with what is stored more or less at its worth."""
        exchange_kw = rest_kw + power_kw
        price = prices.buy_eur_per_kwh if exchange_kw > 0 else prices.sell_eur_per_kwh
        kept = way_in * max(power_kw, 0.0) + min(power_kw, 0.0) / way_out
        return price * exchange_kw + wear * max(-power_kw, 0.0) - stored * kept

    worth = worth_of(*(np.array([one]) for one in (stored, way_in, way_out, wear)))
    band = band_of(0.0, rest_kw, worth, prices)
    assume(band is not None)
    assert band is not None
    wanted_kw = band.wanted_kw(rest_kw)

    others_kw = [*np.linspace(-8.0, 8.0, 33), -rest_kw]
    assert cost_eur(wanted_kw) <= min(cost_eur(float(one)) for one in others_kw) + 1e-4
