"""What registers counted, on figures worked out by hand in the comments."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import ContractError
from optimizer.settling.register_steps import (
    MeterSwapError,
    RegisterBackwardsError,
    RegisterStand,
    advanced_wh,
)

NOON = 1_782_900_000


def stand(meter: str, after_s: int, register_wh: int, digits: int | None = None) -> RegisterStand:
    return RegisterStand(meter, NOON + after_s, register_wh, digits)


def test_a_register_counts_the_difference_of_its_stands() -> None:
    assert advanced_wh([stand("m", 0, 1_000), stand("m", 900, 1_250)]) == 250


def test_an_old_and_a_new_meter_inside_a_quarter_add_up() -> None:
    # 40 Wh on the old meter until its closing, 60 on the new one from its opening at 12.
    stands = [
        stand("old", 0, 9_999_000),
        stand("old", 400, 9_999_040),
        stand("new", 700, 12),
        stand("new", 900, 72),
    ]

    assert advanced_wh(stands) == 100


def test_a_meter_may_be_swapped_at_one_instant() -> None:
    assert advanced_wh([stand("old", 0, 500), stand("new", 0, 3), stand("new", 900, 10)]) == 7


def test_a_register_begins_again_only_if_the_meter_declares_its_digits() -> None:
    # Six digits of kWh: from 999,999.900 over the top to 0.150 are 250 Wh.
    before, after = 999_999_900, 150

    assert advanced_wh([stand("m", 0, before, 6), stand("m", 900, after, 6)]) == 250
    with pytest.raises(RegisterBackwardsError, match="999999750 Wh less than at") as refused:
        advanced_wh([stand("m", 0, before), stand("m", 900, after)])
    assert refused.value.before.register_wh == before


@pytest.mark.parametrize("most_wh", [None, 6_000])
def test_a_register_that_runs_backwards_a_little_has_not_begun_again(most_wh: int | None) -> None:
    with pytest.raises(RegisterBackwardsError, match="5 Wh less than at"):
        advanced_wh([stand("m", 0, 1_005, 6), stand("m", 900, 1_000, 6)], most_wh)


def test_beginning_again_is_refused_when_it_is_more_than_the_connection_can_take() -> None:
    with pytest.raises(RegisterBackwardsError):
        advanced_wh([stand("m", 0, 999_990_000, 6), stand("m", 900, 0, 6)], most_wh=6_000)


def test_an_old_meter_without_a_closing_stand_is_refused() -> None:
    with pytest.raises(MeterSwapError, match="enter where the old one stood"):
        advanced_wh([stand("old", 0, 500), stand("new", 900, 3)])


@pytest.mark.parametrize(
    ("stands", "message"),
    [
        ([("m", 900, 5), ("m", 0, 6)], "sort them by time"),
        ([("m", 0, 5), ("m", 0, 6)], "sort them by time"),
        ([("a", 0, 5), ("b", 1, 0), ("a", 2, 6)], "taken away before"),
    ],
)
def test_stands_out_of_order_are_refused(stands: list[tuple[str, int, int]], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        advanced_wh([stand(*each) for each in stands])


@pytest.mark.parametrize(
    ("register_wh", "digits", "message"),
    [
        (-1, None, "0 or more"),
        (1_000_000_000, 6, "more than its 6 digits"),
        (0, 0, "1 to 12 digits"),
        (0, 13, "1 to 12 digits"),
    ],
)
def test_a_stand_that_no_register_shows_is_refused(
    register_wh: int, digits: int | None, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        stand("m", 0, register_wh, digits)


@settings(max_examples=200)
@given(
    start_wh=st.integers(0, 9_999_999),
    steps_wh=st.lists(st.integers(0, 4_000_000), min_size=1, max_size=9),
    swap=st.integers(0, 8),
)
def test_any_path_of_stands_adds_up(start_wh: int, steps_wh: list[int], swap: int) -> None:
    """Four digits of kWh: the register shows 0 to 9999.999 and begins again."""
    stands = [stand("m", 0, start_wh, 4)]
    shown, meter = start_wh, "m"
    for place, step_wh in enumerate(steps_wh):
        shown = (shown + step_wh) % 10_000_000
        stands.append(stand(meter, 900 * (place + 1), shown, 4))
        if place == swap:
            shown, meter = 7, "n"
            stands.append(stand(meter, 900 * (place + 1), shown, 4))

    assert advanced_wh(stands) == sum(steps_wh)
