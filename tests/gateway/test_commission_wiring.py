"""Each thing that can be wrong with the meter's cable has its own verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commission.wiring import LineSeen, Wiring, judge_wiring, wants_other

OPEN = LineSeen(cable="/dev/ttyUSB0", opened=True, for_s=20)
COUNTED = replace(OPEN, telegrams=60, since_first_s=59, clock_off_s=2)


@pytest.mark.parametrize(
    ("seen", "wiring"),
    [
        (LineSeen(), Wiring.NO_CABLE),
        (LineSeen(cable="/dev/ttyUSB0"), Wiring.CANNOT_OPEN),
        (replace(OPEN, for_s=3), Wiring.COUNTING),
        (OPEN, Wiring.NO_BYTES),
        (replace(OPEN, garbage=500), Wiring.TRYING),
        (replace(OPEN, garbage=500, speeds_tried=1), Wiring.TRYING),
        (replace(OPEN, garbage=500, speeds_tried=2), Wiring.INVERTED),
        (replace(OPEN, telegrams=59), Wiring.COUNTING),
        (COUNTED, Wiring.GOOD),
        (replace(COUNTED, telegrams=56, broken=4), Wiring.BAD_CRC),
        (replace(COUNTED, telegrams=57, broken=3), Wiring.GOOD),
        (replace(COUNTED, clock_off_s=61), Wiring.CLOCK_OFF),
        (replace(COUNTED, clock_off_s=-3600), Wiring.CLOCK_OFF),
        (replace(COUNTED, clock_off_s=None), Wiring.GOOD),
        (replace(OPEN, telegrams=6, since_first_s=60), Wiring.GOOD),
    ],
)
def test_each_fault_has_its_own_verdict(seen: LineSeen, wiring: Wiring) -> None:
    assert judge_wiring(seen) is wiring


def test_a_gateway_that_does_not_know_the_time_does_not_judge_the_meters_clock() -> None:
    seen = replace(COUNTED, clock_off_s=1_700_000_000)

    assert judge_wiring(seen, our_clock_is_right=False) is Wiring.GOOD


def test_the_other_speed_is_tried_only_when_no_telegram_came() -> None:
    assert wants_other(replace(OPEN, garbage=500))
    assert not wants_other(replace(OPEN, broken=1))
    assert not wants_other(replace(OPEN, for_s=5))


@given(
    telegrams=st.integers(0, 200),
    broken=st.integers(0, 200),
    since_first_s=st.floats(0, 600),
    clock_off_s=st.floats(-1e6, 1e6),
)
def test_good_always_means_enough_telegrams_nearly_all_right_and_a_clock_that_agrees(
    telegrams: int, broken: int, since_first_s: float, clock_off_s: float
) -> None:
    seen = replace(
        OPEN,
        telegrams=telegrams,
        broken=broken,
        since_first_s=since_first_s,
        clock_off_s=clock_off_s,
    )
    if judge_wiring(seen) is Wiring.GOOD:
        assert telegrams + broken >= 5
        assert telegrams >= 0.95 * (telegrams + broken)
        assert abs(clock_off_s) <= 60
