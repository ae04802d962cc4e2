"""Whatever lies where the outbox should be: the gateway runs, and the damaged file is kept."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.keep import outbox_file
from gateway.keep.blocks import Draft
from gateway.keep.outbox import Outbox
from gateway.keep.trouble import Trouble
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError
from kwartier.events import Event, EventKind, encode_event
from kwartier.reading import Reading
from kwartier.wire import decode_block

T0 = 1_767_225_600
PAGE = 4096


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(T0)


def draft(number: int, rows: int = 30) -> Draft:
    values = [{"import_w": pow(7, number * rows + row, 10_007)} for row in range(rows)]
    start_s = T0 + 60 * number
    return Draft(tuple(Reading("p1", "E1", start_s + row, values[row]) for row in range(rows)))


@pytest.fixture
def file(tmp_path: Path, clock: VirtualClock) -> Path:
    """An outbox of some dozens of pages."""
    outbox = Outbox(tmp_path / "outbox.db", "gw-1", clock)
    outbox.append([draft(number) for number in range(200)])
    outbox.close()
    return tmp_path / "outbox.db"


def overwrite_pages(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for page in range(2, len(content) // PAGE, 3):
        content[page * PAGE : page * PAGE + 200] = random.Random(page).randbytes(200)  # noqa: S311
    file.write_bytes(content)


def cut_in_half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2 + 100)


def cut_after_header(file: Path) -> None:
    os.truncate(file, 100)


def garble_header(file: Path) -> None:
    file.write_bytes(b"SQLite format 9\0" + file.read_bytes()[16:])


def claim_a_newer_format(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[18:20] = b"\x09\x09"
    file.write_bytes(content)


def put_another_program_s(file: Path) -> None:
    file.unlink()
    db = sqlite3.connect(file)
    db.execute("CREATE TABLE photo (id INTEGER PRIMARY KEY, image BLOB)")
    db.commit()
    db.close()


def put_other_columns(file: Path) -> None:
    file.unlink()
    db = sqlite3.connect(file)
    db.execute("CREATE TABLE block (id INTEGER PRIMARY KEY, image BLOB)")
    db.commit()
    db.close()


def put_a_text(file: Path) -> None:
    file.write_text("this is no database\n" * 1000)


SPOILT: list[Callable[[Path], None]] = [
    overwrite_pages,
    cut_in_half,
    cut_after_header,
    garble_header,
    claim_a_newer_format,
    put_another_program_s,
    put_other_columns,
    put_a_text,
]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_spoilt_file_is_set_aside_whole_and_told_and_a_new_epoch_begins(
    spoil: Callable[[Path], None], file: Path, clock: VirtualClock
) -> None:
    spoil(file)
    spoilt = file.read_bytes()

    outbox = Outbox(file, "gw-1", clock)

    assert outbox.append([draft(0)]) == range(1, 2)
    (kept,) = (one for one in file.parent.glob("*.damaged-*") if one.suffix != ".db-wal")
    assert spoilt[:18] == kept.read_bytes()[:18]
    assert len(kept.read_bytes()) == len(spoilt)
    assert (outbox.damaged_files, outbox.is_on_disk) == (1, True)
    assert [event.kind for event in Trouble(outbox, clock).look()] == [EventKind.OUTBOX_DAMAGED]
    outbox.close()


def test_an_empty_file_becomes_an_outbox(tmp_path: Path, clock: VirtualClock) -> None:
    (tmp_path / "outbox.db").touch()

    outbox = Outbox(tmp_path / "outbox.db", "gw-1", clock)

    assert outbox.append([draft(0)]) == range(1, 2)
    assert outbox.damaged_files == 0
    outbox.close()


def test_a_log_left_over_from_a_file_that_is_gone_is_not_played_back(
    file: Path, clock: VirtualClock
) -> None:
    first = Outbox(file, "gw-1", clock)
    first.append([draft(200)])
    log = file.with_name("outbox.db-wal").read_bytes()
    epoch = first.position.epoch
    first.close()
    file.unlink()
    file.with_name("outbox.db-wal").write_bytes(log)

    outbox = Outbox(file, "gw-1", clock)

    assert outbox.position.epoch != epoch
    assert outbox.append([draft(0)]) == range(1, 2)
    outbox.close()


def test_a_log_left_over_from_another_file_never_stops_the_gateway(
    file: Path, tmp_path: Path, clock: VirtualClock
) -> None:
    other = Outbox(tmp_path / "other.db", "gw-1", clock)
    other.append([draft(0)])
    log = (tmp_path / "other.db-wal").read_bytes()
    other.close()
    file.with_name("outbox.db-wal").write_bytes(log)

    outbox = Outbox(file, "gw-1", clock)

    numbers = outbox.append([draft(1)])
    (kept,) = outbox.read(numbers)
    assert decode_block(kept.payload).readings() == list(draft(1).readings)
    outbox.close()


def reads_only(path: Path) -> sqlite3.Connection:
    """Open a file as on a card that has turned read-only."""
    return sqlite3.connect(
        f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )


@pytest.mark.parametrize("exists", [True, False], ids=["with an outbox", "without one"])
def test_on_a_disk_that_takes_nothing_blocks_are_kept_in_memory_and_it_is_told(
    tmp_path: Path, clock: VirtualClock, *, exists: bool
) -> None:
    path = tmp_path / "outbox.db"
    if exists:
        Outbox(path, "gw-1", clock).close()

    outbox = Outbox(path, "gw-1", clock, connect=reads_only)

    assert outbox.append([draft(0)]) == range(1, 2)
    assert [one.seq for one in outbox.read(range(1, 2))] == [1]
    assert not outbox.is_on_disk
    (event,) = Trouble(outbox, clock).look()
    assert event.kind is EventKind.OUTBOX_DAMAGED
    assert "in memory" in event.reason
    assert list(tmp_path.glob("*.damaged-*")) == []
    outbox.close()


def test_a_folder_where_the_file_should_be_is_a_wrong_setting(
    tmp_path: Path, clock: VirtualClock
) -> None:
    with pytest.raises(SettingsError, match="is a folder"):
        Outbox(tmp_path, "gw-1", clock)


def test_a_file_that_breaks_while_it_is_used_is_set_aside_and_the_gateway_goes_on(
    file: Path, clock: VirtualClock
) -> None:
    outbox = Outbox(file, "gw-1", clock)
    last = outbox.position.last
    outbox._db.execute("PRAGMA cache_size = 0")
    overwrite_pages(file)

    assert outbox.read(range(1, last + 1)) == []

    assert outbox.append([draft(0)]) == range(1, 2)
    assert outbox.damaged_files == 1
    outbox.close()


def test_events_outlive_the_file_whose_blocks_break_while_it_is_used(
    file: Path, clock: VirtualClock
) -> None:
    told = [encode_event(Event(EventKind.CLOCK_OFF, "p1", T0 + each, "far")) for each in range(9)]
    outbox = Outbox(file, "gw-1", clock)
    outbox.change_events(told, ())
    outbox.close()
    outbox = Outbox(file, "gw-1", clock)
    outbox._db.execute("PRAGMA cache_size = 0")
    overwrite_pages(file)

    outbox.read(range(1, outbox.position.last + 1))
    outbox.close()

    assert outbox.damaged_files == 1
    again = Outbox(file, "gw-1", clock)
    assert again.events() == told
    again.close()


class _Slow(sqlite3.Connection):
    """A file so large that looking through it takes longer than the gateway will wait."""

    def set_progress_handler(
        self, progress_handler: Callable[[], int | None] | None, n: int, /
    ) -> None:
        super().set_progress_handler(progress_handler and (lambda: True), min(n, 10))


def test_looking_through_a_large_file_ends_in_time_and_the_file_is_used(
    file: Path, clock: VirtualClock
) -> None:
    outbox = Outbox(
        file,
        "gw-1",
        clock,
        connect=lambda path: sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=_Slow
        ),
    )

    assert (outbox.position.last, outbox.damaged_files) == (200, 0)
    outbox.close()


@pytest.fixture
def gigabyte(tmp_path: Path, clock: VirtualClock) -> Iterator[Path]:
    outbox = Outbox(tmp_path / "outbox.db", "gw-1", clock)
    outbox._db.execute("BEGIN")
    rows = ((seq, "p1", T0 + seq, 0, bytes(3_800)) for seq in range(1, 250_001))
    outbox._db.executemany(
        "INSERT INTO block (seq, device, stored_s, crc, payload) VALUES (?, ?, ?, ?, ?)", rows
    )
    outbox._db.execute("UPDATE life SET last = 250000")
    outbox._db.execute("COMMIT")
    outbox._db.close()
    yield tmp_path / "outbox.db"
    (tmp_path / "outbox.db").unlink()


@pytest.mark.nightly
def test_an_outbox_of_a_gigabyte_opens_within_its_check_and_some_seconds(
    gigabyte: Path, clock: VirtualClock
) -> None:
    assert gigabyte.stat().st_size > 1_000_000_000
    start_s = time.monotonic()

    outbox = Outbox(gigabyte, "gw-1", clock)

    assert time.monotonic() - start_s < outbox_file._CHECK_S + 10
    assert outbox.position.last == 250_000
    assert outbox.held_bytes > 1_000_000_000
    outbox.close()
