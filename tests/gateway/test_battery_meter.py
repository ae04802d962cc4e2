"""What a battery knows of its meter: how often it speaks, and what each phase carries."""

from __future__ import annotations

import pytest

from gateway.steer.limits import Phase
from gateway.steer.meter_view import MeterView
from gateway.steer.response_check import ResponseCheck
from kwartier.reading import Reading


def word(**values: int) -> Reading:
    return Reading("p1", "", 1_782_900_000, {"import_w": 0, "export_w": 0, **values})


@pytest.mark.parametrize(
    ("gaps_s", "period_s"),
    [
        ([], 10.0),
        ([1.0], 10.0),  # too early to say
        ([1.0] * 5, 1.0),
        ([0.2] * 5, 1.0),
        ([10.0] * 5, 10.0),
        ([1.0, 1.0, 40.0, 1.0, 1.0], 1.0),  # one outage is no habit
        ([60.0] * 5, 10.0),
    ],
)
def test_the_period_of_a_meter_is_learnt(gaps_s: list[float], period_s: float) -> None:
    view, now_s = MeterView(), 100.0
    view.hear(word(), now_s)

    for gap_s in gaps_s:
        now_s += gap_s
        view.hear(word(), now_s)

    assert view.period_s == period_s


def test_each_phase_has_its_power_and_voltage_and_one_left_open_is_not_there() -> None:
    view = MeterView()

    view.hear(word(import_l1_w=300, export_l1_w=0, export_l2_w=700, voltage_l1_dv=2_290), 1.0)
    view.look()

    assert view.seen(500, 0, 1.0).phases == {"l1": Phase(300, 2_290), "l2": Phase(-700, 2_300)}


def test_what_the_others_take_is_of_the_moment_of_the_look_and_the_age_of_the_newest_word() -> None:
    view = MeterView()
    view.hear(word(import_w=400), 1.0)
    view.look()
    view.hear(word(import_w=900), 2.0)

    seen = view.seen(500, 100, 2.5)

    assert (seen.grid_w, seen.newest_w, seen.newest_at_s, seen.grid_age_s) == (400, 900, 2.0, 0.5)


def test_a_gas_meter_s_word_is_none_of_the_connection() -> None:
    view = MeterView()

    assert not view.hear(Reading("gas-1", "G1", 1_782_900_000, {"gas_dm3": 12}), 1.0)
    assert view.seen(500, 0, 2.0).grid_age_s is None


def test_a_battery_that_still_climbs_is_given_time_and_one_that_stands_is_not() -> None:
    climbing, standing = ResponseCheck(5_000, 30.0), ResponseCheck(5_000, 30.0)

    climbs = [climbing.strays(4_000, min(4_000, 40 * at_s), 500, at_s) for at_s in range(0, 121, 5)]
    stands = [standing.strays(4_000, 0, 500, at_s) for at_s in range(0, 61, 5)]

    assert True not in climbs
    assert stands == [False] * 6 + [True] * 7


def test_a_battery_that_goes_the_wrong_way_is_found() -> None:
    check = ResponseCheck(5_000, 30.0)

    assert not check.strays(2_000, 0, 500, 0.0)
    assert check.strays(2_000, -2_000, 500, 30.0)


def test_a_battery_that_is_told_another_power_each_look_may_be_a_little_behind() -> None:
    lively, deaf = ResponseCheck(20_000, 30.0), ResponseCheck(20_000, 30.0)

    # Told 900 W more or less each time, it is always where it was told to be one look before.
    told = [(0, 6_000), *((at_s, 6_900 - at_s % 10 * 360) for at_s in range(5, 301, 5))]
    obeys = [
        lively.strays(told_w, told[max(0, place - 1)][1], 500, at_s)
        for place, (at_s, told_w) in enumerate(told)
    ]
    stands = [deaf.strays(told_w, 3_000, 500, at_s) for at_s, told_w in told]

    assert not any(obeys)
    assert any(stands)


def test_a_power_that_was_told_between_two_looks_counts_too() -> None:
    check = ResponseCheck(20_000, 30.0)

    for at_s in range(0, 30, 5):
        assert not check.strays(-8_700, -8_700, 500, at_s)
    check.told(-6_500, 28.0)

    assert not check.strays(-8_900, -6_500, 500, 30.0)
    assert check.strays(-8_900, -6_500, 500, 65.0)
