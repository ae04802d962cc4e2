"""Plus and minus are found right through noise, delay and clouds, and never guessed."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.commission.signs import Sample, Sign, judge_signs

MINUTES = 12


def clouds(random: Random, seconds: int, size_w: int = 1500) -> list[int]:
    """A sun behind clouds: levels that change now and then, in ramps."""
    now, target, found = 2500.0, 2500.0, []
    for _ in range(seconds):
        if random.random() < 1 / 30:
            target = 2500 + random.uniform(-1, 1) * size_w
        now += (target - now) / 10
        found.append(round(now))
    return found


def day(
    seed: int, *, delay_s: int = 0, told: int = 1, noise_w: int = 40, sun: list[int] | None = None
) -> list[Sample]:
    """Return what a meter and an inverter say each second.

    Args:
        seed: Of the clouds and the noise.
        delay_s: How much later the inverter tells.
        told: 1 when it tells production as positive, -1 when the sign is swapped.
        noise_w: Of the household.
        sun: What it makes, or None for clouds.
    """
    random = Random(seed)  # noqa: S311 - a test
    made = sun or clouds(random, MINUTES * 60)
    return [
        Sample(at, 600 + round(random.gauss(0, noise_w)) - w, (told * made[max(0, at - delay_s)],))
        for at, w in enumerate(made)
    ]


@given(
    seed=st.integers(0, 10_000),
    delay_s=st.integers(0, 10),
    told=st.sampled_from([1, -1]),
    noise_w=st.integers(0, 60),
)
@settings(max_examples=25, deadline=None)
def test_under_clouds_a_right_sign_is_never_called_wrong_nor_a_wrong_one_right(
    seed: int, delay_s: int, told: int, noise_w: int
) -> None:
    [slope] = judge_signs(day(seed, delay_s=delay_s, told=told, noise_w=noise_w), [-1])

    right = Sign.GOOD if told == 1 else Sign.TURNED
    assert slope.sign in {right, Sign.WEAK, Sign.ODD}


@pytest.mark.parametrize(("told", "sign"), [(1, Sign.GOOD), (-1, Sign.TURNED)])
def test_clouds_of_twelve_minutes_are_enough(told: int, sign: Sign) -> None:
    [slope] = judge_signs(day(1, delay_s=5, told=told), [-1])

    assert slope.sign is sign
    assert slope.slope == pytest.approx(-told, abs=0.2)
    assert slope.minutes >= 10


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_constant_sun_says_nothing(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a test
    sun = [2500 + round(random.gauss(0, 5)) for _ in range(MINUTES * 60)]

    [slope] = judge_signs(day(seed, sun=sun, noise_w=200), [-1])

    assert slope.sign is Sign.WEAK


def test_less_than_ten_minutes_is_not_judged() -> None:
    [slope] = judge_signs(day(1)[:599], [-1])

    assert slope.sign is Sign.SHORT


def test_a_battery_that_runs_meanwhile_is_reckoned_with() -> None:
    random = Random(3)  # noqa: S311 - a test
    sun = clouds(random, MINUTES * 60)
    charge = clouds(Random(4), MINUTES * 60, 1000)  # noqa: S311 - a test
    samples = [
        Sample(at, 500 + round(random.gauss(0, 30)) - s + c, (s, c))
        for at, (s, c) in enumerate(zip(sun, charge, strict=True))
    ]

    solar, battery = judge_signs(samples, [-1, +1])

    assert (solar.sign, battery.sign) == (Sign.GOOD, Sign.GOOD)


def test_a_battery_nobody_knows_that_holds_the_meter_at_zero_is_no_verdict() -> None:
    random = Random(5)  # noqa: S311 - a test
    samples = [
        Sample(at, round(random.gauss(0, 15)), (w,))
        for at, w in enumerate(clouds(random, MINUTES * 60))
    ]

    [slope] = judge_signs(samples, [-1])

    assert slope.sign is Sign.WEAK


def test_kettles_and_ovens_of_the_household_do_not_turn_the_verdict() -> None:
    samples = [
        Sample(one.at_s, one.meter_w + (2000 if 200 < one.at_s % 400 < 290 else 0), one.devices_w)
        for one in day(7)
    ]

    [slope] = judge_signs(samples, [-1])

    assert slope.sign is Sign.GOOD


def test_half_the_power_is_called_odd() -> None:
    samples = [Sample(s.at_s, s.meter_w, (2 * s.devices_w[0],)) for s in day(1, noise_w=10)]

    [slope] = judge_signs(samples, [-1])

    assert slope.sign is Sign.ODD
    assert slope.slope is not None
    assert math.isclose(slope.slope, -0.5, abs_tol=0.1)


def test_two_inverters_that_move_as_one_give_no_verdict_of_either() -> None:
    samples = [Sample(s.at_s, s.meter_w, (s.devices_w[0], s.devices_w[0])) for s in day(1)]

    assert [one.sign for one in judge_signs(samples, [-1, -1])] == [Sign.WEAK, Sign.WEAK]
