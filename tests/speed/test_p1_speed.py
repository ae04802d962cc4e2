"""How fast telegrams become numbers, against dsmr-parser on the same bytes in the same run."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dsmr_parser import telegram_specifications  # type: ignore[import-untyped]  # has no stubs
from dsmr_parser.clients.telegram_buffer import (  # type: ignore[import-untyped]  # has no stubs
    TelegramBuffer,
)
from dsmr_parser.parsers import TelegramParser  # type: ignore[import-untyped]  # has no stubs

from gateway.p1 import telegram
from gateway.p1.framer import Framer
from gateway.p1.reader import P1Reader
from gateway.p1.serial_port import P1Source
from gateway.p1.telegram import telegram_of
from hardware.crc16 import crc16
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.clock import VirtualClock
from kwartier.reading import Reading

pytestmark = pytest.mark.speed

NOON_S = int(datetime(2026, 6, 14, 10, 0, tzinfo=UTC).timestamp())
TELEGRAMS = 2000
ROUNDS = 5
PIECE = 1024


def three_phase(second: int) -> bytes:
    """Return a telegram of the size a Dutch three-phase meter with gas sends, all values alive."""
    lines = [
        "/ISK5\\2M550T-1012",
        "",
        "1-3:0.2.8(50)",
        f"0-0:1.0.0({datetime.fromtimestamp(NOON_S + second + 7200, UTC):%y%m%d%H%M%S}S)",
        "0-0:96.1.1(4530303031)",
        f"1-0:1.8.1(003432.{second % 1000:03d}*kWh)",
        f"1-0:1.8.2({second:06d}.632*kWh)",
        "1-0:2.8.1(000000.000*kWh)",
        f"1-0:2.8.2({second:06d}.001*kWh)",
        "0-0:96.14.0(0001)",
        f"1-0:1.7.0(00.{second * 7 % 1000:03d}*kW)",
        "1-0:2.7.0(00.000*kW)",
        "0-0:96.7.21(00005)",
        "0-0:96.7.9(00003)",
        "1-0:99.97.0(1)(0-0:96.7.19)(180417201458S)(0000000236*s)",
        *(f"1-0:{phase}.{code}.0(00001)" for code in (32, 36) for phase in (32, 52, 72)),
        "0-0:96.13.0()",
        *(
            f"1-0:{phase}.7.0({228 + second * phase % 5}.{second * phase % 10}*V)"
            for phase in (32, 52, 72)
        ),
        *(f"1-0:{phase}.7.0(00{second % 4}*A)" for phase in (31, 51, 71)),
        *(f"1-0:{phase}.7.0(00.{second * phase % 700:03d}*kW)" for phase in (21, 41, 61)),
        *(f"1-0:{phase}.7.0(00.000*kW)" for phase in (22, 42, 62)),
        "0-1:24.1.0(003)",
        "0-1:96.1.0(4730303031)",
        "0-1:24.2.1(260614115500S)(00246.138*m3)",
        "!",
    ]
    body = "\r\n".join(lines).encode()
    return body + b"%04X\r\n" % crc16(body)


def best_of(works: dict[str, Callable[[], int]], done: int) -> dict[str, float]:
    """Return the least processor time of each [s]; they take turns, so all see the same noise."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.process_time()
            assert work() == done, name
            best[name] = min(best[name], time.process_time() - start)
    return best


def told(title: str, best_s: dict[str, float], each: int) -> None:
    base_s = next(iter(best_s.values()))
    lines = [f"\n{title}"]
    lines += [
        f"{name:<32}{taken_s / each * 1e6:>9.1f} us{each / taken_s:>10,.0f}/s"
        f"{base_s / taken_s:>7.1f} x"
        for name, taken_s in best_s.items()
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def readers_of(stream: bytes) -> dict[str, Callable[[], int]]:
    """Return every way to read a stream, dsmr-parser first; each returns the telegrams it read.

    What ours remembers of earlier lines is forgotten first: every round starts cold.
    """
    pieces = [stream[place : place + PIECE] for place in range(0, len(stream), PIECE)]
    parser = TelegramParser(telegram_specifications.V5)
    now_s = telegram_of(Framer().feed(stream)[0]).stamp
    assert now_s is not None

    def theirs() -> int:
        buffer, done = TelegramBuffer(), 0
        for piece in pieces:
            buffer.append(piece.decode("ascii"))
            for text in buffer.get_all():
                parser.parse(text)
                done += 1
        return done

    def checked() -> int:
        framer = Framer()
        return sum(frame.crc.proves for piece in pieces for frame in framer.feed(piece))

    def decoded() -> int:
        telegram._remembered.cache_clear()
        framer = Framer()
        frames = (frame for piece in pieces for frame in framer.feed(piece))
        return sum(bool(telegram_of(frame).numbers) for frame in frames if frame.crc.proves)

    def read() -> int:
        telegram._remembered.cache_clear()
        reader = P1Reader()
        found = (reading for piece in pieces for reading in reader.feed(piece, now_s.at_s))
        return sum(reading.device == "p1" for reading in found)

    return {
        "dsmr-parser: all": theirs,
        "kwartier: framer, checksum": checked,
        "kwartier: and decode": decoded,
        "kwartier: and readings": read,
    }


def test_telegrams_per_second_of_a_recorded_stream(shared_data: Path) -> None:
    recorded = shared_data / "p1" / "telegrams" / "dsmr-tools__stream_isk5_first60.p1"
    stream = recorded.read_bytes()[320:]

    best_s = best_of(readers_of(stream), 340)

    told("340 recorded telegrams, one a second, 772 bytes each", best_s, 340)
    assert best_s["dsmr-parser: all"] / best_s["kwartier: and decode"] > 20


def test_telegrams_per_second_where_every_value_moves() -> None:
    stream = b"".join(three_phase(second) for second in range(TELEGRAMS))

    best_s = best_of(readers_of(stream), TELEGRAMS)

    told(f"{TELEGRAMS} telegrams, {len(stream) // TELEGRAMS} bytes, all moving", best_s, TELEGRAMS)
    assert best_s["dsmr-parser: all"] / best_s["kwartier: and decode"] > 10


def test_checksum_against_the_byte_table() -> None:
    sent = three_phase(1)
    table = []
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = (rest >> 1) ^ 0xA001 if rest & 1 else rest >> 1
        table.append(rest)

    def by_table() -> int:
        rest = 0
        for byte in sent:
            rest = (rest >> 8) ^ table[(rest ^ byte) & 255]
        return rest

    assert by_table() == crc16(sent)
    best_s = best_of(
        {
            "a table of 256 numbers": lambda: sum(by_table() >= 0 for _ in range(TELEGRAMS)),
            "kwartier: folded": lambda: sum(crc16(sent) >= 0 for _ in range(TELEGRAMS)),
        },
        TELEGRAMS,
    )

    told(f"checksum of {len(sent)} bytes", best_s, TELEGRAMS)
    assert best_s["a table of 256 numbers"] / best_s["kwartier: folded"] > 4


def test_telegrams_per_second_over_a_socket() -> None:
    telegrams = 50_000
    port = P1TcpPort()
    meter = P1Meter("E0001")
    got: list[int] = []
    whole = threading.Event()

    def take(reading: Reading) -> None:
        got.append(reading.values["import_wh"])
        if len(got) == telegrams:
            whole.set()

    source = P1Source(port.address, VirtualClock(NOON_S))
    source.start(take)
    assert port.wait_for_client(30)
    start = time.perf_counter()
    for second in range(telegrams):
        meter.count(import_wh=1, export_wh=0)
        port.push(meter.telegram(NOON_S + second))
    assert whole.wait(240)
    taken_s = time.perf_counter() - start
    source.stop()
    port.close()

    assert got == list(range(1, telegrams + 1))
    told("a process", {"virtual meter, TCP, readings": taken_s}, telegrams)
