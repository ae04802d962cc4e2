"""The fuse of the narrowest phase decides, a silent meter stops, and no ramp holds a limit up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.steer.control import Controller, Limits, Mode, Seen
from gateway.steer.limits import Phase
from kwartier.reading import Schedule, Step

NOON_S = 1_782_900_000
FUSE = Limits(charge_max_w=12_000, discharge_max_w=12_000, fuse_a=25)
"""25 A at 230 V is 5750 W on each phase."""


def told(power_w: int, limits: Limits, seen: Seen) -> tuple[int | None, str]:
    control = Controller(limits)
    control.accept(
        Schedule("battery", 1, "p", (Step(NOON_S, power_w, 900),)), NOON_S, monotonic_s=0.0
    )
    decision = control.decide(seen, 1.0)
    return decision.power_w, decision.because


def seen(battery_w: int, *phases_w: int, voltage_dv: int = 2300) -> Seen:
    phases = {f"l{place}": Phase(watts, voltage_dv) for place, watts in enumerate(phases_w, 1)}
    return Seen(500, battery_w, sum(phases_w), 1.0, 1.0, phases)


def test_the_narrowest_phase_decides_for_a_battery_on_three() -> None:
    # Phase 2 has 5750 - 4250 = 1500 W left; on three phases that is 4500 W of battery.
    assert told(9_000, FUSE, seen(0, 100, 4_250, 0)) == (4_500, "fuse of l2")


def test_only_its_own_phase_decides_for_a_battery_on_one() -> None:
    on_l3 = Limits(12_000, 12_000, fuse_a=25, phases=1, phase="l3")

    assert told(9_000, on_l3, seen(0, 5_750, 4_250, 2_000)) == (3_750, "fuse of l3")


def test_what_the_battery_does_already_is_its_own_and_not_the_others() -> None:
    # It takes 3000 W, 1000 W on each phase, of the 4250 W on phase 2: the others take 3250 W.
    assert told(9_000, FUSE, seen(3_000, 1_100, 4_250, 1_000)) == (7_500, "fuse of l2")


def test_giving_is_held_to_the_fuse_too() -> None:
    # The panels give 5000 W on phase 1 already: 750 W are left there.
    assert told(-9_000, FUSE, seen(0, -5_000, 300, 300)) == (-2_250, "fuse of l1")


def test_a_low_voltage_leaves_less() -> None:
    # 25 A at 220 V is 5500 W.
    assert told(9_000, FUSE, seen(0, 0, 4_250, 0, voltage_dv=2200)) == (3_750, "fuse of l2")


def test_a_meter_without_phases_leaves_room_for_the_worst_of_them() -> None:
    quiet = Seen(500, 0, 4_250, 1.0, 1.0)

    assert told(9_000, FUSE, quiet) == (4_500, "fuse")


def test_an_overloaded_phase_is_relieved() -> None:
    assert told(9_000, FUSE, seen(0, 0, 6_750, 0)) == (-3_000, "fuse of l2")


@pytest.mark.parametrize(("period_s", "age_s", "speaks"), [(1, 3, True), (1, 4, False)])
def test_a_meter_of_each_second_is_silent_after_three(
    period_s: float, age_s: float, *, speaks: bool
) -> None:
    word = Seen(500, 0, 0, age_s, period_s)

    assert (told(1_000, FUSE, word)[0] is not None) is speaks


def test_a_slow_meter_is_given_thirty_seconds_and_never_more() -> None:
    assert Seen(500, 0, 0, 30.0, 10.0).meter_speaks
    assert not Seen(500, 0, 0, 31.0, 60.0).meter_speaks


def test_a_plain_power_needs_no_meter_where_no_limit_does() -> None:
    assert told(1_000, Limits(5_000, 5_000), Seen(500, 0)) == (1_000, "plan")


def test_a_ramp_does_not_hold_up_the_fuse() -> None:
    slow = Limits(12_000, 12_000, ramp_w_per_s=100, fuse_a=25)
    control = Controller(slow)
    control.accept(
        Schedule("battery", 1, "p", (Step(NOON_S, 3_000, 900),)), NOON_S, monotonic_s=0.0
    )
    for second in range(60):
        control.decide(seen(0, 0, 0, 0), float(second))

    assert control.decide(seen(3_000, 1_000, 6_750, 1_000), 60.0).power_w == 0


watts = st.integers(-(2**40), 2**40)


@given(watts, watts, st.lists(watts, min_size=3, max_size=3), st.sampled_from([1, 3]))
def test_no_phase_that_the_battery_can_spare_is_overloaded_by_it(
    power_w: int, battery_w: int, phases_w: list[int], spread: int
) -> None:
    limits = Limits(9_000, 9_000, fuse_a=25, phases=spread)

    power, _ = told(power_w, limits, seen(battery_w, *phases_w))

    assert power is not None
    assert abs(power) <= 9_000
    if abs(battery_w) < 9_000 and all(abs(watt) < 5_000 for watt in phases_w):
        ours = phases_w if spread == 3 else phases_w[:1]
        others_w = [watt - battery_w / spread for watt in ours]
        if all(abs(other) <= 5_750 for other in others_w):
            assert all(abs(other + power / spread) <= 5_752 for other in others_w)


def test_a_schedule_that_was_dropped_is_neutral() -> None:
    control = Controller(Limits(5_000, 5_000))
    control.accept(
        Schedule("battery", 1, "p", (Step(NOON_S, 3_000, 900),)), NOON_S, monotonic_s=0.0
    )

    control.drop()

    assert control.decide(Seen(500, 0), 1.0).mode is Mode.NEUTRAL
