"""A street second by second: late meters, slow batteries, lost messages, real gateway parts.

What steers is the gateway's own: ``SteeredBattery`` with journal, hold, limits and team. What is
virtual is outside of it: the homes, the meter's line, the batteries and the clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random

from gateway.steer.battery import SteeredBattery
from gateway.steer.limits import Limits
from gateway.steer.steering import Applied, Held, NoRevertTimerError, Ratings
from gateway.steer.team import Team
from gateway.steer.way import Way
from gateway.steer.wish import FULL_POWER_S
from kwartier.clock import VirtualClock
from kwartier.errors import TemporaryError
from kwartier.identity import DeviceId
from kwartier.interval import QUARTER_S
from kwartier.reading import Reading, Schedule, Step
from kwartier.schedule import Outcome, Response

START_S = 1_782_864_000
"""A midnight in UTC, and the start of a quarter."""
EFFICIENCY = 0.96
SHORT_S = 30


class AwayError(TemporaryError):
    """The battery does not answer."""


@dataclass
class SlowBattery:
    """A battery that hears late, ramps by its own firmware, and may be deaf or away.

    Attributes:
        full_w: Its power, both ways [W].
        capacity_wh: What it stores [Wh].
        delay_s: From the write to the first change [s].
        firmware_w_per_s: How fast its firmware moves [W/s].
    """

    clock: VirtualClock
    device: DeviceId
    full_w: int
    capacity_wh: int
    delay_s: int = 1
    firmware_w_per_s: int = 10_000
    stored_wh: float = 0.0
    power_w: float = 0.0
    away: bool = False
    deaf: bool = False
    has_timer: bool = True
    asked_w: int | None = None
    expires_s: float = 0.0
    through_wh: float = 0.0
    _heard: deque[int] = field(default_factory=deque)

    def read(self) -> Reading:
        """Return what it says of itself."""
        if self.away:
            raise AwayError(f"{self.device} does not answer")
        values = {
            "battery_w": round(self.power_w),
            "soc_permille": int(1000 * self.stored_wh / self.capacity_wh),
        }
        return Reading(self.device, "B1", int(self.clock.now_s()), values)

    def ratings(self) -> Ratings:
        """Return what it can do."""
        return Ratings(self.full_w, self.full_w)

    def setpoint(self, power_w: int, revert_s: int) -> Applied:
        """Take a set-point."""
        if not self.has_timer:
            raise NoRevertTimerError(f"{self.device} would hold it for good")
        before = self.read_back()
        self.asked_w, self.expires_s = power_w, self.clock.monotonic_s() + revert_s
        return Applied(power_w, revert_s, before)

    def read_back(self) -> Held:
        """Return what it holds."""
        if self.away:
            raise AwayError(f"{self.device} does not answer")
        return Held(self.asked_w, None)

    def release(self) -> None:
        """Hold nothing."""
        if self.away:
            raise AwayError(f"{self.device} does not answer")
        self.asked_w = None

    def pass_second(self) -> None:
        """Do what it was told a while ago, as fast as its firmware lets it."""
        if self.asked_w is not None and self.clock.monotonic_s() >= self.expires_s:
            self.asked_w = None
        self._heard.append(0 if self.asked_w is None or self.deaf else self.asked_w)
        while len(self._heard) > self.delay_s + 1:
            self._heard.popleft()
        wanted_w = float(self._heard[0])
        if (wanted_w > 0 and self.stored_wh >= 0.99 * self.capacity_wh) or (
            wanted_w < 0 and self.stored_wh <= 0.01 * self.capacity_wh
        ):
            wanted_w = 0.0
        step_w = self.firmware_w_per_s
        self.power_w += min(max(wanted_w - self.power_w, -step_w), step_w)
        charged = self.power_w * EFFICIENCY if self.power_w > 0 else self.power_w / EFFICIENCY
        self.stored_wh += charged / 3600
        self.through_wh += abs(self.power_w) / 3600


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong on the way.

    Attributes:
        lag_s: How old what the meter tells is [s].
        period_s: How often it tells [s].
        noise_w: The homes' flutter from second to second, one standard deviation [W].
        lost_telegrams: This part of telegrams never comes.
        lost_plans: This part of plans never comes; others come up to five minutes late.
        delay_s: From the write to the first change of a battery [s].
        firmware_s: How long a battery's firmware takes for its whole power [s].
        troubles: Whether batteries go away and turn deaf now and then.
    """

    lag_s: int = 5
    period_s: int = 1
    noise_w: int = 150
    lost_telegrams: float = 0.02
    lost_plans: float = 0.2
    delay_s: int = 1
    firmware_s: int = 4
    troubles: bool = False


@dataclass(frozen=True, slots=True)
class Quarter:
    """What came of one quarter.

    Attributes:
        planned_w: The exchange that was planned at its start; None where batteries rested [W].
        mean_w: The exchange [W].
        homes_w: What all but the batteries took [W].
        able: Whether batteries had power and store for what was planned, but for half a minute.
    """

    planned_w: int | None
    mean_w: float
    homes_w: float
    able: bool


class TrackedStreet:
    """Forty homes, a few batteries at one gateway, and a planner who is sometimes heard."""

    def __init__(
        self,
        folder: Path,
        weather: Weather,
        *,
        sizes_w: Sequence[int] = (20_000, 10_000, 5_000),
        import_max_w: int | None = 30_000,
        full_power_s: int = FULL_POWER_S,
        hour: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.start_s = START_S + round(3600 * hour)
        self.clock = VirtualClock(self.start_s)
        self.weather = weather
        self.random = Random(seed)  # noqa: S311 - a day's use, not a secret
        self.import_max_w = import_max_w
        self.batteries = [
            SlowBattery(
                self.clock,
                f"b{place}",
                size_w,
                4 * size_w,
                weather.delay_s,
                max(1, size_w // max(1, weather.firmware_s)),
                stored_wh=2.0 * size_w,
            )
            for place, size_w in enumerate(sizes_w)
        ]
        team = Team(full_power_s)
        self.told: list[Response] = []
        self.gateways = [self._gateway(one, folder, team, full_power_s) for one in self.batteries]
        self.second = 0
        self.net_ws = 0.0
        self.meter_w: list[float] = []
        self.homes_w: list[float] = []
        self.powers_w: list[list[float]] = [[] for _ in sizes_w]
        self.quarters: list[Quarter] = []
        self._past: deque[tuple[float, float]] = deque(maxlen=weather.lag_s + 1)
        self._waiting: list[tuple[float, int, list[Schedule]]] = []
        self._command = 0
        self._flutter_w = 0.0
        self._cooking: list[float] = []
        self._planned: dict[int, int | None] = {}

    def _gateway(
        self, one: SlowBattery, folder: Path, team: Team, full_power_s: int
    ) -> SteeredBattery:
        limits = Limits(
            one.full_w,
            one.full_w,
            import_max_w=self.import_max_w,
            metered=True,
            sharing=len(self.batteries),
            full_power_s=full_power_s,
        )
        return SteeredBattery(
            _NoUnit(),
            one.device,
            limits,
            self.clock,
            folder / f"{one.device}.json",
            take=lambda _: None,
            tell=self.told.append,
            way=Way(one, lambda: one),
            team=team,
        )

    def expected_w(self, at_s: float) -> float:
        """Return what the homes use on average at a time of the day [W]."""
        hour = at_s % 86_400 / 3600
        evening = math.exp(-(((hour - 19) / 2) ** 2))
        morning = math.exp(-(((hour - 8) / 1.5) ** 2))
        sun = max(0.0, math.sin((hour - 5) * math.pi / 15)) if 5 < hour < 20 else 0.0
        return 9_000 + 21_000 * evening + 8_000 * morning - 22_000 * sun**2

    def send_plans(self, *, lossless: bool = False) -> None:
        """Send what is planned from this quarter on, as a planner does at each quarter."""
        now_s = int(self.clock.now_s())
        self._command += 1
        first = now_s // QUARTER_S * QUARTER_S
        if not lossless and self.random.random() < self.weather.lost_plans:
            return
        late_s = 0.0 if lossless or self.random.random() < 0.7 else self.random.uniform(1, 300)
        plans = [self._plan(one, first) for one in self.batteries]
        self._waiting.append((self.clock.monotonic_s() + late_s, self._command, plans))

    def _plan(self, one: SlowBattery, first_s: int) -> Schedule:
        whole_w = sum(each.full_w for each in self.batteries)
        steps = []
        for place in range(24):
            at_s = first_s + place * QUARTER_S
            homes_w = self.expected_w(at_s + QUARTER_S / 2)
            total_w = self.planned_w(homes_w, at_s)
            power_w = round(total_w * one.full_w / whole_w)
            grid_w = round(homes_w + total_w) if total_w else None
            steps.append(Step(at_s, power_w, QUARTER_S, grid_w if power_w else None))
        return Schedule(one.device, self._command, f"plan-{first_s}", tuple(steps))

    def planned_w(self, homes_w: float, at_s: float) -> float:
        """Return what all batteries should do: buy at night, cover the peaks, store the sun [W]."""
        whole_w = 0.8 * sum(each.full_w for each in self.batteries)
        hour = at_s % 86_400 / 3600
        if homes_w < 0:
            return min(whole_w, -homes_w)
        if hour < 2:
            return min(whole_w, 0.5 * (self.import_max_w or 30_000) - homes_w)
        if homes_w > 15_000:
            return max(-whole_w, 15_000 - homes_w)
        return 0.0

    def run(self, seconds: int) -> None:
        """Let time pass."""
        for _ in range(seconds):
            if self.second % QUARTER_S == 0:
                self.send_plans(lossless=self.second == 0)
            self._deliver()
            self._live()
            self.second += 1
            if self.second % QUARTER_S == 0:
                self._close()

    def _deliver(self) -> None:
        now_s = self.clock.monotonic_s()
        due = sorted(one for one in self._waiting if one[0] <= now_s)
        self._waiting = [one for one in self._waiting if one[0] > now_s]
        for _, _, plans in due:
            for gateway, plan in zip(self.gateways, plans, strict=True):
                if gateway.accept(plan).outcome is Outcome.ACCEPTED:
                    self._planned |= {step.start_s: step.grid_w for step in plan.steps}

    def use_w(self) -> float:
        """Return what the homes take in this second: as expected, cooking, and flutter [W]."""
        dice = self.random
        if dice.random() < 1 / 240:
            self._cooking.append(dice.choice([2_000.0, 3_500.0, 7_000.0]))
        if self._cooking and dice.random() < len(self._cooking) / 900:
            self._cooking.pop(dice.randrange(len(self._cooking)))
        self._flutter_w = 0.9 * self._flutter_w + dice.gauss(0, self.weather.noise_w * 0.436)
        expected_w = self.expected_w(self.clock.now_s())
        return expected_w - 12_000 + sum(self._cooking) + self._flutter_w

    def _live(self) -> None:
        weather, dice = self.weather, self.random
        for one in self.batteries:
            one.pass_second()
            if weather.troubles:
                one.away = dice.random() < (0.97 if one.away else 1 / 3_000)
        homes_w = self.use_w()
        grid_w = homes_w + sum(one.power_w for one in self.batteries)
        self.net_ws += grid_w
        self.meter_w.append(grid_w)
        self.homes_w.append(homes_w)
        for powers, one in zip(self.powers_w, self.batteries, strict=True):
            powers.append(one.power_w)
        self._past.append((grid_w, self.net_ws))
        if self.second % weather.period_s == 0 and dice.random() >= weather.lost_telegrams:
            self._telegram(*self._past[0])
        for gateway in self.gateways:
            gateway.turn()
        self.clock.advance(1)

    def _telegram(self, grid_w: float, net_ws: float) -> None:
        whole_w, net_wh = round(grid_w), 1_000_000 + int(net_ws // 3600)
        values = {
            "import_w": max(0, whole_w),
            "export_w": max(0, -whole_w),
            "import_t1_wh": net_wh,
            "import_t2_wh": 0,
            "export_t1_wh": 0,
            "export_t2_wh": 0,
        }
        reading = Reading("p1", "E1", int(self.clock.now_s()), values)
        for gateway in self.gateways:
            gateway.see_grid(reading)

    def _close(self) -> None:
        start = self.second - QUARTER_S
        homes = self.homes_w[start:]
        planned_w = self._planned.get(self.start_s + start)
        wanted_w = planned_w or 0
        give_w = sum(one.full_w for one in self.batteries if one.stored_wh > 0.06 * one.capacity_wh)
        take_w = sum(one.full_w for one in self.batteries if one.stored_wh < 0.94 * one.capacity_wh)
        beyond = [watt for watt in homes if not -take_w <= watt - wanted_w <= give_w]
        self.quarters.append(
            Quarter(
                planned_w,
                sum(self.meter_w[start:]) / QUARTER_S,
                sum(homes) / QUARTER_S,
                len(beyond) <= SHORT_S,
            )
        )


def reversals(powers_w: Sequence[float]) -> int:
    """Return how often a battery goes from charging to discharging or back."""
    ways = [power_w > 0 for power_w in powers_w if power_w]
    return sum(now != before for before, now in pairwise(ways))


class _NoUnit:
    """Registers that nobody asks: these batteries have a way of their own."""

    def read(self, address: int, count: int, function_code: int = 3) -> tuple[int, ...]:
        """Never called."""
        raise AssertionError(address, count, function_code)

    def write(self, address: int, words: Sequence[int], function_code: int = 16) -> None:
        """Never called."""
        raise AssertionError(address, words, function_code)


def quiet(weather: Weather) -> Weather:
    """Return the same line and batteries, with nothing lost and homes that do not flutter."""
    return replace(weather, noise_w=0, lost_telegrams=0.0, lost_plans=0.0)
