"""The battery's claims in whole thousandths, on figures worked out by hand in the comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import ContractError
from optimizer.settling.battery_claims import move_claims
from optimizer.settling.battery_models import (
    BatteryAgreement,
    BatteryModel,
    BatteryQuarter,
    OwnerMove,
    divide,
    next_claims,
    true_up,
)

NINE_TENTHS = Fraction(9, 10)
claims = st.dictionaries(st.sampled_from(["P", "Q", "R", "coop"]), st.integers(0, 5 * 10**6))
efficiencies = st.fractions(Fraction(1, 10), 1, max_denominator=50)
quarters = st.builds(
    BatteryQuarter,
    st.dictionaries(st.sampled_from(["P", "Q", "R"]), st.integers(1, 3000)),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.integers(0, 10**6),
)


def gave(to_members_wh: int, to_grid_wh: int = 0) -> BatteryQuarter:
    return BatteryQuarter({}, 0, to_members_wh, to_grid_wh)


def test_a_discharge_uses_claims_pro_rata_and_delivers_whole_watt_hours() -> None:
    # 270 / 0.9 uses all 300 Wh: P delivers 202.5 and Q 67.5, equal remainders, so P first.
    # Of P's 203 and Q's 67, 180 of 270 went to members: 135.3 and 44.7.
    moved = next_claims({"P": 225_000, "Q": 75_000}, gave(180, 90), NINE_TENTHS)

    assert moved.owners == {
        "P": OwnerMove(225_000, 135, 68),
        "Q": OwnerMove(75_000, 45, 22),
    }
    assert moved.after_milliwh == {}


def test_what_is_used_of_all_claims_is_rounded_to_a_thousandth() -> None:
    # 100 / 0.9 is 111.111... Wh; of two equal claims 55.5555 each, so P uses one thousandth more.
    moved = next_claims({"P": 100_000, "Q": 100_000}, gave(100), NINE_TENTHS)

    assert [move.used_milliwh for move in moved.owners.values()] == [55_556, 55_555]
    assert moved.after_milliwh == {"P": 44_444, "Q": 44_445}


def test_the_tie_may_take_turns() -> None:
    moved = next_claims({"P": 100_000, "Q": 100_000}, replace(gave(100), turn=1), NINE_TENTHS)

    assert [move.used_milliwh for move in moved.owners.values()] == [55_555, 55_556]


def test_what_comes_out_beyond_all_claims_is_the_cooperatives() -> None:
    # The claim of 90 Wh delivers 81; the other 189 of 270 have no owner. All went to the grid.
    moved = next_claims({"P": 90_000}, gave(0, 270), NINE_TENTHS)

    assert moved.owners == {"P": OwnerMove(90_000, 0, 81)}
    assert moved.unclaimed == OwnerMove(0, 0, 189)


def test_a_quarter_discharges_before_it_charges() -> None:
    quarter = BatteryQuarter({"Q": 50}, 7, 90, 0)

    moved = next_claims({"P": 100_000}, quarter, NINE_TENTHS)

    assert moved.owners == {"P": OwnerMove(100_000, 90, 0)}
    assert moved.after_milliwh == {"Q": 50_000, "coop": 7_000}


def test_the_cooperative_bears_what_the_battery_lost_beyond_the_agreed() -> None:
    # Claims of 1000 Wh should give 900; 855 are there, worth 950 as charged: 50 Wh are coop's.
    trued = true_up({"P": 600_000, "coop": 400_000}, 855, NINE_TENTHS)

    assert trued.claims_milliwh == {"P": 600_000, "coop": 350_000}
    assert (trued.excess_loss_milliwh, trued.uncovered_milliwh) == (50_000, 0)


def test_the_cooperative_gains_what_the_battery_lost_less_than_agreed() -> None:
    # 945 are there, worth 1050.
    trued = true_up({"P": 1_000_000}, 945, NINE_TENTHS)

    assert trued.claims_milliwh == {"P": 1_000_000, "coop": 50_000}
    assert trued.excess_loss_milliwh == -50_000


def test_members_keep_their_claims_when_the_cooperatives_is_not_enough() -> None:
    # 810 are there, worth 900: 100 Wh are lost and coop has 30.
    trued = true_up({"P": 970_000, "coop": 30_000}, 810, NINE_TENTHS)

    assert trued.claims_milliwh == {"P": 970_000}
    assert (trued.excess_loss_milliwh, trued.uncovered_milliwh) == (100_000, 70_000)


@pytest.mark.parametrize(
    ("agreement", "message"),
    [
        ({"efficiency": Fraction()}, "^eta: 0 is no efficiency"),
        ({"efficiency": Fraction(11, 10)}, "^eta: 11/10 is no efficiency"),
        ({"claims_milliwh": {"P": -1}}, "^claims of 'P': -1 is no whole number"),
        ({"content_wh": -5}, "^content of the battery: -5 is no whole number"),
    ],
)
def test_an_agreement_that_cannot_be_is_refused(
    agreement: Mapping[str, Fraction | dict[str, int] | int], message: str
) -> None:
    good = BatteryAgreement(BatteryModel.OWNER_CARRY, NINE_TENTHS)

    with pytest.raises(ContractError, match=message):
        replace(good, **agreement)  # type: ignore[arg-type]  # each case names one field


@settings(max_examples=200)
@given(claims=claims, quarter=quarters, efficiency=efficiencies)
def test_no_thousandth_of_a_claim_is_lost_from_sight(
    claims: dict[str, int], quarter: BatteryQuarter, efficiency: Fraction
) -> None:
    moved = next_claims(claims, quarter, efficiency)

    used = sum(move.used_milliwh for move in moved.owners.values())
    charged_wh = sum(quarter.charged_wh.values()) + quarter.bought_wh
    moves = [*moved.owners.values(), moved.unclaimed]
    assert sum(claims.values()) + 1000 * charged_wh == used + sum(moved.after_milliwh.values())
    assert sum(move.to_members_wh for move in moves) == quarter.to_members_wh
    assert sum(move.to_grid_wh for move in moves) == quarter.to_grid_wh
    assert all(min(move.to_members_wh, move.to_grid_wh, move.used_milliwh) >= 0 for move in moves)
    assert all(claim > 0 for claim in moved.after_milliwh.values())
    assert all(move.used_milliwh <= claims[owner] for owner, move in moved.owners.items())


@settings(max_examples=200)
@given(claims=claims, quarter=quarters, efficiency=efficiencies)
def test_one_quarter_is_the_exact_one_to_a_thousandth(
    claims: dict[str, int], quarter: BatteryQuarter, efficiency: Fraction
) -> None:
    given_wh = quarter.to_members_wh + quarter.to_grid_wh
    charge_wh = sum(quarter.charged_wh.values()) + quarter.bought_wh
    exact = move_claims(
        {owner: Fraction(claim, 1000) for owner, claim in claims.items()},
        (charge_wh, given_wh),
        quarter.charged_wh,
        efficiency,
    )

    moved = next_claims(claims, quarter, efficiency)

    for owner, claim in exact.after.items():
        assert abs(Fraction(moved.after_milliwh.get(owner, 0) - 1000 * claim)) < Fraction(3, 2)
    for owner, move in moved.owners.items():
        delivered = move.to_members_wh + move.to_grid_wh
        assert abs(Fraction(delivered - exact.delivered[owner])) < 1


@settings(max_examples=200, deadline=None)
@given(claims=claims, walk=st.lists(quarters, max_size=40), efficiency=efficiencies)
def test_a_chain_of_quarters_stays_by_the_exact_one(
    claims: dict[str, int], walk: list[BatteryQuarter], efficiency: Fraction
) -> None:
    exact: Mapping[str, int | Fraction] = {
        owner: Fraction(claim, 1000) for owner, claim in claims.items()
    }
    for quarter in walk:
        battery_wh = (
            sum(quarter.charged_wh.values()) + quarter.bought_wh,
            quarter.to_members_wh + quarter.to_grid_wh,
        )
        exact = move_claims(exact, battery_wh, quarter.charged_wh, efficiency).after
        claims = dict(next_claims(claims, quarter, efficiency).after_milliwh)

    for owner, claim in exact.items():
        assert abs(Fraction(claims.get(owner, 0) - 1000 * claim)) <= 2 * len(walk)


@settings(max_examples=200)
@given(claims=claims, quarter=quarters, efficiency=efficiencies)
def test_the_order_of_owners_does_not_matter(
    claims: dict[str, int], quarter: BatteryQuarter, efficiency: Fraction
) -> None:
    turned = replace(quarter, charged_wh=dict(reversed(list(quarter.charged_wh.items()))))

    assert next_claims(claims, quarter, efficiency) == next_claims(
        dict(reversed(claims.items())), turned, efficiency
    )


@settings(max_examples=200)
@given(claims=claims, content_wh=st.integers(0, 20_000), efficiency=efficiencies)
def test_a_true_up_moves_only_the_cooperatives_claim(
    claims: dict[str, int], content_wh: int, efficiency: Fraction
) -> None:
    trued = true_up(claims, content_wh, efficiency)

    after = trued.claims_milliwh
    assert {owner: claim for owner, claim in after.items() if owner != "coop"} == {
        owner: claim for owner, claim in claims.items() if owner != "coop" and claim
    }
    moved = sum(claims.values()) - sum(after.values())
    assert moved == trued.excess_loss_milliwh - trued.uncovered_milliwh
    assert trued.uncovered_milliwh >= 0
    if not trued.uncovered_milliwh:
        level_wh = Fraction(sum(after.values()), 1000) * efficiency
        assert abs(level_wh - content_wh) <= Fraction(1, 2000)


@settings(max_examples=200)
@given(
    total=st.integers(0, 10**12),
    weights=st.lists(st.integers(0, 10**12), min_size=1),
    turn=st.integers(0, 99),
)
def test_parts_add_up_and_each_is_within_one_of_its_share(
    total: int, weights: list[int], turn: int
) -> None:
    whole = sum(weights)
    total = total if whole else 0

    parts = divide(total, weights, turn)

    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert -1 < part - Fraction(total * weight, max(whole, 1)) < 1
