"""A HomeWizard meter is read over real HTTP, and nothing it answers can hurt."""

from __future__ import annotations

import json
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.p1.homewizard import HomeWizardSource, checked_homewizard
from gateway.p1.homewizard_answer import telegram_of_answer
from gateway.p1.readings import reading_of
from hardware.twins.p1_meter import P1Meter
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError, LinkDownError, SettingsError
from kwartier.interval import HOME_ZONE
from kwartier.reading import ClockSource, Reading

NOON_S = 1_781_431_200
"""2026-06-14T10:00Z."""
PATIENCE_S = 30.0

Answer = Callable[[socket.socket], None]


def response(body: bytes, status: str = "200 OK", *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode() + body


class Device:
    """A real HTTP server on one port, whose every answer is set by path, byte for byte."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.answers: dict[str, bytes | Answer] = {}
        self.asked: list[str] = []
        self._server = socket.create_server((host, port))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    @property
    def address(self) -> str:
        return f"homewizard://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with client, suppress(OSError):
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += client.recv(4096) or b"\r\n\r\n"
                path = asked.split(b" ")[1].decode()
                self.asked.append(path)
                answer = self.answers.get(path, response(b"", "404 Not Found"))
                if isinstance(answer, bytes):
                    client.sendall(answer)
                else:
                    answer(client)


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.close()


def source_at(device: Device, *, timeout_s: float = PATIENCE_S) -> HomeWizardSource:
    return HomeWizardSource(device.address, VirtualClock(NOON_S), every_s=0.01, timeout_s=timeout_s)


def answered(table: object) -> list[Reading]:
    telegram = telegram_of_answer(json.dumps(table).encode(), HOME_ZONE)
    return reading_of(telegram, "p1", NOON_S)


def test_its_raw_telegram_is_read_with_checksum_and_stamp(device: Device) -> None:
    telegram = P1Meter("E0001", import_t2_wh=13_779_338).telegram(NOON_S - 3)
    device.answers["/api/v1/telegram"] = response(telegram)

    (reading,) = source_at(device).ask()

    assert (reading.at_s, reading.clock) == (NOON_S - 3, ClockSource.METER)
    assert (reading.meter, reading.values["import_wh"]) == (b"E0001".hex(), 13_779_338)


def test_a_telegram_it_repeats_is_read_once(device: Device) -> None:
    device.answers["/api/v1/telegram"] = response(P1Meter("E0001").telegram(NOON_S))
    source = source_at(device)

    assert [len(source.ask()) for _ in range(3)] == [1, 0, 0]


def test_a_damaged_telegram_yields_nothing_and_is_counted(device: Device) -> None:
    telegram = P1Meter("E0001", import_t2_wh=1_111).telegram(NOON_S).replace(b"001.111", b"001.112")
    device.answers["/api/v1/telegram"] = response(telegram)
    source = source_at(device)

    assert source.ask() == []
    assert source.counters.crc_failures == 1


def test_without_telegrams_its_values_are_read(device: Device) -> None:
    body = b'{"unique_id":"4530","total_power_import_kwh":13779.338,"active_power_w":-123}'
    device.answers["/api/v1/data"] = response(body)
    source = source_at(device)

    (reading,) = source.ask()
    source.ask()

    values = {"import_wh": 13_779_338, "import_w": 0, "export_w": 123}
    assert reading == Reading("p1", "4530", NOON_S, values, ClockSource.GATEWAY)
    assert device.asked == ["/api/v1/telegram", "/api/v1/data", "/api/v1/data"]


def test_the_recorded_answer_becomes_whole_units(shared_data: Path) -> None:
    folder = shared_data / "p1" / "other" / "homewizard_local_api"
    telegram = telegram_of_answer((folder / "HWE-P1_v1_data.json").read_bytes(), HOME_ZONE)

    (reading,) = reading_of(telegram, "p1", NOON_S)

    assert reading.meter == "00112233445566778899AABBCCDDEEFF"
    assert reading.values == {
        "import_wh": 13_779_338,
        "import_t1_wh": 10_830_511,
        "import_t2_wh": 2_948_827,
        "export_wh": 13_086_777,
        "export_t1_wh": 4_321_333,
        "export_t2_wh": 8_765_444,
        "tariff": 2,
        "import_w": 0,
        "export_w": 123,
        "import_l1_w": 0,
        "export_l1_w": 123,
        "import_l2_w": 456,
        "export_l2_w": 0,
        "import_l3_w": 123,
        "export_l3_w": 0,
        "voltage_l1_dv": 2_301,
        "voltage_l2_dv": 2_302,
        "voltage_l3_dv": 2_303,
        "current_l1_ma": 4_000,
        "current_l2_ma": 2_000,
        "current_l3_ma": 0,
    }
    (gas,) = telegram.channels
    assert gas.stamp is not None
    assert gas.stamp.at_s == 1_615_717_353  # 2021-03-14T11:22:33+01:00
    assert (gas.value and gas.value.digits, gas.meter_id[:6]) == (1_122_333, "01FFEE")


def test_a_recorded_measurement_of_version_2_is_read_too(shared_data: Path) -> None:
    folder = shared_data / "p1" / "other" / "homewizard_local_api"
    telegram = telegram_of_answer((folder / "HWE-P1_v2_measurement.json").read_bytes(), HOME_ZONE)

    readings = reading_of(telegram, "p1", 1_719_576_754)  # 2024-06-28T14:12:34+02:00

    assert [(one.device, one.at_s) for one in readings] == [
        ("p1", 1_719_576_754),
        ("gas-1", 1_719_576_000),
        ("water-2", 1_719_576_300),
    ]
    assert readings[0].clock is ClockSource.METER
    assert (readings[0].values["import_wh"], readings[0].values["export_w"]) == (13_779_338, 543)
    assert [dict(one.values) for one in readings[1:]] == [
        {"gas_dm3": 2_569_646},
        {"water_dm3": 123_456},
    ]


@pytest.mark.parametrize(
    ("kwh", "wh"),
    [("0.001", 1), ("4.35", 4_350), ("1.1", 1_100), ("2.675", 2_675), ("8765.4449", 8_765_444)],
)
def test_kilowatt_hours_become_watt_hours_without_the_errors_of_floats(kwh: str, wh: int) -> None:
    body = f'{{"total_power_import_kwh":{kwh}}}'.encode()

    assert telegram_of_answer(body, HOME_ZONE).numbers == {"import_wh": wh}


def test_what_it_lacks_is_absent() -> None:
    (reading,) = answered({"total_power_import_kwh": None, "active_power_w": 5})

    assert reading.values == {"import_w": 5, "export_w": 0}
    assert reading.meter == ""


@pytest.mark.parametrize(
    "value", ["1", True, None, [], {}, -1, 1e12, 1e300, float("inf"), float("nan")], ids=str
)
def test_a_register_that_is_no_counter_is_absent_or_refused(value: object) -> None:
    with suppress(ContractError):
        (reading,) = answered({"total_power_import_kwh": value, "active_power_w": 5})
        assert "import_wh" not in reading.values


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'{"wifi_ssid":"x"}',
        b"[" * 60_000,
        b'{"active_power_w":' + b"9" * 60_000 + b"}",
        b'{"active_power_w":1e99999999999999999999}',
        b'{"active_power_w":NaN}',
        b"\xff\xfe",
        b" " * 70_000,
    ],
    ids=range(13),
)
def test_an_answer_that_is_none_is_refused_in_a_short_sentence(body: bytes) -> None:
    with pytest.raises(ContractError) as refused:
        telegram_of_answer(body, HOME_ZONE)

    assert len(str(refused.value)) < 200


@given(
    st.dictionaries(
        st.sampled_from(["total_power_import_kwh", "active_power_w", "external", "unique_id"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["type", "value", "timestamp"]), inner, max_size=3
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_any_object_is_read_or_refused(table: dict[str, object]) -> None:
    with suppress(ContractError):
        answered(table)


def drip(client: socket.socket) -> None:
    """Send a byte now and then, for as long as the other side listens."""
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        client.sendall(b"/")
        time.sleep(0.02)  # the device is slow; nobody waits for this


@pytest.mark.parametrize(
    "answer",
    [
        response(b"", "500 Internal Server Error"),
        response(b"", "403 Forbidden"),
        response(b"", "302 Found"),
        response(b"/KWT5", length=500),
        response(b"x" * 70_000),
        b"",
        b"no http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        drip,
    ],
    ids=["500", "403", "302", "cut", "huge", "nothing", "no http", "header", "chunk", "drip"],
)
def test_a_faulty_answer_is_a_line_that_is_away(device: Device, answer: bytes | Answer) -> None:
    device.answers["/api/v1/telegram"] = answer
    started_s = time.monotonic()

    with pytest.raises(LinkDownError) as away:
        source_at(device, timeout_s=0.3 if answer is drip else PATIENCE_S).ask()

    assert device.address in str(away.value)
    assert time.monotonic() - started_s < PATIENCE_S


def test_switched_off_it_says_what_to_do(device: Device) -> None:
    device.answers["/api/v1/telegram"] = response(b"", "403 Forbidden")

    with pytest.raises(LinkDownError, match="switch its local API on"):
        source_at(device).ask()


def test_going_away_and_coming_back_are_one_line_each(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    source = source_at(device)
    inbox: queue.Queue[Reading] = queue.Queue()
    meter = P1Meter("E0001")

    with caplog.at_level(logging.INFO, "gateway.p1.homewizard"):
        device.answers["/api/v1/telegram"] = response(meter.telegram(NOON_S))
        source.start(inbox.put)
        inbox.get(timeout=PATIENCE_S)
        device.answers["/api/v1/telegram"] = response(b"", "500 Internal Server Error")
        asked = len(device.asked)
        deadline_s = time.monotonic() + PATIENCE_S
        while len(device.asked) < asked + 5 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        device.answers["/api/v1/telegram"] = response(meter.telegram(NOON_S + 1))
        second = inbox.get(timeout=PATIENCE_S)
        source.stop()

    assert second.at_s == NOON_S + 1
    assert source.losses == 1
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "P1 meter answers",
        "P1 meter is away",
        "P1 meter answers",
    ]


def test_it_stops_in_the_middle_of_an_answer(device: Device) -> None:
    device.answers["/api/v1/telegram"] = drip
    source = source_at(device)
    source.start(lambda _: None)
    deadline_s = time.monotonic() + PATIENCE_S
    while not device.asked and time.monotonic() < deadline_s:
        time.sleep(0.01)
    started_s = time.monotonic()

    source.stop()

    assert time.monotonic() - started_s < PATIENCE_S / 2


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("homewizard://192.0.2.7", ("192.0.2.7", 80)),
        ("homewizard://p1meter.local:8080", ("p1meter.local", 8080)),
        ("homewizard://[2001:db8::7]", ("2001:db8::7", 80)),
        ("homewizard://[2001:db8::7]:81", ("2001:db8::7", 81)),
    ],
)
def test_its_address_names_a_host_and_perhaps_a_port(address: str, where: tuple[str, int]) -> None:
    assert checked_homewizard(address) == where


@pytest.mark.parametrize(
    "address",
    [
        "homewizard://",
        "homewizard://a/b",
        "homewizard://a..b",
        "homewizard://a:0",
        "homewizard://a:x",
        "http://a",
    ],
)
def test_another_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="homewizard://HOST"):
        checked_homewizard(address)
