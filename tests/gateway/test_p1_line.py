"""A P1 line is read over a real cable or socket, and opened again when it breaks."""

from __future__ import annotations

import os
import queue
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from gateway.p1.serial_port import DSMR_2, DSMR_4, LineSettings, P1Source
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError
from kwartier.reading import Reading

NOON_S = int(datetime(2026, 6, 14, 10, 0, tzinfo=UTC).timestamp())
PATIENCE_S = 30.0
Inbox = queue.Queue[Reading]


@contextmanager
def reading_from(address: str, *, line: LineSettings = DSMR_4) -> Iterator[tuple[P1Source, Inbox]]:
    inbox: Inbox = queue.Queue()
    source = P1Source(
        address, VirtualClock(NOON_S), line=line, first_wait_s=0.02, longest_wait_s=0.1
    )
    source.start(inbox.put)
    try:
        yield source, inbox
    finally:
        source.stop()


@pytest.fixture
def port() -> Iterator[P1TcpPort]:
    server = P1TcpPort()
    yield server
    server.close()


@pytest.fixture
def cable() -> Iterator[tuple[int, str]]:
    """The meter's end of a pseudo-terminal, and the name of the gateway's end."""
    meter_end, gateway_end = os.openpty()
    tty.setraw(gateway_end)
    yield meter_end, os.ttyname(gateway_end)
    os.close(gateway_end)
    os.close(meter_end)


def push_until_read(meter_end: int, telegram: bytes, inbox: Inbox) -> Reading:
    """Send a telegram again and again, as a meter does: opening a line drops what waits on it."""
    for _ in range(int(PATIENCE_S / 0.1)):
        os.write(meter_end, telegram)
        try:
            return inbox.get(timeout=0.1)
        except queue.Empty:
            continue
    raise AssertionError("nothing was read from the cable")


@pytest.mark.parametrize(("line", "speed"), [(DSMR_4, termios.B115200), (DSMR_2, termios.B9600)])
def test_a_serial_cable_is_read_with_its_line_settings(
    cable: tuple[int, str], line: LineSettings, speed: int
) -> None:
    meter_end, name = cable
    meter = P1Meter("E0001", import_t2_wh=12_345_678)

    with reading_from(name, line=line) as (_, inbox):
        reading = push_until_read(meter_end, meter.telegram(NOON_S), inbox)
        settings = termios.tcgetattr(meter_end)

    assert reading.values["import_wh"] == 12_345_678
    assert settings[4] == speed


def test_a_telegram_in_crumbs_over_a_serial_cable_is_whole(cable: tuple[int, str]) -> None:
    meter_end, name = cable
    meter = P1Meter("E0001", import_t1_wh=7)

    with reading_from(name) as (source, inbox):
        push_until_read(meter_end, meter.telegram(NOON_S), inbox)
        telegram = P1Meter("E0001", import_t1_wh=8).telegram(NOON_S + 1)
        for place in range(0, len(telegram), 7):
            os.write(meter_end, telegram[place : place + 7])
        values = iter(lambda: inbox.get(timeout=PATIENCE_S).values["import_wh"], 8)

        assert set(values) <= {7}
        assert source.counters.crc_failures == 0


def test_a_tcp_port_is_read_and_every_telegram_arrives_in_order(port: P1TcpPort) -> None:
    meter = P1Meter("E0001")

    with reading_from(port.address) as (source, inbox):
        assert port.wait_for_client(PATIENCE_S)
        for second in range(500):
            meter.count(import_wh=second, export_wh=1)
            port.push(meter.telegram(NOON_S + second))
        readings = [inbox.get(timeout=PATIENCE_S) for _ in range(500)]

        assert source.counters.crc_failures == 0

    assert [reading.at_s for reading in readings] == list(range(NOON_S, NOON_S + 500))
    assert readings[-1].values["import_wh"] == 499 * 500 // 2
    assert readings[-1].values["export_wh"] == 500


def test_a_connection_that_breaks_in_mid_telegram_is_made_again(port: P1TcpPort) -> None:
    meter = P1Meter("E0001", import_t2_wh=1)
    telegram = meter.telegram(NOON_S)

    with reading_from(port.address) as (source, inbox):
        assert port.wait_for_client(PATIENCE_S)
        port.push(telegram + telegram[:100])
        inbox.get(timeout=PATIENCE_S)
        port.hang_up()
        assert port.wait_for_client(PATIENCE_S)
        port.push(telegram[100:] + meter.telegram(NOON_S + 1))
        reading = inbox.get(timeout=PATIENCE_S)

        assert reading.at_s == NOON_S + 1
        assert source.losses == 1
        assert source.counters.telegrams == 2


def test_a_meter_that_comes_later_is_found(port: P1TcpPort) -> None:
    address = port.address
    port.close()

    with reading_from(address) as (source, inbox):
        assert not source.connected
        late = P1TcpPort(port=int(address.rpartition(":")[2]))
        try:
            assert late.wait_for_client(PATIENCE_S)
            late.push(P1Meter("E0001", export_t1_wh=5).telegram(NOON_S))
            assert inbox.get(timeout=PATIENCE_S).values["export_wh"] == 5
        finally:
            late.close()


def test_a_silent_line_is_opened_anew(port: P1TcpPort) -> None:
    source = P1Source(
        port.address, VirtualClock(NOON_S), silence_s=0.05, first_wait_s=0.01, longest_wait_s=0.05
    )
    source.start(lambda _: None)
    try:
        # Nothing is ever sent: each client after the first is the source opening the line again.
        assert port.wait_for_clients(3, PATIENCE_S)
        assert source.losses >= 2
    finally:
        source.stop()


def test_it_stops_at_once_while_it_waits_for_bytes(port: P1TcpPort) -> None:
    with reading_from(port.address) as (source, _):
        assert port.wait_for_client(PATIENCE_S)
        stopper = threading.Thread(target=source.stop)
        stopper.start()
        stopper.join(PATIENCE_S)

        assert not stopper.is_alive()


@pytest.mark.parametrize(
    "address", ["socket://127.0.0.1:1", "socket://nowhere.invalid:1", "/dev/null", "/dev/none"]
)
def test_it_stops_at_once_while_there_is_no_such_line(address: str) -> None:
    with reading_from(address) as (source, _):
        source.stop()

        assert not source.connected


@pytest.mark.parametrize(
    "address", ["ttyUSB0", "socket://host", "socket://:4001", "socket://host:70000", "tcp://h:1"]
)
def test_an_address_that_is_no_line_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="socket://HOST:PORT"):
        P1Source(address, VirtualClock(NOON_S))
