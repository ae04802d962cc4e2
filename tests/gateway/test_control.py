"""The battery does what the plan says, inside every local limit, and no longer than its lease."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.steer.control import Controller, Limits, Mode, Seen
from kwartier.reading import AfterPlan, Schedule, Step

NOON_S = 1_782_900_000
LIMITS = Limits(charge_max_w=5000, discharge_max_w=4000)
HALF_FULL = Seen(soc_permille=500, battery_w=0, grid_w=0, grid_age_s=1.0)


def schedule(
    *powers_w: int, command: int = 1, after: AfterPlan = AfterPlan.NEUTRAL, start_s: int = NOON_S
) -> Schedule:
    steps = tuple(
        Step(start_s + 900 * place, power_w, 900) for place, power_w in enumerate(powers_w)
    )
    return Schedule("battery", command, "plan-1", steps, after)


def controller(given: Schedule, limits: Limits = LIMITS, monotonic_s: float = 100.0) -> Controller:
    control = Controller(limits)
    control.accept(given, NOON_S, monotonic_s)
    return control


def test_without_a_schedule_nothing_is_said_to_the_battery() -> None:
    decision = Controller(LIMITS).decide(HALF_FULL, 0.0)

    assert decision.mode is Mode.NEUTRAL
    assert decision.power_w is None


def test_each_step_is_followed_for_its_own_quarter() -> None:
    control = controller(schedule(1000, -2000))

    told = [control.decide(HALF_FULL, 100.0 + passed).power_w for passed in (0, 899, 900, 1799)]

    assert told == [1000, 1000, -2000, -2000]


def test_the_battery_is_released_when_the_last_lease_ends() -> None:
    control = controller(schedule(1000))

    assert control.decide(HALF_FULL, 100.0 + 899.9).power_w == 1000
    assert control.decide(HALF_FULL, 100.0 + 900.0).power_w is None


def test_a_lease_that_is_shorter_than_its_quarter_ends_first() -> None:
    short = Schedule("battery", 1, "p", (Step(NOON_S, 700, 60), Step(NOON_S + 900, 800, 900)))
    control = controller(short)

    told = [control.decide(HALF_FULL, 100.0 + passed).power_w for passed in (59, 60, 899, 900)]

    assert told == [700, None, None, 800]


def test_an_old_or_repeated_command_is_refused() -> None:
    control = controller(schedule(1000, command=7))

    assert control.refusal(schedule(2000, command=7), NOON_S) is not None
    assert control.refusal(schedule(2000, command=6), NOON_S) is not None
    assert control.refusal(schedule(2000, command=8), NOON_S) is None


def test_a_command_that_was_accepted_before_a_restart_stays_refused() -> None:
    control = Controller(LIMITS, newest_command=7)

    assert control.refusal(schedule(1000, command=7), NOON_S) is not None


def test_a_schedule_from_yesterday_is_refused() -> None:
    late = Controller(LIMITS).refusal(schedule(1000), NOON_S + 86_400)

    assert late == "every lease in it has ended"


def test_a_schedule_that_reaches_too_far_ahead_is_refused() -> None:
    far = schedule(1000, start_s=NOON_S + 37 * 3600)

    assert Controller(LIMITS).refusal(far, NOON_S) == "it reaches further than 36 hours ahead"


def test_an_empty_schedule_releases_the_battery() -> None:
    control = controller(schedule(1000))

    control.accept(schedule(command=2), NOON_S + 10, 110.0)

    assert control.decide(HALF_FULL, 110.0).power_w is None


def test_an_empty_battery_is_not_discharged_and_a_full_one_not_charged() -> None:
    empty = Seen(soc_permille=50, battery_w=0)
    full = Seen(soc_permille=950, battery_w=0)

    assert controller(schedule(-2000)).decide(empty, 100.0).power_w == 0
    assert controller(schedule(2000)).decide(full, 100.0).power_w == 0
    assert controller(schedule(2000)).decide(empty, 100.0).power_w == 2000


def test_a_battery_whose_charge_is_unknown_is_released() -> None:
    decision = controller(schedule(2000)).decide(Seen(), 100.0)

    assert decision.power_w is None
    assert decision.because == "state of charge unknown"


def test_the_fuse_of_the_connection_comes_before_the_plan() -> None:
    limits = Limits(5000, 4000, import_max_w=6000)
    cooking = Seen(soc_permille=500, battery_w=0, grid_w=4500, grid_age_s=1.0)

    decision = controller(schedule(3000), limits).decide(cooking, 100.0)

    assert decision.power_w == 1500
    assert decision.because == "connection's fuse"
    assert decision.wanted_w == 3000


def test_a_silent_meter_releases_the_battery_where_a_fuse_must_be_kept() -> None:
    limits = Limits(5000, 4000, import_max_w=6000)
    silent = Seen(soc_permille=500, battery_w=0, grid_w=0, grid_age_s=31.0)

    decision = controller(schedule(3000), limits).decide(silent, 100.0)

    assert decision.power_w is None
    assert decision.because == "meter is silent, so the fuse is unknown"


def test_a_ramp_is_climbed_step_by_step() -> None:
    control = controller(schedule(3000), Limits(5000, 4000, ramp_w_per_s=100))

    told = [control.decide(HALF_FULL, 100.0 + passed).power_w for passed in (0, 10, 20, 60)]

    assert told == [100, 1100, 2100, 3000]


def test_after_the_plan_the_battery_follows_the_meter_when_that_was_agreed() -> None:
    control = controller(schedule(1000, after=AfterPlan.SELF_USE))
    sunny = Seen(soc_permille=500, battery_w=200, grid_w=-800, grid_age_s=1.0)

    decision = control.decide(sunny, 100.0 + 900)

    assert decision.mode is Mode.SELF_USE
    assert decision.power_w == 1000


watts = st.integers(-(2**40), 2**40)
maybe_watts = st.none() | watts


@given(
    powers_w=st.lists(watts, min_size=1, max_size=8),
    charge_w=st.integers(0, 20_000),
    discharge_w=st.integers(0, 20_000),
    soc=st.none() | st.integers(-100, 1100),
    battery_w=maybe_watts,
    grid_w=maybe_watts,
    age_s=st.none() | st.floats(0, 100),
    fuse_w=st.none() | st.integers(0, 40_000),
    ramp=st.none() | st.integers(0, 1000),
    passed_s=st.floats(-100, 10_000),
    after=st.sampled_from(AfterPlan),
)
@settings(max_examples=50)
def test_no_command_leaves_the_battery_s_own_limits(
    powers_w: list[int],
    charge_w: int,
    discharge_w: int,
    soc: int | None,
    battery_w: int | None,
    grid_w: int | None,
    age_s: float | None,
    fuse_w: int | None,
    ramp: int | None,
    passed_s: float,
    after: AfterPlan,
) -> None:
    limits = Limits(charge_w, discharge_w, 50, 950, fuse_w, fuse_w, ramp)
    control = controller(schedule(*powers_w, after=after), limits)
    seen = Seen(soc, battery_w, grid_w, age_s)

    told = control.decide(seen, 100.0 + passed_s).power_w

    if told is not None:
        assert soc is not None
        assert -discharge_w <= told <= charge_w
        assert told >= 0 or soc > 50
        assert told <= 0 or soc < 950


@given(st.lists(st.floats(0, 5000), min_size=2, max_size=12))
@settings(max_examples=40)
def test_only_the_monotonic_count_ends_a_lease(passed: list[float]) -> None:
    control = controller(schedule(1000, 1000))

    told = [control.decide(HALF_FULL, 100.0 + at).power_w for at in sorted(passed)]

    assert told == [1000 if at < 1800 else None for at in sorted(passed)]
    assert all(not (before is None and after is not None) for before, after in pairwise(told))
