"""The record through power cuts: what it acknowledged is there, whatever its disk did not write."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from collectors import chunk
from collectors.chunk import HOUR_S
from collectors.sqlite_store import SqliteStore
from collectors.store import KeptEvent
from kwartier.events import Event, EventKind
from kwartier.reading import Reading
from kwartier.wire import Block, block_of, encode_block
from tests.faults.power_cuts import Disk, OverDisk

T0 = 1_767_225_600
CUTS = 40
CUTS_A_DISK = 20
NIGHTLY_CUTS = 200
CONTROL_CUTS = 200
MOST_ACTS = 250
"""A life between two cuts: so many writes, syncs and new sizes at most."""


class BrokenPromiseError(AssertionError):
    """What the record had acknowledged is away or changed."""


@dataclass
class Told:
    """What the record holds, as far as somebody heard it."""

    upto: int = 0
    payloads: dict[int, bytes] = field(default_factory=dict)
    watts: dict[int, int] = field(default_factory=dict)
    events: int = 0

    def with_blocks(self, blocks: list[Block], events: int) -> Told:
        """Return what it holds once a transaction is through."""
        return Told(
            self.upto + len(blocks),
            self.payloads | {one.seq: encode_block(one) for one in blocks},
            self.watts | {r.at_s: r.values["import_w"] for one in blocks for r in one.readings()},
            self.events + events,
        )


@dataclass
class Server:
    """One server's disk through its life, and what its record promised to hold."""

    seed: int
    folder: Path
    synchronous: str = "FULL"
    disk: Disk = field(default_factory=Disk)
    told: Told = field(default_factory=Told)
    flying: Told | None = None
    """What it holds if a transaction went through that had not returned when the power went."""
    generation: str = ""
    now_s: int = T0
    cuts: int = 0
    merged: int = 0
    databases: list[OverDisk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - a history must be repeatable
        self.checkpoint = self.random.choice([4, 30, 4000])
        self.path = self.folder / f"record-{self.seed}.db"
        self.path.touch()  # the companion looks at the file's number; its content is on the disk
        self.life = self.path.with_name(f"{self.path.name}.life")

    def live(self, cuts: int) -> None:
        """Live through so many cuts; after each one look whether every promise was kept."""
        store = self._open()
        self.generation = store.generation
        for _ in range(cuts):
            self.disk.cut_at = self.disk.acts + self.random.randrange(1, MOST_ACTS)
            while not self.disk.is_dead:
                self._work(store)
            store.close()
            self.disk.restore_power(self.random)
            self.cuts += 1
            store = self._open()
            self._check(store)
        store.close()

    def _open(self) -> SqliteStore:
        return SqliteStore(self.path, opened=self._opened)

    def _opened(self, path: Path) -> OverDisk:
        opened = OverDisk(path, self.disk, synchronous=self.synchronous, checkpoint=self.checkpoint)
        self.databases.append(opened)
        return opened

    def _work(self, store: SqliteStore) -> None:
        """Take something in or settle some; what was said after the cut, nobody heard."""
        companion = self.life.read_bytes()
        if self.random.random() < 0.1:
            settled = store.merge(self.now_s // HOUR_S * HOUR_S)
            after = self.told
            self.merged += settled
        else:
            blocks = [self._block(number) for number in range(self.random.choice([1, 1, 5]))]
            events = self.random.choice([0, 0, 1])
            after = self.told.with_blocks(blocks, events)
            with store.intake() as intake:
                for one in blocks:
                    intake.add(one, encode_block(one), self.now_s)
                    intake.advance("gw-1", "one", one.seq)
                for _ in range(events):
                    event = Event(EventKind.CLOCK_OFF, None, T0 + after.events, "")
                    intake.note_event(KeptEvent("gw-1", event, self.now_s))
        if self.disk.is_dead:
            self.flying = after
            self.life.write_bytes(companion)  # its note comes after the commit: never, here
        else:
            self.told = after

    def _block(self, number: int) -> Block:
        rows = self.random.choice([1, 10, 60])
        readings = [
            Reading(
                "p1",
                "E1",
                self.now_s + row,
                {
                    "import_w": self.random.randrange(9_000),
                    "import_wh": self.now_s - T0 + row,
                },
            )
            for row in range(rows)
        ]
        self.now_s += self.random.choice([rows, 900])
        return block_of(readings, "gw-1", "one", self.told.upto + 1 + number)

    def _check(self, store: SqliteStore) -> None:
        db = self.databases[-1]
        if (verdict := db.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            raise BrokenPromiseError(f"server {self.seed}: {verdict}")
        journal = dict(db.execute("SELECT seq, payload FROM journal ORDER BY position").fetchall())
        upto = [row[0] for row in db.execute("SELECT upto FROM stream").fetchall()]
        events, points = db.execute(
            "SELECT (SELECT count(*) FROM event), points FROM life"
        ).fetchone()
        held = Told(upto[0] if upto else 0, journal, self._watts(db), events)
        if held not in [self.told, self.flying or self.told]:
            raise BrokenPromiseError(
                f"server {self.seed}: {held.upto} blocks and {held.events} events are left of"
                f" {self.told.upto} and {self.told.events} after {self.cuts} cuts"
            )
        if points != 2 * len(held.watts):
            raise BrokenPromiseError(f"server {self.seed}: {points} points are counted")
        if store.generation != self.generation:
            raise BrokenPromiseError(f"server {self.seed}: it takes itself for a copy")
        self.told, self.flying = held, None

    def _watts(self, db: OverDisk) -> dict[int, int]:
        """Return what both stages hold of the power, by its instant."""
        row = db.execute("SELECT id FROM series WHERE name = 'import_w'").fetchone()
        if row is None:
            return {}
        chunks = db.execute(
            "SELECT hour, chunk FROM fresh UNION ALL SELECT hour, chunk FROM settled"
        ).fetchall()
        found = [
            (hour * HOUR_S + offset, value)
            for hour, blob in chunks
            for offset, value in chunk.column_of(blob, row[0])
        ]
        if len({at_s for at_s, _ in found}) != len(found):
            raise BrokenPromiseError(f"server {self.seed}: a point is there twice")
        return dict(found)


def live_through(cuts: int, folder: Path, synchronous: str = "FULL", seed: int = 0) -> list[Server]:
    """Live through so many cuts on some servers."""
    servers = [Server(seed + number, folder, synchronous) for number in range(cuts // CUTS_A_DISK)]
    for server in servers:
        server.live(CUTS_A_DISK)
    return servers


def test_the_record_loses_nothing_it_acknowledged_in_forty_power_cuts(tmp_path: Path) -> None:
    servers = live_through(CUTS, tmp_path)

    assert sum(server.cuts for server in servers) == CUTS
    assert sum(server.told.upto for server in servers) > 100
    assert sum(server.merged for server in servers) > 0


def test_a_record_that_does_not_wait_for_its_disk_loses_blocks_and_the_check_sees_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(BrokenPromiseError, match="are left of"):
        live_through(CONTROL_CUTS, tmp_path, "NORMAL")


@pytest.mark.nightly
@pytest.mark.timeout(0)
def test_the_record_loses_nothing_it_acknowledged_in_two_hundred_power_cuts(tmp_path: Path) -> None:
    servers = live_through(NIGHTLY_CUTS, tmp_path, seed=CUTS)

    assert sum(server.cuts for server in servers) == NIGHTLY_CUTS
    assert sum(server.told.upto for server in servers) > 1_000
