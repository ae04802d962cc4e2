"""The record in SQLite under faults: full, locked, killed, damaged; nothing is ever half."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from collectors.sqlite_readers import Readers
from collectors.sqlite_schema import StoreDamagedError
from collectors.sqlite_store import SqliteStore
from collectors.store import Counts
from kwartier.errors import SettingsError, StoreBusyError
from tests.collectors.blocks import HOME, NOON_S, registers, take_in
from tests.collectors.writes_until_killed import ROWS, minute_block

EVER = (0, 2**40)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "telemetry.db"


def test_a_full_record_says_so_and_keeps_what_it_has(path: Path) -> None:
    with SqliteStore(path, max_bytes=400_000) as store:
        with pytest.raises(StoreBusyError, match="full"):
            _fill(store)
        taken = store.counts().blocks

        assert taken > 0
        assert store.counts() == Counts(3600 * taken, 3600 * taken, taken, 0, 0)
        assert store.integrity() == []
        with store.intake() as intake:
            assert intake.watermark("gw-1", "one") == taken
    with SqliteStore(path) as roomy:
        take_in(roomy, registers(taken + 1, (-60, 0)))
        assert roomy.counts().blocks == taken + 1


def test_a_locked_record_is_busy_and_takes_in_once_the_lock_is_gone(path: Path) -> None:
    with SqliteStore(path, busy_s=0.05) as store, closing(_plain(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="locked"):
            take_in(store, registers(1, (0, 1)))
        other.execute("ROLLBACK")

        take_in(store, registers(1, (0, 1)))

        assert store.counts() == Counts(1, 1, 1, 0, 0)


def test_readers_see_the_last_commit_while_a_transaction_is_open(path: Path) -> None:
    with SqliteStore(path) as store, SqliteStore(path, read_only=True) as reader:
        take_in(store, registers(1, (0, 1)))
        with store.intake() as intake:
            intake.add(registers(2, (1, 2)), b"", NOON_S)
            intake.finish()

            seen = [reader.counts().points, store.counts().points]
            seen_by_thread = []
            asking = threading.Thread(
                target=lambda: seen_by_thread.append(len(store.points(HOME, "import_wh", *EVER)))
            )
            asking.start()
            asking.join()

        assert seen == [1, 1]
        assert seen_by_thread == [1]
        assert reader.counts().points == 2


def test_a_second_transaction_of_another_thread_waits_its_turn_or_is_busy(path: Path) -> None:
    with SqliteStore(path, busy_s=0.05) as store:
        refused: list[StoreBusyError] = []

        def also() -> None:
            try:
                take_in(store, registers(1, (0, 1)))
            except StoreBusyError as error:
                refused.append(error)

        with store.intake():
            second = threading.Thread(target=also)
            second.start()
            second.join()

        assert len(refused) == 1


def test_a_second_writer_is_kept_out_until_the_first_is_gone(path: Path) -> None:
    first = SqliteStore(path)
    with pytest.raises(StoreBusyError, match="another process writes"):
        SqliteStore(path)
    first.close()

    with SqliteStore(path) as second:
        assert second.generation == first.generation


def test_a_reader_needs_a_record_and_makes_none(path: Path) -> None:
    with pytest.raises(StoreBusyError, match="start the collector first"):
        SqliteStore(path, read_only=True)
    assert not path.exists()

    path.touch()
    with pytest.raises(StoreBusyError, match="start the collector first"):
        SqliteStore(path, read_only=True)


def test_a_reader_that_comes_while_the_record_is_made_reads_it_or_hears_that_it_is_not_ready(
    path: Path,
) -> None:
    outcomes: list[int | str] = []
    begun, made = threading.Event(), threading.Event()

    def ask() -> None:
        while not made.is_set():
            try:
                with SqliteStore(path, read_only=True) as store:
                    outcomes.append(store.counts().points)
            except StoreBusyError as error:
                outcomes.append(str(error).rpartition(": ")[2])
            finally:
                begun.set()

    asking = threading.Thread(target=ask)
    asking.start()
    begun.wait()
    with SqliteStore(path):
        made.set()
        asking.join()

    assert outcomes[0] == "start the collector first"
    assert set(outcomes) <= {"start the collector first", 0}


def test_readers_of_a_record_that_is_set_aside_make_none_and_go_on_once_it_is_back(
    path: Path,
) -> None:
    aside = path.with_name("aside.db")
    with SqliteStore(path) as store:
        take_in(store, registers(1, (0, 7)))
    readers = Readers(path, 1.0)

    def points() -> int:
        with readers.asking() as reader:
            (told,) = reader.execute("SELECT points FROM life").fetchone()
        return int(told)

    path.rename(aside)
    with pytest.raises(StoreBusyError, match="start the collector first"):
        points()
    assert not path.exists()
    path.touch()
    with pytest.raises(StoreBusyError, match="is not ready"):
        points()
    aside.replace(path)

    assert points() == 1
    readers.close()


def test_a_killed_writer_leaves_nothing_half(path: Path) -> None:
    with SqliteStore(path) as store:
        generation = store.generation
        take_in(store, registers(1, *((row * 15, row * 2) for row in range(ROWS))))

    ended = subprocess.run(
        [sys.executable, "-m", "tests.collectors.writes_until_killed", str(path), "half"],
        cwd=ROOT,
        check=False,
        timeout=60,
    )

    assert ended.returncode == -9
    with SqliteStore(path) as store:
        assert store.counts() == Counts(ROWS, ROWS, 1, 0, 0)
        assert store.generation == generation
        assert store.integrity() == []


def test_whatever_was_told_before_a_kill_is_there_after_it(path: Path) -> None:
    for lines in (1, 2, 3, 5, 8, 13):
        told = _killed_after(path, lines)

        with SqliteStore(path) as store:
            counts = store.counts()
            with store.intake() as intake:
                upto = intake.watermark("gw-1", "one")
            quarters = store.quarters({"import_wh"}, *EVER)
            assert store.integrity() == []
        assert told <= upto
        assert counts == Counts(upto * ROWS, upto * ROWS, upto, 0, 0)
        # The last quarter is open; each other one counts 60 readings of 2 Wh.
        assert [quarter.energy_wh for quarter in quarters] == [2 * ROWS] * (upto - 1)


@pytest.mark.parametrize("part", [0, 1, 250, 500, 750, 999, 1000])
def test_a_log_torn_anywhere_leaves_whole_transactions_only(
    path: Path, tmp_path: Path, part: int
) -> None:
    torn = tmp_path / "torn" / "telemetry.db"
    torn.parent.mkdir()
    with SqliteStore(path) as store:
        for seq in range(1, 9):
            take_in(store, minute_block(seq))
        log = path.with_name("telemetry.db-wal").read_bytes()
        torn.write_bytes(path.read_bytes())
    torn.with_name("telemetry.db-wal").write_bytes(log[: len(log) * part // 1000])

    with SqliteStore(torn) as store:
        with store.intake() as intake:
            upto = intake.watermark("gw-1", "one")
        assert store.counts() == Counts(upto * ROWS, upto * ROWS, upto, 0, 0)
        assert len(store.points(HOME, "import_wh", *EVER)) == upto * ROWS
        assert len(store.journal_after(0, 100)) == upto
        assert store.integrity() == []
    assert (upto == 8) == (part == 1000)


def test_a_disk_that_lost_what_it_called_synced_begins_a_new_generation(path: Path) -> None:
    log = path.with_name("telemetry.db-wal")
    with SqliteStore(path) as store:
        generation = store.generation
        take_in(store, minute_block(1))
        early = path.read_bytes(), log.read_bytes()
        take_in(store, minute_block(2))
    path.write_bytes(early[0])
    log.write_bytes(early[1])

    with SqliteStore(path) as store:
        assert store.counts().blocks == 1
        assert store.generation != generation


def test_a_newer_programs_record_is_refused(path: Path) -> None:
    SqliteStore(path).close()
    with closing(_plain(path)) as other:
        other.execute("PRAGMA user_version = 99")

    with pytest.raises(SettingsError, match="version 99"):
        SqliteStore(path)


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    with closing(_plain(path)) as other:
        other.execute("CREATE TABLE theirs(a)")

    with pytest.raises(StoreDamagedError, match="another program"):
        SqliteStore(path)

    with closing(_plain(path)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 500)

    with pytest.raises(StoreDamagedError, match="put a backup in its place"):
        SqliteStore(path)


def test_damage_inside_the_file_is_found(path: Path) -> None:
    with SqliteStore(path) as store:
        take_in(store, registers(1, *((row, row) for row in range(3600))))
    with closing(_plain(path)) as other:
        other.execute("UPDATE fresh SET points = points - 1")

    with SqliteStore(path) as store:
        assert store.integrity() == ["3600 points were counted, chunks hold 3599"]


def test_many_threads_may_ask_while_one_writes(path: Path) -> None:
    with SqliteStore(path) as store:
        done = threading.Event()
        wrong: list[int] = []

        def ask() -> None:
            while not done.is_set():
                counted, held = store.counts().points, len(store.points(HOME, "import_wh", *EVER))
                if held < counted:
                    wrong.append(held)

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        for seq in range(1, 30):
            take_in(store, registers(seq, *((seq * 60 + row, row) for row in range(60))))
            store.merge(NOON_S + 3600)
        done.set()
        for asker in askers:
            asker.join()

        assert wrong == []
        assert store.counts().points == 29 * 60


def _fill(store: SqliteStore) -> None:
    """Take in two hours a block until the store cannot."""
    for seq in itertools.count(1):
        seconds = range(seq * 7200, seq * 7200 + 3600)
        take_in(store, registers(seq, *((at, at * 9) for at in seconds)))


def _plain(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def _killed_after(path: Path, lines: int) -> int:
    """Kill a writer some moment after it told so many commits; return the last it told."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.collectors.writes_until_killed", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            assert writer.stdout.readline()
        writer.kill()
        told = [int(line) for line in writer.stdout]
    return told[-1] if told else lines
