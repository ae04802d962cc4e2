"""The virtual P1 meter sends what a real one sends."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime

from dsmr_parser import telegram_specifications  # type: ignore[import-untyped]  # has no stubs
from dsmr_parser.parsers import TelegramParser  # type: ignore[import-untyped]  # has no stubs
from hypothesis import given
from hypothesis import strategies as st

from hardware.twins.p1_meter import GasMeter, P1Meter, P1TcpPort

NOON_S = int(datetime(2026, 6, 14, 10, 0, tzinfo=UTC).timestamp())
PATIENCE_S = 30.0
REGISTERS = st.integers(0, 999_999_999)


def dialled(port: P1TcpPort) -> socket.socket:
    host, _, number = port.address.removeprefix("socket://").rpartition(":")
    return socket.create_connection((host, int(number)), timeout=PATIENCE_S)


def received(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += client.recv(65_536)
    return found


def test_a_telegram_reads_as_the_standard_writes_it() -> None:
    meter = P1Meter("E0001", 1, 22_333, 444, 999_999_999, tariff=1, power_w=-1869)

    lines = meter.telegram(NOON_S).decode("ascii").split("\r\n")

    assert lines[:15] == [
        "/KWT5\\VIRTUAL-P1",
        "",
        "1-3:0.2.8(50)",
        "0-0:1.0.0(260614120000S)",
        "0-0:96.1.1(4530303031)",
        "1-0:1.8.1(000000.001*kWh)",
        "1-0:1.8.2(000022.333*kWh)",
        "1-0:2.8.1(000000.444*kWh)",
        "1-0:2.8.2(999999.999*kWh)",
        "0-0:96.14.0(0001)",
        "1-0:1.7.0(00.000*kW)",
        "1-0:2.7.0(01.869*kW)",
        "1-0:32.7.0(230.0*V)",
        "1-0:31.7.0(008*A)",
        "1-0:21.7.0(00.000*kW)",
    ]


def test_the_hour_that_comes_twice_carries_its_letter() -> None:
    twice_s = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp())
    meter = P1Meter("E0001")

    assert b"(261025023000S)" in meter.telegram(twice_s)
    assert b"(261025023000W)" in meter.telegram(twice_s + 3600)


@given(REGISTERS, REGISTERS, st.integers(-99_999, 99_999))
def test_another_reader_of_telegrams_agrees_with_every_register(
    import_wh: int, export_wh: int, power_w: int
) -> None:
    gas = GasMeter("G0001", used_dm3=9_493, at_s=NOON_S)
    meter = P1Meter("E0001", import_t1_wh=import_wh, export_t2_wh=export_wh, gas=gas)
    meter.power_w = power_w

    found = TelegramParser(telegram_specifications.V5).parse(meter.telegram(NOON_S).decode())

    assert found.ELECTRICITY_USED_TARIFF_1.value * 1000 == import_wh
    assert found.ELECTRICITY_DELIVERED_TARIFF_2.value * 1000 == export_wh
    net_kw = found.CURRENT_ELECTRICITY_USAGE.value - found.CURRENT_ELECTRICITY_DELIVERY.value
    assert net_kw * 1000 == power_w
    assert found.MBUS_DEVICES[0].MBUS_METER_READING.value * 1000 == 9_493


def test_energy_goes_to_the_registers_of_the_tariff_in_force() -> None:
    meter = P1Meter("E0001", tariff=1)

    meter.count(import_wh=3, export_wh=5)
    meter.tariff = 2
    meter.count(import_wh=7, export_wh=11)

    assert (meter.import_t1_wh, meter.import_t2_wh, meter.import_wh) == (3, 7, 10)
    assert (meter.export_t1_wh, meter.export_t2_wh, meter.export_wh) == (5, 11, 16)


def test_every_client_gets_every_telegram() -> None:
    port = P1TcpPort()
    telegram = P1Meter("E0001").telegram(NOON_S)
    with dialled(port) as one, dialled(port) as two:
        assert port.wait_for_clients(2, PATIENCE_S)

        reached = [port.push(telegram) for _ in range(3)]

        assert reached == [2, 2, 2]
        assert received(one, 3 * len(telegram)) == telegram * 3
        assert received(two, 3 * len(telegram)) == telegram * 3
    port.close()


def test_a_client_that_left_is_forgotten() -> None:
    port = P1TcpPort()
    with dialled(port):
        assert port.wait_for_client(PATIENCE_S)
    telegram = P1Meter("E0001").telegram(NOON_S)

    reached = [port.push(telegram) for _ in range(1000)]

    assert reached[-1] == 0
    port.close()


def test_a_telegram_a_period_is_pushed_until_told_to_stop() -> None:
    port = P1TcpPort()
    meter = P1Meter("E0001")
    stop = threading.Event()
    size = len(meter.telegram(NOON_S))
    with dialled(port) as client:
        assert port.wait_for_client(PATIENCE_S)
        runner = threading.Thread(
            target=port.run, args=(lambda: meter.telegram(NOON_S), stop), kwargs={"period_s": 0.01}
        )
        runner.start()
        found = received(client, 3 * size)
        stop.set()
        runner.join(PATIENCE_S)

    assert not runner.is_alive()
    assert found[:size] == meter.telegram(NOON_S)
    port.close()
