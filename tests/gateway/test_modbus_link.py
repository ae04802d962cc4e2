"""The link: what goes wrong on a wire becomes one of our errors, and the next request works."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from gateway.modbus.link import (
    DeviceBusyError,
    LinkSettings,
    ModbusLink,
    ModbusUnit,
    NoConnectionError,
)
from hardware.registers import Image, RegistersRefusedError, Words
from hardware.twins.modbus_server import SILENCE, ModbusServer, RecordedDevice
from kwartier.errors import LinkDownError

PATIENT_S = 20.0


class Bench:
    """A device with ten registers that can be told to misbehave a number of times."""

    unit = 1

    def __init__(self) -> None:
        self.words = list(range(10))
        self.codes: list[int] = []

    def spans(self) -> list[tuple[int, list[int]]]:
        return [(100, self.words)]

    def read_refusal(self) -> int:
        return self.codes.pop(0) if self.codes else 0

    def write(self, address: int, words: Words) -> int:
        code = self.read_refusal()
        if not code:
            self.words[address - 100 : address - 100 + len(words)] = words
        return code


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def server(bench: Bench) -> Iterator[ModbusServer]:
    with ModbusServer([bench]) as running:
        yield running


def linked(server: ModbusServer, timeout_s: float = PATIENT_S, retries: int = 1) -> ModbusUnit:
    settings = LinkSettings(
        "127.0.0.1", server.port, timeout_s=timeout_s, retries=retries, busy_wait_s=0.0
    )
    return ModbusLink(settings).unit(1)


@pytest.fixture
def unit(server: ModbusServer) -> Iterator[ModbusUnit]:
    found = linked(server)
    yield found
    found.link.close()


def test_registers_are_read_and_written(unit: ModbusUnit, bench: Bench) -> None:
    unit.write(103, [7, 8])

    assert list(unit.read(102, 4)) == [2, 7, 8, 5]
    assert bench.words[3:5] == [7, 8]


def test_registers_that_are_not_there_are_refused_by_name(unit: ModbusUnit) -> None:
    with pytest.raises(RegistersRefusedError, match=r"registers 108 to 111: no such registers"):
        unit.read(108, 4)


def test_a_refused_write_is_refused(unit: ModbusUnit, bench: Bench) -> None:
    bench.codes = [3]

    with pytest.raises(RegistersRefusedError, match="value not allowed"):
        unit.write(100, [1])


def test_a_device_that_is_busy_for_a_moment_is_asked_again(unit: ModbusUnit, bench: Bench) -> None:
    bench.codes = [6, 5, 6]

    assert list(unit.read(100, 2)) == [0, 1]


def test_a_device_that_stays_busy_is_reported(unit: ModbusUnit, bench: Bench) -> None:
    bench.codes = [6] * 4

    with pytest.raises(DeviceBusyError):
        unit.read(100, 1)


def test_a_unit_that_is_away_behind_a_gateway_is_reported(unit: ModbusUnit, bench: Bench) -> None:
    bench.codes = [11]

    with pytest.raises(LinkDownError, match="check the unit id"):
        unit.read(100, 1)


def test_silence_closes_the_connection_and_the_next_request_opens_it(
    server: ModbusServer, bench: Bench
) -> None:
    unit = linked(server, timeout_s=0.3, retries=0)
    bench.codes = [SILENCE]
    with pytest.raises(LinkDownError, match=r"no answer within 0\.3 s"):
        unit.read(100, 1)
    assert not unit.link.connected

    again = linked(server)

    assert list(again.read(100, 1)) == [0]
    unit.link.close()
    again.link.close()


def test_one_silence_is_forgiven_when_retries_allow_it(server: ModbusServer, bench: Bench) -> None:
    unit = linked(server, timeout_s=0.3, retries=30)
    bench.codes = [SILENCE]

    assert list(unit.read(100, 3)) == [0, 1, 2]
    unit.link.close()


def test_a_link_survives_a_device_that_restarts(bench: Bench) -> None:
    with ModbusServer([bench]) as first:
        unit = linked(first)
        unit.read(100, 1)
        port = first.port
    with pytest.raises(LinkDownError):
        unit.read(100, 1)

    with ModbusServer([bench], port):
        assert list(unit.read(100, 1)) == [0]
    unit.link.close()


def test_a_port_where_nobody_listens_is_reported_as_such() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        link = ModbusLink(LinkSettings("127.0.0.1", taken.getsockname()[1], timeout_s=PATIENT_S))

        with pytest.raises(NoConnectionError, match="no connection"):
            link.read(1, 0, 1)


def test_a_name_that_no_host_can_have_is_no_connection() -> None:
    link = ModbusLink(LinkSettings("inverter..home", timeout_s=PATIENT_S))

    with pytest.raises(NoConnectionError, match="check the address"):
        link.read(1, 0, 1)


def test_units_share_one_connection() -> None:
    image = Image.of_blocks("other", [(0, [5])])
    with ModbusServer([Bench(), RecordedDevice(2, image)]) as both:
        link = linked(both).link

        assert list(link.unit(1).read(101, 1)) == [1]
        assert list(link.unit(2).read(0, 1)) == [5]
        link.close()


def test_pauses_are_kept_where_a_device_needs_them(server: ModbusServer) -> None:
    pauses: list[float] = []
    settings = LinkSettings(
        "127.0.0.1", server.port, timeout_s=PATIENT_S, connect_wait_s=1.5, gap_s=0.05
    )
    link = ModbusLink(settings, pause=pauses.append)

    link.read(1, 100, 1)
    link.read(1, 100, 1)

    assert pauses == [1.5, 0.05, 0.05]
    link.close()
