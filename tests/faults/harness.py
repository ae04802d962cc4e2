"""Real processes under real faults: gateways, mosquitto and a collector, and what is left of it.

A run expands from its seed to a printed list of faults. Each strikes when a certain part of the
readings has reached the record, so that all of them meet a system at work.
"""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from random import Random

from api.broker import BrokerProcess
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey, Store
from gateway.keep.outbox import Outbox
from kwartier.clock import SystemClock
from kwartier.interval import QUARTER_S
from tests.faults.meters import ROWS, T0, at_s, good_blocks, register_wh

_log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
STALL_S = 0.7
LOOK_EVERY_S = 0.03
GIVE_UP_S = 240.0
PROGRAM = [sys.executable, "-c", "from kwartier.cli import main; raise SystemExit(main())"]


class Fault(StrEnum):
    """What can happen."""

    GATEWAY_KILLED = "gateway killed"
    GATEWAY_STALLED = "gateway stalled"
    COLLECTOR_KILLED = "collector killed"
    COLLECTOR_STALLED = "collector stalled"
    BROKER_KILLED = "broker killed"
    BROKER_STALLED = "broker stalled"
    STORE_FULL = "store full"
    BLACKOUT = "broker killed while the collector was dead"


PLAN = Counter(
    {
        Fault.GATEWAY_KILLED: 7,
        Fault.GATEWAY_STALLED: 2,
        Fault.COLLECTOR_KILLED: 4,
        Fault.COLLECTOR_STALLED: 2,
        Fault.BROKER_KILLED: 3,
        Fault.BROKER_STALLED: 1,
        Fault.STORE_FULL: 1,
        Fault.BLACKOUT: 1,
    }
)


@dataclass(slots=True)
class Verdict:
    """What the checker found.

    Attributes:
        sent: Readings that the meters gave.
        stored: Readings in the record, each block's row once.
        lost: Readings of which the record has no or another value.
        duplicated: Rows that were counted more than once.
        blocks_sent: Blocks that were numbered, poison among them.
        blocks_held: Blocks in the record plus dead letters.
        wrong_quarters: Quarters whose energy differs from what the register counted.
        problems: What the database says of itself.
    """

    sent: int = 0
    stored: int = 0
    lost: int = 0
    duplicated: int = 0
    blocks_sent: int = 0
    blocks_held: int = 0
    wrong_quarters: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return (
            self.lost == self.duplicated == self.wrong_quarters == 0
            and self.stored == self.sent
            and self.blocks_held == self.blocks_sent
            and not self.problems
        )


class Street:
    """Some gateways, one broker and one collector, each a process of its own."""

    def __init__(
        self, folder: Path, *, gateways: int, blocks: int, forget_on_puback: bool = False
    ) -> None:
        """Prepare a run in which each gateway sends so many blocks."""
        self.folder = folder
        self.gateways = range(1, gateways + 1)
        self.blocks = blocks
        self._forget = forget_on_puback
        self._record = folder / "record.db"
        self._gateways: dict[int, subprocess.Popen[bytes]] = {}
        self._collector: subprocess.Popen[bytes] | None = None
        (folder / "broker").mkdir()
        self.broker = BrokerProcess.on_spare_port(folder / "broker")
        for name, more in (("roomy", ""), ("full", "max_mib = 1\n")):
            (folder / f"{name}.toml").write_text(
                f'coop = "straat"\n[broker]\nurl = "{self.broker.broker.url}"\n'
                f'[store]\npath = "record.db"\n{more}[ingest]\npatience_s = 5.0\n'
            )

    def start(self) -> None:
        """Start everything; the collector is heard of before the first gateway speaks."""
        self.start_collector()
        self.wait_until(lambda: "link is up" in (self.folder / "collector.log").read_text())
        for meter in self.gateways:
            self.start_gateway(meter)

    def start_collector(self, settings: str = "roomy") -> None:
        """Start the collector with a record that may grow, or one that is full."""
        self._collector = self._spawn(
            "collector", *PROGRAM, "collect", "--config", str(self.folder / f"{settings}.toml")
        )

    def start_gateway(self, meter: int) -> None:
        """Start one gateway on its own folder."""
        home = self.folder / f"gw-{meter}"
        home.mkdir(exist_ok=True)
        words = [str(home), str(self.broker.broker.port), str(meter), str(self.blocks)]
        words += ["--forget-on-puback"] if self._forget else []
        self._gateways[meter] = self._spawn(
            f"gw-{meter}", sys.executable, "-m", "tests.faults.gateway_process", *words
        )

    def stored(self) -> int:
        """Return how many readings the record holds now."""
        if not self._record.exists():
            return 0
        with closing(sqlite3.connect(self._record, timeout=5.0)) as db:
            try:
                (readings,) = db.execute("SELECT readings FROM life").fetchone()
            except sqlite3.OperationalError:  # the collector is just making it
                return 0
        return int(readings)

    def holds(self, readings: int) -> bool:
        """Return whether the record holds so many readings."""
        return self.stored() >= readings

    def strike(self, fault: Fault, random: Random) -> None:
        """Let one fault happen, and set right what an operator or systemd would set right."""
        working = [meter for meter, process in self._gateways.items() if process.poll() is None]
        victim = random.choice(working) if working else None
        match fault:
            case Fault.GATEWAY_KILLED if victim is not None:
                end_process(self._gateways[victim], signal.SIGKILL)
                self.start_gateway(victim)
            case Fault.GATEWAY_STALLED if victim is not None:
                _stall(self._gateways[victim])
            case Fault.COLLECTOR_KILLED:
                self._end_collector(signal.SIGKILL)
                self.start_collector()
            case Fault.COLLECTOR_STALLED if self._collector is not None:
                _stall(self._collector)
            case Fault.BROKER_KILLED:
                self.broker.kill()
                self.broker.start()
            case Fault.BROKER_STALLED:
                self.broker.stall()
                time.sleep(STALL_S)  # the fault itself, not a wait for something
                self.broker.resume()
            case Fault.STORE_FULL:
                self._end_collector(signal.SIGTERM)
                self.start_collector("full")
                time.sleep(2 * STALL_S)  # the fault itself
                self._end_collector(signal.SIGTERM)
                self.start_collector()
            case Fault.BLACKOUT:
                self._end_collector(signal.SIGKILL)
                time.sleep(STALL_S)  # the fault itself: blocks pile up in the broker
                self.broker.kill()
                self.broker.start()
                self.start_collector()
            case _:
                raise AssertionError(f"{fault} found nobody at work")

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Look until something is so; fail when it takes unreasonably long."""
        until_s = time.monotonic() + GIVE_UP_S
        while not reached():
            if time.monotonic() > until_s:
                raise AssertionError(f"nothing moves any more: {self.last_words()}")
            if self._collector is not None and self._collector.poll() is not None:
                raise AssertionError(f"the collector ended by itself: {self.last_words()}")
            time.sleep(LOOK_EVERY_S)

    def gateways_are_done(self) -> bool:
        """Return whether each gateway believes that all it wrote is in the record."""
        codes = [process.poll() for process in self._gateways.values()]
        if any(code not in {None, 0} for code in codes):
            raise AssertionError(f"a gateway ended by itself: {self.last_words()}")
        return all(code == 0 for code in codes)

    def finish(self) -> Verdict:
        """Stop the collector in order and compare the record with what the meters gave."""
        self._end_collector(signal.SIGTERM)
        with SqliteStore(self._record, read_only=True) as store:
            return self.verdict_on(store, store.integrity())

    def verdict_on(self, store: Store, problems: list[str]) -> Verdict:
        """Compare a record with what the meters gave."""
        counts = store.counts()
        verdict = Verdict(
            stored=counts.readings,
            blocks_held=counts.blocks + counts.dead_letters,
            problems=problems,
        )
        for meter in self.gateways:
            self._check_meter(store, meter, verdict)
        verdict.duplicated = max(verdict.duplicated, counts.readings + verdict.lost - verdict.sent)
        return verdict

    def close(self) -> None:
        """End whatever still runs."""
        for process in [*self._gateways.values(), *filter(None, [self._collector])]:
            end_process(process, signal.SIGKILL)
        self.broker.kill()

    def last_words(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(
            f"{log.name}: {log.read_text(errors='replace')[-1500:]}"
            for log in sorted(self.folder.glob("*.log"))
        )

    def _check_meter(self, store: Store, meter: int, verdict: Verdict) -> None:
        outbox = Outbox(self.folder / f"gw-{meter}" / "outbox.db", f"gw-{meter}", SystemClock())
        verdict.blocks_sent += outbox.position.last
        outbox.close()
        rows = good_blocks(self.blocks) * ROWS
        key = DeviceKey(f"gw-{meter}", "p1")
        expected = {at_s(row): register_wh(meter, row) for row in range(rows)}
        points = store.points(key, "import_wh", T0, at_s(rows))
        held = dict(points)
        verdict.sent += rows
        verdict.lost += sum(held.get(at) != value for at, value in expected.items())
        verdict.duplicated += len(points) - len(held)
        quarters = store.quarters(["import_wh"], T0, at_s(rows) // QUARTER_S * QUARTER_S, [key])
        told = {quarter.start_s: quarter.energy_wh for quarter in quarters}
        for start_s in range(T0, at_s(rows) - QUARTER_S, QUARTER_S):
            counted = expected[start_s + QUARTER_S] - expected[start_s]
            verdict.wrong_quarters += told.get(start_s) != counted

    def _end_collector(self, how: signal.Signals) -> None:
        assert self._collector is not None
        if self._collector.poll() is not None:
            raise AssertionError(f"the collector ended by itself: {self.last_words()}")
        end_process(self._collector, how)

    def _spawn(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                words, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )


def plan_of(faults: Counter[Fault], seed: int) -> list[Fault]:
    """Return the faults of a run in the order that its seed gives."""
    plan = sorted(faults.elements())
    Random(seed).shuffle(plan)  # noqa: S311 - a run must be repeatable
    return plan


def run(street: Street, plan: list[Fault], seed: int) -> Verdict:
    """Run a street through its faults and return what the checker found."""
    random = Random(seed)  # noqa: S311 - a run must be repeatable
    total = len(street.gateways) * good_blocks(street.blocks) * ROWS
    street.start()
    for number, fault in enumerate(plan):
        goal = total * (number + 1) // (len(plan) + 2)
        street.wait_until(partial(street.holds, goal))
        _log.info("at %d readings: %s", goal, fault)
        street.strike(fault, random)
    street.wait_until(street.gateways_are_done)
    return street.finish()


def _stall(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGSTOP)
    time.sleep(STALL_S)  # the fault itself
    process.send_signal(signal.SIGCONT)


def end_process(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
