"""Batteries behind one meter make up for it together: no watt twice, and none against another."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from gateway.modbus.line import LinkSettings
from gateway.steer.control import Controller, Limits, Seen
from gateway.steer.settings import SteeredDevice
from gateway.steer.team import Team
from gateway.steer.teams import teams_of
from gateway.steer.track import Tracker
from kwartier.reading import Schedule, Step

NOON_S = 1_782_900_000


@dataclass
class Battery:
    """One that obeys at once, and is as full as it is."""

    control: Controller
    soc_permille: int = 500
    power_w: int = 0
    told: list[int] = field(default_factory=list)
    away: bool = False


class Street:
    """Batteries of one gateway behind one late meter that tells whole watts only."""

    def __init__(
        self,
        sizes_w: list[int],
        *,
        delay_s: int = 0,
        full_power_s: int = 0,
        period_s: int = 1,
        import_max_w: int | None = None,
        export_max_w: int | None = None,
    ) -> None:
        team, count = Team(full_power_s), len(sizes_w)
        limits = Limits(0, 0, import_max_w=import_max_w, export_max_w=export_max_w, sharing=count)
        each = [replace(limits, charge_max_w=size, discharge_max_w=size) for size in sizes_w]
        self.batteries = [
            Battery(Controller(one, team=team, name=f"b{place}")) for place, one in enumerate(each)
        ]
        self.period_s = period_s
        self.others_w = 0
        self.second = 0
        self.meter_w: list[int] = []
        self._past: deque[int] = deque(maxlen=delay_s + 1)
        self._word = 0, 0.0

    def plan(self, grid_w: int, powers_w: list[int], *, command: int = 1) -> None:
        for battery, power_w in zip(self.batteries, powers_w, strict=True):
            steps = (Step(NOON_S, power_w, 900, grid_w), Step(NOON_S + 900, power_w, 900, grid_w))
            schedule = Schedule("battery", command, "p", steps)
            battery.control.accept(schedule, NOON_S, monotonic_s=0.0)

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            grid_w = self.others_w + sum(battery.power_w for battery in self.batteries)
            self.meter_w.append(grid_w)
            self._past.append(grid_w)
            now_s = float(self.second)
            if self.second % self.period_s == 0:
                self._word = self._past[0], now_s
            grid_w, at_s = self._word
            for battery in self.batteries:
                seen = Seen(
                    None if battery.away else battery.soc_permille,
                    battery.power_w,
                    grid_w,
                    now_s - at_s,
                    float(self.period_s),
                    newest_w=grid_w,
                    newest_at_s=at_s,
                )
                battery.power_w = battery.control.decide(seen, now_s).power_w or 0
                battery.told.append(battery.power_w)
            self.second += 1

    @property
    def powers_w(self) -> list[int]:
        return [battery.power_w for battery in self.batteries]


@pytest.mark.parametrize("delay_s", [0, 5])
def test_what_nobody_expected_is_shared_by_the_room_that_each_has(delay_s: int) -> None:
    street = Street([2_000, 4_000], delay_s=delay_s)
    street.plan(1_000, [-500, -1_000])
    street.others_w = 2_500
    street.run(40)
    expected = street.powers_w

    street.others_w = 4_000
    street.run(40)

    assert expected == [-500, -1_000]
    # 1500 W more, and 1500 W and 3000 W of room.
    assert street.powers_w == [-1_000, -2_000]
    assert street.meter_w[-1] == 1_000


def test_one_that_is_empty_leaves_it_to_the_others() -> None:
    street = Street([3_000, 3_000])
    street.plan(0, [-1_000, -1_000])
    street.others_w = 2_000
    street.run(30)

    street.batteries[0].soc_permille = 40
    street.run(30)

    assert street.powers_w == [0, -2_000]
    assert street.meter_w[-1] == 0


def test_one_that_drops_out_is_made_up_for_within_a_second() -> None:
    street = Street([3_000, 3_000], delay_s=5)
    street.plan(0, [-1_000, -1_000])
    street.others_w = 2_000
    street.run(60)

    street.batteries[0].away = True
    street.run(3)

    # No telegram could show it yet.
    assert street.powers_w == [0, -2_000]
    street.run(60)
    assert set(street.meter_w[-40:]) == {0}


def test_one_that_comes_back_takes_its_part_and_the_meter_hardly_moves() -> None:
    street = Street([3_000, 3_000])
    street.plan(0, [-1_000, -1_000])
    street.batteries[0].away = True
    street.others_w = 2_400
    street.run(60)

    street.batteries[0].away = False
    street.run(60)

    assert street.powers_w == [-1_200, -1_200]
    assert street.meter_w[-1] == 0


def test_none_charges_while_another_discharges() -> None:
    street = Street([3_000, 3_000])
    street.plan(500, [-1_000, 1_500])
    street.others_w = 0
    street.run(200)

    assert street.powers_w == [0, 500]
    street.others_w = 1_500
    street.run(60)
    assert street.powers_w == [-1_000, 0]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_the_order_in_which_batteries_ask_changes_nothing(order: list[int]) -> None:
    street = Street([1_000, 2_000, 5_000], delay_s=3)
    street.plan(0, [-300, -200, -2_000])
    street.batteries = [street.batteries[place] for place in order]
    street.others_w = 3_700
    street.run(60)

    by_name = [street.powers_w[order.index(place)] for place in range(3)]

    # 1200 W more than planned, for 700, 1800 and 3000 W of room.
    assert sum(by_name) == -3_700
    assert by_name == pytest.approx([-453, -593, -2_655], abs=1)


def test_all_together_move_no_faster_than_a_street_bears() -> None:
    street = Street([5_000, 5_000], full_power_s=300)
    street.plan(8_000, [4_000, 4_000])
    street.run(400)

    steepest_w = max(
        later - now for now, later in zip(street.meter_w, street.meter_w[60:], strict=False)
    )
    assert steepest_w <= 2_000 + 50
    assert street.powers_w == [4_000, 4_000]


def test_batteries_behind_one_meter_are_one_team_and_others_another() -> None:
    link = LinkSettings("127.0.0.1", 502)
    batteries = [
        SteeredDevice(name, link, 1, Limits(1_000, 1_000), meter=meter)
        for name, meter in [("cellar", None), ("shed", "main"), ("neighbour", "next-door")]
    ]

    teams = teams_of(batteries, "main")

    assert teams["cellar"] is teams["shed"]
    assert teams["neighbour"] is not teams["cellar"]


def test_together_they_keep_a_limit_and_use_all_that_it_leaves() -> None:
    street = Street([5_000] * 3, delay_s=3, import_max_w=6_000)
    street.plan(20_000, [5_000, 5_000, 5_000])
    street.others_w = 3_000
    street.run(60)
    charging = street.powers_w

    street.others_w = 7_500
    street.run(60)

    assert charging == [1_000, 1_000, 1_000]
    assert set(street.meter_w[50:60]) == {6_000}
    assert street.powers_w == [-500, -500, -500]
    # A fuse does not wait for certainty: each word of the three that are too old counts once.
    assert min(street.meter_w[60:]) >= 6_000 - 3 * 4_500
    assert set(street.meter_w[90:]) == {6_000}


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_others_do_limits_hold_for_all_together(seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - a street's use, not a secret
    sizes_w = [dice.randrange(1_000, 6_000) for _ in range(dice.randrange(2, 5))]
    able_w, delay_s = sum(sizes_w), dice.randrange(0, 6)
    street = Street(sizes_w, delay_s=delay_s, import_max_w=5_000, export_max_w=3_000)
    street.plan(dice.choice([-9_000, 0, 9_000]), [dice.randrange(-900, 900) for _ in sizes_w])

    for _ in range(6):
        street.others_w = dice.randrange(-2_900 - able_w, 4_900 + able_w)
        for battery in street.batteries:
            battery.away = dice.random() < 0.2
        street.run(90)
        could_w = sum(
            size for size, each in zip(sizes_w, street.batteries, strict=True) if not each.away
        )
        high_w = max(5_000, street.others_w - could_w)
        low_w = min(-3_000, street.others_w + could_w)
        assert low_w - 50 <= street.meter_w[-1] <= high_w + 50


@pytest.mark.parametrize(
    ("sizes_w", "way"), [([2_000] * 2, 1), ([2_000] * 2, -1), ([1_000, 2_000, 3_000], 1)]
)
def test_a_team_that_went_to_and_fro_still_gives_way_to_an_excess(
    sizes_w: list[int], way: int
) -> None:
    # All they can do, from one end to the other, is less than what the connection leaves then.
    street = Street(sizes_w, import_max_w=9_000, export_max_w=9_000)
    able_w = sum(sizes_w)
    street.plan(-20_000 * way, [-size_w * way for size_w in sizes_w])
    for others_w in [-9_000 - able_w, 9_000 + able_w] * 22:
        street.others_w = others_w * way
        street.run(1)
    swung = street.powers_w

    street.others_w = -11_000 * way + able_w * way
    street.run(2)

    assert swung == [-size_w * way for size_w in sizes_w]
    # What one word told of the excess is ended before the next: 2,000 W of it.
    assert street.meter_w[-2:] == [-11_000 * way, -9_000 * way]


def test_each_battery_may_be_late_by_itself_and_none_by_more_than_it_was_told() -> None:
    tracker = Tracker()
    moves = [("a", 0, 1_000), ("b", 0, -700), ("a", 1_000, -500), ("b", -700, 0), ("a", -500, 200)]
    for second, (name, before_w, after_w) in enumerate(moves):
        tracker.told(before_w, after_w, float(second), name)

    # The one was between -500 and 1,000 W and does 200 W, the other between -700 and 0 W.
    assert tracker.apart(0.0) == (700 + 700, -800)
    assert tracker.apart(2.0) == (700 + 700, -800)
    assert tracker.apart(3.0) == (700 + 700, 0)
    assert tracker.apart(4.0) == (700, 0)
    assert tracker.apart(5.0) == (0, 0)


def test_one_that_is_empty_for_a_moment_hides_no_excess_until_the_next_word() -> None:
    street = Street([3_000, 3_000], period_s=10, import_max_w=9_000)
    street.plan(9_500, [0, 0])
    street.others_w = 9_000
    street.run(10)
    street.others_w = 9_500
    street.run(1)
    at_first = street.powers_w

    street.batteries[0].soc_permille = 40
    street.run(1)

    # No other word came: 500 W are too much all the time, whoever ends that.
    assert at_first == [-250, -250]
    assert street.powers_w == [0, -500]


def test_one_that_hangs_for_minutes_is_forgotten_and_the_meter_is_followed() -> None:
    street = Street([3_000, 3_000])
    street.plan(0, [-1_000, -1_000])
    street.others_w = 2_000
    street.run(30)

    hanging = street.batteries.pop(0)
    street.others_w += hanging.power_w
    street.run(30)
    street.others_w -= hanging.power_w  # its own timer let it go
    street.run(300)

    assert street.powers_w == [-2_000]
    assert street.meter_w[-1] == 0
