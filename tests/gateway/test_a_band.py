"""Inside of a band batteries rest; beyond an edge they bring the meter back to it, and no swing."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.steer.control import Controller, Limits, Mode, Seen
from gateway.steer.edges import FAR_W, Edges, edges_of, point
from gateway.steer.team import Team
from gateway.steer.track import DEAD_BAND_W, Tracker
from gateway.steer.wish import FULL_POWER_S
from kwartier.reading import AfterPlan, MeterBand, Schedule, Step
from tests.gateway.test_a_team import NOON_S, Street
from tests.gateway.test_control_track import Home, dice

COVERS = MeterBand(None, 0)
TAKES = MeterBand(0, None)
OWN_USE = MeterBand(0, 0)
RESTS = MeterBand(None, None)


def banded(street: Street, band: MeterBand | None, powers_w: list[int], command: int = 1) -> None:
    """Tell all batteries of a street one band for an hour, from now on."""
    for battery, power_w in zip(street.batteries, powers_w, strict=True):
        at_s = NOON_S + street.second
        steps = tuple(Step(at_s + 900 * place, power_w, 900, None, band) for place in range(4))
        schedule = Schedule("battery", command, "p", steps)
        battery.control.accept(schedule, at_s, monotonic_s=float(street.second))


@pytest.mark.parametrize("delay_s", [0, 5])
@pytest.mark.parametrize(
    ("band", "others_w", "power_w"),
    [
        (COVERS, 2_000, -2_000),
        (COVERS, -1_500, 0),
        (TAKES, -1_500, 1_500),
        (TAKES, 2_000, 0),
        (OWN_USE, 2_000, -2_000),
        (OWN_USE, -1_500, 1_500),
        (RESTS, 2_000, 0),
        (MeterBand(-1_000, 1_500), 2_000, -500),
        (MeterBand(-1_000, 1_500), -3_000, 2_000),
        (MeterBand(-1_000, 1_500), 700, 0),
        (MeterBand(1_000, 1_000), 3_000, -2_000),
    ],
)
def test_what_lacks_is_covered_and_what_is_left_over_taken_as_the_band_says(
    band: MeterBand, others_w: int, power_w: int, delay_s: int
) -> None:
    street = Street([1_000, 3_000], delay_s=delay_s)
    banded(street, band, [-200, -600])
    street.others_w = others_w
    street.run(60)

    assert sum(street.powers_w) == power_w
    assert sorted(street.powers_w) == sorted([power_w // 4, 3 * power_w // 4])


@pytest.mark.parametrize("delay_s", [0, 5, 10])
def test_use_that_crosses_an_edge_is_answered_on_one_side_only(delay_s: int) -> None:
    street = Street([5_000], delay_s=delay_s)
    banded(street, COVERS, [0])
    done = []
    for others_w in (2_000, -2_000, 500, -500, 3_000):
        street.others_w = others_w
        street.run(60)
        done.append(street.powers_w[0])

    assert done == [-2_000, 0, -500, 0, -3_000]
    assert max(street.batteries[0].told) == 0


@pytest.mark.parametrize("others_w", range(-120, 121, 20))
def test_near_an_edge_nothing_moves(others_w: int) -> None:
    street = Street([5_000], delay_s=5)
    banded(street, COVERS, [0])
    street.others_w = others_w
    street.run(60)

    assert len(set(street.batteries[0].told[30:])) == 1
    assert -50 <= street.meter_w[-1] - min(others_w, 0) <= 50


def test_what_was_told_lately_may_not_be_seen_yet_and_is_not_told_again() -> None:
    # The meter is five seconds late: what it says at first is from before the answer.
    street = Street([5_000], delay_s=5)
    banded(street, MeterBand(None, 1_000), [0])
    street.others_w = 4_000
    street.run(40)

    assert min(street.batteries[0].told) == -3_000
    assert set(street.meter_w[20:]) == {1_000}


def test_a_band_comes_before_the_exchange_for_older_gateways() -> None:
    assert edges_of(Step(NOON_S, -500, 900, 0, COVERS)) == Edges(-FAR_W, 0)
    assert edges_of(Step(NOON_S, -500, 900, 0)) == point(0)
    assert edges_of(Step(NOON_S, -500, 900)) is None


@given(
    st.none() | st.integers(-(2**53), 2**53),
    st.none() | st.integers(-(2**53), 2**53),
    st.integers(-(10**6), 10**6),
)
def test_whatever_a_band_says_its_edges_are_in_order_and_wishes_have_an_end(
    one_w: int | None, other_w: int | None, rest_w: int
) -> None:
    low_w, high_w = one_w, other_w
    if low_w is not None and high_w is not None:
        low_w, high_w = min(low_w, high_w), max(low_w, high_w)

    edges = edges_of(Step(NOON_S, 0, 900, None, MeterBand(low_w, high_w)))

    assert edges is not None
    assert -FAR_W <= edges.low_w <= edges.high_w <= FAR_W
    wanted_w = edges.wanted_w(rest_w)
    assert edges.low_w <= rest_w + wanted_w <= edges.high_w
    assert edges.wanted_w(edges.rest_w(wanted_w, rest_w)) == wanted_w


edge = st.none() | st.integers(-6_000, 6_000)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(edge, edge),
    st.lists(st.integers(-6_000, 6_000), min_size=1, max_size=5),
    st.integers(0, 10),
    st.sampled_from([1, 10]),
)
def test_homes_that_use_the_same_come_to_rest_where_the_band_wants_them(
    both: tuple[int | None, int | None], uses_w: list[int], delay_s: int, period_s: int
) -> None:
    low_w, high_w = both
    if low_w is not None and high_w is not None:
        low_w, high_w = min(low_w, high_w), max(low_w, high_w)
    edges = edges_of(Step(NOON_S, 0, 900, None, MeterBand(low_w, high_w)))
    assert edges is not None
    tracker, told_w, past, second = Tracker(), 0, [0] * (delay_s + 1), 0
    word = (0.0, 0)
    tracker.hear(word, 0, float(period_s))
    tracker.begin(edges, 0, 0)

    for rest_w in uses_w:
        told: list[int] = []
        for _ in range(90):
            past.append(rest_w + told_w)
            if second % period_s == 0:
                word = float(second), past[-1 - delay_s]
            tracker.hear(word, told_w, float(period_s))
            aim_w = tracker.aim(edges, 0)
            tracker.told(told_w, aim_w, float(second))
            told.append(aim_w)
            told_w, second = aim_w, second + 1
        assert len(set(told[-40:])) == 1
        assert abs(told_w - edges.wanted_w(rest_w)) <= DEAD_BAND_W
        if edges.low_w < rest_w < edges.high_w:
            assert told_w == 0  # to the watt


@pytest.mark.parametrize("seed", range(4))
def test_bands_keep_the_limits_of_the_connection_whatever_the_others_do(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a street's use, not a secret
    sizes_w = [random.randrange(1_000, 6_000) for _ in range(random.randrange(2, 4))]
    street, team = Street(sizes_w, delay_s=random.randrange(0, 6)), Team(0)
    for place, (battery, size_w) in enumerate(zip(street.batteries, sizes_w, strict=True)):
        limits = Limits(
            size_w, size_w, import_max_w=5_000, export_max_w=3_000, sharing=len(sizes_w)
        )
        battery.control = Controller(limits, team=team, name=f"b{place}")
    able_w = sum(sizes_w)

    for command in range(1, 7):
        low_w = random.choice([None, -9_000, 0, 7_000])
        high_w = random.choice([None, max(low_w or 0, 0), 9_000])
        banded(street, MeterBand(low_w, high_w), [0] * len(sizes_w), command)
        street.others_w = random.randrange(-2_900 - able_w, 4_900 + able_w)
        street.run(90)
        highest_w = max(5_000, street.others_w - able_w)
        lowest_w = min(-3_000, street.others_w + able_w)
        assert lowest_w - 50 <= street.meter_w[-1] <= highest_w + 50


def test_from_a_held_power_into_a_band_the_battery_travels_and_the_homes_are_followed() -> None:
    street = Street([5_000], full_power_s=FULL_POWER_S)
    street.others_w = -1_000
    banded(street, None, [5_000])
    street.run(400)
    held_w = street.powers_w[0]

    banded(street, COVERS, [0], command=2)
    street.run(150)
    half_w = street.powers_w[0]
    street.others_w = 500  # somebody cooks: 1500 W more, of which 500 lack
    street.run(2)
    at_once_w = street.powers_w[0]
    street.run(200)

    steepest_w = max(abs(now - before) for before, now in pairwise(street.batteries[0].told[400:]))
    assert held_w == 5_000
    assert half_w == pytest.approx(2_500, abs=60)
    assert at_once_w == pytest.approx(half_w - 500, abs=12 * 17 + 50)  # a part may be unseen
    assert street.powers_w[0] == -500
    assert steepest_w <= 500 + 2 * 17 + 50


@pytest.mark.parametrize("delay_s", [0, 5])
def test_batteries_that_held_their_powers_come_to_rest_together_and_travel(delay_s: int) -> None:
    street = Street([4_000, 2_000, 1_000], full_power_s=FULL_POWER_S, delay_s=delay_s)
    street.others_w = 500
    banded(street, None, [4_000, 2_000, 1_000])
    street.run(400)

    banded(street, RESTS, [0, 0, 0], command=2)
    street.run(400)

    told = [sum(powers) for powers in zip(*(each.told for each in street.batteries), strict=True)]
    steepest_w = max(abs(now - before) for before, now in pairwise(told[400:]))
    assert told[399] == 7_000
    assert told[700 + 2 * delay_s] == 0
    assert steepest_w <= 7_000 / FULL_POWER_S + 50


def test_no_minute_from_one_band_to_another_is_steeper_than_a_fifth_of_the_power() -> None:
    street = Street([5_000], full_power_s=FULL_POWER_S)
    street.others_w = 4_000
    bands = [COVERS, RESTS, OWN_USE, MeterBand(6_000, None), TAKES, COVERS]
    for command, band in enumerate(bands, 1):
        banded(street, band, [0], command)
        street.run(200)

    told = street.batteries[0].told
    steepest_w = max(abs(later - now) for now, later in zip(told, told[60:], strict=False))
    assert steepest_w <= 1_000 + 50


def test_a_band_after_a_plan_of_an_older_planner_and_back_again() -> None:
    street = Street([5_000], delay_s=3)
    street.others_w = 2_000
    street.plan(0, [-500])
    street.run(60)
    point_w = street.powers_w[0]
    banded(street, TAKES, [0], command=2)
    street.run(60)
    resting_w = street.powers_w[0]
    street.plan(500, [0], command=3)
    street.run(60)

    assert (point_w, resting_w, street.powers_w[0]) == (-2_000, 0, -1_500)


def test_flutter_about_an_edge_is_answered_with_half_of_it_at_most() -> None:
    home, control = Home(5, noise_w=300, others_w=0), Controller(Limits(5_000, 5_000))
    steps = tuple(Step(NOON_S + 900 * place, 0, 900, None, COVERS) for place in range(3))
    control.accept(Schedule("battery", 1, "p", steps), NOON_S, monotonic_s=0.0)

    home.run(control, range(1_800), dice(5))

    assert max(home.told_w) == 0
    assert min(home.told_w) >= -4 * 300
    assert sum(home.told_w) / len(home.told_w) >= -300


@pytest.mark.parametrize("band", [COVERS, TAKES, OWN_USE, RESTS, MeterBand(-500, 500)])
def test_a_meter_that_is_silent_ends_a_band(band: MeterBand) -> None:
    control = Controller(Limits(5_000, 5_000))
    control.accept(
        Schedule("battery", 1, "p", (Step(NOON_S, -500, 900, 0, band),)), NOON_S, monotonic_s=0.0
    )

    heard = control.decide(Seen(500, 0, 900, 0.0, 1.0, newest_w=900, newest_at_s=0.0), 0.0)
    silent = control.decide(Seen(500, 0, 900, 4.0, 1.0, newest_w=900, newest_at_s=0.0), 4.0)

    assert heard.mode is Mode.FOLLOW_PLAN
    assert (silent.mode, silent.power_w, silent.because) == (
        Mode.NEUTRAL,
        None,
        "meter is silent",
    )


@pytest.mark.parametrize("after", AfterPlan)
def test_a_band_ends_with_its_lease(after: AfterPlan) -> None:
    control = Controller(Limits(5_000, 5_000))
    steps = (Step(NOON_S, 0, 900, None, TAKES),)
    control.accept(Schedule("battery", 1, "p", steps, after), NOON_S, monotonic_s=0.0)

    def at(second: float) -> Mode:
        seen = Seen(500, 0, 900, 0.0, 1.0, newest_w=900, newest_at_s=second)
        return control.decide(seen, second).mode

    assert at(899.0) is Mode.FOLLOW_PLAN
    assert at(900.0) is (Mode.NEUTRAL if after is AfterPlan.NEUTRAL else Mode.SELF_USE)


@pytest.mark.parametrize("others_w", [300, -1_000])
def test_what_goes_off_while_a_battery_is_on_its_way_does_not_turn_it_round(others_w: int) -> None:
    street = Street([5_000], full_power_s=FULL_POWER_S)
    banded(street, COVERS, [0])
    street.others_w = 4_000  # an oven
    street.run(60)
    on_its_way_w = street.powers_w[0]
    street.others_w = others_w
    street.run(240)

    assert -1_100 <= on_its_way_w <= -900
    assert max(street.batteries[0].told) == 0
    assert street.powers_w[0] == -max(others_w, 0)
