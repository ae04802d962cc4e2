"""A meter on the M-Bus keeps its name by its serial, whatever its channel."""

from __future__ import annotations

import queue
import stat
from pathlib import Path

from gateway.p1.channels import ChannelNames
from gateway.p1.line import MeterLine
from gateway.p1.mbus import Channel
from gateway.p1.memory import MeterMemory, read_memory, write_memory
from gateway.p1.plausible import AGREEING, Standing
from gateway.p1.reader import P1Reader
from gateway.p1.serial_port import DSMR_4
from gateway.p1.settings import P1Line
from hardware.crc16 import crc16
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.clock import VirtualClock
from kwartier.events import Event, EventKind
from kwartier.reading import Reading

NOON_S = 1_781_431_200
"""2026-06-14T10:00Z."""
GAS, WATER = 3, 7


def gas(number: int, serial: str) -> Channel:
    return Channel(number, GAS, serial)


def telegram(*channels: tuple[int, int, str, str], minute: int = 0) -> bytes:
    """Return a telegram with meters as (channel, type, serial, m3)."""
    lines = ["/KWT5\\TEST", "", "0-0:1.0.0(260614120000S)"]
    for number, kind, serial, m3 in channels:
        lines.append(f"0-{number}:24.1.0({kind:03d})")
        if serial:
            lines.append(f"0-{number}:96.1.0({serial})")
        lines.append(f"0-{number}:24.2.1(26061411{minute:02d}00S)({m3}*m3)")
    body = ("\r\n".join(lines) + "\r\n!").encode()
    return body + b"%04X\r\n" % crc16(body)


def test_the_channel_names_a_meter_the_first_time() -> None:
    names = ChannelNames()

    assert names.names([Channel(1, WATER, "3853"), gas(2, "4730")]) == {1: "water-1", 2: "gas-2"}


def test_two_gas_meters_that_change_channels_keep_their_series() -> None:
    reader = P1Reader()
    before = reader.feed(telegram((1, GAS, "4701", "1.000"), (2, GAS, "4702", "9.000")), NOON_S)
    after = reader.feed(
        telegram((1, GAS, "4702", "9.001"), (2, GAS, "4701", "1.002"), minute=5), NOON_S
    )

    series = [(one.device, one.meter, one.values["gas_dm3"]) for one in before + after]
    assert sorted(series) == [
        ("gas-1", "4701", 1_000),
        ("gas-1", "4701", 1_002),
        ("gas-2", "4702", 9_000),
        ("gas-2", "4702", 9_001),
    ]


def test_a_meter_that_moves_to_a_free_channel_keeps_its_name() -> None:
    names = ChannelNames()
    names.names([gas(1, "4701")])

    assert names.names([gas(3, "4701")]) == {3: "gas-1"}
    assert names.names([gas(1, "4702"), gas(3, "4701")]) == {1: "gas-2", 3: "gas-1"}


def test_a_new_serial_in_place_of_one_that_is_gone_takes_over_its_name() -> None:
    names = ChannelNames()
    names.names([gas(1, "4701")])

    assert names.names([gas(1, "4799")]) == {1: "gas-1"}
    assert names.owners == {"gas-1": "4799"}


def test_two_meters_with_one_serial_are_told_apart_by_their_channels() -> None:
    names = ChannelNames()
    twins = [gas(1, "4701"), gas(2, "4701")]

    assert names.names(twins) == {1: "gas-1", 2: "gas-2"}
    assert names.names(twins) == {1: "gas-1", 2: "gas-2"}


def test_a_meter_without_serial_is_known_by_its_channel() -> None:
    names = ChannelNames()

    assert names.names([gas(1, ""), gas(2, "4702")]) == {1: "gas-1", 2: "gas-2"}
    assert names.names([gas(1, "4702"), gas(2, "")]) == {1: "gas-2", 2: "gas-1"}


def test_a_swap_of_channels_while_the_gateway_was_off_changes_no_name() -> None:
    names = ChannelNames({"gas-1": "4701", "gas-2": "4702"})

    assert names.names([gas(1, "4702"), gas(2, "4701")]) == {1: "gas-2", 2: "gas-1"}


def test_endless_new_serials_do_not_fill_the_memory() -> None:
    names = ChannelNames()
    for number in range(1_000):
        names.names([gas(channel, f"{number}-{channel}") for channel in range(1, 10)])

    assert len(names.owners) == 9


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    memory = MeterMemory({"p1": Standing("4530", 2), "gas-1": Standing("")}, {"gas-1": "#1"})

    write_memory(tmp_path / "p1.meters.json", memory)

    assert read_memory(tmp_path / "p1.meters.json") == memory
    assert stat.S_IMODE((tmp_path / "p1.meters.json").stat().st_mode) == 0o600


def test_a_damaged_memory_is_the_same_as_none(tmp_path: Path) -> None:
    path = tmp_path / "p1.meters.json"
    for text in ("", "[]", '{"standing": {"p1": 3}}', '{"standing": {}, "owners": []}', "\x00"):
        path.write_text(text)
        assert read_memory(path) == MeterMemory()
    assert read_memory(tmp_path / "away") == MeterMemory()


def test_a_swapped_meter_is_told_also_over_a_restart(tmp_path: Path) -> None:
    clock, events = VirtualClock(NOON_S), list[Event]()
    inbox: queue.Queue[Reading] = queue.Queue()
    meters = []
    for day, (serial, telegrams) in enumerate([("E0001", 3), ("E0002", AGREEING)]):
        port = P1TcpPort()
        line = MeterLine(P1Line("p1", port.address, DSMR_4), clock, tmp_path, events.append)
        line.start(inbox.put)
        assert port.wait_for_client(30)
        for second in range(telegrams):
            meter = P1Meter(serial, import_t2_wh=second)
            port.push(meter.telegram(NOON_S + 100 * day + second))
        meters += [inbox.get(timeout=30).meter for _ in range(telegrams)]
        line.stop()
        port.close()

    assert meters == [b"E0001".hex()] * 3 + [b"E0002".hex()] * AGREEING
    assert [(one.kind, one.device) for one in events] == [(EventKind.METER_SWAPPED, "p1")]
