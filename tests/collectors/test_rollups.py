"""Rollups follow from the readings, whatever the order they came in; charts read nothing else."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.queries import Records
from collectors.sqlite_rollup import Rolled
from collectors.sqlite_store import SqliteStore
from collectors.store import Quality
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S
from kwartier.model import Community, Connection
from tests.collectors.blocks import HOME, NOON_S, block, registers, take_in
from tests.collectors.test_months import put_away

HOUR_S = 3600
DAY = (NOON_S - 86_400, NOON_S + 86_400)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "record.db") as opened:
        yield opened


def test_a_quarter_tells_count_sum_least_and_most_and_an_hour_follows_from_its_quarters(
    store: SqliteStore,
) -> None:
    at_s = [NOON_S, NOON_S + 10, NOON_S + 900, NOON_S + HOUR_S]
    take_in(store, block(1, at_s, {"battery_w": [100, -300, 50, 7], "import_wh": [1, 2, 3, 4]}))
    store.merge(2**40)

    assert store.rollups(HOME, "battery_w", *DAY) == [
        Rolled(NOON_S, 2, -200, -300, 100),
        Rolled(NOON_S + 900, 1, 50, 50, 50),
        Rolled(NOON_S + HOUR_S, 1, 7, 7, 7),
    ]
    assert store.rollups(HOME, "battery_w", *DAY, HOUR_S) == [
        Rolled(NOON_S, 3, -150, -300, 100),
        Rolled(NOON_S + HOUR_S, 1, 7, 7, 7),
    ]
    assert store.rollups(HOME, "battery_w", NOON_S + 1, NOON_S + HOUR_S) == [
        Rolled(NOON_S + 900, 1, 50, 50, 50)
    ]
    assert store.rollups(HOME, "import_wh", *DAY) == []
    assert Rolled(NOON_S, 2, -200, -300, 100).mean == -100.0


def test_what_comes_late_joins_also_when_the_rest_was_put_away(store: SqliteStore) -> None:
    take_in(store, block(1, [NOON_S, NOON_S + 10], {"battery_w": [1, 2]}))
    put_away(store)
    take_in(store, block(2, [NOON_S + 5], {"battery_w": [9]}))
    store.merge(2**40)
    take_in(store, block(3, [NOON_S + 6], {"battery_w": [-1]}))
    store.merge(2**40)

    assert store.rollups(HOME, "battery_w", *DAY) == [Rolled(NOON_S, 4, 11, -1, 9)]
    assert store.integrity() == []


def test_rollups_go_with_the_quarters_they_stand_beside(store: SqliteStore) -> None:
    take_in(store, block(1, [NOON_S], {"battery_w": [1]}))
    store.merge(2**40)

    assert store.forget_quarters(NOON_S) == 0
    assert store.forget_quarters(NOON_S + 86_400) == 1
    assert store.rollups(HOME, "battery_w", *DAY) == []


def test_rollups_are_let_go_in_steps_and_without_a_look_at_those_that_stay(
    store: SqliteStore,
) -> None:
    days = [NOON_S + day * 86_400 for day in range(5)]
    take_in(store, block(1, days, {"battery_w": [1] * 5}))
    store.merge(2**40)

    steps = [store.forget_quarters(days[3], limit=2) for _ in range(3)]

    assert steps == [2, 1, 0]
    left = store.rollups(HOME, "battery_w", NOON_S, days[4] + 86_400)
    assert [one.start_s for one in left] == days[3:]


@settings(max_examples=10)
@given(
    values=st.dictionaries(
        st.integers(0, 2 * 86_400), st.integers(-(2**52), 2**52), min_size=1, max_size=60
    ),
    chance=st.randoms(use_true_random=False),
)
def test_rollups_are_what_follows_from_all_values_at_once(
    tmp_path_factory: pytest.TempPathFactory, values: dict[int, int], chance: random.Random
) -> None:
    readings = [(NOON_S + after_s, value) for after_s, value in values.items()]
    chance.shuffle(readings)
    with SqliteStore(tmp_path_factory.mktemp("law") / "record.db") as store:
        for seq, first in enumerate(range(0, len(readings), 7), start=1):
            some = readings[first : first + 7]
            take_in(store, block(seq, [a for a, _ in some], {"battery_w": [v for _, v in some]}))
            if chance.random() < 0.5:
                store.merge(2**40)
        while store.merge(2**40):
            pass
        told = store.rollups(HOME, "battery_w", NOON_S, NOON_S + 3 * 86_400)

    expected: dict[int, list[int]] = {}
    for at_s, value in readings:
        expected.setdefault(at_s // QUARTER_S * QUARTER_S, []).append(value)
    assert told == [
        Rolled(at_s, len(some), sum(some), min(some), max(some))
        for at_s, some in sorted(expected.items())
    ]


def test_quarters_and_rollups_are_told_without_a_look_at_single_readings(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    with SqliteStore(path) as store:
        take_in(
            store,
            registers(1, (0, 10), (900, 30)),
            block(2, [NOON_S], {"battery_w": [5]}, epoch="two"),
        )
        store.merge(2**40)
        told = store.quarters({"import_wh"}, *DAY)
    with closing(sqlite3.connect(path)) as other:
        for table in ("fresh", "settled", "journal"):
            other.execute(f"ALTER TABLE {table} RENAME TO no_{table}")
        other.commit()

    with SqliteStore(path, read_only=True) as reader:
        assert reader.quarters({"import_wh"}, *DAY) == told
        assert told[0].quality is Quality.MEASURED
        assert reader.rollups(HOME, "battery_w", *DAY) == [Rolled(NOON_S, 1, 5, 5, 5)]
        assert [one.value for one in reader.latest()] == [5, 30]
        home = Community("hof", "Hof", {"h1": Connection("h1", "m1", "gw-1")}, {})
        records = Records(reader, home, VirtualClock(NOON_S + 3600))
        assert [one.import_wh for one in records.home("h1", *DAY)] == [20]
        assert records.sums(*DAY) == []
