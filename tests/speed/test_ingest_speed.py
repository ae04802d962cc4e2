"""Readings a second from outbox to record, beside what paho alone does with the same payloads."""

from __future__ import annotations

import gc
import secrets
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.broker import running_broker
from collectors.ingest import Ingest, Limits
from collectors.sqlite_store import SqliteStore
from gateway.keep.blocks import Draft
from gateway.keep.courier import Courier
from gateway.keep.outbox import Outbox
from kwartier.broker import Broker
from kwartier.bus import InProcessBus, Message
from kwartier.clock import SystemClock
from kwartier.envelope import Envelope
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block
from tests.speed.waiting_blocks import Took, WaitingBlocks

pytestmark = [pytest.mark.speed, pytest.mark.broker]

BLOCKS = 3000
ROWS = 60
T0 = 1_767_225_600
GATEWAYS = 4
UNBOUND_PER_S = 100_000
"""A rate that holds no gateway back: what is measured is the speed, not the share granted."""
WAITING = 1000
"""Blocks of each gateway that wait at the broker; all together fit in the inbox of ingest."""
ROUNDS = 5


@pytest.fixture(autouse=True)
def _small_heap() -> Iterator[None]:
    """Keep the test runner's own objects out of the collector's rounds, as in a service."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def mosquitto() -> Iterator[Broker]:
    with running_broker() as broker:
        yield broker


def readings(block: int) -> tuple[Reading, ...]:
    """Return a minute of a meter: two registers and a power, once a second."""
    first = block * ROWS
    return tuple(
        Reading(
            "p1",
            "E0001",
            T0 + row,
            {"import_wh": row, "export_wh": row // 3, "import_w": (row * 37) % 4000},
        )
        for row in range(first, first + ROWS)
    )


def payloads() -> list[bytes]:
    return [
        encode_block(block_of(list(readings(block)), "gw-1", "e1", block + 1))
        for block in range(BLOCKS)
    ]


def raw_paho_s(broker: Broker) -> float:
    """Return how long paho takes to publish the payloads with QoS 1 and to hear them [s]."""
    sent = payloads()
    hearing = MqttBus(broker, Session("raw-hearing"))
    speaking = MqttBus(broker, Session("raw-speaking"))
    all_heard, ready = threading.Event(), threading.Event()
    window = threading.Semaphore(40)
    heard = 0

    def hear(message: Message) -> None:
        nonlocal heard
        heard += 1
        window.release()
        if heard == BLOCKS:
            all_heard.set()

    hearing.subscribe("raw/ready", lambda message: ready.set())  # noqa: ARG005 - any will do
    hearing.subscribe("raw/blk", hear)
    assert speaking.wait_until_up(30)
    assert hearing.wait_until_up(30)
    speaking.publish("raw/ready", b"?", retain=True)
    assert ready.wait(30)
    began_s = time.perf_counter()
    for payload in sent:
        window.acquire()
        speaking.publish("raw/blk", payload)
    assert all_heard.wait(300)
    took_s = time.perf_counter() - began_s
    hearing.close()
    speaking.close()
    return took_s


def end_to_end_s(broker: Broker, folder: Path, gateways: int) -> float:
    """Return how long full outboxes take to reach the record [s]."""
    clock, coop = SystemClock(), f"c-{secrets.token_hex(4)}"
    outboxes = []
    for number in range(gateways):
        outbox = Outbox(folder / f"{number}.db", f"gw-{number}", clock)
        outbox.append([Draft(readings(block)) for block in range(BLOCKS // gateways)])
        outboxes.append(outbox)
    record = SqliteStore(folder / "record.db")
    collecting = MqttBus(broker, Session(f"collect-{coop}"))
    ingest = Ingest(record, collecting, coop, clock, Limits(busy_rate_per_s=UNBOUND_PER_S))
    ingest.start()
    heard = threading.Semaphore(0)
    collecting.subscribe(f"nec/v1/{coop}/+/ack", lambda message: heard.release())  # noqa: ARG005
    buses = [MqttBus(broker, Session(f"{coop}-{number}")) for number in range(gateways)]
    assert all(bus.wait_until_up(30) for bus in [collecting, *buses])
    began_s = time.perf_counter()
    couriers = [
        Courier(outbox, bus, coop, f"gw-{number}", clock)
        for number, (outbox, bus) in enumerate(zip(outboxes, buses, strict=True))
    ]
    for courier in couriers:
        courier.start()
    while ingest.totals.taken < BLOCKS // gateways * gateways:
        assert heard.acquire(timeout=60)
    took_s = time.perf_counter() - began_s
    for courier in couriers:
        courier.stop()
    ingest.stop()
    for bus in [collecting, *buses]:
        bus.close()
    assert record.counts().readings == BLOCKS // gateways * gateways * ROWS
    record.close()
    return took_s


def ingest_only_s(folder: Path) -> float:
    """Return how long ingest alone takes: decode, store, commit, answer [s]."""
    messages = [
        Message("nec/v1/c/gw-1/blk/p1", payload, properties=Envelope("e1", number + 1).properties())
        for number, payload in enumerate(payloads())
    ]
    record = SqliteStore(folder / "only.db")
    ingest = Ingest(record, InProcessBus(), "c", SystemClock())
    began_s = time.perf_counter()
    for first in range(0, BLOCKS, 50):
        ingest.work_off(messages[first : first + 50])
    took_s = time.perf_counter() - began_s
    record.close()
    return took_s


def test_readings_a_second_from_outbox_to_record(mosquitto: Broker, tmp_path: Path) -> None:
    rows = [("paho alone, QoS 1, window 40: no disk, no decoding", raw_paho_s(mosquitto))]
    for gateways in (1, GATEWAYS):
        folder = tmp_path / str(gateways)
        folder.mkdir()
        took_s = end_to_end_s(mosquitto, folder, gateways)
        rows.append((f"outbox to SQLite record, {gateways} gateways", took_s))
    rows.append(("ingest alone: decode, store, commit, answer", ingest_only_s(tmp_path)))

    base_s = rows[0][1]
    print(f"\n{BLOCKS} blocks of {ROWS} readings")
    for name, took_s in rows:
        rate = BLOCKS * ROWS / took_s
        print(f"{name:<52} {rate:>10,.0f} readings/s {base_s / took_s:>6.2f} x")
    assert rows[2][1] < 20 * base_s


def test_readings_a_second_from_broker_to_record(mosquitto: Broker, tmp_path: Path) -> None:
    """Blocks wait at the broker, so that nobody publishes while they are read."""
    payloads = {
        f"gw-{gateway}": [
            encode_block(block_of(list(readings(block)), f"gw-{gateway}", "e1", block + 1))
            for block in range(WAITING)
        ]
        for gateway in range(GATEWAYS)
    }
    count = GATEWAYS * WAITING * ROWS
    pairs: list[tuple[Took, Took]] = []
    for number in range(ROUNDS):
        waiting, path = WaitingBlocks(mosquitto, payloads), tmp_path / f"{number}.db"
        if number % 2:
            stored = waiting.read_by_collector(path)
            pairs.append((waiting.read_by_paho(), stored))
        else:
            heard = waiting.read_by_paho()
            pairs.append((heard, waiting.read_by_collector(path)))

    print(f"\n{GATEWAYS * WAITING} blocks of {ROWS} readings; CPU is this process's own")
    for heard, stored in pairs:
        print(_line("paho alone", heard, count), "|", _line("to the record", stored, count))
    wall = statistics.median(heard.wall_s / stored.wall_s for heard, stored in pairs)
    cpu = statistics.median(stored.cpu_s / heard.cpu_s for heard, stored in pairs)
    rate = count / statistics.median(stored.wall_s for _, stored in pairs)
    print(f"median {rate:,.0f} readings/s, {wall:.2f} x paho alone, for {cpu:.2f} x its CPU time")
    assert cpu < 5


def _line(name: str, took: Took, count: int) -> str:
    """Return readings a second, and CPU time a reading."""
    return f"{name} {count / took.wall_s:>9,.0f}/s {took.cpu_s / count * 1e6:.2f} us"
