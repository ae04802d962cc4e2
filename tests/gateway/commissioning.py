"""A home to bring on the air: a meter on a pty, an inverter with its sign swapped, a clock.

Time stands still until somebody lets it pass: each second the meter sends one telegram over the
pty and the wizard's bench works it through before the next.
"""

from __future__ import annotations

import os
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from gateway.commission.bench import Bench
from gateway.commission.door import Door
from gateway.commission.server import WizardServer
from gateway.commission.wizard import Wizard
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.p1_meter import P1Meter
from kwartier.clock import VirtualClock

NOON_S = int(datetime(2026, 6, 14, 10, 0, tzinfo=UTC).timestamp())
PATIENCE_S = 60.0
BASE_W = 400
KETTLE_W = 1900
TELL_EVERY_S = 0.05
"""How often the server may be told how it stands, so that a test does not wait for it [s]."""


@dataclass(slots=True)
class Home:
    """What stands in the home."""

    clock: VirtualClock
    meter_end: int
    cable: str
    inverter: InverterTwin
    bench: Bench
    wizard: Wizard
    server: WizardServer
    door: Door
    meter: P1Meter = field(default_factory=lambda: P1Meter("E0044007123456789"))
    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - a test
    kettle: bool = False
    sun_w: float = 2500.0
    _target_w: float = 2500.0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def wait_for_meter(self) -> None:
        """Send telegrams until the line is open and the first is worked through."""
        end = time.monotonic() + PATIENCE_S
        while not self.bench.turns:
            assert time.monotonic() < end, "nothing was read from the cable"
            os.write(self.meter_end, self._telegram())
            time.sleep(0.02)
        heard = -1
        while heard != self.bench.turns:
            heard = self.bench.turns
            time.sleep(0.1)

    def pass_time(self, seconds: int) -> None:
        """Let seconds pass, one telegram each."""
        for _ in range(seconds):
            self.clock.advance(1)
            turns = self.bench.turns
            os.write(self.meter_end, self._telegram())
            end = time.monotonic() + PATIENCE_S
            while self.bench.turns == turns:
                assert time.monotonic() < end, "a telegram was lost"
                time.sleep(0.0005)

    def _telegram(self) -> bytes:
        if self.random.random() < 1 / 30:
            self._target_w = 2500 + self.random.uniform(-1, 1) * 1500
        self.sun_w += (self._target_w - self.sun_w) / 10
        self.inverter.show(-round(self.sun_w), 1_000_000)
        used = BASE_W + round(self.random.gauss(0, 20)) + (KETTLE_W if self.kettle else 0)
        self.meter.power_w = used - round(self.sun_w)
        return self.meter.telegram(int(self.clock.now_s()))


@contextmanager
def home(folder: Path, clock: VirtualClock | None = None, server_url: str = "") -> Iterator[Home]:
    """A home whose inverter tells production as consumption; without internet unless told."""
    meter_end, gateway_end = os.openpty()
    tty.setraw(gateway_end)
    cable = os.ttyname(gateway_end)
    clock = clock or VirtualClock(NOON_S)
    inverter = InverterTwin(5000, serial="INV-2024-0042")
    with ModbusServer([inverter]) as devices:
        wizard = Wizard(
            folder,
            clock,
            lambda take: Bench(clock, lambda: [cable], take),
            lambda: [("127.0.0.1", devices.port)],
            server_url,
        )
        wizard.tell_every_s = TELL_EVERY_S
        door = Door(folder, wizard.book, clock)
        server = WizardServer("127.0.0.1", 0, wizard, door)
        server.look_every_ms = 200
        serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        serving.start()
        wizard.start()
        made = Home(clock, meter_end, cable, inverter, wizard.bench, wizard, server, door)
        try:
            yield made
        finally:
            server.shutdown()
            server.server_close()
            wizard.stop()
            os.close(gateway_end)
            os.close(meter_end)
