"""The read-only door: other programs read along, and can do no harm."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient

from gateway.modbus import mbap
from gateway.modbus.line import LinkSettings
from gateway.modbus.link import ModbusLink
from gateway.modbus.proxy import MOST_CLIENTS, ModbusProxy
from gateway.modbus.settings import ProxySettings
from gateway.settings import read_settings
from hardware.registers import Image
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import RecordedDevice
from hardware.twins.temper import TemperedServer, solaredge
from kwartier.errors import SettingsError

PATIENT_S = 30.0
FRAMES = 2_000
NIGHTLY_FRAMES = 10_000


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, at most half a minute."""
    end_s = time.monotonic() + PATIENT_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.002)


class Bench:
    """A device that takes one client, the gateway's link to it, and the door."""

    def __init__(self, per_second: int = 1000, allow: str = "127.0.0.0/8") -> None:
        self.image = Image.of_blocks("one", [(100, list(range(200)))])
        self.device = TemperedServer([RecordedDevice(1, self.image)], solaredge())
        where = LinkSettings("127.0.0.1", self.device.port, timeout_s=PATIENT_S)
        self.link = ModbusLink(where)
        settings = ProxySettings(
            "127.0.0.1", 0, (ip_network(allow),), where, frozenset({1}), per_second
        )
        self.proxy = ModbusProxy(settings, self.link)

    def __enter__(self) -> Self:
        self.device.__enter__()
        self.proxy.start()
        self.port = self.proxy.wait_open(PATIENT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.stop()
        self.link.close()
        self.device.__exit__()

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENT_S)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as opened:
        yield opened


@pytest.fixture
def client(bench: Bench) -> Iterator[ModbusTcpClient]:
    guest = ModbusTcpClient("127.0.0.1", port=bench.port, timeout=PATIENT_S, retries=0)
    assert guest.connect()  # type: ignore[no-untyped-call]  # theirs is untyped
    yield guest
    guest.close()  # type: ignore[no-untyped-call]  # theirs is untyped


def test_another_program_reads_along_where_the_device_takes_one_client(
    bench: Bench, client: ModbusTcpClient
) -> None:
    assert bench.link.read(1, 100, 5) == [0, 1, 2, 3, 4]

    answer = client.read_holding_registers(150, count=3, device_id=1)
    inputs = client.read_input_registers(250, count=2, device_id=1)

    assert answer.registers == [50, 51, 52]
    assert inputs.registers == [150, 151]
    assert bench.device.tally.connections == 1
    assert bench.device.tally.turned_away == 0


def test_what_was_just_read_is_not_read_again(bench: Bench, client: ModbusTcpClient) -> None:
    bench.link.read(1, 100, 120)
    before = bench.device.tally.requests

    assert client.read_holding_registers(110, count=4, device_id=1).registers == [10, 11, 12, 13]

    assert bench.device.tally.requests == before
    assert bench.proxy.counters.from_memory == 1


def test_nothing_is_ever_written(bench: Bench, client: ModbusTcpClient) -> None:
    answers = [
        client.write_register(100, 7, device_id=1),
        client.write_registers(100, [7, 8], device_id=1),
        client.write_coil(1, True, device_id=1),
        client.mask_write_register(address=100, device_id=1),
        client.readwrite_registers(
            read_address=100, read_count=1, write_address=100, values=[1], device_id=1
        ),
        client.read_coils(1, count=1, device_id=1),
    ]

    assert [answer.exception_code for answer in answers] == [1] * 6
    assert bench.device.tally.writes == 0
    assert bench.device.tally.requests == 0
    assert bench.proxy.counters.writes == 6


def test_what_the_device_refuses_and_units_nobody_knows_are_refused(
    bench: Bench, client: ModbusTcpClient
) -> None:
    assert client.read_holding_registers(5, count=1, device_id=1).exception_code == 2
    before = bench.device.tally.requests

    assert client.read_holding_registers(100, count=1, device_id=9).exception_code == 11
    assert bench.device.tally.requests == before


def test_a_device_that_is_away_is_told_to_the_guest() -> None:
    with Bench() as bench:
        bench.device.__exit__()
        client = ModbusTcpClient("127.0.0.1", port=bench.port, timeout=PATIENT_S, retries=0)

        assert client.read_holding_registers(100, count=1, device_id=1).exception_code == 11
        client.close()  # type: ignore[no-untyped-call]  # theirs is untyped


def test_a_guest_beyond_the_eighth_is_turned_away(bench: Bench) -> None:
    guests = [bench.raw() for _ in range(MOST_CLIENTS)]
    until(lambda: bench.proxy.clients == MOST_CLIENTS)

    with bench.raw() as ninth:
        assert ninth.recv(1) == b""

    guests[0].close()
    until(lambda: bench.proxy.clients == MOST_CLIENTS - 1)
    for guest in guests[1:]:
        guest.close()


def test_who_is_not_of_the_home_is_turned_away() -> None:
    with Bench(allow="192.168.7.0/24") as bench, bench.raw() as stranger:
        assert stranger.recv(1) == b""
        assert bench.proxy.counters.turned_away == 1


def test_a_guest_that_asks_too_fast_waits(bench: Bench) -> None:
    """At 50 a second ten answers take at least nine pauses of 20 ms."""
    with Bench(per_second=50) as slow, slow.raw() as guest:
        asked = bytes.fromhex("000100000006010300640001")
        began_s = time.monotonic()
        guest.sendall(asked * 10)
        came = b""
        while len(came) < 110:
            came += guest.recv(4096)

        assert time.monotonic() - began_s >= 9 * 0.02


def hostile(bench: Bench, frames: int, seed: int) -> None:
    """Send frames of random bytes, half of them with a right header; a new connection as needed."""
    chance = random.Random(seed)  # noqa: S311 - noise
    guest = bench.raw()
    for number in range(frames):
        body = chance.randbytes(chance.randint(1, 60))
        head = chance.randbytes(2) + b"\0\0" + (len(body) + 1).to_bytes(2) + b"\x01"
        right = number % 2 == 0
        try:
            guest.sendall(head + body if right else chance.randbytes(7) + body)
            if right:
                assert guest.recv(300)
        except (ConnectionError, AssertionError):
            guest.close()
            guest = bench.raw()
    guest.close()


def survived(frames: int) -> None:
    with Bench() as bench:
        threads = [
            threading.Thread(target=hostile, args=(bench, frames // 2, seed)) for seed in (1, 2)
        ]
        for thread in threads:
            thread.start()
        reads = 0
        while any(thread.is_alive() for thread in threads):
            assert bench.link.read(1, 100, 5) == [0, 1, 2, 3, 4]
            reads += 1
            time.sleep(0.001)

        assert reads > 10
        assert bench.device.tally.writes == 0
        assert bench.proxy.counters.garbage > 0
        assert bench.proxy.counters.writes > 0
        until(lambda: bench.proxy.clients == 0)


def test_random_frames_harm_nobody() -> None:
    survived(FRAMES)


@pytest.mark.nightly
def test_ten_thousand_random_frames_harm_nobody() -> None:
    survived(NIGHTLY_FRAMES)


def test_guests_that_say_nothing_or_half_a_frame_hold_nobody_up(
    bench: Bench, client: ModbusTcpClient
) -> None:
    silent, half = bench.raw(), bench.raw()
    half.sendall(b"\0\1\0\0\0")

    assert client.read_holding_registers(100, count=1, device_id=1).registers == [0]

    silent.close()
    half.close()


@given(st.binary(min_size=mbap.HEAD, max_size=mbap.HEAD), st.binary(min_size=1, max_size=253))
def test_whatever_comes_is_a_read_that_makes_sense_or_refused(head: bytes, request: bytes) -> None:
    try:
        assert 1 <= mbap.length_after(head) <= 253
    except mbap.FrameError:
        assert head[2:4] != b"\0\0" or not 2 <= int.from_bytes(head[4:6]) <= 254
    asked = None
    with suppress(mbap.CannotServeError):
        asked = mbap.read_asked(request)
    if asked is not None:
        assert asked.function_code in (3, 4)
        assert 1 <= asked.count <= 125
        assert asked.address + asked.count <= 0x10000


SETTINGS = """
coop = "zonnewijk"
gateway = "gw-01"
[broker]
url = "mqtt://127.0.0.1"
[[modbus]]
device = "inverter"
host = "192.0.2.10"
profile = "huawei_sun2000"
[[modbus]]
device = "meter"
host = "192.0.2.10"
unit = 2
[[modbus]]
device = "heater"
serial = "/dev/ttyUSB0"
baud = 19200
parity = "E"
release_after_poll = true
[modbus_proxy]
"""


def written(tmp_path: Path, more: str) -> ProxySettings | None:
    path = tmp_path / "gateway.toml"
    path.write_text(SETTINGS + more)
    return read_settings(path).modbus_proxy


def test_a_door_is_for_the_pi_alone_unless_the_settings_say_more(tmp_path: Path) -> None:
    door = written(tmp_path, 'device = "meter"\n')

    assert door is not None
    assert (door.host, door.port, door.units) == ("127.0.0.1", 1502, frozenset({1, 2}))
    assert door.link.where == "192.0.2.10:502"
    assert [str(network) for network in door.allow] == ["127.0.0.0/8", "::1/128"]


def test_a_profile_gives_the_pauses_and_a_serial_line_is_read(tmp_path: Path) -> None:
    written(tmp_path, 'device = "meter"\n')

    devices = read_settings(tmp_path / "gateway.toml").modbus

    assert (devices[0].link.connect_wait_s, devices[0].link.gap_s) == (1.5, 0.05)
    assert devices[2].link.where == "/dev/ttyUSB0"
    assert devices[2].release_after_poll


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "modbus_proxy.device: name the one that is read"),
        ('device = "nobody"\n', "modbus_proxy.device"),
        ('device = "meter"\nallow = "0.0.0.0/0"\n', "not a private network"),
        ('device = "meter"\nallow = "8.8.8.0/24"\n', "not a private network"),
        ('device = "meter"\nallow = "home"\n', "modbus_proxy.allow"),
        ('device = "meter"\nlisten = "1502"\n', "modbus_proxy.listen"),
        ('device = "meter"\nlisten = "door:1502"\n', "modbus_proxy.listen"),
        ('device = "meter"\nper_second = 0\n', "modbus_proxy.per_second"),
        ('device = "meter"\nwrites = true\n', "writes is not known"),
    ],
)
def test_a_door_that_makes_no_sense_is_refused(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        written(tmp_path, more)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('serial = "ttyUSB0"', "serial is 'ttyUSB0'"),
        ('serial = "/dev/ttyUSB0"\nbaud = 9601', "baud is 9601"),
        ('serial = "/dev/ttyUSB0"\nparity = "X"', "parity is 'X'"),
        ('serial = "/dev/ttyUSB0"\nhost = "192.0.2.1"', "leave one out"),
        ('host = "192.0.2.1"\nbaud = 9600', "baud is not known"),
        ('host = "192.0.2.1"\ntimeout_s = 0.01', "at least 0.05"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(
        'coop = "a"\ngateway = "b"\n[broker]\nurl = "mqtt://127.0.0.1"\n'
        f'[[modbus]]\ndevice = "c"\n{line}\n'
    )

    with pytest.raises(SettingsError, match=told):
        read_settings(path)


def test_a_twin_of_an_inverter_is_read_through_the_door() -> None:
    """The whole way: another gateway's SunSpec discovery goes through ours."""
    twin = InverterTwin(5_000)
    with TemperedServer([twin], solaredge()) as device:
        where = LinkSettings("127.0.0.1", device.port, timeout_s=PATIENT_S)
        link = ModbusLink(where)
        allow = (ip_network("127.0.0.0/8"),)
        proxy = ModbusProxy(ProxySettings("127.0.0.1", 0, allow, where, frozenset({1}), 1000), link)
        proxy.start()
        other = ModbusLink(
            LinkSettings("127.0.0.1", proxy.wait_open(PATIENT_S), timeout_s=PATIENT_S)
        )

        assert other.read(1, 40_000, 2) == [0x5375, 0x6E53]

        other.close()
        proxy.stop()
        link.close()
