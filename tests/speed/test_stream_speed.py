"""Five hundred pages that listen to one process: nothing that is taken in is lost or waits."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
import pytest

from api.broker import running_broker
from collectors.sqlite_store import SqliteStore
from gateway.agent import Agent, Manner
from gateway.keep.blocks import Shape
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from kwartier.broker import Broker
from kwartier.clock import SystemClock
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading
from tests.speed.stream_server import COOP

pytestmark = [pytest.mark.speed, pytest.mark.broker]

HOMES = 60
LISTENERS = 500
SECONDS = 30
MANNER = Manner(shape=Shape(rows=10, age_s=5.0), pace=Pace(spread_s=0.0))
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Heard:
    """What the listeners heard: how long after its reading each power came [s]."""

    delays_s: list[float] = field(default_factory=list)
    silent: int = 0

    def part_ms(self, part: float) -> float:
        """Return the delay that a part of all events stays below [ms]."""
        return sorted(self.delays_s)[int(part * (len(self.delays_s) - 1))] * 1000


@dataclass(frozen=True)
class Outcome:
    """One run: what was sent and kept, and what it cost."""

    sent: int
    held: int
    drained_s: float
    cpu_s: float
    bare_ms: float
    page_ms: float
    heard: Heard


class Listeners:
    """Sockets that hear the stream, read by one thread; the newest reading is stamped ``told``."""

    def __init__(self, address: str, count: int) -> None:
        where = urlsplit(address)
        assert where.hostname is not None
        self.heard = Heard()
        self.told_s = 0.0
        """When the newest readings were sent [s]."""
        self._stopping = threading.Event()
        self._chosen = selectors.DefaultSelector()
        self._sockets = []
        self._counts: dict[int, int] = {}
        for _ in range(count):
            one = socket.create_connection((where.hostname, where.port or 80), timeout=60)
            one.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            one.setblocking(False)
            self._sockets.append(one)
            self._counts[one.fileno()] = 0
            self._chosen.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for key, _ in self._chosen.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                text = key.fileobj.recv(65_536)
                events = text.count(b"event: power")
                self._counts[key.fd] += events
                if events and self.told_s:
                    self.heard.delays_s.append(time.time() - self.told_s)

    def close(self) -> Heard:
        self._stopping.set()
        self._thread.join()
        self.heard.silent = sum(count == 0 for count in self._counts.values())
        for one in self._sockets:
            one.close()
        return self.heard


@contextmanager
def process_of(folder: Path, broker: Broker) -> Iterator[tuple[str, int]]:
    """Yield the address and the process id of a server."""
    words = [sys.executable, "-m", "tests.speed.stream_server", str(folder), broker.url, str(HOMES)]
    started = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert started.stdout is not None
    try:
        yield f"http://127.0.0.1:{started.stdout.readline().strip()}", started.pid
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(30)
        started.stdout.close()


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has taken [s]."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def run(folder: Path, broker: Broker, listeners: int) -> Outcome:
    """Feed one reading a second of every home while some listen."""
    clock = SystemClock()
    folder.mkdir()
    with ExitStack() as parts:
        address, pid = parts.enter_context(process_of(folder, broker))
        client = parts.enter_context(httpx.Client(base_url=address, timeout=60))
        assert client.get("/healthz").status_code == 200
        bus = MqttBus(broker, Session(f"speed-gateways-{listeners}"))
        parts.callback(bus.close)
        assert bus.wait_until_up(30)
        agents = []
        for place in range(HOMES):
            outbox = Outbox(folder / f"gw-{place:02}.outbox", f"gw-{place:02}", clock)
            parts.callback(outbox.close)
            agents.append(Agent(COOP, f"gw-{place:02}", outbox, bus, clock, MANNER))
            agents[-1].start()
            parts.callback(agents[-1].stop)
        ears = Listeners(address, listeners)
        taken_s, bare, pages = cpu_s(pid), list[float](), list[float]()
        for second in range(SECONDS):
            time.sleep(1 - time.time() % 1)
            ears.told_s = time.time()
            for place, agent in enumerate(agents):
                counted = {"import_wh": 1_000 + second, "export_wh": 0}
                power = {"import_w": 500 + (second * 997 + place * 31) % 3_000, "export_w": 0}
                agent.take(Reading("p1", f"M{place:02}", int(ears.told_s), counted | power))
            for address, taken in (("/sw.js", bare), ("/", pages)):
                asked_s = time.perf_counter()
                assert client.get(address).status_code == 200
                taken.append((time.perf_counter() - asked_s) * 1000)
        taken_s = cpu_s(pid) - taken_s
        heard = ears.close()
        ended_s = time.perf_counter()
        for agent in agents:
            agent.write_all()
        while any(agent.unacknowledged for agent in agents):
            assert time.perf_counter() - ended_s < 60
            time.sleep(0.05)
        drained_s = time.perf_counter() - ended_s
    with SqliteStore(folder / "telemetry.db", read_only=True) as store:
        held = store.counts().readings
    sent = SECONDS * HOMES
    return Outcome(sent, held, drained_s, taken_s, median(bare), median(pages), heard)


def test_five_hundred_listeners_cost_no_reading(tmp_path: Path) -> None:
    with running_broker() as broker:
        without = run(tmp_path / "without", broker, 0)
    with running_broker() as broker:
        among = run(tmp_path / "among", broker, LISTENERS)

    print(
        "\n| listeners | sent | lost | rest taken in after [s] | processor [s/s] "
        "| bare file [ms] | page [ms] |"
    )
    print("|---|---|---|---|---|---|---|")
    for count, one in ((0, without), (LISTENERS, among)):
        print(
            f"| {count} | {one.sent} | {one.sent - one.held} | {one.drained_s:.2f} "
            f"| {one.cpu_s / SECONDS:.2f} | {one.bare_ms:.0f} | {one.page_ms:.0f} |"
        )
    print(
        f"power heard {len(among.heard.delays_s)} times, after a median of "
        f"{among.heard.part_ms(0.5):.0f} ms, 95 % within {among.heard.part_ms(0.95):.0f} ms"
    )
    assert without.held == without.sent
    assert among.held == among.sent
    assert among.heard.silent == 0
    assert len(among.heard.delays_s) > LISTENERS * SECONDS / 4
    assert among.page_ms < 3 * without.page_ms
