"""What devices say is on disk before anything else happens; while the disk is away it waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.keep import keeper as keeper_module
from gateway.keep.blocks import Shape
from gateway.keep.keeper import MAX_WAITING, Keeper
from gateway.keep.outbox import Outbox
from kwartier.clock import VirtualClock
from kwartier.reading import Reading
from kwartier.wire import Block, decode_block

T0 = 1_767_225_600
"""2026-01-01T00:00Z [s]."""
EACH = Shape(rows=1)
"""Every reading is a block of its own."""


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(T0)


@pytest.fixture
def outbox(tmp_path: Path, clock: VirtualClock) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path / "outbox.db", "gw-1", clock)
    yield outbox
    outbox.close()


def reading(at_s: int, device: str = "p1", noise: int = 0) -> Reading:
    return Reading(device, "E0001", at_s, {"import_wh": 1_000 + at_s - T0, "import_w": noise})


def kept(outbox: Outbox) -> list[Block]:
    return [decode_block(one.payload) for one in outbox.read(range(1, outbox.position.last + 1))]


def fill_disk(outbox: Outbox) -> None:
    """Let SQLite take not one page more, as a full disk does."""
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")


def free_disk(outbox: Outbox) -> None:
    outbox._db.execute("PRAGMA max_page_count = 1000000")


def take_until_full(keeper: Keeper, outbox: Outbox, start_s: int) -> int:
    """Take readings until one does not reach the full disk; return how many were taken."""
    for taken in range(1, 2_000):
        keeper.take(reading(start_s + taken, noise=pow(7, taken, 10_007)))
        if outbox.position.last < taken:
            return taken
    raise AssertionError("the disk is not full")


def test_a_full_block_is_on_disk_when_it_is_told(outbox: Outbox, clock: VirtualClock) -> None:
    told: list[int] = []
    keeper = Keeper(outbox, clock, lambda: told.append(outbox.position.last), Shape(rows=2))

    keeper.take(reading(T0 + 1))
    before = list(told)
    keeper.take(reading(T0 + 2))

    assert (before, told) == ([], [1])
    assert kept(outbox)[0].at_s == (T0 + 1, T0 + 2)


def test_a_block_of_half_its_age_goes_along_with_one_that_is_full(
    outbox: Outbox, clock: VirtualClock
) -> None:
    """Each transaction costs the card the same: what waited 30 s shares it, 29 s do not."""
    keeper = Keeper(outbox, clock, lambda: None, Shape(rows=2, age_s=60.0))
    keeper.take(reading(T0, "inverter"))
    clock.advance(1.0)
    keeper.take(reading(T0 + 1, "battery"))

    clock.advance(29.0)
    keeper.take(reading(T0 + 29))
    keeper.take(reading(T0 + 30))

    assert [block.device for block in kept(outbox)] == ["p1", "inverter"]


def test_an_old_block_is_written_though_it_is_not_full(outbox: Outbox, clock: VirtualClock) -> None:
    keeper = Keeper(outbox, clock, lambda: None, Shape(age_s=60.0))
    keeper.take(reading(T0 + 1))

    clock.advance(59)
    keeper.write_due()
    before = outbox.position.last
    clock.advance(1)
    keeper.write_due()

    assert (before, outbox.position.last) == (0, 1)


def test_readings_wait_while_the_disk_is_away_and_are_written_later_in_order(
    outbox: Outbox, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Keeper(outbox, clock, lambda: None, EACH)
    fill_disk(outbox)
    with caplog.at_level(logging.WARNING):
        taken = take_until_full(keeper, outbox, T0)
        for more in range(1, 51):
            keeper.take(reading(T0 + taken + more))
        while_away = outbox.position.last

        free_disk(outbox)
        keeper.write_due()

    assert while_away < taken
    assert [block.at_s for block in kept(outbox)] == [(T0 + at,) for at in range(1, taken + 51)]
    assert keeper.dropped == 0
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_what_waits_is_bounded_and_the_oldest_goes_first_and_is_counted(
    outbox: Outbox, clock: VirtualClock
) -> None:
    keeper = Keeper(outbox, clock, lambda: None, EACH)
    fill_disk(outbox)
    taken = take_until_full(keeper, outbox, T0)
    written = outbox.position.last
    for more in range(1, MAX_WAITING + 10):
        keeper.take(reading(T0 + taken + more))

    free_disk(outbox)
    keeper.write_due()

    waited = (taken - written) + MAX_WAITING + 9
    assert keeper.dropped == waited - MAX_WAITING
    blocks = kept(outbox)
    assert len(blocks) == written + MAX_WAITING
    assert blocks[-1].at_s == (T0 + taken + MAX_WAITING + 9,)
    assert blocks[written].at_s == (T0 + written + keeper.dropped + 1,)


def test_a_stop_writes_what_is_still_open(outbox: Outbox, clock: VirtualClock) -> None:
    keeper = Keeper(outbox, clock, lambda: None)
    keeper.start()
    keeper.take(reading(T0 + 1))
    keeper.take(reading(T0 + 2, device="inverter"))

    keeper.stop()

    assert {block.device for block in kept(outbox)} == {"p1", "inverter"}
    assert "keeper" not in {thread.name for thread in threading.enumerate()}


def test_a_stop_that_loses_readings_to_a_full_disk_says_so(
    outbox: Outbox, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Keeper(outbox, clock, lambda: None, EACH)
    fill_disk(outbox)
    take_until_full(keeper, outbox, T0)

    with caplog.at_level(logging.ERROR, keeper_module.__name__):
        keeper.stop()

    assert "1 draft" in caplog.messages[-1]


def test_dropped_telegrams_are_told_with_the_next_block(
    outbox: Outbox, clock: VirtualClock
) -> None:
    keeper = Keeper(outbox, clock, lambda: None, EACH)

    keeper.crc_failed("p1", 2)
    keeper.crc_failed("p1")
    keeper.take(reading(T0 + 1))
    keeper.take(reading(T0 + 2))

    assert [block.crc_failures for block in kept(outbox)] == [3, 0]


def test_readings_from_several_threads_are_each_kept_once(
    outbox: Outbox, clock: VirtualClock
) -> None:
    keeper = Keeper(outbox, clock, lambda: None, Shape(rows=7))

    def tell(device: str) -> None:
        for at in range(100):
            keeper.take(reading(T0 + at, device))

    threads = [threading.Thread(target=tell, args=(f"device-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keeper.write_all()

    blocks = kept(outbox)
    assert [block.seq for block in blocks] == list(range(1, len(blocks) + 1))
    for number in range(4):
        mine = [block.at_s for block in blocks if block.device == f"device-{number}"]
        assert sum(mine, ()) == tuple(range(T0, T0 + 100))
