"""Devices are asked at their own pace; a silent one is asked less and holds nobody up."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gateway.modbus.breaker import UnitPausedError
from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.modbus.poll import Role, SunSpecPoll
from gateway.modbus.poller import Asked, Poller
from hardware.registers import RegistersRefusedError
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer
from kwartier.clock import VirtualClock
from kwartier.errors import KwartierError, LinkDownError
from kwartier.reading import Reading

NOON_S = 1_782_900_000


class Device:
    """Answers, or fails as it is told to; each question may take its time."""

    def __init__(self, name: str, clock: VirtualClock) -> None:
        self.name = name
        self.error: KwartierError | None = None
        self.takes_s = 0.0
        self.asked_at_s: list[float] = []
        self._clock = clock

    def read(self) -> Reading:
        self.asked_at_s.append(self._clock.monotonic_s())
        self._clock.advance(self.takes_s)
        if self.error is not None:
            raise self.error
        return Reading(self.name, "", int(self._clock.now_s()), {"solar_w": 1})


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON_S)


def run(poller: Poller, clock: VirtualClock, seconds: int) -> None:
    """Take a turn each second, as the thread does every half second."""
    until_s = clock.monotonic_s() + seconds
    while clock.monotonic_s() < until_s:
        poller.turn()
        clock.advance(1.0)


def test_each_device_is_asked_at_its_own_pace(clock: VirtualClock) -> None:
    quick, slow = Device("quick", clock), Device("slow", clock)
    taken: list[Reading] = []
    poller = Poller([Asked("quick", quick, 5.0), Asked("slow", slow, 20.0)], clock, taken.append)

    run(poller, clock, 40)

    assert quick.asked_at_s == [0, 5, 10, 15, 20, 25, 30, 35]
    assert slow.asked_at_s == [0, 20]
    assert [reading.device for reading in taken].count("quick") == 8


def test_a_silent_device_is_asked_less_and_less_but_at_least_every_five_minutes(
    clock: VirtualClock,
) -> None:
    """The pause grows by 2 s with each failure: 2, 4, 6 … and ends at 300 s."""
    away = Device("away", clock)
    away.error = LinkDownError("no answer")
    poller = Poller([Asked("away", away, 1.0)], clock, lambda _: None)

    run(poller, clock, 24_000)

    pauses = [later - at for at, later in zip(away.asked_at_s, away.asked_at_s[1:], strict=False)]
    assert pauses[:5] == [2, 4, 6, 8, 10]
    assert max(pauses) == pauses[-1] == 300


@pytest.mark.parametrize(
    "error", [LinkDownError("no answer"), RegistersRefusedError("here", 40_000, 2, "no such")]
)
def test_a_device_that_mended_is_asked_at_its_own_pace_again(
    clock: VirtualClock, error: KwartierError
) -> None:
    device = Device("inverter", clock)
    device.error = error
    taken: list[Reading] = []
    poller = Poller([Asked("inverter", device, 5.0)], clock, taken.append)
    run(poller, clock, 60)

    device.error = None
    run(poller, clock, 60)
    mended = device.asked_at_s[-3:]

    assert [mended[1] - mended[0], mended[2] - mended[1]] == [5, 5]
    assert taken


def test_the_pause_of_a_silent_device_begins_when_its_time_out_is_over(
    clock: VirtualClock,
) -> None:
    """With a time-out of 6 s and a pause of 2 s it is asked at 0 and 8, and not at once again."""
    away, other = Device("away", clock), Device("other", clock)
    away.error, away.takes_s = LinkDownError("no answer within 6 s"), 6.0
    poller = Poller([Asked("away", away, 1.0), Asked("other", other, 1.0)], clock, lambda _: None)

    run(poller, clock, 10)

    assert away.asked_at_s == [0, 8]
    assert len(other.asked_at_s) >= 3


def test_a_silent_device_on_the_same_link_does_not_keep_another_from_being_read() -> None:
    clock = VirtualClock(NOON_S)
    silent, awake = InverterTwin(5_000, unit=1), InverterTwin(5_000, unit=2)
    silent.silent = True
    awake.show(1_200, 99)
    taken: list[Reading] = []
    with ModbusServer([silent, awake]) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port, timeout_s=0.5, retries=0))
        devices = [
            Asked(name, SunSpecPoll(link.unit(unit), name, Role.SOLAR, clock), 1.0)
            for unit, name in ((1, "silent"), (2, "awake"))
        ]
        poller = Poller(devices, clock, taken.append)

        for _ in range(60):
            if taken:
                break
            poller.turn()
            clock.advance(1.0)
        link.close()

    assert (taken[0].device, taken[0].values) == ("awake", {"solar_w": 1_200, "produced_wh": 99})
    assert devices[0].failures > 0


def test_a_reading_that_tells_nothing_is_not_taken(clock: VirtualClock) -> None:
    class Empty(Device):
        def read(self) -> Reading:
            super().read()
            return Reading(self.name, "", NOON_S, {})

    taken: list[Reading] = []

    Poller([Asked("empty", Empty("empty", clock), 1.0)], clock, taken.append).turn()

    assert taken == []


@pytest.fixture
def running(clock: VirtualClock) -> Iterator[tuple[Poller, threading.Event]]:
    asked = threading.Event()

    class Heard(Device):
        def read(self) -> Reading:
            asked.set()
            return super().read()

    poller = Poller([Asked("inverter", Heard("inverter", clock), 1.0)], clock, lambda _: None)
    poller.start()
    yield poller, asked
    poller.stop()


def test_it_asks_on_a_thread_of_its_own_until_it_is_stopped(
    running: tuple[Poller, threading.Event],
) -> None:
    poller, asked = running

    assert asked.wait(60)
    poller.stop()

    assert "poll inverter" not in {thread.name for thread in threading.enumerate()}


def test_a_unit_that_is_left_alone_is_not_counted_as_failed_again(clock: VirtualClock) -> None:
    """Every 2 s while the line leaves it alone, and at its own pace at once when it answers."""
    device = Device("inverter", clock)
    device.error = UnitPausedError("silent 1 times in a row")
    asked = Asked("inverter", device, 1.0)
    poller = Poller([asked], clock, lambda _: None)
    run(poller, clock, 10)

    device.error = None
    run(poller, clock, 3)

    assert asked.failures == 0
    assert device.asked_at_s == [0, 2, 4, 6, 8, 10, 11, 12]
