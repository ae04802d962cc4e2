"""A roof on a bench: a virtual inverter, a home's use, its meter, and the gateway's side of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.steer.solar import CappedInverter
from gateway.steer.solar_settings import LimitedInverter
from gateway.steer.steering import SteeredUnit
from hardware.registers import HOLDING, RegistersRefusedError, Words
from hardware.twins.limited_inverter import LimitedInverterTwin, LimitFault
from hardware.twins.modbus_server import ModbusServer
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError
from kwartier.events import Event
from kwartier.reading import ClockSource, Reading

NOON_S = 1_782_900_000
RATED_W = 5_000
CAP_W = 1_000


class Wire:
    """The twin's registers without a socket, for days that would be too long on one."""

    def __init__(self, twin: LimitedInverterTwin) -> None:
        self._twin = twin
        self.reads = 0

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        del function_code
        self.reads += 1
        if LimitFault.SILENT in self._twin.faults:
            raise LinkDownError("asleep")
        ((base, words),) = self._twin.spans()
        if not base <= address <= address + count <= base + len(words):
            raise RegistersRefusedError("twin", address, count, "not there")
        return words[address - base : address - base + count]

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        del function_code
        code = self._twin.write(address, words)
        if code < 0:
            raise LinkDownError("asleep")
        if code:
            raise RegistersRefusedError("twin", address, len(words), f"exception {code}")


@dataclass
class Bench:
    """One second is: the meter speaks of now, then the gateway takes its turn."""

    clock: VirtualClock
    twin: LimitedInverterTwin
    unit: SteeredUnit
    folder: Path
    use_w: int = 0
    battery_w: int = 0
    period_s: int = 1
    late_s: int = 0
    speaks: bool = True
    events: list[Event] = field(default_factory=list)
    given_w: list[int] = field(default_factory=list)
    powers_w: list[int] = field(default_factory=list)
    second: int = 0

    def gateway(
        self, cap_w: int = CAP_W, rated_w: int = RATED_W, sharing: int = 1
    ) -> CappedInverter:
        link = LinkSettings("127.0.0.1")
        settings = LimitedInverter("roof", link, 1, cap_w, rated_w, "p1", sharing)
        return CappedInverter(
            self.unit, settings, self.clock, self.folder, event=self.events.append
        )

    def run(
        self,
        gateway: CappedInverter,
        seconds: int,
        each: Callable[[int], None] | None = None,
    ) -> None:
        """Let time pass; what the connection gave in each second is kept."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.second += 1
            if each is not None:
                each(self.second)
            power_w = self.twin.power_w
            given_w = power_w - self.use_w - self.battery_w
            self.given_w.append(given_w)
            self.powers_w.append(power_w)
            if self.speaks and self.second % self.period_s == 0:
                self.tell(gateway, self.given_w[-1 - min(self.late_s, len(self.given_w) - 1)])
            gateway.turn()

    def tell(self, gateway: CappedInverter, given_w: int) -> None:
        values = {"import_w": max(-given_w, 0), "export_w": max(given_w, 0)}
        at_s = int(self.clock.now_s())
        gateway.see_grid(Reading("p1", "E1", at_s, values, ClockSource.METER))

    def longest_over_s(self, cap_w: int = CAP_W) -> int:
        """Return for how many seconds on end the connection gave more than its cap."""
        longest = on_end = 0
        for given_w in self.given_w:
            on_end = on_end + 1 if given_w > cap_w else 0
            longest = max(longest, on_end)
        return longest


def bench_on_wire(folder: Path, at_s: int = NOON_S) -> Bench:
    """Return a bench whose registers are read directly, at an instant [s]."""
    clock = VirtualClock(at_s)
    twin = LimitedInverterTwin(clock, RATED_W)
    return Bench(clock, twin, Wire(twin), folder)


@contextmanager
def bench_on_socket(folder: Path) -> Iterator[Bench]:
    """Give a bench whose inverter is behind a real Modbus socket."""
    clock = VirtualClock(NOON_S)
    twin = LimitedInverterTwin(clock, RATED_W)
    with ModbusServer([twin]) as server:
        link = ModbusLink(
            LinkSettings("127.0.0.1", server.port, timeout_s=5.0, retries=0, busy_retries=0)
        )
        yield Bench(clock, twin, link.unit(1), folder)
        link.close()
