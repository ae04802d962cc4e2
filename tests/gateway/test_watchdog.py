"""The service manager is fed while every part turns, and not for a moment when one hangs."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from api.broker import BrokerProcess, mosquitto_program
from gateway.service import run_gateway
from gateway.settings import read_settings
from gateway.steer.battery import SteeredBattery
from gateway.steer.control import Limits
from gateway.watchdog import Manager, Watchdog
from hardware.registers import HOLDING, Words
from hardware.twins.p1_meter import P1TcpPort
from kwartier.clock import SystemClock, VirtualClock

PATIENCE_S = 60.0


@pytest.fixture(params=["path", "abstract"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    name = str(tmp_path / "notify") if request.param == "path" else f"@kwartier-{uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind("\0" + name[1:] if name.startswith("@") else name)
        bound.setblocking(False)
        yield bound, name


def heard(ear: socket.socket) -> list[str]:
    words: list[str] = []
    while True:
        try:
            words.append(ear.recv(4096).decode())
        except BlockingIOError:
            return words


class Part:
    def __init__(self) -> None:
        self.turns = 0

    def __call__(self) -> int:
        return self.turns


def test_it_says_when_it_is_ready_and_when_it_stops(ear: tuple[socket.socket, str]) -> None:
    bound, name = ear
    dog = Watchdog(Manager(name), {}, VirtualClock(0))

    dog.ready()
    dog.stopping()

    assert heard(bound) == ["READY=1", "STOPPING=1"]


def test_it_is_fed_at_half_its_time_while_all_parts_turn(ear: tuple[socket.socket, str]) -> None:
    bound, name = ear
    clock, keeper, battery = VirtualClock(0), Part(), Part()
    dog = Watchdog(Manager(name, 60.0), {"keeper": keeper, "battery": battery}, clock)

    for _ in range(120):
        clock.advance(1)
        keeper.turns += 1
        battery.turns += 1
        dog.turn()

    assert heard(bound) == ["WATCHDOG=1"] * 4


def test_one_part_that_hangs_stops_the_feeding_until_it_turns(
    ear: tuple[socket.socket, str],
) -> None:
    bound, name = ear
    clock, keeper, battery = VirtualClock(0), Part(), Part()
    dog = Watchdog(Manager(name, 60.0), {"keeper": keeper, "battery": battery}, clock)

    for _ in range(600):
        clock.advance(1)
        keeper.turns += 1
        dog.turn()
    hung = heard(bound)
    battery.turns += 1
    dog.turn()

    assert (hung, heard(bound)) == ([], ["WATCHDOG=1"])


class Blocking:
    """A device whose read does not return until it is let go."""

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        del address, function_code
        self.asked.set()
        assert self.let_go.wait(PATIENCE_S)
        return [0] * count

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        assert function_code == 16 or len(words) == 1
        raise AssertionError((address, words))


def test_a_battery_whose_read_never_returns_stops_the_feeding(
    tmp_path: Path, ear: tuple[socket.socket, str]
) -> None:
    bound, name = ear
    unit, clock = Blocking(), VirtualClock(0)
    battery = SteeredBattery(
        unit,
        "battery",
        Limits(5000, 5000),
        clock,
        tmp_path / "battery.json",
        take=lambda _: None,
        tell=lambda _: None,
    )
    dog = Watchdog(Manager(name, 60.0), {"battery": battery.count_turns}, clock)

    battery.start()
    assert unit.asked.wait(PATIENCE_S)
    for _ in range(10):
        clock.advance(60)
        dog.turn()
    while_stuck = heard(bound)
    unit.let_go.set()
    battery.stop()
    dog.turn()

    assert (while_stuck, heard(bound)) == ([], ["WATCHDOG=1"])


@pytest.mark.parametrize(
    ("environment", "manager"),
    [
        ({}, Manager()),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, Manager()),
        ({"NOTIFY_SOCKET": "/run/n"}, Manager("/run/n")),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "90000000"}, Manager("@n", 90.0)),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}, Manager("@n")),
        (
            {"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "9000000", "WATCHDOG_PID": str(os.getpid())},
            Manager("@n", 9.0),
        ),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "soon"}, Manager("@n")),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "0"}, Manager("@n")),
    ],
)
def test_what_the_manager_says_is_read(environment: dict[str, str], manager: Manager) -> None:
    assert Manager.of_environment(environment) == manager


def test_without_a_manager_nobody_is_told(tmp_path: Path) -> None:
    clock = VirtualClock(0)
    dog = Watchdog(Manager(), {}, clock)

    dog.ready()
    clock.advance(3600)
    dog.turn()

    assert dog.fed == 0
    assert not Manager(str(tmp_path / "nobody")).tell("READY=1")


@pytest.mark.broker
@pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed")
def test_a_gateway_says_that_it_is_ready_alive_and_stopping(
    tmp_path: Path, ear: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bound, name = ear
    bound.settimeout(PATIENCE_S)
    (tmp_path / "broker").mkdir()
    broker = BrokerProcess.on_spare_port(tmp_path / "broker")
    port, stop = P1TcpPort(), threading.Event()
    monkeypatch.setenv("NOTIFY_SOCKET", name)  # after the broker, which would tell it too
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    settings = tmp_path / "gateway.toml"
    settings.write_text(
        f'coop = "straat"\ngateway = "gw-1"\n[broker]\nurl = "{broker.broker.url}"\n'
        f'[[p1]]\naddress = "{port.address}"\n'
    )
    gateway = threading.Thread(
        target=run_gateway, args=(read_settings(settings), SystemClock(), stop)
    )

    gateway.start()
    words = [bound.recv(4096), bound.recv(4096)]
    stop.set()
    gateway.join(PATIENCE_S)
    while words[-1] != b"STOPPING=1":
        words.append(bound.recv(4096))
    port.close()
    broker.kill()

    assert words[:2] == [b"READY=1", b"WATCHDOG=1"]
