"""What a gateway costs: what it installs, what it holds in memory, and how busy it keeps a core.

One meter says a telegram a second, an inverter and a battery are asked every ten and five
seconds, and a second inverter every ten. The baseline of the same run is a Python that imports the
same libraries and does nothing.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from api.broker import BrokerProcess
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer, VirtualDevice
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.clock import SystemClock
from tests.journeys.command import PROGRAM

MOST_DISTRIBUTIONS = 10
MOST_BYTES = 40_000_000
MOST_RESIDENT_KB = 60_000
MOST_OF_A_CORE = 0.05
SECONDS = 60
LIBRARIES = "paho.mqtt.client, pymodbus.client, serial, cryptography.x509, zeroconf, segno"

SETTINGS = """
coop = "straat"
gateway = "gw-1"
folder = "gateway"

[broker]
url = "{broker}"

[[p1]]
address = "{p1}"

[[modbus]]
device = "inverter"
host = "127.0.0.1"
port = {modbus}
unit = 1

[[modbus]]
device = "second"
host = "127.0.0.1"
port = {modbus}
unit = 3

[[battery]]
host = "127.0.0.1"
port = {modbus}
unit = 2
charge_max_w = 5000
discharge_max_w = 5000
"""


def needed_by(name: str, extra: str = "") -> set[str]:
    """Return the distributions that one needs here, itself among them."""
    found, waiting = {name}, [(name, extra)]
    while waiting:
        one, chosen = waiting.pop()
        for line in distribution(one).requires or []:
            wanted = Requirement(line)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": chosen}):
                continue
            if wanted.name.lower() not in found:
                found.add(wanted.name.lower())
                waiting.append((wanted.name, ""))
    return found


def test_a_gateway_installs_ten_distributions_and_forty_megabytes() -> None:
    names = needed_by("kwartier", "gateway")
    sizes = {
        name: sum(
            Path(str(file.locate())).stat().st_size
            for file in distribution(name).files or []
            if Path(str(file.locate())).is_file()
        )
        for name in names - {"kwartier"}
    }
    rooms = ("kwartier", "hardware", "gateway", "collectors", "optimizer", "dashboards", "api")
    root = Path(__file__).resolve().parents[2]
    sizes["kwartier"] = sum(
        file.stat().st_size
        for room in rooms
        for file in (root / room).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    )

    print(f"\n{len(sizes)} distributions, {sum(sizes.values()) / 1e6:.1f} MB:")
    for name, size in sorted(sizes.items(), key=lambda each: -each[1]):
        print(f"  {name:14} {size / 1e6:6.2f} MB")
    assert {"paho-mqtt", "pymodbus", "pyserial", "cryptography"} <= names
    assert len(names) <= MOST_DISTRIBUTIONS
    assert sum(sizes.values()) <= MOST_BYTES


@pytest.mark.speed
@pytest.mark.broker
def test_a_gateway_takes_little_memory_and_little_of_a_core(tmp_path: Path) -> None:
    for folder in ("gateway", "broker"):
        (tmp_path / folder).mkdir()
    clock = SystemClock()
    meter, port = P1Meter("E0001"), P1TcpPort()
    devices: list[VirtualDevice] = [
        InverterTwin(5_000, unit=1),
        BatteryTwin(clock, CellLimits(10_000, 5_000, 5_000), unit=2),
        InverterTwin(3_000, unit=3),
    ]
    broker = BrokerProcess.on_spare_port(tmp_path / "broker")
    stop = threading.Event()
    with ModbusServer(devices) as server:
        settings = tmp_path / "gateway.toml"
        settings.write_text(
            SETTINGS.format(broker=broker.broker.url, p1=port.address, modbus=server.port)
        )
        talking = threading.Thread(
            target=port.run, args=(lambda: meter.telegram(int(clock.now_s())), stop), daemon=True
        )
        with (
            (tmp_path / "gateway.log").open("wb") as log,
            subprocess.Popen(
                [*PROGRAM, "gateway", "--config", str(settings)], stderr=log
            ) as gateway,
        ):
            try:
                assert port.wait_for_client(60)
                talking.start()
                _let_pass(10)
                before_s = cpu_s(gateway.pid)
                _let_pass(SECONDS)
                share = (cpu_s(gateway.pid) - before_s) / SECONDS
                resident_kb = memory_kb(gateway.pid)
            finally:
                stop.set()
                gateway.terminate()
                gateway.wait(60)
                talking.join()
                port.close()
                broker.stop()
    idle_kb = libraries_kb()
    with sqlite3.connect(tmp_path / "gateway" / "outbox.db") as outbox:
        kept = {device for (device,) in outbox.execute("SELECT DISTINCT device FROM block")}
    outbox.close()

    print(
        f"\nresident {resident_kb / 1000:.1f} MB ({resident_kb / idle_kb:.2f} times a Python with "
        f"the same libraries, {idle_kb / 1000:.1f} MB); {share:.1%} of a core"
    )
    assert kept == {"p1", "inverter", "second", "battery"}, (tmp_path / "gateway.log").read_text()
    assert resident_kb <= MOST_RESIDENT_KB
    assert share <= MOST_OF_A_CORE


def cpu_s(pid: int) -> float:
    """Return how long a process has been at work [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid: int) -> int:
    """Return what a process holds in memory [kB]."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def libraries_kb() -> int:
    """Return what a Python with the same libraries holds [kB]."""
    words = f"import {LIBRARIES}; print(open('/proc/self/status').read())"
    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    found = re.search(r"VmRSS:\s+(\d+) kB", ran.stdout)
    assert found is not None
    return int(found[1])


def _let_pass(seconds: float) -> None:
    """Let time pass: a rate is measured over it."""
    time.sleep(seconds)
