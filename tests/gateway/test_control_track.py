"""A wish at the meter is followed within seconds, and nothing swings however old its word."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

import pytest

from gateway.steer.control import Controller, Limits, Mode, Seen
from kwartier.reading import Schedule, Step

NOON_S = 1_782_900_000


@dataclass
class Home:
    """A home whose meter tells late, and whose battery needs a moment.

    Attributes:
        delay_s: How old what the meter tells is [s].
        period_s: How often it tells [s].
        noise_w: How much the others flutter [W].
        half_life_s: How long the battery takes for half of what is missing [s]; 0 for none.
    """

    delay_s: int
    period_s: int = 1
    noise_w: int = 0
    half_life_s: float = 0.0
    others_w: int = 500
    battery_w: float = 0.0
    grid_w: int = 0
    past: deque[int] = field(default_factory=deque)
    told_w: list[int] = field(default_factory=list)
    meter_w: list[int] = field(default_factory=list)

    def run(self, control: Controller, seconds: range, random: Random) -> None:
        """Let seconds pass; the battery obeys what it is told."""
        newest = (float(seconds.start), 0)
        for second in seconds:
            flutter = round(random.gauss(0, self.noise_w))
            self.grid_w = self.others_w + flutter + round(self.battery_w)
            self.past.append(self.grid_w)
            if len(self.past) > self.delay_s + 1:
                self.past.popleft()
            if second % self.period_s == 0 or second == seconds.start:
                newest = (float(second), self.past[0])
            seen = Seen(
                500,
                round(self.battery_w),
                newest[1],
                second - newest[0],
                float(self.period_s),
                newest_w=newest[1],
                newest_at_s=newest[0],
            )
            power_w = control.decide(seen, float(second)).power_w
            assert power_w is not None
            self.told_w.append(power_w)
            self.meter_w.append(self.grid_w)
            left = 0.5 ** (1 / self.half_life_s) if self.half_life_s else 0.0
            self.battery_w = power_w + (self.battery_w - power_w) * left


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - flutter, not a secret


def controller(grid_w: int, limits: Limits | None = None, power_w: int = 0) -> Controller:
    control = Controller(limits or Limits(5_000, 5_000))
    steps = tuple(Step(NOON_S + 900 * place, power_w, 900, grid_w) for place in range(8))
    control.accept(Schedule("battery", 1, "p", steps), NOON_S, monotonic_s=0.0)
    return control


@pytest.mark.parametrize("delay_s", [1, 2, 3, 5, 7, 10])
@pytest.mark.parametrize("half_life_s", [0.0, 0.7])
def test_the_meter_shows_what_is_wanted_and_stays_there(delay_s: int, half_life_s: float) -> None:
    home = Home(delay_s, half_life_s=half_life_s)
    control = controller(-1_000)

    home.run(control, range(120), dice(1))
    home.others_w = 3_000  # somebody cooks
    home.run(control, range(120, 300), dice(2))

    assert all(abs(watt + 1_000) <= 60 for watt in home.meter_w[60:120])
    assert all(abs(watt + 1_000) <= 60 for watt in home.meter_w[180:300])


@pytest.mark.parametrize("delay_s", [1, 5, 10])
def test_a_step_is_answered_as_soon_as_the_meter_tells_of_it(delay_s: int) -> None:
    home = Home(delay_s)
    control = controller(0)
    home.run(control, range(60), dice(1))

    home.others_w = 2_500
    home.run(control, range(60, 60 + delay_s + 2), dice(1))

    assert home.meter_w[-1] == 0


@pytest.mark.parametrize("delay_s", [1, 4, 10])
def test_flutter_is_not_made_larger(delay_s: int) -> None:
    home = Home(delay_s, noise_w=40, half_life_s=0.7)
    control = controller(0)

    home.run(control, range(1_800), dice(7))

    settled = home.meter_w[120:]
    assert sum(watt * watt for watt in settled) / len(settled) < 120**2
    assert max(abs(watt) for watt in settled) < 400
    assert abs(sum(settled)) / len(settled) < 60


def test_a_meter_of_every_ten_seconds_is_followed_too() -> None:
    home = Home(2, period_s=10, half_life_s=0.7)
    control = controller(300)

    home.run(control, range(300), dice(3))

    assert all(abs(watt - 300) <= 60 for watt in home.meter_w[90:])


def test_a_day_of_changing_use_stays_inside_every_limit() -> None:
    limits = Limits(3_000, 2_000, export_max_w=1_500, ramp_w_per_s=200)
    home = Home(3, noise_w=20, half_life_s=0.7)
    control = controller(-4_000, limits)
    random = dice(11)

    for minute in range(60):
        home.others_w = random.randrange(-3_000, 6_000)
        home.run(control, range(60 * minute, 60 * minute + 60), random)

    assert min(home.told_w) >= -2_000
    assert max(home.told_w) <= 3_000


def test_it_begins_with_the_power_of_the_plan() -> None:
    home = Home(10)
    control = controller(0, power_w=-500)

    home.run(control, range(1), dice(1))

    assert home.told_w == [-500]


def test_a_dead_band_leaves_small_errors_alone() -> None:
    home = Home(1, others_w=49)
    control = controller(0)

    home.run(control, range(60), dice(1))

    assert set(home.told_w) == {0}


def test_without_the_meter_a_wish_at_the_meter_is_not_followed() -> None:
    decision = controller(0).decide(Seen(500, 0, 0, 4.0, 1.0, {}, 0, 0.0), 4.0)

    assert decision.mode is Mode.NEUTRAL
    assert decision.because == "meter is silent"
