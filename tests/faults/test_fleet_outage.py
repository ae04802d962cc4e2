"""After an outage of the whole fleet: a day of blocks drains, and who is up to date does not wait.

The senders and the collector's budget are the real ones; blocks, inbox and clock are stood in for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

import pytest

from collectors.budget import Budget
from gateway.keep.delivery import Pace, Sender
from kwartier.wire import Ack

TICK_S = 0.2
DELAY_TICKS = 1
BATCH = 50
SETTLED_S = 60.0
"""By then each gateway has called, at a random moment of the first half minute."""
INBOX = 5_000
LIVE_EVERY_S = 60.0


@dataclass
class Gateway:
    """A gateway as its sender sees it."""

    name: str
    sender: Sender
    last: int
    upto: int = 0
    written_s: dict[int, float] = field(default_factory=dict)


@dataclass
class Fleet:
    """Gateways with a backlog, gateways that are up to date, and one collector."""

    behind: int
    blocks: int
    current: int
    taken_per_s: int
    granting: bool = True
    now_s: float = 0.0
    most_waiting: int = 0
    overflowed: int = 0
    waits_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(1)  # noqa: S311 - a history must be repeatable
        self.budget = Budget(20)
        self.inbox: deque[tuple[Gateway, int]] = deque()
        self.acks: deque[tuple[float, Gateway, Ack]] = deque()
        self.credit = 0.0
        names = [(f"behind-{n}", self.blocks) for n in range(self.behind)]
        names += [(f"current-{n}", 0) for n in range(self.current)]
        self.gateways = [Gateway(name, self._sender(last), last) for name, last in names]
        for one in self.gateways:
            one.sender.link(0.0, up=True)
            one.sender.link(0.0, up=False)
            one.sender.link(0.0, up=True)

    def _sender(self, last: int) -> Sender:
        return Sender(
            "e1",
            oldest=1,
            last=last,
            unproven=0,
            upto=0,
            store_gen="",
            pace=Pace(),
            random=self.random,
        )

    def run(self, most_s: float) -> float:
        """Return when the last saved-up block was in the record [s]."""
        late = self.gateways[: self.behind]
        while any(one.upto < self.blocks for one in late):
            assert self.now_s < most_s, f"not drained after {most_s:g} s"
            self._tick()
        return self.now_s

    def _tick(self) -> None:
        self.now_s += TICK_S
        while self.acks and self.acks[0][0] <= self.now_s:
            _, gateway, ack = self.acks.popleft()
            gateway.sender.acknowledged(ack, self.now_s)
        for number, one in enumerate(self.gateways):
            self._write(one, number)
            for seq in one.sender.due(self.now_s):
                if len(self.inbox) < INBOX:
                    self.inbox.append((one, seq))
                else:
                    self.overflowed += 1
        self.most_waiting = max(self.most_waiting, len(self.inbox))
        self.credit = min(self.credit + self.taken_per_s * TICK_S, 2.0 * BATCH)
        while self.inbox and self.credit >= 1:
            self._take(min(BATCH, len(self.inbox), int(self.credit)))

    def _write(self, one: Gateway, number: int) -> None:
        """Write one block a minute, each gateway at its own second."""
        if (self.now_s + number * 0.37) % LIVE_EVERY_S < TICK_S:
            one.last += 1
            one.written_s[one.last] = self.now_s
            one.sender.appended(1, one.last)

    def _take(self, blocks: int) -> None:
        self.credit -= blocks
        taken = [self.inbox.popleft() for _ in range(blocks)]
        self.budget.came((one.name for one, _ in taken), self.now_s)
        self.budget.took(blocks, blocks / self.taken_per_s)
        rate_per_s = self.budget.rate_per_s(self.now_s) if self.granting else 0
        told: dict[str, Gateway] = {}
        gaps: set[str] = set()
        for one, seq in taken:
            told[one.name] = one
            if seq == one.upto + 1:
                one.upto = seq
                if one.name.startswith("current") and one.written_s[seq] > SETTLED_S:
                    self.waits_s.append(self.now_s - one.written_s[seq])
            elif seq > one.upto + 1:
                gaps.add(one.name)
        for name, one in told.items():
            ack = Ack("a", "e1", one.upto, name in gaps, rate_per_s)
            self.acks.append((self.now_s + DELAY_TICKS * TICK_S, one, ack))


def late_s(fleet: Fleet) -> float:
    """Return how long nine tenths of the new blocks waited at most [s]."""
    waits_s = sorted(fleet.waits_s)
    return waits_s[len(waits_s) * 9 // 10]


def test_saved_up_blocks_drain_and_who_is_up_to_date_does_not_wait_behind_them() -> None:
    """100 gateways with 600 blocks each, of which the record takes 500 a second: 120 s of work.

    Four fifths of that are granted: 150 s, and half a minute until all have called.
    """
    granted = Fleet(behind=100, blocks=600, current=20, taken_per_s=500)
    left_alone = Fleet(behind=100, blocks=600, current=20, taken_per_s=500, granting=False)

    drained_s = granted.run(600.0)
    left_alone.run(600.0)

    assert drained_s < 240.0
    assert granted.overflowed == 0
    assert late_s(granted) < 2.0
    assert late_s(left_alone) > 4.0


@pytest.mark.nightly
def test_a_hundred_gateways_with_a_day_saved_up_drain_in_ten_minutes() -> None:
    """144,000 blocks at 400 a second, four fifths of it granted, are 450 s of work."""
    fleet = Fleet(behind=100, blocks=1_440, current=20, taken_per_s=400)

    drained_s = fleet.run(3_600.0)

    assert drained_s < 600.0
    assert fleet.overflowed == 0
    assert late_s(fleet) < 2.0
