"""A whole gateway keeps its connection's cap by itself, also with no server anywhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from gateway.service import run_gateway
from gateway.settings import read_settings
from gateway.steer.control import Controller, Limits, Seen
from hardware.twins.limited_inverter import LimitedInverterTwin
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.clock import SystemClock
from kwartier.reading import Schedule, Step
from tests.gateway.solar_bench import NOON_S, bench_on_wire

PATIENCE_S = 60.0


def until(fact: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < end_s, "it never came true"
        time.sleep(0.01)


def test_from_the_meters_cable_to_the_inverters_register_and_back(tmp_path: Path) -> None:
    clock, stop, silence = SystemClock(), threading.Event(), threading.Event()
    twin, port, meter = LimitedInverterTwin(clock, 5_000), P1TcpPort(), P1Meter("E-VIRTUAL")
    twin.sun_w = 5_000

    def telegram() -> bytes:
        meter.power_w = 600 - twin.power_w
        return meter.telegram(int(clock.now_s()))

    with ModbusServer([twin]) as server:
        path = tmp_path / "gateway.toml"
        path.write_text(
            'coop = "straat"\ngateway = "gw-1"\n[broker]\nurl = "mqtt://127.0.0.1:1"\n'
            f'[[p1]]\naddress = "{port.address}"\n'
            f'[[modbus]]\ndevice = "roof"\nhost = "127.0.0.1"\nport = {server.port}\n'
            '[[solar_limit]]\ndevice = "roof"\nexport_max_w = 1000\nrated_w = 5000\n'
        )
        gateway = threading.Thread(target=run_gateway, args=(read_settings(path), clock, stop))
        street = threading.Thread(target=port.run, args=(telegram, silence))
        gateway.start()
        assert port.wait_for_client(PATIENCE_S)
        street.start()

        until(lambda: twin.limited == (3_100, 1))  # 1000 W, 600 W of the home, less 50 W
        made_w = twin.power_w
        stop.set()
        gateway.join(PATIENCE_S)
        silence.set()
        street.join(PATIENCE_S)
        port.close()

    assert made_w == 1_550
    assert twin.limited == (10_000, 0)
    assert twin.power_w == 5_000


def test_a_battery_with_a_lower_cap_takes_what_the_inverter_would_have_to_leave(
    tmp_path: Path,
) -> None:
    bench = bench_on_wire(tmp_path)
    bench.twin.sun_w, bench.use_w = 4_000, 300
    gateway = bench.gateway(cap_w=1_000)
    battery = Controller(Limits(3_000, 3_000, export_max_w=800))
    plan = Schedule("battery", 1, "p", (Step(NOON_S, 0, 900),))
    battery.accept(plan, NOON_S, 0.0)
    word = (0, 0.0)

    def look(second: int) -> None:
        nonlocal word
        at_s = float(second)
        if second > 1:
            word = -bench.given_w[-1], at_s - 1
        seen = Seen(500, bench.battery_w, word[0], 1.0, 1.0, {}, *word, grid_at_s=word[1])
        bench.battery_w = battery.decide(seen, at_s).power_w or 0

    bench.run(gateway, 400, look)

    assert bench.longest_over_s(1_000) == 1
    assert bench.powers_w[-1] == 4_000  # the whole sun
    assert bench.given_w[-1] == 800
    assert bench.battery_w == 2_900
