"""How fast registers come through the link, against a raw socket on the same server and run."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from statistics import median
from typing import TypeAlias

import pytest
from pymodbus.client import ModbusTcpClient

from gateway.modbus.line import LinkSettings
from gateway.modbus.link import Lane, ModbusLink
from gateway.modbus.poll import ProfilePoll, Role, SunSpecPoll
from hardware.profile import load_profile
from hardware.registers import HOLDING, Image, Words
from hardware.twins.modbus_server import RecordedDevice
from hardware.twins.sunspec_image import device_words, model_words
from hardware.twins.temper import Temper, TemperedServer
from kwartier.clock import VirtualClock

pytestmark = pytest.mark.speed

READS = 2000
ROUNDS = 5
COUNT = 100
NOON_S = 1_782_900_000


def timed(read: Callable[[], object]) -> float:
    """Return reads a second."""
    began_s = time.perf_counter()
    for _ in range(READS):
        read()
    return READS / (time.perf_counter() - began_s)


def raw_read(to: socket.socket, asked: bytes) -> None:
    """Read as plainly as can be."""
    to.sendall(asked)
    came = b""
    while len(came) < 9 + 2 * COUNT:
        came += to.recv(4096)


def test_reads_through_the_link_against_a_raw_socket_and_pymodbus_alone() -> None:
    image = Image.of_blocks("device", [(0, list(range(COUNT)))])
    asked = bytes.fromhex("000100000006010300000064")
    rounds = []
    with TemperedServer([RecordedDevice(1, image)], Temper()) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port))
        alone = ModbusTcpClient("127.0.0.1", port=server.port)
        alone.connect()  # type: ignore[no-untyped-call]  # theirs is untyped
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(ROUNDS):
                raw = timed(lambda: raw_read(plain, asked))
                theirs = timed(lambda: alone.read_holding_registers(0, count=COUNT, device_id=1))
                ours = timed(lambda: link.read(1, 0, COUNT))
                rounds.append((ours, ours / raw, ours / theirs))
        alone.close()  # type: ignore[no-untyped-call]  # theirs is untyped
        link.close()

    speed, of_raw, of_theirs = (median(column) for column in zip(*rounds, strict=True))
    print(
        f"\n{COUNT} registers: {speed:.0f} reads/s, {of_raw:.2f} of a raw socket, "
        f"{of_theirs:.2f} of pymodbus alone"
    )
    assert of_theirs > 0.6


def test_a_command_overtakes_eight_readers() -> None:
    """The time a write waits while eight threads read as fast as they can."""
    image = Image.of_blocks("device", [(0, list(range(COUNT)))])
    waits_s = []
    with TemperedServer([RecordedDevice(1, image)], Temper()) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port))
        stop = threading.Event()

        def read(lane: Lane) -> None:
            while not stop.is_set():
                link.read(1, 0, COUNT, HOLDING, lane)

        lanes = [Lane.OWN] * 4 + [Lane.GUEST] * 4
        threads = [threading.Thread(target=read, args=(lane,)) for lane in lanes]
        for thread in threads:
            thread.start()
        for _ in range(200):
            began_s = time.perf_counter()
            with pytest.raises(Exception, match="no such registers"):
                link.write(1, 0, [1])  # a recording takes none
            waits_s.append(time.perf_counter() - began_s)
        stop.set()
        for thread in threads:
            thread.join()
        link.close()

    waits_s.sort()
    half, most = waits_s[100] * 1e3, waits_s[190] * 1e3
    print(f"\na write among 8 readers: median {half:.1f} ms, 95 of 100 within {most:.1f} ms")
    assert waits_s[100] < 0.1


class Counted:
    """Counts requests."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.requests = 0

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        self.requests += 1
        return self._image.read(address, count, function_code)


PollOf: TypeAlias = Callable[[Counted], SunSpecPoll | ProfilePoll]


def requests(poll_of: PollOf, image: Image) -> tuple[int, int]:
    """Return how many requests the first reading takes, and each one after it."""
    source = Counted(image)
    poll = poll_of(source)
    poll.read()
    first, source.requests = source.requests, 0
    poll.read()
    return first, source.requests


def test_requests_for_one_reading() -> None:
    clock = VirtualClock(NOON_S)
    words = device_words([model_words(1, {"SN": "se"}), model_words(103, {"W": 1, "W_SF": 0})])
    sunspec = requests(
        lambda source: SunSpecPoll(source, "inverter", Role.SOLAR, clock),
        Image.of_blocks("se", [(40_000, words)]),
    )
    print(f"\nSunSpec inverter: {sunspec[0]} requests at first, then {sunspec[1]}")
    assert sunspec[1] == 1
    for profile in (load_profile(name) for name in ("goodwe_et", "huawei_sun2000")):
        first, later = requests(
            lambda source, profile=profile: ProfilePoll(source, "device", profile, clock),  # type: ignore[misc]
            Image.of_blocks(profile.name, [(0, [0] * 0x10000)]),
        )
        print(f"{profile.name}: {first} requests at first, then {later}")
        assert later <= len(profile.registers) / 4
