"""What a month put away weighs and costs, and from it the disk of a year of a hundred homes."""

from __future__ import annotations

import math
import random
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.months.calendar import Month
from collectors.months.closing import Closing
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.wire import encode_block
from tests.collectors.blocks import block

pytestmark = pytest.mark.speed

MONTH = Month(2025, 7)
HOMES = 4
EVERY_S = 10
ROWS = 3600 // EVERY_S
HOURS = (MONTH.end_s - MONTH.start_s) // 3600
METER = ("import_wh", "export_wh", "import_w", "export_w", "voltage_l1_dv", "current_l1_ma")
SOLAR = ("produced_wh", "solar_w", "voltage_l1_dv", "frequency_mhz")
POINTS = HOMES * (len(METER) + len(SOLAR)) * HOURS * ROWS
YEAR_POINTS = 100 * 10 * 365 * 86_400 // EVERY_S
GOAL_BYTES_PER_POINT = 3.0
GOAL_POINTS_PER_S = 500_000
GOAL_WAIT_MS = 1000


class Home:
    """A home that cooks and washes now and then, with a roof under passing clouds."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)  # noqa: S311 - the same each time
        self.import_wh = self.export_wh = self.made_wh = 0.0
        self.on_until = [0.0] * 4
        self.cloud = 0.8
        self.volt = 2310.0

    def hour(self, start_s: int) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """Return the columns of meter and roof in an hour."""
        meter: dict[str, list[int]] = {name: [] for name in METER}
        roof: dict[str, list[int]] = {name: [] for name in SOLAR}
        chance = self.random
        for at_s in range(start_s, start_s + 3600, EVERY_S):
            load_w = 140.0 + chance.gauss(0, 4)
            for place, watts in enumerate((2000, 800, 1200, 100)):
                if at_s > self.on_until[place] and chance.random() < 0.0006:
                    self.on_until[place] = at_s + chance.uniform(300, 4500)
                if at_s < self.on_until[place]:
                    load_w += watts * (1 + chance.gauss(0, 0.01))
            sun = max(0.0, math.sin((at_s % 86_400 / 86_400 - 0.21) / 0.62 * math.pi))
            self.cloud = min(1.0, max(0.15, self.cloud + chance.gauss(0, 0.02)))
            made_w = 3600 * sun * self.cloud if 0.21 < at_s % 86_400 / 86_400 < 0.83 else 0.0
            net_w = load_w - made_w
            self.volt += chance.gauss(0, 1.5) + (2310 - self.volt) * 0.01
            self.import_wh += max(0.0, net_w) * EVERY_S / 3600
            self.export_wh += max(0.0, -net_w) * EVERY_S / 3600
            self.made_wh += made_w * EVERY_S / 3600
            values = (
                self.import_wh,
                self.export_wh,
                max(0.0, net_w),
                max(0.0, -net_w),
                self.volt,
                abs(net_w) / self.volt * 10_000,
            )
            for name, value in zip(METER, values, strict=True):
                meter[name].append(int(value))
            told = (self.made_wh, made_w, self.volt + 3, 50_000 + chance.gauss(0, 12))
            for name, value in zip(SOLAR, told, strict=True):
                roof[name].append(int(value))
        return meter, roof


def fill(store: SqliteStore) -> None:
    """Take a month of some homes in, an hour a block, and settle it."""
    homes = [Home(number) for number in range(HOMES)]
    for hour in range(HOURS):
        start_s = MONTH.start_s + hour * 3600
        at_s = range(start_s, start_s + 3600, EVERY_S)
        with store.intake() as intake:
            for number, home in enumerate(homes):
                for place, (device, columns) in enumerate(
                    zip(("p1", "pv"), home.hour(start_s), strict=True)
                ):
                    key = DeviceKey(f"gw-{number}", device)
                    one = block(hour * 2 + place + 1, list(at_s), columns, key=key)
                    intake.add(one, encode_block(one), start_s)
    while store.merge(2**40, limit=64):
        pass


def chunk_bytes(store: SqliteStore, table: str) -> int:
    """Return how much the chunks of a table hold [bytes]."""
    with store.asking() as connection:
        found = connection.execute(f"SELECT sum(length(chunk)) FROM {table}")  # noqa: S608 - ours
        return int(found.fetchone()[0])


def quarter_rows(store: SqliteStore) -> int:
    """Return how many quarters of registers there are."""
    with store.asking() as connection:
        return int(connection.execute("SELECT count(*) FROM q15").fetchone()[0])


def took_ms(act: Callable[[], object], rounds: int = 5) -> float:
    """Return the median time of an act [ms]."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[rounds // 2]


@contextmanager
def taking_in(store: SqliteStore) -> Iterator[list[float]]:
    """Take a block in twenty times a second meanwhile; yield how long each took [ms]."""
    waited_ms: list[float] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.05):
            number = len(waited_ms) + 1
            one = block(number, [MONTH.end_s + number], {"import_w": [number]}, epoch="meanwhile")
            began = time.perf_counter()
            with store.intake() as intake:
                intake.add(one, encode_block(one), MONTH.end_s)
            waited_ms.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield waited_ms
    finally:
        stop.set()
        thread.join()


def test_a_month_weighs_little_once_it_is_put_away(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "record.db") as store:
        fill(store)
        key, day_s = DeviceKey("gw-1", "p1"), MONTH.start_s + 15 * 86_400

        def day() -> object:
            return store.points(key, "import_w", day_s, day_s + 86_400)

        def month() -> object:
            return store.points(key, "import_w", MONTH.start_s, MONTH.end_s)

        in_record = chunk_bytes(store, "settled") / POINTS
        rollup_bytes = chunk_bytes(store, "rollup")
        day_before, month_before, told = took_ms(day), took_ms(month), month()
        closing = Closing(store.shelf, store.asking, store.changing)
        began, cpu = time.perf_counter(), time.process_time()
        with taking_in(store) as waited_ms:
            closing.turn(0, MONTH.end_s, MONTH.end_s, threading.Event())
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        (part,) = store.shelf.parts()
        in_file = store.shelf.size_bytes(part) / POINTS
        held = store.shelf.contents(part).points
        day_after, month_after = took_ms(day), took_ms(month)
        same = month() == told
        rows = quarter_rows(store)

    year_gb = YEAR_POINTS * in_file / 1e9
    record_gb = YEAR_POINTS / 365 * 62 * in_record / 1e9
    charts_gb = 100 / HOMES * 12 * (rollup_bytes + rows * 40) / 1e9
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\n{POINTS} points of {HOMES} homes, a month, every {EVERY_S} s")
    print(f"bytes a point: {in_record:.2f} in the record, {in_file:.2f} put away")
    print(f"put away and let go: {POINTS / seconds:.0f} points/s, {cpu / POINTS * 1e9:.0f} ns CPU")
    waited = sorted(waited_ms)
    print(
        f"{len(waited)} blocks taken in meanwhile: median {waited[len(waited) // 2]:.0f} ms,"
        f" longest {waited[-1]:.0f} ms"
    )
    print(f"a day of one series: {day_before:.1f} ms from the record, {day_after:.1f} ms from it")
    print(f"a month of it: {month_before:.0f} ms and {month_after:.0f} ms; peak {peak_mib} MiB")
    print(
        f"a year of 100 homes, 10 values every 10 s: {YEAR_POINTS / 1e9:.2f} billion points,"
        f" {year_gb:.1f} GB of months, {charts_gb:.1f} GB of quarters and rollups,"
        f" and at most {record_gb:.1f} GB of detail in the record"
    )
    assert waited[-1] < GOAL_WAIT_MS
    assert held == POINTS
    assert same
    assert in_file < GOAL_BYTES_PER_POINT
    assert POINTS / cpu > GOAL_POINTS_PER_S
