"""How a record does is written beside it: how full, whether sound; said once, never in the way."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collectors.checkup import (
    Checkup,
    condition_path,
    disk_permille,
    read_condition,
)
from collectors.months.calendar import Month
from collectors.record_measures import record_measures
from collectors.sqlite_store import SqliteStore
from kwartier.clock import VirtualClock
from kwartier.errors import InputError, StoreBusyError
from tests.collectors.blocks import block, registers, take_in
from tests.collectors.test_months import put_away

NIGHT_S = Month(2025, 11).start_s + 2 * 3600
DAY_S = 86_400
PAUSES = (600, 3600, 9 * 3600)
GOING = threading.Event()


class FullDisk:
    """A file system that is as full as a test says."""

    def __init__(self, permille: int = 100) -> None:
        self.permille = permille

    def __call__(self, _path: Path, /) -> int:
        return self.permille


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "record.db", max_bytes=100 * 2**20) as opened:
        yield opened


def test_what_is_written_is_read_back(store: SqliteStore) -> None:
    clock = VirtualClock(NIGHT_S)
    take_in(store, registers(1, (0, 1)))
    put_away(store)

    told = Checkup(store, clock, FullDisk(420)).turn(GOING)

    assert read_condition(store.path) == told
    assert told.record_bytes == store.size_bytes()
    assert told.disk_permille == 420
    assert told.months_bytes > 0
    assert told.alarm_permille == 0
    assert told.is_sound


def test_room_that_was_freed_in_the_record_counts_as_room(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "record.db", max_bytes=4 * 2**20) as store:
        with store.changing() as connection:
            connection.execute("CREATE TABLE ballast(content BLOB)")
            connection.execute("INSERT INTO ballast VALUES (zeroblob(?))", (3 * 2**20,))
        checkup = Checkup(store, VirtualClock(NIGHT_S), FullDisk())
        before = checkup.turn(GOING)
        with store.changing() as connection:
            connection.execute("DELETE FROM ballast")

        after = checkup.turn(GOING)

        assert after.record_bytes == before.record_bytes
        assert (before.record_permille or 0) > 750
        assert (after.record_permille or 1000) < 250


def test_prometheus_is_told_sizes_alarms_and_whether_it_is_sound(
    store: SqliteStore, tmp_path: Path
) -> None:
    assert record_measures(store.path, NIGHT_S) == []
    take_in(store, registers(1, (0, 1)))
    put_away(store)
    (tmp_path / "record.db.months" / "2025-07.readings.1.parquet").unlink()
    Checkup(store, VirtualClock(NIGHT_S), FullDisk(910)).turn(GOING)

    told = {one.name: one.value for one in record_measures(store.path, NIGHT_S + 60)}

    assert told == {
        "kwartier_record_bytes": store.size_bytes(),
        "kwartier_months_bytes": 0,
        "kwartier_record_filled_ratio": 1000 * store.size_bytes() // (100 * 2**20) / 1000,
        "kwartier_record_alarm_ratio": 0.9,
        "kwartier_record_sound": False,
        "kwartier_record_looked_age_seconds": 60,
    }


def test_nothing_is_told_of_a_record_that_nobody_looked_at(tmp_path: Path) -> None:
    assert read_condition(tmp_path / "record.db") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"quick": 1}', "\x00"])
def test_a_note_that_makes_no_sense_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    condition_path(tmp_path / "record.db").write_text(text)

    with pytest.raises(InputError, match=r"record\.db\.condition"):
        read_condition(tmp_path / "record.db")


def test_a_disk_that_fills_is_said_once_at_each_alarm_and_once_when_it_is_over(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FullDisk()
    checkup = Checkup(store, VirtualClock(NIGHT_S + 12 * 3600), disk)
    alarms = []
    with caplog.at_level(logging.WARNING):
        for disk.permille in (799, 800, 850, 910, 895, 885, 879, 790, 779, 801):
            alarms.append(checkup.turn(GOING).alarm_permille)

    assert alarms == [0, 800, 800, 900, 900, 900, 800, 800, 0, 800]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "the record's place is 80 % full",
        "the record's place is 91 % full",
        "the record's place is 87 % full again",
        "the record's place is 77 % full again",
        "the record's place is 80 % full",
    ]


def test_the_file_is_looked_at_quickly_each_night_and_thoroughly_each_week(
    store: SqliteStore,
) -> None:
    clock = VirtualClock(NIGHT_S)
    checkup = Checkup(store, clock, FullDisk())
    quick, thorough = [], []
    for _ in range(15):
        for pause_s in PAUSES:
            told = checkup.turn(GOING)
            quick.append(told.quick.at_s)
            thorough.append(told.thorough.at_s)
            clock.advance(pause_s)
        clock.advance(DAY_S - sum(PAUSES))

    nights = [(at_s - NIGHT_S) // DAY_S for at_s in sorted(set(thorough))]
    assert nights == [0, 7, 14]
    assert len({*quick, *thorough} - {0}) == 15
    assert all((at_s // 3600) % 24 in range(1, 5) for at_s in {*quick, *thorough} - {0})


def test_a_clock_that_was_a_year_ahead_for_a_while_leaves_no_year_without_a_look(
    store: SqliteStore,
) -> None:
    Checkup(store, VirtualClock(NIGHT_S + 365 * DAY_S), FullDisk()).turn(GOING)

    told = Checkup(store, VirtualClock(NIGHT_S), FullDisk()).turn(GOING)

    assert told.thorough.at_s == NIGHT_S


def test_a_damaged_file_is_noticed_and_stays_written_down(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    with SqliteStore(path) as store:
        for seq in range(1, 40):
            at_s = [NIGHT_S + seq * 60 + row for row in range(60)]
            take_in(store, block(seq, at_s, {"import_w": [row * row for row in range(60)]}))
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = other.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'journal'"
        ).fetchone()
        (size,) = other.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size + 8)
        file.write(b"\xff" * 64)

    with SqliteStore(path, read_only=True) as reader:
        told = Checkup(reader, VirtualClock(NIGHT_S), FullDisk()).turn(GOING)

    assert not told.is_sound
    assert told.thorough.problems
    assert read_condition(path) == told


def test_a_month_file_that_is_gone_is_named(
    store: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    take_in(store, registers(1, (0, 1)))
    put_away(store)
    (tmp_path / "record.db.months" / "2025-07.readings.1.parquet").unlink()

    told = Checkup(store, VirtualClock(NIGHT_S), FullDisk()).turn(GOING)

    assert told.months_away == ("2025-07.readings.1.parquet",)
    assert not told.is_sound
    assert "2025-07.readings.1.parquet" in caplog.text


def test_nothing_waits_for_a_look_at_the_file(store: SqliteStore) -> None:
    at_s = range(NIGHT_S, NIGHT_S + 3000)
    for seq in range(1, 60):
        rows = [at + seq * 3000 for at in at_s]
        take_in(store, block(seq, rows, {"import_w": [at * 7919 % 5000 for at in at_s]}))
    looking = threading.Event()

    def look() -> None:
        checkup = Checkup(store, VirtualClock(NIGHT_S), FullDisk())
        while not looking.is_set():
            checkup._look(GOING, quick=False)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        took = []
        for seq in range(60, 80):
            began = time.perf_counter()
            take_in(store, registers(seq, (seq, seq)))
            took.append(time.perf_counter() - began)
    finally:
        looking.set()
        thread.join()

    assert sorted(took)[10] < 1.0


def test_a_look_ends_when_it_is_told_to_stop(store: SqliteStore) -> None:
    for seq in range(1, 60):
        at_s = range(NIGHT_S + seq * 3000, NIGHT_S + seq * 3000 + 3000)
        take_in(store, block(seq, list(at_s), {"import_w": [at * 7919 % 5000 for at in at_s]}))
    stopped = threading.Event()
    stopped.set()

    looked = Checkup(store, VirtualClock(NIGHT_S), FullDisk())._look(stopped, quick=False)

    assert not looked.is_done or looked.seconds < 1
    assert looked.problems == ()


def test_a_real_disk_is_somewhere_between_empty_and_full(tmp_path: Path) -> None:
    assert 0 <= disk_permille(tmp_path) <= 1000


def test_a_disk_that_is_away_is_one_to_look_at_again(tmp_path: Path) -> None:
    with pytest.raises(StoreBusyError, match="none: No such file"):
        disk_permille(tmp_path / "none")
