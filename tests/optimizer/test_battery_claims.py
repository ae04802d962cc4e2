"""Whose energy lies in the battery, on figures worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kwartier.errors import ContractError
from optimizer.settling.battery_claims import move_claims

NINE_TENTHS = Fraction("0.9")
claims = st.dictionaries(st.sampled_from("PQR"), st.fractions(0, 5000, max_denominator=30))
left_over = st.dictionaries(st.sampled_from("PQR"), st.integers(0, 3000))


def test_a_discharge_uses_the_claims_pro_rata_and_bears_the_loss_pro_rata() -> None:
    # 270 / 0.9 uses all 300: P three quarters of it, so 202.5 delivered and 22.5 lost.
    moved = move_claims({"P": 225, "Q": 75}, (0, 270), {}, NINE_TENTHS)

    assert moved.delivered == {"P": Fraction("202.5"), "Q": Fraction("67.5")}
    assert moved.loss == {"P": Fraction("22.5"), "Q": Fraction("7.5")}
    assert moved.after == {"P": 0, "Q": 0}


def test_a_charge_comes_from_the_left_over_pro_rata() -> None:
    # 150 of 200 + 100.
    assert move_claims({}, (150, 0), {"P": 200, "Q": 100, "R": 0}, None).after == {
        "P": 100,
        "Q": 50,
    }


def test_what_the_left_over_cannot_charge_is_bought_by_the_cooperative() -> None:
    # 400 of 200 + 100: 100 from the grid.
    moved = move_claims({"coop": 5}, (400, 0), {"P": 200, "Q": 100}, None)

    assert moved.after == {"P": 200, "Q": 100, "coop": 105}


def test_a_quarter_discharges_before_it_charges() -> None:
    # The 100 of P are used up by 90 / 0.9; then the 50 that Q left over come in.
    moved = move_claims({"P": 100}, (50, 90), {"Q": 50}, NINE_TENTHS)

    assert moved.after == {"P": 0, "Q": 50}


def test_what_is_discharged_beyond_the_claims_is_nobodys_claim() -> None:
    # 270 / 0.9 = 300, but only 90 are claimed: 81 delivered and 9 lost.
    moved = move_claims({"P": 90}, (0, 270), {}, NINE_TENTHS)

    assert (moved.delivered, moved.loss, moved.after) == ({"P": 81}, {"P": 9}, {"P": 0})


@pytest.mark.parametrize("efficiency", [Fraction(0), Fraction(11, 10), None])
def test_an_efficiency_that_is_none_is_refused(efficiency: Fraction | None) -> None:
    with pytest.raises(ContractError, match=r"^eta: "):
        move_claims({"P": 90}, (0, 10), {}, efficiency)


def test_a_claim_below_zero_is_refused() -> None:
    with pytest.raises(ContractError, match=r"^claims.P: -1 Wh is below zero"):
        move_claims({"P": -1}, (0, 0), {}, None)


@given(
    claims=claims,
    charge_wh=st.integers(0, 5000),
    discharge_wh=st.integers(0, 5000),
    left_over=left_over,
    efficiency=st.fractions(Fraction(1, 10), 1, max_denominator=50),
)
def test_no_watt_hour_of_a_claim_is_lost_from_sight(
    claims: dict[str, Fraction],
    charge_wh: int,
    discharge_wh: int,
    left_over: dict[str, int],
    efficiency: Fraction,
) -> None:
    moved = move_claims(claims, (charge_wh, discharge_wh), left_over, efficiency)

    delivered, lost = sum(moved.delivered.values()), sum(moved.loss.values())
    assert sum(claims.values()) + charge_wh == sum(moved.after.values()) + delivered + lost
    assert delivered == efficiency * (delivered + lost)
    assert delivered == min(discharge_wh, efficiency * sum(claims.values()))
    assert (
        min([*moved.delivered.values(), *moved.loss.values(), *moved.after.values()], default=0)
        >= 0
    )
