"""A number is read exactly, in whichever way a meter writes it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.p1.quantity import Quantity, count_of, quantity_of, whole_of
from hardware.obis import UNIT_FACTORS, Base

ENERGY = UNIT_FACTORS[Base.WH]
NUMBERS = st.from_regex(r"[0-9]{1,9}(\.[0-9]{0,7})?", fullmatch=True)
UNITS = st.sampled_from(["*kWh", "kWh", "*kwh", "*Wh", "Wh", " * MWh", "*kvarh", "*", ""])


@pytest.mark.parametrize(
    ("text", "whole_wh"),
    [
        ("003432.827*kWh", 3_432_827),
        ("003432.827kWh", 3_432_827),
        ("003432.827*kwh", 3_432_827),
        ("000201282*Wh", 201_282),
        ("00052185.7825309*kWh", 52_185_782),
        ("1.5*MWh", 1_500_000),
        ("003432.827", 3_432_827),
        ("003432", None),
        ("003432.8", None),
        ("000000.835*kvarh", None),
        ("", None),
        ("*kWh", None),
        (".5*kWh", None),
        ("1_0*kWh", None),
        ("\u0663*kWh", None),
        ("1e3*kWh", None),
        ("nan*kWh", None),
        ("1.2.3*kWh", None),
        ("9999999999999*kWh", None),
    ],
)
def test_energy_is_whole_watt_hours_or_nothing(text: str, whole_wh: int | None) -> None:
    assert whole_of(text, ENERGY) == whole_wh


@given(NUMBERS, UNITS)
def test_the_quick_way_and_the_thorough_way_agree(number: str, unit: str) -> None:
    quantity = quantity_of(number + unit)
    thorough = None if quantity is None else quantity.whole(Base.WH)

    assert whole_of(number + unit, ENERGY) == thorough


@given(NUMBERS)
def test_no_digit_is_lost_or_made_up(number: str) -> None:
    assert whole_of(number + "*kWh", ENERGY) == int(Decimal(number.rstrip(".")) * 1000)


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_none(text: str) -> None:
    whole_of(text, ENERGY)
    quantity_of(text)
    count_of(text)


def test_a_number_for_show_is_the_nearest_float_to_what_was_sent() -> None:
    assert Quantity(521_857_825_309, 7, "kWh").number(Base.WH, 1000) == 52185.7825309
    assert Quantity(212_486, 2, "W").number(Base.W, 1000) == 2.12486
