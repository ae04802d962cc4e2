"""A battery on a real Modbus socket follows its schedule, and falls back when we fall silent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.steer.battery import Rhythm, SteeredBattery
from gateway.steer.control import Limits, Mode
from hardware.twins.battery import BatteryTwin, Fault
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from kwartier.clock import VirtualClock
from kwartier.reading import Reading, Schedule, Step
from kwartier.schedule import Outcome, Response

NOON_S = 1_782_900_000
RHYTHM = Rhythm(poll_s=5.0, revert_s=90, refresh_s=30.0, pause_s=60.0)


@dataclass
class Bench:
    """A virtual battery behind a socket, and the gateway's side of it."""

    clock: VirtualClock
    twin: BatteryTwin
    link: ModbusLink
    journal: Path
    readings: list[Reading] = field(default_factory=list)
    news: list[Response] = field(default_factory=list)

    def gateway(self, limits: Limits | None = None) -> SteeredBattery:
        return SteeredBattery(
            self.link.unit(1),
            "battery",
            limits or Limits(charge_max_w=5000, discharge_max_w=5000),
            self.clock,
            self.journal,
            take=self.readings.append,
            tell=self.news.append,
            rhythm=RHYTHM,
        )

    def pass_time(self, seconds: int, battery: SteeredBattery) -> None:
        for _ in range(seconds // 5):
            self.clock.advance(5)
            battery.turn()

    @property
    def outcomes(self) -> list[Outcome]:
        return [response.outcome for response in self.news]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, CellLimits(10_000, 5_000, 5_000), soc_permille=500)
    with ModbusServer([twin]) as server:
        link = ModbusLink(
            LinkSettings("127.0.0.1", server.port, timeout_s=5.0, retries=0, busy_retries=0)
        )
        yield Bench(clock, twin, link, tmp_path / "battery.json")
        link.close()


def schedule(*powers_w: int, command: int = 1) -> Schedule:
    steps = tuple(Step(NOON_S + 900 * place, power, 900) for place, power in enumerate(powers_w))
    return Schedule("battery", command, "plan-1", steps)


def test_a_set_point_is_in_the_battery_after_one_turn_with_its_revert_timer(bench: Bench) -> None:
    battery = bench.gateway()

    accepted = battery.accept(schedule(2000))
    battery.turn()

    assert accepted.outcome is Outcome.ACCEPTED
    assert bench.twin.power_w == 2000
    assert bench.outcomes == [Outcome.APPLIED]
    assert bench.news[0].setpoint_w == 2000


def test_a_quarter_of_charging_comes_back_as_readings(bench: Bench) -> None:
    battery = bench.gateway()
    battery.accept(schedule(2000))

    battery.turn()
    bench.pass_time(895, battery)

    last = bench.readings[-1].values
    assert last["charged_wh"] == 2000 * 895 // 3600
    assert last["battery_w"] == 2000
    assert last["setpoint_w"] == 2000


def test_the_battery_is_neutral_when_the_lease_has_ended(bench: Bench) -> None:
    battery = bench.gateway()
    battery.accept(schedule(2000))

    battery.turn()
    bench.pass_time(905, battery)

    assert bench.twin.power_w == 0
    assert battery.mode is Mode.NEUTRAL
    assert bench.outcomes == [Outcome.APPLIED, Outcome.NEUTRAL]


def test_a_gateway_that_dies_leaves_the_battery_neutral_within_its_revert_time(
    bench: Bench,
) -> None:
    battery = bench.gateway()
    battery.accept(schedule(2000))
    battery.turn()

    bench.clock.advance(89)
    before = bench.twin.power_w
    bench.clock.advance(1)

    assert (before, bench.twin.power_w) == (2000, 0)


def test_a_restart_releases_what_was_left_and_obeys_nothing_old(bench: Bench) -> None:
    first = bench.gateway()
    first.accept(schedule(2000, command=7))
    first.turn()

    second = bench.gateway()
    refused = second.accept(schedule(3000, command=7))
    second.turn()

    assert refused.outcome is Outcome.REFUSED
    assert bench.twin.power_w == 0


def test_an_orderly_stop_releases_the_battery(bench: Bench) -> None:
    battery = bench.gateway()
    battery.accept(schedule(2000))
    battery.turn()

    battery.stop()

    assert bench.twin.power_w == 0


def test_a_battery_that_was_never_steered_is_never_written_to(bench: Bench) -> None:
    bench.twin.faults.add(Fault.REFUSES)
    battery = bench.gateway()

    battery.turn()
    bench.pass_time(300, battery)
    battery.stop()

    assert bench.news == []
    assert bench.readings


@pytest.mark.parametrize("fault", [Fault.REFUSES, Fault.FORGETS, Fault.NO_TIMER])
def test_a_battery_that_does_not_hold_a_set_point_is_told_of_and_left_alone(
    bench: Bench, fault: Fault
) -> None:
    bench.twin.faults.add(fault)
    battery = bench.gateway()
    battery.accept(schedule(2000))

    battery.turn()
    bench.pass_time(30, battery)

    assert bench.outcomes == [Outcome.FAILED]
    assert bench.twin.power_w == 0
    assert battery.mode is Mode.NEUTRAL


def test_steering_goes_on_after_the_pause_when_the_battery_has_mended(bench: Bench) -> None:
    bench.twin.faults.add(Fault.FORGETS)
    battery = bench.gateway()
    battery.accept(schedule(2000))
    battery.turn()

    bench.twin.faults.clear()
    bench.pass_time(60, battery)

    assert bench.twin.power_w == 2000


def test_a_busy_battery_is_tried_again(bench: Bench) -> None:
    bench.twin.faults.add(Fault.BUSY)
    battery = bench.gateway()
    battery.accept(schedule(2000))
    battery.turn()

    bench.twin.faults.clear()
    bench.pass_time(5, battery)

    assert bench.twin.power_w == 2000


def test_a_battery_that_says_nothing_of_itself_is_not_steered(bench: Bench) -> None:
    bench.twin.faults.add(Fault.BLIND)
    battery = bench.gateway()
    battery.accept(schedule(2000))

    battery.turn()

    assert bench.twin.power_w == 0


def test_two_lost_writes_do_no_harm(bench: Bench) -> None:
    battery = bench.gateway()
    battery.accept(schedule(2000))
    battery.turn()

    bench.twin.faults.add(Fault.BUSY)
    bench.pass_time(60, battery)
    bench.twin.faults.clear()
    bench.pass_time(25, battery)

    assert bench.twin.power_w == 2000
    assert bench.twin.cell.charged_wh * 3600 == 2000 * 85


def test_a_command_beyond_the_battery_s_limits_is_cut_to_them(bench: Bench) -> None:
    battery = bench.gateway(Limits(charge_max_w=1500, discharge_max_w=1000))
    battery.accept(schedule(9000, -9000))

    battery.turn()
    first_w = bench.twin.power_w
    bench.pass_time(900, battery)

    assert (first_w, bench.twin.power_w) == (1500, -1000)


def test_a_command_that_cannot_be_remembered_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.journal = tmp_path / "away" / "battery.json"
    battery = bench.gateway()

    refused = battery.accept(schedule(2000))
    battery.turn()
    bench.journal.parent.mkdir()
    accepted = battery.accept(schedule(2000))

    assert (refused.outcome, accepted.outcome) == (Outcome.REFUSED, Outcome.ACCEPTED)
    assert "cannot be written" in refused.reason
    assert bench.twin.power_w == 0


def test_a_disk_that_goes_away_before_the_first_set_point_moves_nothing_until_it_is_back(
    bench: Bench, tmp_path: Path
) -> None:
    bench.journal = tmp_path / "kept" / "battery.json"
    bench.journal.parent.mkdir()
    battery = bench.gateway()
    battery.accept(schedule(2000))

    shutil.move(bench.journal.parent, tmp_path / "away")
    battery.turn()
    while_away_w = bench.twin.power_w
    shutil.move(tmp_path / "away", bench.journal.parent)
    bench.pass_time(60, battery)

    assert (while_away_w, bench.twin.power_w) == (0, 2000)
    assert bench.outcomes == [Outcome.FAILED, Outcome.APPLIED]


def test_a_battery_is_released_though_the_disk_is_away(bench: Bench, tmp_path: Path) -> None:
    bench.journal = tmp_path / "kept" / "battery.json"
    bench.journal.parent.mkdir()
    battery = bench.gateway()
    battery.accept(schedule(2000))
    battery.turn()

    shutil.move(bench.journal.parent, tmp_path / "away")
    battery.stop()

    assert bench.twin.power_w == 0
    assert bench.outcomes == [Outcome.APPLIED, Outcome.NEUTRAL]


def test_a_device_is_never_asked_more_than_it_says_it_can_do(bench: Bench) -> None:
    battery = bench.gateway(Limits(charge_max_w=9000, discharge_max_w=9000))
    battery.accept(schedule(8000, -8000))

    battery.turn()
    bench.pass_time(900, battery)

    asked = [news.setpoint_w for news in bench.news if news.outcome is Outcome.APPLIED]
    assert asked == [5000, -5000]


def test_a_set_point_at_the_fuse_s_limit_stays_where_it_is(bench: Bench) -> None:
    battery = bench.gateway(Limits(charge_max_w=5000, discharge_max_w=5000, import_max_w=6000))
    battery.accept(schedule(3000))
    told: list[int] = []

    for _ in range(20):
        # The others take 4500 W, and the meter tells each second what all take together.
        battery.see_grid(grid(4500 + bench.twin.power_w))
        battery.turn()
        told.append(bench.twin.power_w)
        bench.clock.advance(1)

    assert set(told) == {1500}


def test_a_set_point_on_its_way_is_told_of_where_it_leaves_and_where_it_arrives(
    bench: Bench,
) -> None:
    battery = bench.gateway(Limits(5000, 5000, full_power_s=300))
    battery.accept(schedule(2000))

    battery.turn()
    bench.pass_time(60, battery)
    halfway_w = bench.twin.power_w
    bench.pass_time(60, battery)

    assert (halfway_w, bench.twin.power_w) == (1000, 2000)
    told = [(news.outcome, news.reason, news.setpoint_w) for news in bench.news]
    assert told == [
        (Outcome.APPLIED, "plan, on its way", 0),
        (Outcome.APPLIED, "plan", 2000),
    ]


def grid(taken_w: int) -> Reading:
    return Reading("p1", "", NOON_S, {"import_w": taken_w, "export_w": 0})
