"""Whoever else writes, whatever the clock does and whenever we start: the battery is safe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.modbus.poll import Role, SunSpecPoll
from gateway.steer.battery import Rhythm, SteeredBattery
from gateway.steer.budget import WriteBudget
from gateway.steer.control import Limits, Mode
from gateway.steer.steering import Applied, Held, Ratings, Steering, find_steering
from gateway.steer.way import Way
from hardware.registers import HOLDING, RegistersRefusedError, Words
from hardware.sunspec import find_chain
from hardware.twins.battery import BatteryTwin, Fault
from hardware.twins.cell import CellLimits
from kwartier.clock import Clock, VirtualClock
from kwartier.reading import ClockSource, Reading, Schedule, Step
from kwartier.schedule import Outcome, Response

NOON_S = 1_782_900_000
OWN = Limits(charge_max_w=5000, discharge_max_w=5000)


class Wire:
    """The twin's registers without a socket between."""

    def __init__(self, twin: BatteryTwin) -> None:
        self.twin = twin
        self.writes = 0

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        del function_code
        ((base, words),) = self.twin.spans()
        found = words[max(0, address - base) : address - base + count]
        if address < base or len(found) != count:
            raise RegistersRefusedError("twin", address, count, "no such registers")
        return found

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        assert function_code == 16 or len(words) == 1
        self.writes += 1
        if self.twin.write(address, words):
            raise RegistersRefusedError("twin", address, len(words), "refused")


class WallClock:
    """A mutant: counts its leases on the wall's time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock

    def now_s(self) -> float:
        return self.clock.now_s()

    def monotonic_s(self) -> float:
        return self.clock.now_s()


@dataclass
class Bench:
    folder: Path
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOON_S))
    readings: list[Reading] = field(default_factory=list)
    news: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.twin = BatteryTwin(self.clock, CellLimits(100_000, 5_000, 5_000), soc_permille=500)
        self.wire = Wire(self.twin)

    def gateway(
        self,
        limits: Limits = OWN,
        clock: Clock | None = None,
        way: Way | None = None,
    ) -> SteeredBattery:
        return SteeredBattery(
            self.wire,
            "battery",
            limits,
            clock or self.clock,
            self.folder / "battery.json",
            take=self.readings.append,
            tell=self.news.append,
            rhythm=Rhythm(),
            way=way,
            synchronised=self.folder / "synchronised",
        )

    def pass_time(self, seconds: int, *batteries: SteeredBattery, step_s: int = 5) -> None:
        for _ in range(seconds // step_s):
            self.clock.advance(step_s)
            for battery in batteries:
                battery.turn()

    def somebody_writes(self, power_w: int) -> None:
        chain = find_chain(self.wire)
        assert chain is not None
        steering = find_steering(self.wire, chain)
        assert steering is not None
        steering.setpoint(power_w, 3600)

    def told(self, outcome: Outcome) -> list[str]:
        return [response.reason for response in self.news if response.outcome is outcome]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def schedule(*powers_w: int, command: int = 1, lease_s: int = 900) -> Schedule:
    steps = tuple(
        Step(NOON_S + 900 * place, power, lease_s) for place, power in enumerate(powers_w)
    )
    return Schedule("battery", command, "plan-1", steps)


def steered(bench: Bench, *powers_w: int) -> SteeredBattery:
    battery = bench.gateway()
    battery.accept(schedule(*powers_w))
    battery.turn()
    assert bench.twin.power_w == powers_w[0]
    return battery


def test_a_foreign_write_is_seen_within_thirty_seconds_and_left_alone(bench: Bench) -> None:
    battery = steered(bench, 2000)

    bench.somebody_writes(-3000)
    bench.pass_time(30, battery)

    (why,) = bench.told(Outcome.FAILED)
    assert why.startswith("foreign write: the battery holds -3000 W where we wrote 2000 W")
    battery.stop()
    assert bench.twin.power_w == -3000


def test_a_foreign_write_is_told_of_while_nothing_is_steered(bench: Bench) -> None:
    battery = bench.gateway()
    battery.turn()

    bench.somebody_writes(1500)
    bench.pass_time(60, battery)

    assert len(bench.told(Outcome.FAILED)) == 1
    assert bench.twin.power_w == 1500


def test_what_somebody_else_put_there_is_not_overwritten(bench: Bench) -> None:
    bench.somebody_writes(1500)
    battery = bench.gateway()
    battery.accept(schedule(-2000))

    bench.pass_time(300, battery)

    assert bench.twin.power_w == 1500
    assert Outcome.APPLIED not in [response.outcome for response in bench.news]


def test_steering_begins_when_the_other_program_has_let_go(bench: Bench) -> None:
    bench.somebody_writes(1500)
    battery = bench.gateway()
    battery.accept(schedule(*[-2000] * 8))
    bench.pass_time(60, battery)

    bench.pass_time(3_700, battery, step_s=20)

    assert bench.twin.power_w == -2000


def test_a_restart_leaves_alone_what_somebody_wrote_after_the_crash(bench: Bench) -> None:
    steered(bench, 2000)
    bench.somebody_writes(-3000)

    second = bench.gateway()
    second.turn()

    assert bench.twin.power_w == -3000
    assert bench.told(Outcome.FAILED)[0].startswith("foreign write: the battery holds -3000 W")


def test_a_restart_finds_its_set_point_gone_and_writes_nothing(bench: Bench) -> None:
    steered(bench, 2000)
    bench.clock.advance(90)
    before = bench.wire.writes

    bench.gateway().turn()

    assert bench.wire.writes == before


def test_a_set_point_that_the_device_lost_is_written_again(bench: Bench) -> None:
    battery = steered(bench, 2000)
    chain = find_chain(bench.wire)
    assert chain is not None
    steering = find_steering(bench.wire, chain)
    assert steering is not None

    steering.release()  # as a device does that restarts
    bench.pass_time(5, battery)

    assert bench.twin.power_w == 2000


def test_a_battery_that_does_not_move_is_told_of_and_released(bench: Bench) -> None:
    bench.twin.faults.add(Fault.DEAF)
    battery = bench.gateway()
    battery.accept(schedule(2000))

    bench.pass_time(70, battery)

    (why,) = bench.told(Outcome.FAILED)
    assert why == "steering failed: told 2000 W, it does 0 W for 60 s: is it switched on?"
    bench.twin.faults.clear()
    assert bench.twin.power_w == 0


def test_a_full_battery_that_takes_less_is_no_failure(bench: Bench) -> None:
    bench.twin = BatteryTwin(bench.clock, CellLimits(100_000, 5_000, 5_000), soc_permille=930)
    bench.wire.twin = bench.twin
    battery = bench.gateway()
    battery.accept(schedule(2000))
    battery.turn()
    bench.twin.faults.add(Fault.DEAF)

    bench.pass_time(120, battery)

    assert bench.told(Outcome.FAILED) == []


def test_a_small_jump_of_the_wall_s_clock_moves_no_lease(bench: Bench) -> None:
    battery = steered(bench, 2000)

    bench.clock.jump(-50)
    bench.pass_time(895, battery)
    before_w = bench.twin.power_w
    bench.pass_time(5, battery)

    assert (before_w, bench.twin.power_w) == (2000, 0)


def test_the_mutant_that_counts_leases_on_the_wall_s_time_is_caught(bench: Bench) -> None:
    battery = bench.gateway(clock=WallClock(bench.clock))
    battery.accept(schedule(2000))
    battery.turn()

    bench.clock.jump(-50)
    bench.pass_time(900, battery)

    assert bench.twin.power_w == 2000  # its lease has ended, and it goes on


@pytest.mark.parametrize("jump_s", [-7200.0, -61.0, 61.0, 86_400.0])
def test_a_clock_that_jumps_stops_the_steering(bench: Bench, jump_s: float) -> None:
    battery = steered(bench, *[2000] * 8)

    bench.clock.jump(jump_s)
    battery.turn()
    refused = battery.accept(schedule(*[1000] * 96, command=2))

    assert bench.twin.power_w == 0
    assert battery.mode is Mode.NEUTRAL
    assert refused.outcome is Outcome.REFUSED


def test_a_clock_that_is_set_right_again_goes_on_with_the_plan(bench: Bench) -> None:
    battery = steered(bench, *[2000] * 8)
    bench.clock.jump(3600)
    battery.turn()

    bench.clock.jump(-3600)
    battery.turn()

    assert bench.twin.power_w == 2000


def test_the_meter_proves_a_new_time_and_the_plan_is_laid_on_it(bench: Bench) -> None:
    battery = steered(bench, 2000, -1000)
    bench.clock.jump(900)
    battery.turn()

    battery.see_grid(word(0, at_s=int(bench.clock.now_s())))
    battery.turn()

    assert bench.twin.power_w == -1000


def test_a_meter_with_another_time_proves_nothing(bench: Bench) -> None:
    battery = steered(bench, 2000, -1000)
    bench.clock.jump(900)
    battery.turn()

    battery.see_grid(word(0, at_s=NOON_S))
    battery.turn()

    assert bench.twin.power_w == 0


def test_a_restart_is_neutral_first_and_then_goes_on_with_the_plan(bench: Bench) -> None:
    steered(bench, *[2000] * 4)

    second = bench.gateway()
    second.turn()
    first_w = bench.twin.power_w
    bench.pass_time(55, second)
    waiting_w = bench.twin.power_w
    bench.pass_time(5, second)

    assert (first_w, waiting_w, bench.twin.power_w) == (0, 0, 2000)


def rebooted(bench: Bench) -> None:
    """Make the journal one of an earlier life of the machine."""
    path = bench.folder / "battery.json"
    told = json.loads(path.read_text())
    told["accepted"][2] = "another life"
    path.write_text(json.dumps(told))


@pytest.mark.parametrize("proof", ["meter", "clock service"])
def test_after_a_reboot_the_plan_waits_until_the_time_is_known(bench: Bench, proof: str) -> None:
    steered(bench, *[2000] * 8)
    bench.clock.advance(95)
    rebooted(bench)

    second = bench.gateway()
    bench.pass_time(300, second)
    unknown_w = bench.twin.power_w
    if proof == "meter":
        second.see_grid(word(0, at_s=int(bench.clock.now_s())))
    else:
        (bench.folder / "synchronised").touch()
    second.turn()

    assert (unknown_w, bench.twin.power_w) == (0, 2000)


def test_a_plan_whose_leases_ended_while_the_gateway_was_off_does_nothing(bench: Bench) -> None:
    steered(bench, 2000)
    bench.clock.advance(2_000)

    second = bench.gateway()
    bench.pass_time(120, second)

    assert bench.twin.power_w == 0


def test_a_day_s_plan_is_carried_out_alone_with_a_restart_in_the_middle(bench: Bench) -> None:
    powers_w = [1000, -1000, 2000, -2000, 500, -500, 0, 1500]
    battery = bench.gateway()
    battery.accept(schedule(*powers_w))
    battery.turn()
    done: list[int] = []

    for quarter in range(8):
        if quarter == 3:  # nobody is told, and nobody sends anything
            battery = bench.gateway()
        bench.pass_time(450, battery, step_s=30)
        done.append(bench.twin.power_w)
        bench.pass_time(450, battery, step_s=30)

    assert done == powers_w
    assert bench.twin.power_w == 0


def test_a_silent_meter_releases_a_battery_that_needs_it(bench: Bench) -> None:
    battery = bench.gateway(Limits(5000, 5000, fuse_a=25))
    battery.accept(schedule(2000))
    for _ in range(10):
        battery.see_grid(word(500 + bench.twin.power_w))
        battery.turn()
        bench.clock.advance(1)
    spoken_w = bench.twin.power_w

    bench.pass_time(4, battery, step_s=1)

    assert (spoken_w, bench.twin.power_w) == (2000, 0)


def test_a_wish_at_the_meter_is_followed_through_the_registers(bench: Bench) -> None:
    steps = (Step(NOON_S, 0, 900, -1_000),)
    battery = bench.gateway(Limits(5000, 5000, fuse_a=25))
    battery.accept(Schedule("battery", 1, "plan-1", steps))
    met: list[int] = []

    for second in range(60):
        others_w = 400 if second < 30 else 2_400
        met.append(others_w + bench.twin.power_w)
        battery.see_grid(word(met[-1]))
        battery.turn()
        bench.clock.advance(1)

    assert set(met[5:30]) == {-1_000}
    assert set(met[40:]) == {-1_000}


def test_a_register_that_wears_out_is_written_only_so_often_a_day(bench: Bench) -> None:
    battery = bench.gateway(way=wearing(bench))
    battery.accept(schedule(*[1000, -1000] * 48))

    bench.pass_time(8 * 3600, battery, step_s=30)
    spent = bench.wire.writes
    bench.pass_time(3600, battery, step_s=30)

    assert spent <= 200
    assert bench.wire.writes <= 200
    assert any("wears out and was written 180 times today" in why for why in failures(bench))
    assert bench.twin.power_w == 0


def test_the_budget_of_the_day_outlives_a_restart(bench: Bench) -> None:
    battery = bench.gateway(way=wearing(bench))
    battery.accept(schedule(*[1000, -1000] * 48))
    bench.pass_time(3 * 3600, battery, step_s=30)
    written = bench.wire.writes

    again = bench.gateway(way=wearing(bench))
    bench.pass_time(300, again, step_s=30)

    assert written >= 180
    assert bench.wire.writes <= 200


class Worn:
    """A steering whose every set-point and release wears one register out."""

    def __init__(self, inner: Steering, budget: WriteBudget) -> None:
        self.inner, self.budget = inner, budget

    def ratings(self) -> Ratings:
        return self.inner.ratings()

    def setpoint(self, power_w: int, revert_s: int) -> Applied:
        self.budget.spend([47_511])
        return self.inner.setpoint(power_w, revert_s)

    def read_back(self) -> Held:
        return self.inner.read_back()

    def release(self) -> None:
        self.budget.spend([47_511], release=True)
        self.inner.release()


def wearing(bench: Bench) -> Way:
    poll = SunSpecPoll(bench.wire, "battery", Role.BATTERY, bench.clock)
    budget = WriteBudget(bench.folder / "battery.writes.json", bench.clock)

    def steering() -> Steering:
        found = find_steering(bench.wire, poll.chain)
        assert found is not None
        return Worn(found, budget)

    return Way(poll, steering)


def failures(bench: Bench) -> Sequence[str]:
    return bench.told(Outcome.FAILED)


def word(taken_w: int, at_s: int = NOON_S) -> Reading:
    values = {"import_w": max(0, taken_w), "export_w": max(0, -taken_w)}
    return Reading("p1", "", at_s, values, ClockSource.METER)
