"""A battery is trusted with steering only when it obeyed and let go by itself."""

from __future__ import annotations

import threading

import pytest

from gateway.commission.trial import try_steering
from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.steer.steering import find_steering
from hardware.sunspec import find_chain
from hardware.twins.battery import BatteryTwin, Fault
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from kwartier.clock import Clock, VirtualClock

LIMITS = CellLimits(capacity_wh=10_000, charge_max_w=5000, discharge_max_w=5000)


class Hurried:
    """A clock that is five seconds on each time somebody looks."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now_s(self) -> float:
        return self._clock.now_s()

    def monotonic_s(self) -> float:
        self._clock.advance(5)
        return self._clock.monotonic_s()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_781_431_980)


@pytest.fixture
def twin(clock: VirtualClock) -> BatteryTwin:
    return BatteryTwin(clock, LIMITS)


@pytest.mark.parametrize(
    ("fault", "obeyed", "reverted"),
    [
        (None, True, True),
        (Fault.NO_TIMER, False, False),
        (Fault.FORGETS, False, False),
        (Fault.REFUSES, False, False),
    ],
)
def test_what_it_did_is_told(
    clock: VirtualClock,
    twin: BatteryTwin,
    fault: Fault | None,
    obeyed: bool,
    reverted: bool,
) -> None:
    with ModbusServer([twin]) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port))
        chain = find_chain(link.unit(1))
        assert chain is not None
        steering = find_steering(link.unit(1), chain)
        assert steering is not None
        if fault is not None:
            twin.faults.add(fault)
        hurried: Clock = Hurried(clock)

        told = try_steering(steering, hurried, threading.Event(), 0.01)

        twin.faults.clear()
        held = steering.read_back()
        link.close()
    assert (told.obeyed, told.reverted, told.passed) == (obeyed, reverted, obeyed and reverted)
    assert bool(told.why) is not told.passed
    assert held.power_w is None
