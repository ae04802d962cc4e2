"""The services of one street as an operator starts them: real processes, settings in TOML files.

Around them stand a real mosquitto, a virtual meter on a TCP port, and a virtual inverter and
battery behind one Modbus address. The battery's time stands still until a test moves it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from api.broker import BrokerProcess
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.bus import Message
from kwartier.clock import VirtualClock
from kwartier.errors import KwartierError
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading, Schedule, Step
from kwartier.schedule import Outcome, Response, decode_response, encode_schedule
from kwartier.units import EpochS, Watt
from kwartier.wire import ROOT, Address, Lane, decode_live, decode_state

COOP, GATEWAY = "straat", "gw-1"
PATIENCE_S = 120.0
LOOK_EVERY_S = 0.05
PROGRAM = [sys.executable, "-c", "from kwartier.cli import main; raise SystemExit(main())"]

METER_ONLY = """
coop = "straat"
gateway = "gw-1"
folder = "gateway"

[broker]
url = "{broker}"

[[p1]]
address = "{p1}"
"""
ALL_DEVICES = (
    METER_ONLY
    + """
[[modbus]]
device = "inverter"
host = "127.0.0.1"
port = {modbus}
unit = 1
every_s = 1
timeout_s = 20

[[battery]]
host = "127.0.0.1"
port = {modbus}
unit = 2
timeout_s = 20
charge_max_w = 5000
discharge_max_w = 5000
full_power_s = 0  # a bench: what a plan takes minutes for on purpose is tried elsewhere
stop_without_meter = false  # this street's meter speaks when a test says so
"""
)
COLLECTOR = """
coop = "straat"

[broker]
url = "{broker}"

[store]
path = "record.db"
"""


class Street:
    """Devices, a broker, and the two services; nothing runs before it is started."""

    def __init__(self, folder: Path) -> None:
        """Start the devices and the broker, and write the settings."""
        self.folder = folder
        self.meter = P1Meter("E0001")
        self.p1 = P1TcpPort()
        self.clock = VirtualClock(time.time())
        self.inverter = InverterTwin(5_000, unit=1)
        self.battery = BatteryTwin(self.clock, CellLimits(10_000, 5_000, 5_000), unit=2)
        self._modbus = ModbusServer([self.inverter, self.battery]).start()
        self.modbus_port = self._modbus.port
        (folder / "broker").mkdir()
        (folder / "gateway").mkdir()
        self.broker = BrokerProcess.on_spare_port(folder / "broker")
        self._processes: list[subprocess.Popen[bytes]] = []
        self.ear = Ear(MqttBus(self.broker.broker, Session("ear")))
        self._write("collect.toml", COLLECTOR)

    def start_collector(self) -> subprocess.Popen[bytes]:
        """Start ``kwartier collect`` and return once it hears the broker."""
        process = self._spawn("collect", self.folder / "collect.toml")
        self.until(lambda: "link is up" in self.words("collect"), "the collector has a link")
        return process

    def start_gateway(self, settings: str = ALL_DEVICES) -> subprocess.Popen[bytes]:
        """Start ``kwartier gateway``; it may still be on its way up when this returns."""
        return self._spawn("gateway", self._write("gateway.toml", settings))

    def start(self, command: str, settings: str) -> subprocess.Popen[bytes]:
        """Start another command on its settings, in which ``{broker}`` stands for the broker."""
        return self._spawn(command, self._write(f"{command}.toml", settings))

    def tell_register(self, at_s: EpochS) -> None:
        """Let the meter send one telegram to whoever reads it."""
        assert self.p1.wait_for_client(PATIENCE_S), self.last_words()
        assert self.p1.push(self.meter.telegram(at_s)) > 0

    def command(self, power_w: Watt, number: int) -> None:
        """Publish a schedule that holds from now on, as the planner does."""
        step = Step(int(time.time()) - 1, power_w, 900)
        schedule = Schedule("battery", number, f"plan-{number}", (step,))
        topic = Address(COOP, GATEWAY, Lane.COMMAND, "battery").topic
        self.ear.bus.publish(topic, encode_schedule(schedule))

    def points(self, device: str, name: str) -> list[tuple[EpochS, int]]:
        """Return what the record holds of one series; nothing while it is not ready."""
        try:
            with SqliteStore(self.folder / "record.db", read_only=True) as store:
                return store.points(DeviceKey(GATEWAY, device), name, 0, 2**40)
        except KwartierError:
            return []

    def until(self, reached: Callable[[], object], what: str) -> None:
        """Look until something is so, and fail with the processes' last words when it never is."""
        until_s = time.monotonic() + PATIENCE_S
        pause = threading.Event()
        while not reached():
            assert time.monotonic() < until_s, (
                f"not within {PATIENCE_S:g} s: {what}\n{self.ear.responses}\n{self.last_words()}"
            )
            pause.wait(LOOK_EVERY_S)

    def end(self, process: subprocess.Popen[bytes], how: signal.Signals) -> int:
        """Send a signal to a process and return its exit code."""
        process.send_signal(how)
        return process.wait(PATIENCE_S)

    def words(self, name: str) -> str:
        """Return what a service has logged so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def last_words(self) -> str:
        """Return the ends of both services' logs."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-2000:]}" for log in logs)

    def close(self) -> None:
        """End whatever still runs."""
        for process in self._processes:
            process.kill()
            process.wait()
        self.ear.bus.close()
        self.broker.kill()
        self._modbus.stop()
        self.p1.close()

    def _write(self, name: str, settings: str) -> Path:
        path = self.folder / name
        path.write_text(
            settings.format(
                broker=self.broker.broker.url, p1=self.p1.address, modbus=self._modbus.port
            )
        )
        return path

    def _spawn(self, command: str, settings: Path) -> subprocess.Popen[bytes]:
        with (
            (self.folder / f"{command}.log").open("ab") as log,
            (self.folder / f"{command}.out").open("wb") as told,
        ):
            process = subprocess.Popen(
                [*PROGRAM, command, "--config", str(settings)], stdout=told, stderr=log
            )
        self._processes.append(process)
        return process


class Ear:
    """Hears what the gateway says on the broker, in order."""

    def __init__(self, bus: MqttBus) -> None:
        """Listen to every lane that this is about."""
        self.bus = bus
        self.responses: list[Response] = []
        self.live: list[Reading] = []
        self.online: list[bool] = []
        bus.subscribe(f"{ROOT}/{COOP}/{GATEWAY}/#", self._heard)
        assert bus.wait_until_up(PATIENCE_S)

    def outcomes(self, number: int) -> list[Outcome]:
        """Return what was done with a command so far."""
        return [response.outcome for response in self.responses if response.command == number]

    def shown(self, device: str, name: str, value: int) -> bool:
        """Return whether a live reading of a device has told a value."""
        return any(
            reading.device == device and reading.values.get(name) == value for reading in self.live
        )

    def _heard(self, message: Message) -> None:
        match Address.parse(message.topic).lane:
            case Lane.RESPONSE:
                self.responses.append(decode_response(message.payload))
            case Lane.LIVE:
                self.live.append(decode_live(message.payload))
            case Lane.STATE:
                self.online.append(decode_state(message.payload).online)
            case _:
                pass
