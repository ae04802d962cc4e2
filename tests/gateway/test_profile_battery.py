"""A battery of another make follows its schedule, and falls back when its gateway dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.modbus.link import LinkSettings, ModbusLink, ModbusUnit
from gateway.steer.battery import Rhythm, SteeredBattery
from gateway.steer.control import Limits, Mode
from gateway.steer.way import profile_way
from hardware.profile import load_profile
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.vendor_battery import (
    LunaBattery,
    MultiPlusBattery,
    StorEdgeBattery,
    SungrowBattery,
    VendorBattery,
)
from kwartier.clock import VirtualClock
from kwartier.reading import Reading, Schedule, Step
from kwartier.schedule import Outcome, Response

NOON_S = 1_782_900_000
TWINS: dict[str, type[VendorBattery]] = {
    "solaredge_hybrid": StorEdgeBattery,
    "huawei_luna2000": LunaBattery,
    "sungrow_sh": SungrowBattery,
    "victron_multiplus": MultiPlusBattery,
}
EVERY = pytest.mark.parametrize("name", sorted(TWINS))


@dataclass
class Home:
    """One battery behind a real link, and the gateway's side of it."""

    name: str
    clock: VirtualClock
    twin: VendorBattery
    unit: ModbusUnit
    folder: Path
    readings: list[Reading] = field(default_factory=list)
    news: list[Response] = field(default_factory=list)

    def gateway(self) -> SteeredBattery:
        return SteeredBattery(
            self.unit,
            "battery",
            Limits(charge_max_w=3000, discharge_max_w=3000),
            self.clock,
            self.folder / "battery.json",
            take=self.readings.append,
            tell=self.news.append,
            rhythm=Rhythm(resume_s=0.0),
            way=profile_way(self.unit, "battery", load_profile(self.name), self.clock, self.folder),
        )

    def pass_time(self, seconds: int, battery: SteeredBattery) -> None:
        for _ in range(seconds // 5):
            self.clock.advance(5)
            battery.turn()

    @property
    def outcomes(self) -> list[Outcome]:
        return [response.outcome for response in self.news]


@contextmanager
def home(name: str, folder: Path) -> Iterator[Home]:
    clock = VirtualClock(NOON_S)
    twin = TWINS[name](clock, CellLimits(10_000, 5_000, 5_000), soc_permille=500)
    with ModbusServer([twin]) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port, timeout_s=20.0))
        yield Home(name, clock, twin, link.unit(1), folder)
        link.close()


def schedule(*powers_w: int) -> Schedule:
    steps = tuple(Step(NOON_S + 100 * place, power, 100) for place, power in enumerate(powers_w))
    return Schedule("battery", 1, "plan-1", steps)


@EVERY
def test_a_plan_is_followed_within_the_limits_of_the_home(name: str, tmp_path: Path) -> None:
    with home(name, tmp_path) as at:
        battery = at.gateway()
        battery.accept(schedule(2000, -4000, 0))
        battery.turn()
        done = []
        for _ in range(3):
            at.pass_time(80, battery)
            done.append(at.twin.power_w)
            at.pass_time(20, battery)

        assert done == [2000, -3000, 0]
        assert Outcome.FAILED not in at.outcomes
        assert {-3000, 0, 2000} <= {reading.values["battery_w"] for reading in at.readings}


@EVERY
def test_the_end_of_a_plan_leaves_the_battery_to_itself(name: str, tmp_path: Path) -> None:
    with home(name, tmp_path) as at:
        battery = at.gateway()
        battery.accept(schedule(1000))
        battery.turn()

        at.pass_time(130, battery)

        assert at.twin.power_w == 0
        assert battery.mode is Mode.NEUTRAL
        assert at.outcomes[-1] is Outcome.NEUTRAL


@EVERY
def test_a_gateway_that_dies_leaves_nothing_on(name: str, tmp_path: Path) -> None:
    with home(name, tmp_path) as at:
        battery = at.gateway()
        battery.accept(schedule(-2000))
        battery.turn()
        at.pass_time(60, battery)
        assert at.twin.power_w == -2000

        at.clock.advance(90)

        assert at.twin.power_w == 0


def test_a_restart_after_a_crash_gives_the_maker_its_own_mode_back(tmp_path: Path) -> None:
    with home("solaredge_hybrid", tmp_path) as at:
        battery = at.gateway()
        battery.accept(schedule(2000))
        battery.turn()
        assert at.twin.get(0xE004) == [4]
        del battery  # it dies with the set-point in the battery

        again = at.gateway()
        at.clock.advance(400)  # the plan is over by then
        again.turn()

        assert at.twin.get(0xE004) == [1]
        assert at.twin.power_w == 0


@EVERY
def test_somebody_elses_set_point_is_left_alone(name: str, tmp_path: Path) -> None:
    with home(name, tmp_path) as at:
        battery = at.gateway()
        foreign = load_profile(name)
        other = profile_way(at.unit, "other", foreign, at.clock, tmp_path).steering()
        assert other is not None
        other.setpoint(1100, 90)
        at.twin.writes.clear()

        battery.accept(schedule(2000))
        battery.turn()

        assert at.twin.writes == []
        assert at.twin.power_w == 1100
        assert at.outcomes[-1] is Outcome.FAILED


def test_a_make_that_wants_it_is_told_every_five_seconds(tmp_path: Path) -> None:
    with home("victron_multiplus", tmp_path) as at:
        battery = at.gateway()
        battery.accept(schedule(2000))
        battery.turn()
        at.twin.writes.clear()

        at.pass_time(50, battery)

        assert at.twin.writes == [(37, [2000])] * 10
