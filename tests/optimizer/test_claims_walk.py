"""The claims in arrays, judged quarter by quarter by the plain ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import ContractError
from optimizer.balance import Registers
from optimizer.month import MonthCase, settle_month
from optimizer.settling.battery_models import (
    BatteryAgreement,
    BatteryModel,
    BatteryQuarter,
    OwnerMove,
    divide,
    next_claims,
)
from optimizer.settling.claims_walk import ClaimsWalk, divide_whole
from tests.optimizer.months import JULY, month_of, quarter_at, readings_of, tariff

OWNERS = ("P", "Q", "R", "S", "coop")
claims = st.dictionaries(
    st.sampled_from(OWNERS), st.one_of(st.integers(0, 9), st.integers(0, 5 * 10**6))
)
efficiencies = st.sampled_from(
    [Fraction(9, 10), Fraction(1), Fraction(2, 3), Fraction(85, 97), Fraction(1, 10)]
)
few_wh = st.one_of(st.just(0), st.integers(0, 5), st.integers(0, 3000))
quarters = st.builds(
    BatteryQuarter,
    st.dictionaries(st.sampled_from(OWNERS[:4]), st.integers(1, 3000)),
    few_wh,
    few_wh,
    few_wh,
    st.integers(0, 2_000_000),
)


@settings(max_examples=300, deadline=None)
@given(claims=claims, month=st.lists(quarters, max_size=25), efficiency=efficiencies)
def test_a_walk_in_arrays_is_the_plain_one(
    claims: dict[str, int], month: list[BatteryQuarter], efficiency: Fraction
) -> None:
    walk = ClaimsWalk(OWNERS, claims, efficiency, len(month))
    held = {owner: claim for owner, claim in claims.items() if claim}
    unclaimed_wh = 0
    for row, quarter in enumerate(month):
        moved = next_claims(held, quarter, efficiency)
        held = dict(moved.after_milliwh)
        unclaimed_wh += moved.unclaimed.to_members_wh + moved.unclaimed.to_grid_wh

        walk.go(row, quarter)

        told = dict(zip(OWNERS, walk.held_milliwh.tolist(), strict=True))
        assert {owner: claim for owner, claim in told.items() if claim} == held
        for place, owner in enumerate(OWNERS):
            move = moved.owners.get(owner, OwnerMove(0, 0, 0))
            assert walk.to_members_wh[row, place] == move.to_members_wh
            assert walk.to_grid_wh[row, place] == move.to_grid_wh
    assert walk.unclaimed_wh == unclaimed_wh


@settings(max_examples=300)
@given(
    total=st.one_of(st.integers(0, 50), st.integers(0, 10**12)),
    weights=st.lists(st.one_of(st.integers(0, 5), st.integers(0, 10**15)), min_size=1),
    turn=st.integers(0, 10**7),
)
def test_parts_in_arrays_are_the_plain_ones(total: int, weights: list[int], turn: int) -> None:
    total = total if sum(weights) else 0

    assert divide_whole(total, np.array(weights, np.int64), turn).tolist() == divide(
        total, weights, turn
    )


def busy_july(charge_wh: int) -> MonthCase:
    noon = quarter_at(date(2026, 7, 1), 12)
    return month_of(
        readings_of(JULY, {}, {noon: Registers(import_wh=charge_wh)}),
        [tariff()],
        battery=BatteryAgreement(BatteryModel.OWNER_CARRY, Fraction(9, 10)),
    )


def test_the_largest_battery_is_settled() -> None:
    battery = settle_month(busy_july(10**12)).battery

    assert battery is not None
    assert battery.claims_after_milliwh == {"coop": 10**15}


def test_a_battery_larger_than_any_is_refused() -> None:
    with pytest.raises(ContractError, match=r"^battery: charge of the month 1000000000001 Wh is"):
        settle_month(busy_july(10**12 + 1))


def test_claims_larger_than_any_are_refused() -> None:
    case = busy_july(1)
    assert case.battery is not None
    agreed = replace(case.battery, claims_milliwh={"P": 10**15 + 1000})

    with pytest.raises(ContractError, match=r"^battery: claims at the start 1000000000001 Wh is"):
        settle_month(replace(case, battery=agreed))
