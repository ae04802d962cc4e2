"""The outbox: what was written stays, in order and without gaps, whatever happens to the file."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from gateway.keep.blocks import Draft
from gateway.keep.outbox import Limits, Outbox, Position
from gateway.keep.outbox_file import OutboxInUseError, OutboxWriteError
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S
from kwartier.reading import Reading
from kwartier.wire import decode_block

T0 = 1_767_225_600
"""2026-01-01T00:00Z [s]."""
DAY_S = 86_400


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(T0)


def reading(at_s: int, import_wh: int = 0, device: str = "p1") -> Reading:
    return Reading(device, "E0001", at_s, {"import_wh": import_wh})


def draft(at_s: int = T0, rows: int = 1) -> Draft:
    return Draft(tuple(reading(at_s + row, 1000 + row) for row in range(rows)))


def opened(folder: Path, clock: VirtualClock, limits: Limits | None = None) -> Outbox:
    return Outbox(folder / "outbox.db", "gw-1", clock, limits)


def seqs(outbox: Outbox) -> list[int]:
    position = outbox.position
    return [kept.seq for kept in outbox.read(range(position.oldest, position.last + 1))]


def test_blocks_are_numbered_from_one_without_gaps(tmp_path: Path, clock: VirtualClock) -> None:
    outbox = opened(tmp_path, clock)

    assert outbox.append([draft(), draft(T0 + 60)]) == range(1, 3)
    assert outbox.append([draft(T0 + 120)]) == range(3, 4)

    blocks = [decode_block(kept.payload) for kept in outbox.read(range(1, 4))]
    assert [(block.gateway, block.epoch, block.seq) for block in blocks] == [
        ("gw-1", outbox.position.epoch, seq) for seq in (1, 2, 3)
    ]
    assert [block.at_s for block in blocks] == [(T0,), (T0 + 60,), (T0 + 120,)]


def test_what_was_written_is_there_after_the_process_died(
    tmp_path: Path, clock: VirtualClock
) -> None:
    first = opened(tmp_path, clock)
    first.append([draft(rows=3)])
    epoch = first.position.epoch
    first._db.close()  # as a kill does: nothing is written on the way out

    again = opened(tmp_path, clock)

    assert again.position == Position(epoch, oldest=1, last=1, unproven=1, upto=0, store_gen="")
    assert decode_block(again.read(range(1, 2))[0].payload).readings() == list(
        draft(rows=3).readings
    )


def test_a_connection_waits_for_the_disk_at_each_commit(
    tmp_path: Path, clock: VirtualClock
) -> None:
    outbox = opened(tmp_path, clock)

    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_watermark_is_written_with_the_next_block_and_on_closing(
    tmp_path: Path, clock: VirtualClock
) -> None:
    outbox = opened(tmp_path, clock)
    outbox.append([draft(), draft()])
    outbox.acknowledge(1, "store-a")
    outbox.append([draft()])
    outbox.acknowledge(2, "store-a")
    outbox.close()

    position = opened(tmp_path, clock).position

    assert (position.upto, position.last, position.store_gen) == (2, 3, "store-a")


def test_a_lower_watermark_is_taken_as_said(tmp_path: Path, clock: VirtualClock) -> None:
    outbox = opened(tmp_path, clock)
    outbox.append([draft(), draft()])
    outbox.acknowledge(2, "store-a")

    outbox.acknowledge(1, "store-b")

    assert outbox.position.upto == 1
    assert seqs(outbox) == [1, 2]


def test_acknowledged_blocks_stay_fourteen_days(tmp_path: Path, clock: VirtualClock) -> None:
    outbox = opened(tmp_path, clock)
    outbox.append([draft()])
    clock.advance(DAY_S)
    outbox.append([draft()])
    outbox.acknowledge(2, "store-a")

    clock.advance(13 * DAY_S + 1)
    outbox.append([draft()])
    kept_after_14_days = seqs(outbox)
    clock.advance(DAY_S)
    outbox.append([draft()])

    assert kept_after_14_days == [2, 3]
    assert seqs(outbox) == [3, 4]
    assert outbox.position.oldest == 3


def test_a_block_that_is_owed_is_never_too_old(tmp_path: Path, clock: VirtualClock) -> None:
    outbox = opened(tmp_path, clock)
    outbox.append([draft()])

    clock.advance(400 * DAY_S)
    outbox.append([draft()])

    assert seqs(outbox) == [1, 2]


def test_numbering_goes_on_after_every_block_was_forgotten(
    tmp_path: Path, clock: VirtualClock
) -> None:
    outbox = opened(tmp_path, clock, Limits(keep_s=0))
    outbox.append([draft()])
    outbox.acknowledge(1, "store-a")
    clock.advance(DAY_S)
    outbox.append([draft()])
    outbox.acknowledge(2, "store-a")
    clock.advance(DAY_S)
    outbox.append([draft()])
    outbox.close()

    again = opened(tmp_path, clock, Limits(keep_s=0))

    assert again.position.last == 3
    assert again.append([draft()]) == range(4, 5)


def test_over_its_bytes_the_outbox_lets_go_of_acknowledged_blocks_first(
    tmp_path: Path, clock: VirtualClock
) -> None:
    limits = Limits(max_bytes=6000)
    outbox = opened(tmp_path, clock, limits)
    for number in range(10):
        outbox.append([draft(T0 + 60 * number, rows=60)])
    outbox.acknowledge(8, "store-a")

    for number in range(10, 30):
        outbox.append([draft(T0 + 60 * number, rows=60)])

    assert outbox.held_bytes <= limits.max_bytes
    assert seqs(outbox) == list(range(9, 31))


def test_a_full_outbox_thins_detail_but_keeps_each_block_and_each_quarter(
    tmp_path: Path, clock: VirtualClock
) -> None:
    outbox = opened(tmp_path, clock, Limits(max_bytes=20_000))
    rows_sent = 0
    for start_s in range(T0, T0 + 4 * QUARTER_S, 60):
        noise_w = [pow(7, start_s + row, 10_007) for row in range(60)]
        rows = [Reading("p1", "E1", start_s + row, {"import_w": noise_w[row]}) for row in range(60)]
        outbox.append([Draft(tuple(rows))])
        rows_sent += 60

    blocks = [decode_block(kept.payload) for kept in outbox.read(range(1, 61))]

    assert outbox.held_bytes <= 20_000
    assert outbox.thinned_blocks > 0
    assert [block.seq for block in blocks] == list(range(1, 61))
    instants = {at_s for block in blocks for at_s in block.at_s}
    assert len(instants) < rows_sent
    assert {T0, T0 + QUARTER_S, T0 + 2 * QUARTER_S, T0 + 3 * QUARTER_S} <= instants


def test_a_draft_too_large_for_one_message_becomes_several_blocks(
    tmp_path: Path, clock: VirtualClock
) -> None:
    noise = [pow(7, row, 2**52 - 47) for row in range(3600 * 8)]
    readings = tuple(
        Reading("p1", "", T0 + row, {f"n{i}_w": noise[row * 8 + i] for i in range(8)})
        for row in range(3600)
    )
    outbox = opened(tmp_path, clock)

    numbers = outbox.append([Draft(readings, crc_failures=7)])

    blocks = [decode_block(kept.payload) for kept in outbox.read(numbers)]
    assert len(blocks) > 1
    assert [row for block in blocks for row in block.readings()] == list(readings)
    assert sum(block.crc_failures for block in blocks) == 7


def test_a_file_that_is_no_database_is_set_aside_and_a_new_epoch_begins(
    tmp_path: Path, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outbox.db").write_bytes(b"\x07" * 8192)

    outbox = opened(tmp_path, clock)

    assert outbox.append([draft()]) == range(1, 2)
    (kept,) = tmp_path.glob("outbox.db.damaged-*")
    assert kept.read_bytes() == b"\x07" * 8192
    assert "is damaged" in caplog.text


def test_a_file_with_broken_pages_is_set_aside(tmp_path: Path, clock: VirtualClock) -> None:
    first = opened(tmp_path, clock)
    for number in range(200):
        first.append([draft(T0 + number, rows=30)])
    epoch = first.position.epoch
    first.close()
    file = tmp_path / "outbox.db"
    content = bytearray(file.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    file.write_bytes(content)

    again = opened(tmp_path, clock)

    assert again.position.epoch != epoch
    assert again.append([draft()]) == range(1, 2)


def test_an_outbox_cut_off_in_the_middle_still_opens(tmp_path: Path, clock: VirtualClock) -> None:
    first = opened(tmp_path, clock)
    for number in range(100):
        first.append([draft(T0 + number, rows=30)])
    first.close()
    file = tmp_path / "outbox.db"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2 + 100])

    assert opened(tmp_path, clock).append([draft()]) == range(1, 2)


def test_only_the_two_newest_damaged_files_are_kept(tmp_path: Path, clock: VirtualClock) -> None:
    for number in range(4):
        (tmp_path / "outbox.db").write_bytes(bytes([number + 1]) * 8192)
        opened(tmp_path, clock)._db.close()

    contents = {file.read_bytes()[0] for file in tmp_path.glob("outbox.db.damaged-*")}

    assert len(contents) == 2
    assert 4 in contents


def test_a_payload_that_changed_on_the_disk_is_not_sent_as_readings(
    tmp_path: Path, clock: VirtualClock
) -> None:
    outbox = opened(tmp_path, clock)
    outbox.append([draft()])
    (payload,) = outbox._db.execute("SELECT payload FROM block").fetchone()
    wrong = payload.replace(b"1000", b"9000")
    assert decode_block(wrong).columns["import_wh"] == (9000,)
    outbox._db.execute("UPDATE block SET payload = ?", (wrong,))

    (kept,) = outbox.read(range(1, 2))

    assert wrong in kept.payload
    with pytest.raises(ContractError):
        decode_block(kept.payload)


def test_two_processes_cannot_share_one_outbox(tmp_path: Path, clock: VirtualClock) -> None:
    first = opened(tmp_path, clock)
    first.append([draft()])
    first._db.execute("PRAGMA busy_timeout = 0")

    with pytest.raises(OutboxInUseError, match="in use by another process"):
        opened(tmp_path, clock)


def test_a_disk_that_is_full_is_told_and_nothing_is_half_written(
    tmp_path: Path, clock: VirtualClock
) -> None:
    outbox = opened(tmp_path, clock)
    outbox.append([draft()])
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(OutboxWriteError, match="free space"):
        outbox.append([draft(T0 + 60 * number, rows=60) for number in range(40)])

    outbox._db.execute("PRAGMA max_page_count = 1000000")
    assert seqs(outbox) == [1]
    assert outbox.append([draft()]) == range(2, 3)


def test_renewing_gives_what_is_owed_new_numbers_in_a_new_epoch(
    tmp_path: Path, clock: VirtualClock
) -> None:
    outbox = opened(tmp_path, clock)
    outbox.append([draft(T0), draft(T0 + 60), draft(T0 + 120)])
    outbox.acknowledge(1, "store-a")
    epoch = outbox.position.epoch

    outbox.renew()

    position = outbox.position
    assert position.epoch != epoch
    assert (position.oldest, position.last, position.upto) == (1, 2, 0)
    blocks = [decode_block(kept.payload) for kept in outbox.read(range(1, 3))]
    assert [(block.epoch, block.seq, block.at_s[0]) for block in blocks] == [
        (position.epoch, 1, T0 + 60),
        (position.epoch, 2, T0 + 120),
    ]


def test_several_threads_append_and_read_at_once(tmp_path: Path, clock: VirtualClock) -> None:
    outbox = opened(tmp_path, clock)
    start = threading.Barrier(4)
    gaps: list[list[int]] = []

    def append() -> None:
        start.wait()
        for _ in range(25):
            outbox.append([draft()])

    def read() -> None:
        start.wait()
        for _ in range(50):
            seen = [kept.seq for kept in outbox.read(range(1, 100))]
            if seen != list(range(1, len(seen) + 1)):
                gaps.append(seen)

    threads = [threading.Thread(target=work) for work in (append, append, append, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert gaps == []
    blocks = [decode_block(kept.payload) for kept in outbox.read(range(1, 100))]
    assert [block.seq for block in blocks] == list(range(1, 76))


def test_a_damaged_numbering_is_set_aside(tmp_path: Path, clock: VirtualClock) -> None:
    first = opened(tmp_path, clock)
    first.append([draft(), draft()])
    epoch = first.position.epoch
    first.close()
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        db.execute("UPDATE life SET last = 1")
    db.close()

    assert opened(tmp_path, clock).position.epoch != epoch
