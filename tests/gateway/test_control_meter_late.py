"""However late the meter is and however many batteries share it, no fuse is given out twice."""

from __future__ import annotations

from collections import deque

import pytest

from gateway.steer.control import Controller, Limits, Mode, Seen
from gateway.steer.limits import Phase
from kwartier.reading import AfterPlan, Schedule, Step

NOON_S = 1_782_900_000
LOOK_S = 5


class Street:
    """Batteries behind one late meter; each obeys at once, and is looked at every five seconds."""

    def __init__(self, controls: list[Controller], period_s: int, delay_s: int) -> None:
        self.controls = controls
        self.period_s, self.delay_s = period_s, delay_s
        self.others_w = 0
        self.powers_w = [0] * len(controls)
        self.looks = [(0, 0, 0.0)] * len(controls)
        self.past: deque[int] = deque(maxlen=delay_s + 1)
        self.word = (0, 0.0)
        self.second = 0
        self.grids_w: list[int] = []

    def run(self, seconds: int) -> list[int]:
        """Let time pass; return what the connection carried in each second [W]."""
        began = len(self.grids_w)
        for _ in range(seconds):
            grid_w = self.others_w + sum(self.powers_w)
            self.grids_w.append(grid_w)
            self.past.append(grid_w)
            if self.second % self.period_s == 0:
                self.word = self.past[0], float(self.second)
            for place, control in enumerate(self.controls):
                if self.second % LOOK_S == 0:
                    self.looks[place] = (self.powers_w[place], *self.word)
                told_w = control.decide(self._seen(place), float(self.second)).power_w
                self.powers_w[place] = told_w or 0
            self.second += 1
        return self.grids_w[began:]

    def _seen(self, place: int) -> Seen:
        battery_w, grid_w, at_s = self.looks[place]
        age_s = self.second - self.word[1]
        period_s = float(self.period_s)
        return Seen(500, battery_w, grid_w, age_s, period_s, {}, *self.word, grid_at_s=at_s)


def controller(limits: Limits, power_w: int, after: AfterPlan = AfterPlan.NEUTRAL) -> Controller:
    control = Controller(limits)
    lease_s = 900 if after is AfterPlan.NEUTRAL else 1
    steps = (Step(NOON_S, power_w, lease_s),)
    control.accept(Schedule("battery", 1, "p", steps, after), NOON_S, monotonic_s=0.0)
    return control


METERS = pytest.mark.parametrize(("period_s", "delay_s"), [(1, 0), (1, 3), (10, 0), (10, 2)])


@METERS
def test_the_room_below_the_fuse_is_used_once(period_s: int, delay_s: int) -> None:
    home = Street([controller(Limits(9_000, 9_000, import_max_w=6_000), 9_000)], period_s, delay_s)
    home.others_w = 2_000

    carried_w = home.run(240)

    # The first word may come from before the others began.
    assert max(carried_w[20:]) <= 6_000
    assert set(carried_w[60:]) == {6_000}


@METERS
def test_what_the_meter_may_give_is_used_once(period_s: int, delay_s: int) -> None:
    home = Street([controller(Limits(9_000, 9_000, export_max_w=3_000), -9_000)], period_s, delay_s)

    carried_w = home.run(240)

    assert min(carried_w) >= -3_000
    assert set(carried_w[60:]) == {-3_000}


@METERS
def test_an_excess_is_ended_once_and_not_answered_by_a_swing(period_s: int, delay_s: int) -> None:
    home = Street([controller(Limits(9_000, 9_000, import_max_w=6_000), 9_000)], period_s, delay_s)
    home.run(120)

    home.others_w = 3_000  # somebody cooks
    home.run(period_s + delay_s + LOOK_S + 1)
    carried_w = home.run(200)

    assert max(carried_w) <= 6_000
    assert min(carried_w) >= 3_000
    assert set(carried_w[100:]) == {6_000}


@METERS
@pytest.mark.parametrize("count", [2, 3])
def test_batteries_behind_one_meter_share_its_room(count: int, period_s: int, delay_s: int) -> None:
    limits = Limits(9_000, 9_000, import_max_w=6_000, sharing=count)
    home = Street([controller(limits, 9_000) for _ in range(count)], period_s, delay_s)

    carried_w = home.run(400)

    assert max(carried_w) <= 6_000
    assert min(carried_w[300:]) >= 5_500


@METERS
def test_self_use_does_not_swing(period_s: int, delay_s: int) -> None:
    home = Street([controller(Limits(5_000, 5_000), 0, AfterPlan.SELF_USE)], period_s, delay_s)
    home.others_w = -2_000

    carried_w = home.run(240)

    assert all(abs(watt) <= 50 for watt in carried_w[90:])
    assert all(-2_000 <= watt <= 100 for watt in carried_w)


def test_a_battery_that_went_to_and_fro_still_gives_way_to_an_excess() -> None:
    # It rose by 18,000 W in all, yet never was below -3,000 W: the fuse has room, whatever shows.
    control = controller(Limits(4_000, 3_000, import_max_w=9_000, export_max_w=5_000), -3_000)
    powers_w = [0]

    for second, others_w in enumerate([-9_000, 12_000, -9_000, 12_000, -9_000, 12_000, -6_300]):
        word = others_w + powers_w[-1], float(second)
        seen = Seen(500, powers_w[-1], word[0], 0.0, 1.0, {}, *word, grid_at_s=word[1])
        told_w = control.decide(seen, float(second)).power_w
        assert told_w is not None
        powers_w.append(told_w)

    assert powers_w == [0, 4_000, -3_000, 4_000, -3_000, 4_000, -3_000, 1_300]


def test_a_battery_that_was_empty_for_a_moment_ends_an_excess_before_the_next_word() -> None:
    control = controller(Limits(3_000, 3_000, import_max_w=9_000), 0)

    told_w = [
        control.decide(Seen(soc, 0, 9_500, 0.0, 10.0, {}, 9_500, 0.0, 0.0), float(second)).power_w
        for second, soc in enumerate([500, 40, 500])
    ]

    assert told_w == [-500, 0, -500]


def one(power_w: int, limits: Limits, seen: Seen) -> int | None:
    return controller(limits, power_w).decide(seen, 1.0).power_w


def test_a_phase_that_the_meter_does_not_tell_is_not_taken_to_be_free() -> None:
    # It carries 5000 W, tells phase 1 only, and the battery is on phase 2: 750 W may be left.
    seen = Seen(500, 0, 5_000, 1.0, 1.0, {"l1": Phase(0)})

    assert one(9_000, Limits(9_000, 9_000, fuse_a=25, phases=1, phase="l2"), seen) == 750
    assert one(9_000, Limits(9_000, 9_000, fuse_a=25), seen) == 2_250


@pytest.mark.parametrize(("voltage_dv", "most_w"), [(0, 5_175), (2_070, 5_175), (65_535, 6_325)])
def test_a_voltage_that_cannot_be_makes_no_room_and_drives_no_battery(
    voltage_dv: int, most_w: int
) -> None:
    seen = Seen(500, 0, 0, 1.0, 1.0, {"l1": Phase(0, voltage_dv)})
    limits = Limits(9_000, 9_000, fuse_a=25, phases=1)

    assert one(9_000, limits, seen) == most_w
    assert one(0, limits, seen) == 0


def test_a_fuse_of_nothing_leaves_nothing() -> None:
    assert one(9_000, Limits(9_000, 9_000, fuse_a=0), Seen(500, 0, 0, 1.0, 1.0)) == 0


def test_a_meter_of_this_gateway_that_falls_silent_ends_a_plain_power_too() -> None:
    control = controller(Limits(5_000, 5_000, metered=True), 1_000)

    speaks = control.decide(Seen(500, 0, 0, 3.0, 1.0), 1.0)
    silent = control.decide(Seen(500, 0, 0, 3.5, 1.0), 2.0)
    never = control.decide(Seen(500, 0), 3.0)

    assert speaks.power_w == 1_000
    assert (silent.mode, silent.because) == (Mode.NEUTRAL, "meter is silent")
    assert never.power_w is None


def test_a_plan_that_began_in_the_past_is_joined_where_it_is_now() -> None:
    control = Controller(Limits(5_000, 5_000))
    steps = tuple(Step(NOON_S - 1_800 + 900 * place, 1_000 * place, 900) for place in range(4))

    # The machine has just started: its count stands at zero.
    control.accept(Schedule("battery", 1, "p", steps), NOON_S + 10, monotonic_s=0.0)

    assert control.decide(Seen(500, 0), 0.0).power_w == 2_000
    assert control.decide(Seen(500, 0), 890.0).power_w == 3_000
    assert control.decide(Seen(500, 0), 1_790.0).power_w is None
