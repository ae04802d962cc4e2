"""A kettle is seen when it is switched on, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commission.kettle import Kettle, judge_kettle

PRESSED_S = 100.0


def meter(
    step_w: int, *, after_s: float = 4, every_s: int = 1, until_s: int = 140
) -> list[tuple[float, int]]:
    """A home that takes 400 W, and so much more from an instant on."""
    return [
        (float(at), 400 + (step_w if at >= PRESSED_S + after_s else 0))
        for at in range(60, until_s, every_s)
    ]


@given(step_w=st.integers(1500, 2500), after_s=st.integers(1, 14))
def test_every_kettle_is_seen_in_time(step_w: int, after_s: int) -> None:
    told = judge_kettle(meter(step_w, after_s=after_s), PRESSED_S, 140)

    assert told.seen is Kettle.SEEN
    assert told.step_w == step_w
    assert told.after_s == after_s


@pytest.mark.parametrize(
    ("step_w", "seen"),
    [
        (700, Kettle.TOO_SMALL),
        (3500, Kettle.TOO_LARGE),
        (-2000, Kettle.FELL),
        (0, Kettle.NOTHING),
    ],
)
def test_what_is_no_kettle_is_called_by_its_name(step_w: int, seen: Kettle) -> None:
    assert judge_kettle(meter(step_w), PRESSED_S, 140).seen is seen


def test_a_meter_that_speaks_every_ten_seconds_sees_it_too() -> None:
    assert judge_kettle(meter(2000, every_s=10), PRESSED_S, 140).seen is Kettle.SEEN


def test_one_flicker_is_no_kettle() -> None:
    samples = [(float(at), 2400 if at == 105 else 400) for at in range(60, 140)]

    assert judge_kettle(samples, PRESSED_S, 140).seen is Kettle.NOTHING


def test_a_kettle_switched_on_too_late_is_not_seen() -> None:
    assert judge_kettle(meter(2000, after_s=20), PRESSED_S, 140).seen is Kettle.NOTHING


def test_it_waits_before_it_judges_and_never_without_a_level_before() -> None:
    assert judge_kettle(meter(0, until_s=110), PRESSED_S, 110).seen is Kettle.WAITING
    assert judge_kettle([], PRESSED_S, 200).seen is Kettle.UNKNOWN
