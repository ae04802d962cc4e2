"""A gateway's agent: readings go to disk and are shown, commands go to the battery they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gateway.agent import Agent, Manner
from gateway.keep.blocks import Shape
from gateway.keep.outbox import Outbox
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.identity import DeviceId
from kwartier.reading import Reading, Schedule, Step
from kwartier.schedule import Outcome, Response, decode_response, encode_schedule
from kwartier.wire import Address, GatewayState, Lane, decode_block, decode_live, decode_state

T0 = 1_767_225_600
"""2026-01-01T00:00Z [s]."""
SCHEDULE = Schedule("battery", 1, "plan-1", (Step(T0, 2_000, 900),))


class Battery:
    """Notes every schedule that reaches it, and accepts it."""

    def __init__(self) -> None:
        self.schedules: list[Schedule] = []

    def accept(self, schedule: Schedule) -> Response:
        self.schedules.append(schedule)
        return Response(schedule.device, schedule.command, Outcome.ACCEPTED, "plan", T0)


@dataclass
class Bench:
    """An agent on a bus inside this process, and everything that it said there."""

    agent: Agent
    bus: InProcessBus
    clock: VirtualClock
    battery: Battery
    outbox: Outbox
    heard: list[Message] = field(default_factory=list)

    def on(self, lane: Lane) -> list[bytes]:
        return [one.payload for one in self.heard if Address.parse(one.topic).lane is lane]

    def command(
        self, payload: bytes, device: DeviceId = "battery", *, gateway: str = "gw-1"
    ) -> None:
        self.bus.publish(Address("straat", gateway, Lane.COMMAND, device).topic, payload)

    def states(self) -> list[GatewayState]:
        return [decode_state(payload) for payload in self.on(Lane.STATE)]


def bench_on(bus: InProcessBus, folder: Path, manner: Manner | None = None) -> Bench:
    clock = VirtualClock(T0)
    outbox = Outbox(folder / "outbox.db", "gw-1", clock)
    agent = Agent("straat", "gw-1", outbox, bus, clock, manner)
    bench = Bench(agent, bus, clock, Battery(), outbox)
    bus.subscribe("nec/v1/#", bench.heard.append)
    return bench


@pytest.fixture
def bus() -> InProcessBus:
    return InProcessBus()


@pytest.fixture
def bench(bus: InProcessBus, tmp_path: Path) -> Iterator[Bench]:
    bench = bench_on(bus, tmp_path, Manner(shape=Shape(rows=1)))
    bench.agent.steer("battery", bench.battery)
    yield bench
    bench.outbox.close()


def reading(at_s: int, device: str = "p1") -> Reading:
    return Reading(device, "E0001", at_s, {"import_wh": 1_000, "import_w": 230})


def test_a_reading_is_on_disk_before_it_is_sent(bench: Bench) -> None:
    bench.agent.take(reading(T0))

    (kept,) = bench.outbox.read(range(1, 2))
    assert decode_block(kept.payload).readings() == [reading(T0)]
    assert bench.on(Lane.BLOCK) == []
    assert (bench.agent.taken, bench.agent.unacknowledged) == (1, 1)


def test_a_schedule_reaches_the_battery_it_names_and_is_answered(bench: Bench) -> None:
    bench.command(encode_schedule(SCHEDULE))

    assert bench.battery.schedules == [SCHEDULE]
    assert [decode_response(told).outcome for told in bench.on(Lane.RESPONSE)] == [Outcome.ACCEPTED]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"z\x00\x01",
        encode_schedule(SCHEDULE).replace(b'"v":1', b'"v":2'),
        encode_schedule(replace(SCHEDULE, steps=(Step(T0, 2_000, 901),))),
        encode_schedule(replace(SCHEDULE, command=0)),
        encode_schedule(replace(SCHEDULE, device="Battery !")),
    ],
    ids=["empty", "cut off", "not deflated", "version 2", "lease too long", "number 0", "no name"],
)
def test_a_command_that_is_not_understood_moves_nothing(bench: Bench, payload: bytes) -> None:
    bench.command(payload)

    assert bench.battery.schedules == []
    assert bench.on(Lane.RESPONSE) == []


def test_a_command_on_another_device_s_topic_moves_nothing(bench: Bench) -> None:
    other = Battery()
    bench.agent.steer("battery-2", other)

    bench.command(encode_schedule(SCHEDULE), "battery-2")

    assert bench.battery.schedules == other.schedules == []


def test_a_command_to_another_gateway_moves_nothing(bench: Bench) -> None:
    bench.command(encode_schedule(SCHEDULE), gateway="gw-2")

    assert bench.battery.schedules == []


def test_a_retained_command_moves_nothing(bus: InProcessBus, tmp_path: Path) -> None:
    topic = Address("straat", "gw-1", Lane.COMMAND, "battery").topic
    bus.publish(topic, encode_schedule(SCHEDULE), retain=True)
    bench = bench_on(bus, tmp_path)

    bench.agent.steer("battery", bench.battery)

    assert bench.battery.schedules == []
    bench.outbox.close()


def test_live_values_are_shown_at_most_once_a_second_for_each_device(bench: Bench) -> None:
    """Ten readings in each of three seconds, of two devices: three shown of each."""
    for second in range(3):
        for tenth in range(10):
            bench.agent.take(reading(T0 + second, "p1"))
            bench.agent.take(reading(T0 + second, "inverter"))
            bench.clock.advance(0.0625 if tenth < 9 else 1 - 9 * 0.0625)

    shown = [decode_live(payload) for payload in bench.on(Lane.LIVE)]

    assert [one.at_s for one in shown if one.device == "p1"] == [T0, T0 + 1, T0 + 2]
    assert [one.at_s for one in shown if one.device == "inverter"] == [T0, T0 + 1, T0 + 2]
    assert dict(shown[0].values) == {"import_wh": 1_000, "import_w": 230}


def test_nothing_is_shown_live_where_that_is_switched_off(
    bus: InProcessBus, tmp_path: Path
) -> None:
    bench = bench_on(bus, tmp_path, Manner(live_every_s=0))

    bench.agent.take(reading(T0))

    assert bench.on(Lane.LIVE) == []
    bench.outbox.close()


def test_the_newest_state_is_retained_and_says_when_the_gateway_left(bench: Bench) -> None:
    bench.agent.start()
    bench.agent.take(reading(T0))
    bench.agent.stop()

    late: list[Message] = []
    bench.bus.subscribe(Address("straat", "gw-1", Lane.STATE).topic, late.append)

    assert [state.online for state in bench.states()] == [True, False]
    assert [(one.retained, decode_state(one.payload).online) for one in late] == [(True, False)]
    left = bench.states()[-1]
    assert (left.epoch, left.at_s, left.unacknowledged) == (bench.outbox.position.epoch, T0, 1)


def test_a_stop_writes_down_the_readings_that_are_still_open(
    bus: InProcessBus, tmp_path: Path
) -> None:
    bench = bench_on(bus, tmp_path)
    bench.agent.start()
    bench.agent.take(reading(T0))
    before = bench.outbox.position.last

    bench.agent.stop()

    assert (before, bench.outbox.position.last) == (0, 1)
    bench.outbox.close()


def test_dropped_telegrams_are_counted_in_the_next_block(bench: Bench) -> None:
    bench.agent.crc_failed("p1", 3)
    bench.agent.take(reading(T0))

    (kept,) = bench.outbox.read(range(1, 2))
    assert decode_block(kept.payload).crc_failures == 3
