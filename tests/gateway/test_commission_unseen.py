"""What hangs on no address: meters that call out their name, and devices on a serial line."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from zeroconf import ServiceInfo, Zeroconf

from gateway.commission.asked import by_profile
from gateway.commission.bench import cables
from gateway.commission.device_settings import device_lines, is_steerable
from gateway.commission.found import Found, Kind
from gateway.commission.homewizard_seen import KEYED, PLAIN, HomeWizardsSeen, address_of
from gateway.commission.reach import link_to, poll_of, steering_of
from gateway.commission.search import identify, units_on
from gateway.commission.serial_lines import SERIAL_UNITS, lines_beside, ways_on
from gateway.commission.trial import try_steering
from gateway.modbus.line import SerialLine
from gateway.modbus.link import LinkSettings, ModbusLink
from hardware.profile import load_profile
from hardware.twins.cell import CellLimits
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.serial_line import SerialLineTwin
from hardware.twins.vendor_battery import LunaBattery
from kwartier.clock import VirtualClock
from tests.gateway.test_commission_trial import Hurried

PATIENCE_S = 30.0
P1 = {b"product_type": b"HWE-P1", b"api_enabled": b"1"}


@pytest.mark.parametrize(
    ("service", "host", "port", "properties", "address"),
    [
        (PLAIN, "192.168.1.5", 80, P1, "homewizard://192.168.1.5"),
        (PLAIN, "192.168.1.5", 8080, P1, "homewizard://192.168.1.5:8080"),
        (KEYED, "192.168.1.5", 443, P1, "homewizard://192.168.1.5"),
        (PLAIN, "192.168.1.5", 80, {b"product_type": b"HWE-SKT"}, ""),
        (PLAIN, "192.168.1.5", 80, {}, ""),
        (PLAIN, "8.8.8.8", 80, P1, ""),
        (PLAIN, "fe80::1", 80, P1, ""),
    ],
)
def test_only_a_p1_meter_near_by_is_taken(
    service: str, host: str, port: int, properties: dict[bytes, bytes | None], address: str
) -> None:
    assert address_of(service, [host], port, properties) == address


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("p1meter-0A1B2C.local.", "homewizard://p1meter-0A1B2C.local"),
        ("p1meter-0A1B2C._hwenergy._tcp.local.", "homewizard://192.168.1.5"),
        ("p1meter.example.", "homewizard://192.168.1.5"),
        ("", "homewizard://192.168.1.5"),
    ],
)
def test_a_meter_is_written_by_its_own_name_where_it_has_one(name: str, address: str) -> None:
    assert address_of(PLAIN, ["192.168.1.5"], 80, P1, name) == address


def test_a_meter_that_calls_out_its_name_is_heard() -> None:
    # On a thread of its own: a browser's tests before it may have left a loop on this one.
    with ThreadPoolExecutor(1) as aside:
        heard = aside.submit(_heard_calling).result()

    assert heard == ["homewizard://p1meter-0A1B2C.local"]


def _heard_calling() -> list[str]:
    calling = Zeroconf(interfaces=["127.0.0.1"])
    seen = HomeWizardsSeen(["127.0.0.1"])
    try:
        info = ServiceInfo(
            PLAIN,
            f"p1meter-0A1B2C.{PLAIN}",
            port=80,
            addresses=[socket.inet_aton("192.168.1.5")],
            properties=dict(P1),
            server="p1meter-0A1B2C.local.",
        )
        calling.register_service(info, cooperating_responders=True)
        end = time.monotonic() + PATIENCE_S
        while not seen.addresses() and time.monotonic() < end:
            time.sleep(0.02)

        return list(seen.addresses())
    finally:
        seen.close()
        calling.close()


def test_an_adapter_for_rs485_is_asked_and_the_cable_of_the_meter_never(tmp_path: Path) -> None:
    (tmp_path / "kwartier").mkdir()
    for name in ("ttyUSB0", "ttyUSB1", "ttyUSB2"):
        (tmp_path / name).touch()
    (tmp_path / "kwartier" / "rs485").symlink_to(tmp_path / "ttyUSB1")
    (tmp_path / "kwartier" / "rs485-1").symlink_to(tmp_path / "ttyUSB1")
    rs485, meter = str(tmp_path / "kwartier" / "rs485"), str(tmp_path / "ttyUSB0")

    assert lines_beside("", tmp_path) == [rs485]
    assert lines_beside(meter, tmp_path) == [rs485, str(tmp_path / "ttyUSB2")]
    assert cables(tmp_path) == [meter, str(tmp_path / "ttyUSB2")]


def test_a_device_on_a_serial_line_is_found_and_read_there() -> None:
    clock = VirtualClock(1_781_431_980)
    with SerialLineTwin([InverterTwin(5000, serial="INV-2024-0042")]) as line:
        way = replace(next(ways_on(line.path)), timeout_s=1.0)
        found = [replace(one, name="inverter") for one in units_on(way, (1,))]
        settings = link_to(found[0])
        link = ModbusLink(settings)
        reading = poll_of(found[0], link.unit(1), clock).read()
        link.close()

    assert [(one.serial4, one.unit, one.host) for one in found] == [("0042", 1, "")]
    assert settings.serial == SerialLine(line.path)
    assert "solar_w" in reading.values
    assert f'serial = "{line.path}"' in "\n".join(device_lines(found[0]))


def test_a_serial_line_is_asked_in_two_ways_at_ten_units_and_one_that_is_gone_is_no_device() -> (
    None
):
    lines = [way.serial for way in ways_on("/dev/ttyUSB-none")]

    assert [(one.baud, one.parity, one.stop_bits) for one in lines if one] == [
        (9600, "N", 1),
        (9600, "E", 1),
    ]
    assert SERIAL_UNITS == (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    assert identify([], lines=["/dev/ttyUSB-none"]) == []


def test_a_battery_is_steered_by_its_profile_from_the_search_to_the_settings(
    tmp_path: Path,
) -> None:
    clock = VirtualClock(1_781_431_980)
    twin = LunaBattery(clock, CellLimits(10_000, 4_000, 3_000))
    with ModbusServer([twin]) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port))
        unit = link.unit(1)
        found = by_profile(unit, load_profile("huawei_luna2000"))
        steering = steering_of(found, unit, clock, tmp_path)
        assert steering is not None
        told = try_steering(steering, Hurried(clock), threading.Event(), 0.01)
        link.close()

    assert (found.kind, found.charge_max_w, found.discharge_max_w) == (Kind.BATTERY, 4_000, 3_000)
    assert is_steerable(found)
    assert told.passed, told.why
    lines = list(device_lines(found))
    assert lines[1] == "[[battery]]"
    assert 'profile = "huawei_luna2000"' in lines


def test_a_battery_whose_profile_tells_no_way_to_steer_is_only_read() -> None:
    profile = "marstek_venus_e"
    found = Found("battery", Kind.BATTERY, "192.0.2.1", 502, 1, profile=profile, series="battery_w")

    assert not is_steerable(found)
    assert list(device_lines(found))[1] == "[[modbus]]"
