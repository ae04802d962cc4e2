"""Months are put away through power cuts and kills: no reading is lost, and none is there twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from collectors import chunk
from collectors.chunk import HOUR_S
from collectors.months.closing import LATE_EVERY_S, Closing
from collectors.months.parquet import MonthDamagedError
from collectors.months.shelf import MOST_PARTS, Shelf
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.wire import encode_block
from tests.collectors.blocks import HOME, block
from tests.faults.month_disk import DiskOfMonths
from tests.faults.power_cuts import Disk, OverDisk

ROOT = Path(__file__).parents[2]
T0 = 1_767_225_600  # 2026-01-01T00:00:00Z
CUTS = 24
CUTS_A_DISK = 12
NIGHTLY_CUTS = 200
KILLS = 2
NIGHTLY_KILLS = 200
MOST_ACTS = 160
STEP_S = 5 * 86_400
GOING = threading.Event()


class BrokenPromiseError(AssertionError):
    """A reading that was taken in is away, or is there twice."""


@dataclass
class Server:
    """One server's disk, and which readings its record promised to hold."""

    seed: int
    folder: Path
    syncs: bool = True
    disk: Disk = field(default_factory=Disk)
    told: dict[int, int] = field(default_factory=dict)
    seq: int = 0
    turns: int = 0
    databases: list[OverDisk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - a history must be repeatable
        self.path = self.folder / f"record-{self.seed}.db"
        self.path.touch()  # the companion looks at the file's number; its content is on the disk
        self.months = DiskOfMonths(self.disk, syncs=self.syncs)

    def live(self, cuts: int) -> None:
        """Live through so many cuts; after each one look whether every promise was kept."""
        store = self._open()
        for _ in range(cuts):
            self.disk.cut_at = self.disk.acts + self.random.randrange(1, MOST_ACTS)
            while not self.disk.is_dead:
                self._work(store)
            store.close()
            self.disk.restore_power(self.random)
            self.months.after_cut(self.random)
            store = self._open()
            self._check(store)
        self._settle(store)
        self._put_away(store)
        self._check(store)
        held = sum(Shelf(self.months).contents(part).points for part in Shelf(self.months).parts())
        if self._waiting() == 0 and held != len(self.told):
            raise BrokenPromiseError(f"server {self.seed}: {held} of {len(self.told)} are put away")
        store.close()

    def _open(self) -> SqliteStore:
        def opened(path: Path) -> OverDisk:
            self.databases.append(OverDisk(path, self.disk, checkpoint=30))
            return self.databases[-1]

        return SqliteStore(self.path, opened=opened)

    def _work(self, store: SqliteStore) -> None:
        """Take something in or put months away; what was said after the cut, nobody heard."""
        if self.random.random() < 0.3:
            self._settle(store)
            self._put_away(store)
            return
        begin_s = T0 + self.seq * STEP_S
        if self.random.random() < 0.2:
            begin_s -= self.random.randrange(60) * 86_400  # late, for a month put away
        at_s = [begin_s + self.seq + row * 1000 for row in range(self.random.choice([1, 5, 40]))]
        values = [self.random.randrange(9_000) for _ in at_s]
        one = block(self.seq + 1, at_s, {"import_w": values})
        with store.intake() as intake:
            intake.add(one, encode_block(one), begin_s)
            intake.advance("gw-1", "one", one.seq)
        if not self.disk.is_dead:
            self.seq += 1
            for at, value in zip(at_s, values, strict=True):
                self.told.setdefault(at, value)

    def _settle(self, store: SqliteStore) -> None:
        while store.merge(2**40) and not self.disk.is_dead:
            pass

    def _put_away(self, store: SqliteStore) -> None:
        self.turns += 1
        closing = Closing(Shelf(self.months), store.changing, store.changing)
        now_s = T0 + self.turns * LATE_EVERY_S
        try:
            closing.turn(0, 2**40, now_s, GOING)
        except MonthDamagedError:
            if not self.disk.is_dead:
                raise

    def _check(self, store: SqliteStore) -> None:
        held = self._held()
        with store.changing() as connection:
            (upto,) = connection.execute("SELECT coalesce(max(upto), 0) FROM stream").fetchone()
        if self.told.items() - held.items():
            raise BrokenPromiseError(f"server {self.seed}: readings are away")
        if upto == self.seq and held != self.told:
            raise BrokenPromiseError(f"server {self.seed}: readings nobody sent are there")
        self.seq, self.told = upto, held

    def _held(self) -> dict[int, int]:
        """Return all values of both stages and of the files; a file tells before the record."""
        db = self.databases[-1]
        row = db.execute("SELECT id FROM series").fetchone()
        if row is None:
            return {}
        found: dict[int, int] = {}
        count = 0
        for hour, blob in db.execute(
            "SELECT hour, chunk FROM fresh UNION ALL SELECT hour, chunk FROM settled"
        ).fetchall():
            for offset, value in chunk.column_of(blob, row[0]):
                found[hour * HOUR_S + offset] = value
                count += 1
        if count != len(found):
            raise BrokenPromiseError(f"server {self.seed}: the record holds a reading twice")
        put = Shelf(self.months).points(HOME, "import_w", 0, 2**40)
        return found | {at_s: value for (_, at_s), value in put.items()}

    def _waiting(self) -> int:
        (rows,) = self.databases[-1].execute("SELECT count(*) FROM settled").fetchone()
        return int(rows)


def live_through(cuts: int, folder: Path, *, seed: int = 0, syncs: bool = True) -> list[Server]:
    """Live through so many cuts on some servers."""
    servers = [Server(seed + number, folder, syncs) for number in range(cuts // CUTS_A_DISK)]
    for server in servers:
        server.live(CUTS_A_DISK)
    return servers


def test_no_reading_is_lost_or_doubled_when_the_power_goes_while_months_are_put_away(
    tmp_path: Path,
) -> None:
    servers = live_through(CUTS, tmp_path)

    assert sum(len(server.told) for server in servers) > 80
    parts = [part for server in servers for part in Shelf(server.months).parts()]
    assert len(parts) > 5
    assert any(part.part > 1 for part in parts)


def test_files_that_are_not_waited_for_lose_readings_and_the_check_sees_it(tmp_path: Path) -> None:
    with pytest.raises((BrokenPromiseError, MonthDamagedError)):
        live_through(NIGHTLY_CUTS, tmp_path, syncs=False)


@pytest.mark.nightly
@pytest.mark.timeout(0)
def test_no_reading_is_lost_or_doubled_in_two_hundred_power_cuts(tmp_path: Path) -> None:
    live_through(NIGHTLY_CUTS, tmp_path, seed=CUTS)


def kill_while_putting_away(folder: Path, kills: int, seed: int) -> None:
    """Kill a process that puts months away at any moment, again and again, and count each time."""
    chance = random.Random(seed)  # noqa: S311 - a history must be repeatable
    path = folder / "record.db"
    sent: dict[int, int] = {}
    for number in range(kills):
        with SqliteStore(path) as store:
            at_s = [T0 + number * 31 * 86_400 + row * 300 for row in range(3000)]
            values = [row * 7 + number for row in range(3000)]
            for first in range(0, 3000, 500):
                part = block(
                    number * 6 + first // 500 + 1,
                    at_s[first : first + 500],
                    {"import_w": values[first : first + 500]},
                )
                with store.intake() as intake:
                    intake.add(part, encode_block(part), T0)
            while store.merge(2**40):
                pass
        sent |= dict(zip(at_s, values, strict=True))
        _put_away_until_killed(path, number, chance.random())
        with SqliteStore(path, read_only=True) as reader:
            assert dict(reader.points(DeviceKey("gw-1", "p1"), "import_w", 0, 2**40)) == sent
            assert len(reader.points(DeviceKey("gw-1", "p1"), "import_w", 0, 2**40)) == len(sent)
            assert reader.integrity() == []
    with SqliteStore(path) as store:
        closing = Closing(store.shelf, store.asking, store.changing)
        closing.turn(0, 2**40, T0 + (kills + MOST_PARTS) * LATE_EVERY_S, GOING)
        closing.turn(0, 2**40, T0 + (kills + 2 * MOST_PARTS) * LATE_EVERY_S, GOING)
        assert store.counts().points == 0
        assert sum(store.shelf.contents(part).points for part in store.shelf.parts()) == len(sent)
        assert dict(store.points(HOME, "import_w", 0, 2**40)) == sent


def _put_away_until_killed(path: Path, turn: int, chance: float) -> None:
    """Start a process that puts away, and kill it some way through."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.puts_months_away", str(path), str(turn)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        try:
            process.wait(chance * 0.12)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)


def test_no_reading_is_lost_or_doubled_when_it_is_killed_while_months_are_put_away(
    tmp_path: Path,
) -> None:
    kill_while_putting_away(tmp_path, KILLS, 1)


@pytest.mark.nightly
@pytest.mark.timeout(0)
def test_no_reading_is_lost_or_doubled_in_two_hundred_kills(tmp_path: Path) -> None:
    for round_ in range(NIGHTLY_KILLS // 20):
        folder = tmp_path / str(round_)
        folder.mkdir()
        kill_while_putting_away(folder, 20, round_)
