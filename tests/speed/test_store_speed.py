"""How fast the record takes readings in and answers, beside the plainest SQLite there is."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.wire import Block, encode_block
from tests.collectors.blocks import NOON_S, RECEIVED_S, block

pytestmark = pytest.mark.speed

GATEWAYS = 50
MINUTES = 40
ROWS = 60
NAMES = (
    "import_wh",
    "export_wh",
    "import_t1_wh",
    "import_t2_wh",
    "import_w",
    "export_w",
    "voltage_l1_dv",
    "current_l1_ma",
)
POINTS = GATEWAYS * MINUTES * ROWS * len(NAMES)
GOAL_POINTS_PER_S = 100_000


def _block(gateway: int, minute: int) -> Block:
    """Return one minute of a meter that says eight values a second."""
    seconds = range(minute * ROWS, (minute + 1) * ROWS)
    columns = {
        "import_wh": [10_000 + second * 7 // 10 for second in seconds],
        "export_wh": [5_000 + second // 9 for second in seconds],
        "import_t1_wh": [4_000 + second * 7 // 10 for second in seconds],
        "import_t2_wh": [6_000] * ROWS,
        "import_w": [400 + (second * 7919 + gateway) % 600 for second in seconds],
        "export_w": [0] * ROWS,
        "voltage_l1_dv": [2300 + (second * 31 + gateway) % 50 for second in seconds],
        "current_l1_ma": [1800 + (second * 7919) % 2600 for second in seconds],
    }
    at_s = [NOON_S + second for second in seconds]
    return block(minute + 1, at_s, columns, key=DeviceKey(f"gw-{gateway}", "p1"))


@pytest.fixture(scope="module")
def minutes() -> list[list[tuple[Block, bytes]]]:
    """A transaction a minute: one block of each gateway."""
    return [
        [
            (one, encode_block(one))
            for gateway in range(GATEWAYS)
            for one in [_block(gateway, minute)]
        ]
        for minute in range(MINUTES)
    ]


def _say(*lines: str) -> None:
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _plain_rows(minute: list[tuple[Block, bytes]]) -> Iterator[tuple[str, str, int, int]]:
    for one, _ in minute:
        for name, column in one.columns.items():
            for at_s, value in zip(one.at_s, column, strict=True):
                if value is not None:
                    yield one.gateway, name, at_s, value


def _plain_insert(path: Path, minutes: list[list[tuple[Block, bytes]]]) -> None:
    """Insert every point into one plain table, as durably, and keep nothing else."""
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("PRAGMA synchronous = FULL")
        plain.execute("CREATE TABLE point(gateway TEXT, name TEXT, at_s INTEGER, value INTEGER)")
        for minute in minutes:
            plain.execute("BEGIN IMMEDIATE")
            plain.executemany("INSERT INTO point VALUES (?, ?, ?, ?)", _plain_rows(minute))
            plain.execute("COMMIT")


def _take_in(store: SqliteStore, minutes: list[list[tuple[Block, bytes]]]) -> None:
    for minute in minutes:
        with store.intake() as intake:
            for one, payload in minute:
                intake.add(one, payload, RECEIVED_S)
                intake.advance(one.gateway, one.epoch, one.seq)


def _from_a_new_outbox(
    minutes: list[list[tuple[Block, bytes]]],
) -> list[list[tuple[Block, bytes]]]:
    """Return the same readings under another epoch, so that each point is compared."""
    return [[(replace(one, epoch="two"), payload) for one, payload in minute] for minute in minutes]


def _merge_all(store: SqliteStore) -> list[float]:
    steps: list[float] = []
    while True:
        started = time.perf_counter()
        if not store.merge(2**40):
            return steps
        steps.append(time.perf_counter() - started)


def test_the_record_takes_in_100_000_points_a_second(
    tmp_path: Path, minutes: list[list[tuple[Block, bytes]]]
) -> None:
    plain_s = _seconds(lambda: _plain_insert(tmp_path / "plain.db", minutes))
    with SqliteStore(tmp_path / "record.db") as store:
        record_s = _seconds(lambda: _take_in(store, minutes))
        again_s = _seconds(lambda: _take_in(store, _from_a_new_outbox(minutes)))
        steps = _merge_all(store)
        held = store.counts()
    sizes = [(tmp_path / name).stat().st_size / POINTS for name in ("plain.db", "record.db")]

    _say(
        f"{POINTS:,} points, {ROWS} rows x {len(NAMES)} columns, {GATEWAYS} blocks a commit",
        f"plain table, nothing else kept  {POINTS / plain_s:12,.0f} points/s   1.00",
        f"record, all of it kept          {POINTS / record_s:12,.0f} points/s"
        f"   {plain_s / record_s:.2f}",
        f"record, each point held already {POINTS / again_s:12,.0f} points/s"
        f"   {plain_s / again_s:.2f}",
        f"settling: {len(steps)} steps, longest {max(steps) * 1000:.0f} ms,"
        f" {POINTS / sum(steps):,.0f} points/s",
        f"bytes a point: plain {sizes[0]:.1f}, record with journal {sizes[1]:.1f}",
    )
    assert held.points == POINTS
    assert POINTS / record_s > GOAL_POINTS_PER_S


def test_a_day_of_a_hundred_homes_is_told_at_once(tmp_path: Path) -> None:
    at_s = [NOON_S + 900 * quarter for quarter in range(97)]
    with SqliteStore(tmp_path / "record.db") as store:
        with store.intake() as intake:
            for home in range(125):
                columns = {name: [7 * row for row in range(97)] for name in NAMES}
                one = block(1, at_s, columns, key=DeviceKey(f"gw-{home}", "p1"))
                intake.add(one, b"", RECEIVED_S)
        keys = [DeviceKey(f"gw-{home}", "p1") for home in range(100)]
        window = (NOON_S, NOON_S + 86_400)

        told = store.quarters({"import_wh"}, *window, keys)
        newest = store.latest()
        quarters_s = min(
            _seconds(lambda: store.quarters({"import_wh"}, *window, keys)) for _ in range(7)
        )
        both_s = min(
            _seconds(lambda: store.quarters({"import_wh", "export_wh"}, *window, keys))
            for _ in range(7)
        )
        latest_s = min(_seconds(store.latest) for _ in range(7))

    _say(
        f"quarters: {len(told)} of 100 homes {quarters_s * 1000:.1f} ms,"
        f" both ways {both_s * 1000:.1f} ms",
        f"latest: {len(newest)} series {latest_s * 1000:.1f} ms",
    )
    assert len(told) == 9600
    assert len(newest) == 1000
    assert quarters_s < 0.1
    assert latest_s < 0.02
