"""No plan throws a street: a wish moves by a fifth of a battery's power a minute, never faster."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.steer.control import Controller, Limits, Mode, Seen
from gateway.steer.wish import FULL_POWER_S, WORN_STEP_S, Wish
from kwartier.reading import AfterPlan, Schedule, Step

NOON_S = 1_782_900_000
BOXES = 100
OWN = Limits(5_000, 5_000, full_power_s=FULL_POWER_S)
A_MINUTE = 0.20
HALF_FULL = Seen(500, 0, 0, 1.0, 1.0, {}, 0, 0.0)


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same street every time


def told(
    control: Controller,
    number: int,
    *powers_w: int,
    grid_w: int | None = None,
    at_s: int = 0,
    after: AfterPlan = AfterPlan.NEUTRAL,
    lease_s: int = 900,
) -> None:
    steps = tuple(
        Step(NOON_S + at_s + 900 * place, power_w, lease_s, grid_w)
        for place, power_w in enumerate(powers_w)
    )
    schedule = Schedule("battery", number, f"plan-{number}", steps, after)
    control.accept(schedule, NOON_S + at_s, monotonic_s=float(at_s))


def powers(control: Controller, seconds: range, seen: Seen = HALF_FULL) -> list[int]:
    """Return what a battery that obeys is told in each second [W]."""
    done: list[int] = []
    for second in seconds:
        power_w = control.decide(seen, float(second)).power_w or 0
        seen = replace(seen, battery_w=power_w, newest_at_s=float(second))
        done.append(power_w)
    return done


def test_a_wish_takes_five_minutes_for_the_whole_power() -> None:
    control = Controller(OWN)
    told(control, 1, 5_000)

    done = powers(control, range(400))

    # A fifth of 5000 W a minute.
    assert [done[second] for second in (0, 60, 120, 180, 240, 299, 300, 399)] == [
        0,
        1_000,
        2_000,
        3_000,
        4_000,
        4_983,
        5_000,
        5_000,
    ]


def test_a_quarter_s_energy_is_late_and_not_lost() -> None:
    control = Controller(OWN)
    told(control, 1, 5_000, 0, 0)

    done = powers(control, range(2_700))

    # What the block misses at its start, a triangle of 5000 W and 300 s, comes after its end.
    assert abs(sum(done[:900]) - (5_000 * 900 - 5_000 * 300 // 2)) <= 5_000
    assert abs(sum(done) - 5_000 * 900) <= 5_000


def test_the_first_wish_begins_where_the_battery_is_by_itself() -> None:
    control = Controller(OWN)
    told(control, 1, 3_000)

    done = powers(control, range(301), replace(HALF_FULL, battery_w=-2_000))

    assert (done[0], done[60], done[300]) == (-2_000, -1_000, 3_000)


jumps = st.lists(
    st.tuples(
        st.integers(1, 150),
        st.one_of(st.integers(-8_000, 8_000), st.sampled_from([-(2**53), 2**53 - 1])),
        st.integers(1, 200),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=8)
@given(jumps, st.integers(0, 10**6))
def test_a_fleet_that_is_told_the_same_never_moves_faster_than_one_battery_may(
    plans: list[tuple[int, int, int]], seed: int
) -> None:
    random = dice(seed)
    sizes_w = [random.choice([800, 2_500, 5_000, 10_000]) for _ in range(BOXES)]
    fleet = [Controller(Limits(w, w, full_power_s=FULL_POWER_S)) for w in sizes_w]
    installed_w = sum(sizes_w)
    sums_w: list[int] = []
    released: set[int] = set()

    second = 0
    for number, (passes_s, power_w, lease_s) in enumerate(plans, 1):
        for control in fleet:
            told(control, number, power_w, at_s=second, lease_s=lease_s)
        together = [
            powers(control, range(second, second + passes_s), HALF_FULL) for control in fleet
        ]
        released.update(second + place for place in range(lease_s, passes_s))
        sums_w += [sum(each) for each in zip(*together, strict=True)]
        second += passes_s

    # Each box rounds to whole watts; only a release, which nothing may hold up, is faster.
    most_w = installed_w * A_MINUTE / 60 + BOXES
    for place, (before_w, after_w) in enumerate(pairwise(sums_w), 1):
        assert place in released or abs(after_w - before_w) <= most_w


def test_no_minute_of_a_fleet_is_steeper_than_a_fifth_of_its_power() -> None:
    boxes = BOXES // 10
    fleet = [Controller(OWN) for _ in range(boxes)]
    done = [0] * 1_200
    random = dice(7)
    for at_s in range(0, 1_200, 120):  # a planner gone mad: another extreme every two minutes
        power_w = random.choice([-5_000, 5_000, 0])
        for control in fleet:
            told(control, at_s + 1, power_w, at_s=at_s)
            for place, watt in enumerate(powers(control, range(at_s, at_s + 120)), at_s):
                done[place] += watt

    steepest_w = max(abs(later - now) for now, later in zip(done, done[60:], strict=False))

    assert max(done) - min(done) > boxes * 2_000
    assert steepest_w <= boxes * (5_000 * A_MINUTE + 1)


class Home:
    """A home whose meter tells at once what the battery and the others do."""

    def __init__(self, control: Controller, others_w: int) -> None:
        self.control, self.others_w, self.battery_w = control, others_w, 0

    def run(self, seconds: range) -> list[int]:
        """Return the exchange of each second, and have the battery obey [W]."""
        exchange: list[int] = []
        for second in seconds:
            grid_w = self.others_w + self.battery_w
            seen = Seen(500, self.battery_w, grid_w, 0.0, 1.0, {}, grid_w, float(second))
            power_w = self.control.decide(seen, float(second)).power_w
            self.battery_w = power_w or 0
            exchange.append(self.others_w + self.battery_w)
        return exchange


def test_a_wish_at_the_meter_begins_at_the_present_exchange_and_travels() -> None:
    home = Home(Controller(OWN), others_w=2_000)
    told(home.control, 1, 0, grid_w=0)

    exchange = home.run(range(200))

    steepest_w = max(abs(later - now) for now, later in zip(exchange, exchange[60:], strict=False))
    assert exchange[0] == 2_000
    assert steepest_w <= 1_000 + 50  # the meter's dead band
    assert all(abs(watt) <= 60 for watt in exchange[150:])


def test_what_the_home_itself_uses_is_followed_at_once() -> None:
    home = Home(Controller(OWN), others_w=500)
    told(home.control, 1, 0, grid_w=500)
    home.run(range(60))

    home.others_w = 3_000  # somebody cooks
    exchange = home.run(range(60, 63))

    assert exchange == [500, 500, 500]


def test_a_wish_that_nothing_could_reach_is_left_behind_by_the_next() -> None:
    home = Home(Controller(OWN), others_w=0)
    told(home.control, 1, 0, grid_w=-50_000)
    home.run(range(800))
    full_w = home.battery_w

    told(home.control, 2, 0, grid_w=0, at_s=800)
    exchange = home.run(range(800, 1_160))

    assert full_w == -5_000
    assert abs(exchange[-1]) <= 60  # five minutes later, not forty


def test_a_power_that_a_limit_withheld_is_left_behind_by_the_next() -> None:
    empty = replace(HALF_FULL, soc_permille=50)
    control = Controller(OWN)
    told(control, 1, -5_000)
    powers(control, range(600), empty)

    told(control, 2, 5_000, at_s=600)
    done = powers(control, range(600, 661), empty)

    assert (done[0], done[60]) == (17, 1_017)


def test_self_use_after_a_plan_glides_in_and_then_follows_at_once() -> None:
    home = Home(Controller(OWN), others_w=3_000)
    told(home.control, 1, 0, lease_s=1, after=AfterPlan.SELF_USE)
    home.run(range(1))

    exchange = home.run(range(1, 300))
    home.others_w = 4_000
    later = home.run(range(300, 303))

    steepest_w = max(abs(after - now) for now, after in pairwise(exchange))
    assert steepest_w <= 17 + 51
    assert abs(exchange[-1]) <= 60
    assert abs(later[-1]) <= 60


def test_a_limit_and_a_release_do_not_wait_for_a_wish() -> None:
    control = Controller(replace(OWN, import_max_w=6_000))
    told(control, 1, 5_000)
    powers(control, range(400))

    cooking = Seen(500, 5_000, 9_000, 0.0, 1.0, {}, 9_000, 400.0, grid_at_s=400.0)
    cut = control.decide(cooking, 400.0)
    released = control.decide(HALF_FULL, 900.0)

    assert cut.power_w is not None
    assert cut.power_w <= 2_000
    assert (released.mode, released.power_w) == (Mode.NEUTRAL, None)


def test_after_a_release_a_wish_begins_anew() -> None:
    control = Controller(OWN)
    told(control, 1, 5_000)
    powers(control, range(400))
    control.nothing_told()

    done = powers(control, range(400, 461))

    assert (done[0], done[60]) == (0, 1_000)


def test_registers_that_wear_out_are_written_ten_times_for_the_whole_power() -> None:
    wish = Wish(5_000, FULL_POWER_S, WORN_STEP_S)

    done = [wish.toward(5_000, float(second), 0) for second in range(400)]

    assert len(set(done)) - 1 == 10
    assert (done[29], done[30], done[300]) == (0, 500, 5_000)


def test_a_bench_may_have_wishes_come_true_at_once() -> None:
    assert Wish(5_000, 0).toward(4_000, 1.0, 0) == 4_000
