"""The outbox through power cuts: what it said it has is there, whatever the disk did not write."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from gateway.keep.blocks import Draft
from gateway.keep.outbox import Limits, Outbox
from kwartier.clock import VirtualClock
from kwartier.events import Event, EventKind, encode_event, mark_of
from kwartier.interval import QUARTER_S
from kwartier.reading import Reading
from kwartier.wire import decode_block
from tests.faults.power_cuts import Disk, OverDisk

T0 = 1_767_225_600
CUTS = 200
CUTS_A_CARD = 20
NIGHTLY_CUTS = 10_000
MOST_ACTS = 150
"""A life between two cuts: so many writes, syncs and new sizes at most."""
LIMITS = Limits(max_bytes=6_000)


class BrokenPromiseError(AssertionError):
    """A block that the outbox had taken is away or changed."""


@dataclass
class Card:
    """One memory card through its life, and what its outbox promised to hold."""

    seed: int
    folder: Path
    synchronous: str = "FULL"
    disk: Disk = field(default_factory=Disk)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(T0))
    epoch: str = ""
    promised: dict[int, tuple[Reading, ...]] = field(default_factory=dict)
    acknowledged: int = 0
    cuts: int = 0
    thinned: int = 0
    flying: int = 0
    """Blocks of a call that had not returned when the power went."""
    events: dict[str, bytes] = field(default_factory=dict)
    """What it must hold of events, by their marks, in their order."""
    fleeting: set[str] = field(default_factory=set)
    """Events of a call that had not returned: kept or not."""
    events_told: int = 0
    databases: list[OverDisk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - a history must be repeatable
        self.checkpoint = self.random.choice([4, 30, 1000])

    def live(self, cuts: int) -> None:
        """Live through so many cuts; after each one look whether every promise was kept."""
        for _ in range(cuts):
            self.disk.cut_at = self.random.randrange(1, MOST_ACTS)
            outbox = Outbox(self.folder / "outbox.db", "gw-1", self.clock, LIMITS, self._connect)
            if not self.disk.is_dead:
                self._check(outbox)
                self._work(outbox)
            self.databases.pop().close()
            self.disk.restore_power(self.random)
            self.cuts += 1
        outbox = Outbox(self.folder / "outbox.db", "gw-1", self.clock, LIMITS, self._connect)
        self._check(outbox)
        outbox.close()

    def _connect(self, path: Path) -> OverDisk:
        opened = OverDisk(path, self.disk, synchronous=self.synchronous, checkpoint=self.checkpoint)
        self.databases.append(opened)
        return opened

    def _work(self, outbox: Outbox) -> None:
        """Write until the power goes; what was said after that, nobody heard."""
        while True:
            drafts = [self._draft() for _ in range(self.random.choice([1, 1, 1, 4]))]
            before = outbox.position.last
            self.epoch = outbox.position.epoch
            self.flying = len(drafts)
            numbers = outbox.append(drafts)
            if self.disk.is_dead:
                return
            assert numbers == range(before + 1, before + 1 + len(drafts))
            self.promised.update(zip(numbers, (one.readings for one in drafts), strict=True))
            self.flying = 0
            self.thinned = max(self.thinned, outbox.thinned_blocks)
            if self.random.random() < 0.5 and not self._change_events(outbox):
                return
            if self.random.random() < 0.3:
                self.acknowledged = max(self.acknowledged, numbers[-1] - 12)
                outbox.acknowledge(max(0, self.acknowledged), "store-a")

    def _change_events(self, outbox: Outbox) -> bool:
        """Keep an event or two and let go of some; return whether it was heard that it did."""
        new = {}
        for _ in range(self.random.choice([0, 1, 2])):
            self.events_told += 1
            event = Event(EventKind.CLOCK_OFF, None, T0 + self.events_told, "")
            new[mark_of(encode_event(event))] = encode_event(event)
        gone = [mark for mark in self.events if self.random.random() < 0.3]
        self.fleeting = {*new, *gone}
        outbox.change_events([*new.values()], gone)
        if self.disk.is_dead:
            return False
        self.events = {mark: one for mark, one in self.events.items() if mark not in gone} | new
        self.fleeting = set()
        return True

    def _check_events(self, outbox: Outbox) -> None:
        held = {mark_of(payload): payload for payload in outbox.events()}
        surely = [mark for mark in self.events if mark not in self.fleeting]
        if [mark for mark in held if mark not in self.fleeting] != surely:
            raise BrokenPromiseError(f"card {self.seed}: events are away, or back")
        if len({mark in held for mark in self.fleeting - self.events.keys()}) > 1:
            raise BrokenPromiseError(f"card {self.seed}: half of a call is there")
        self.events, self.fleeting = held, set()

    def _draft(self) -> Draft:
        start_s = int(self.clock.now_s())
        rows = self.random.choice([1, 10, 60])
        self.clock.advance(rows)
        return Draft(
            tuple(
                Reading("p1", "E1", start_s + row, {"import_w": self.random.randrange(9_000)})
                for row in range(rows)
            )
        )

    def _check(self, outbox: Outbox) -> None:
        verdicts = self.databases[-1].execute("PRAGMA integrity_check").fetchall()
        if verdicts != [("ok",)]:
            raise BrokenPromiseError(f"card {self.seed}: {verdicts}")
        position = outbox.position
        if self.promised and position.epoch != self.epoch:
            raise BrokenPromiseError(f"card {self.seed}: another epoch after {self.cuts} cuts")
        last = max(self.promised, default=0)
        if position.last not in {last, last + self.flying}:
            raise BrokenPromiseError(f"card {self.seed}: {position.last} of {last} blocks are left")
        if position.oldest > self.acknowledged + 1 and last:
            raise BrokenPromiseError(f"card {self.seed}: {position.oldest} is the oldest")
        kept = outbox.read(range(position.oldest, position.last + 1))
        if [one.seq for one in kept] != list(range(position.oldest, position.last + 1)):
            raise BrokenPromiseError(f"card {self.seed}: blocks are away")
        for one in kept:
            whole = self.promised.setdefault(one.seq, tuple(decode_block(one.payload).readings()))
            _check_block(one.payload, whole)
        self.flying = 0
        self._check_events(outbox)


def _check_block(payload: bytes, promised: tuple[Reading, ...]) -> None:
    held = decode_block(payload).readings()
    firsts = {reading.at_s // QUARTER_S: reading for reading in reversed(promised)}
    written = {reading.at_s: reading for reading in promised}
    if any(written.get(one.at_s) != one for one in held) or any(
        first not in held for first in firsts.values()
    ):
        raise BrokenPromiseError(f"{held} is not what was written")


def live_through(cuts: int, folder: Path, synchronous: str = "FULL", seed: int = 0) -> list[Card]:
    """Live through so many cuts on some cards."""
    cards = [Card(seed + number, folder, synchronous) for number in range(cuts // CUTS_A_CARD)]
    for card in cards:
        card.live(CUTS_A_CARD)
    return cards


def test_no_acknowledged_block_is_lost_in_two_hundred_power_cuts(tmp_path: Path) -> None:
    cards = live_through(CUTS, tmp_path)

    assert sum(card.cuts for card in cards) == CUTS
    assert sum(len(card.promised) for card in cards) > 1_000
    assert sum(card.thinned for card in cards) > 0
    assert sum(card.events_told for card in cards) > 300


def test_a_disk_that_is_not_waited_for_loses_blocks_and_the_check_sees_it(tmp_path: Path) -> None:
    with pytest.raises(BrokenPromiseError, match=r"blocks are left|another epoch"):
        live_through(CUTS, tmp_path, "NORMAL")


@pytest.mark.nightly
@pytest.mark.timeout(0)
def test_no_acknowledged_block_is_lost_in_ten_thousand_power_cuts(tmp_path: Path) -> None:
    cards = live_through(NIGHTLY_CUTS, tmp_path, seed=CUTS)

    assert sum(card.cuts for card in cards) == NIGHTLY_CUTS
