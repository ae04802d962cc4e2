"""What a plan would have cost otherwise, worked out by hand and held against laws."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.dispatch import plan
from optimizer.plan import Status
from optimizer.problem import Battery, Home, Problem, problem_of
from optimizer.sharing import Equal, Proportional, SharingKey, Static
from optimizer.why.counterfactual import by_key, otherwise
from tests.optimizer.examples import PLAIN


def evening(battery: Battery = PLAIN) -> Problem:
    """Return a roof with four kWh left at noon, and a home that uses four in the evening."""
    homes = [Home("roof", [0.0, 0.0], [4.0, 0.0]), Home("flat", [0.0, 4.0])]
    return problem_of(1.0, [0.3, 0.4], [0.1, 0.1], homes, [battery])


def test_without_a_battery_noon_is_sold_and_the_evening_bought() -> None:
    problem = evening()

    found = otherwise(problem, plan(problem))

    assert found.planned_eur == pytest.approx(0.0, abs=1e-6)
    assert found.without_battery_eur == pytest.approx(1.60 - 0.40)
    assert found.without_sharing_eur == pytest.approx(1.20)


def test_a_battery_behind_ones_own_meter_stays_where_nothing_is_shared() -> None:
    problem = evening(replace(PLAIN, home="flat", soc_end_kwh=0.0))

    found = otherwise(problem, plan(problem))

    # The flat fills it at 30 and uses it at 40: 1.20 for itself, and the roof earns 40 cents.
    assert found.without_sharing_eur == pytest.approx(0.80, abs=1e-6)


def test_emptying_a_battery_is_no_saving() -> None:
    half = replace(PLAIN, soc_start_kwh=4.0, end_value_eur_per_kwh=0.4)
    problem = problem_of(1.0, [0.4], [0.1], [Home("flat", [4.0])], [half])

    found = otherwise(problem, plan(problem))

    assert found.planned_eur == pytest.approx(found.without_battery_eur)


def noon() -> Problem:
    """Return a roof that leaves three kWh while one home uses one and another four."""
    homes = [Home("roof", [0.0], [3.0]), Home("a", [1.0]), Home("b", [4.0])]
    return problem_of(1.0, [0.30], [0.10], homes)


@pytest.mark.parametrize(
    ("key", "shared"),
    [
        (Proportional(), {"roof": 0, "a": 600, "b": 2400}),
        (Equal(("a", "b")), {"roof": 0, "a": 1000, "b": 1500}),
        (Static({"a": Fraction(1, 10)}), {"roof": 0, "a": 300, "b": 0}),
    ],
)
def test_another_key_gives_each_home_another_part(key: SharingKey, shared: dict[str, int]) -> None:
    problem = noon()

    found = by_key(problem, plan(problem), key, 0.20)

    assert found.shared_wh == shared
    assert found.supply_wh == 3000
    assert found.given_wh["roof"] == sum(shared.values())
    # Whoever receives pays 20 cents instead of 30, and the roof gets 20 instead of 10.
    kwh = sum(shared.values()) / 1000
    assert found.pays_eur["roof"] == pytest.approx(-0.10 * 3 - 0.10 * kwh)
    assert found.pays_eur["b"] == pytest.approx(0.30 * 4 - 0.10 * shared["b"] / 1000)


@st.composite
def streets(draw: st.DrawFn) -> Problem:
    """Return a street that buys dearer than it sells, with a battery of all."""
    steps = draw(st.integers(1, 4))
    kw = st.lists(st.integers(0, 12).map(lambda v: v / 4), min_size=steps, max_size=steps)
    homes = [Home(f"h{n}", draw(kw), draw(st.none() | kw)) for n in range(draw(st.integers(1, 4)))]
    price = st.lists(st.integers(12, 50), min_size=steps, max_size=steps)
    buy = [cents / 100 for cents in draw(price)]
    battery = replace(PLAIN, soc_start_kwh=2.0, end_value_eur_per_kwh=0.2, discharge_efficiency=0.9)
    return problem_of(1.0, buy, [0.1] * steps, homes, [battery])


@settings(max_examples=10, deadline=None)
@given(streets())
def test_a_battery_and_neighbours_never_cost_more_and_keys_only_move_money(
    problem: Problem,
) -> None:
    made = plan(problem)
    assert made.status is Status.OPTIMAL

    found = otherwise(problem, made)
    keyed = [by_key(problem, made, key, 0.15) for key in (Proportional(), Equal(problem.home_ids))]

    assert found.planned_eur <= found.without_battery_eur + 1e-6
    assert found.without_battery_eur <= found.without_sharing_eur + 1e-6
    for one in keyed:
        assert sum(one.shared_wh.values()) <= one.supply_wh
    if (made.charge_kw + made.discharge_kw).sum() < 1e-6:
        # No battery in between: by a key that leaves nothing, homes pay what the plan costs.
        assert sum(keyed[0].pays_eur.values()) == pytest.approx(made.cost_eur, abs=0.01)
