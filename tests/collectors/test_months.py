"""What leaves the record stands in a month file first, and is told as before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.months.calendar import Month, PartName
from collectors.months.closing import LATE_EVERY_S, Closing
from collectors.months.folder import DiskFolder
from collectors.months.parquet import MonthDamagedError
from collectors.months.shelf import MOST_PARTS, Shelf, months_folder
from collectors.sqlite_months import noted
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.errors import StoreBusyError
from tests.collectors.blocks import HOME, NOON_S, block, registers, take_in

JULY = Month(2025, 7)
AUGUST = Month(2025, 8)
EVER = (0, 2**40)
HOUR_S = 3600
NOW_S = Month(2025, 10).start_s
GOING = threading.Event()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "record.db") as opened:
        yield opened


def closing(store: SqliteStore) -> Closing:
    return Closing(store.shelf, store.asking, store.changing)


def put_away(store: SqliteStore, now_s: int = NOW_S) -> list[Month]:
    while store.merge(2**40):
        pass
    return closing(store).turn(0, now_s, now_s, GOING)


def rows_left(store: SqliteStore) -> int:
    with store.asking() as connection:
        (count,) = connection.execute("SELECT count(*) FROM settled").fetchone()
    return int(count)


def test_a_month_of_utc_begins_and_ends_where_its_neighbours_do() -> None:
    assert JULY.start_s == 1_751_328_000  # 2025-07-01T00:00:00Z
    assert JULY.end_s - JULY.start_s == 31 * 86_400
    assert Month.containing(JULY.end_s - 1) == JULY
    assert Month.containing(JULY.end_s) == AUGUST
    assert Month(2025, 12).later(1) == Month(2026, 1)
    assert Month(2026, 1).later(-13) == Month(2024, 12)


def test_a_file_is_called_after_its_month_and_read_back_from_its_name() -> None:
    name = PartName(JULY, 2)

    assert str(name) == "2025-07.readings.2.parquet"
    assert PartName.told_by(str(name)) == name
    for other in (
        "2025-07.readings.2.parquet.new",
        "2025-13.readings.1.parquet",
        "0000-07.readings.1.parquet",
        "notes",
    ):
        assert PartName.told_by(other) is None


def test_a_month_put_away_leaves_the_record_and_every_answer_as_it_was(store: SqliteStore) -> None:
    take_in(
        store,
        block(1, [NOON_S, NOON_S + 10, NOON_S + HOUR_S], {"import_wh": [1, 2, 9]}),
        block(2, [NOON_S, NOON_S + 10], {"import_w": [None, -5]}, meter="E0002"),
    )
    told = _told(store)

    assert put_away(store) == [JULY]

    assert rows_left(store) == 0
    assert _told(store) == told
    assert store.counts().points == 0
    assert store.integrity() == []
    assert [str(part) for part in store.shelf.parts()] == ["2025-07.readings.1.parquet"]


def test_a_month_that_is_not_old_enough_stays(store: SqliteStore) -> None:
    take_in(store, registers(1, (0, 1)))
    store.merge(2**40)

    assert closing(store).turn(0, JULY.end_s - 1, NOW_S, GOING) == []
    assert rows_left(store) == 1
    assert closing(store).turn(0, JULY.end_s, NOW_S, GOING) == [JULY]


def test_each_month_has_a_file_of_its_own_and_the_border_is_exact(store: SqliteStore) -> None:
    last_s = JULY.end_s - 1
    take_in(store, block(1, [last_s, last_s + 1], {"import_wh": [5, 6]}))

    assert put_away(store) == [JULY, AUGUST]

    assert [str(part) for part in store.shelf.parts()] == [
        "2025-07.readings.1.parquet",
        "2025-08.readings.1.parquet",
    ]
    assert store.points(HOME, "import_wh", *EVER) == [(last_s, 5), (last_s + 1, 6)]
    assert store.points(HOME, "import_wh", last_s, last_s + 1) == [(last_s, 5)]
    assert store.points(HOME, "import_wh", last_s + 1, 2**40) == [(last_s + 1, 6)]


def test_late_readings_wait_a_week_and_join_their_month_in_a_file_beside(
    store: SqliteStore,
) -> None:
    take_in(store, registers(1, (0, 1), (60, 7)))
    put_away(store)
    take_in(store, registers(2, (30, 4)))

    assert store.points(HOME, "import_wh", *EVER) == [
        (NOON_S, 1),
        (NOON_S + 30, 4),
        (NOON_S + 60, 7),
    ]
    assert put_away(store, NOW_S + LATE_EVERY_S - 1) == []
    assert put_away(store, NOW_S + LATE_EVERY_S) == [JULY]
    assert rows_left(store) == 0
    assert len(store.shelf.parts()) == 2
    assert store.points(HOME, "import_wh", *EVER) == [
        (NOON_S, 1),
        (NOON_S + 30, 4),
        (NOON_S + 60, 7),
    ]


def test_readings_sent_again_for_a_month_put_away_are_there_once_and_the_first_stays(
    store: SqliteStore,
) -> None:
    take_in(store, registers(1, (0, 1), (60, 7)))
    put_away(store)

    take_in(store, registers(1, (0, 1), (60, 8), epoch="two"))
    points = [(NOON_S, 1), (NOON_S + 60, 7)]
    assert store.points(HOME, "import_wh", *EVER) == points
    put_away(store, NOW_S + LATE_EVERY_S)

    assert rows_left(store) == 0
    assert len(store.shelf.parts()) == 1
    assert store.points(HOME, "import_wh", *EVER) == points
    assert store.counts().conflicts == 1


class WatchedShelf(Shelf):
    """Notes how long the stretches are that it is asked for [s]."""

    asked_s: tuple[int, ...] = ()

    def points(
        self, key: DeviceKey, name: str, start_s: int, end_s: int
    ) -> dict[tuple[str, int], int]:
        """Return the points, and note the stretch."""
        self.asked_s += (end_s - start_s,)
        return super().points(key, name, start_s, end_s)


def test_late_readings_of_a_whole_month_are_compared_with_a_day_of_it_at_a_time(
    store: SqliteStore,
) -> None:
    first_s = JULY.start_s
    days = [first_s + day * 86_400 for day in range(20)]
    take_in(store, block(1, days, {"import_wh": range(20)}))
    put_away(store)
    late = [at_s + 60 * number for at_s in days for number in (0, 1)]
    take_in(store, block(2, late, {"import_wh": [at_s % 7 for at_s in late]}))
    store.merge(2**40, limit=100)
    shelf = WatchedShelf(DiskFolder(months_folder(store.path)))

    later_s = NOW_S + LATE_EVERY_S
    Closing(shelf, store.asking, store.changing).turn(0, later_s, later_s, GOING)

    assert len(shelf.asked_s) == 20
    assert max(shelf.asked_s) == 86_400
    assert len(store.points(HOME, "import_wh", *EVER)) == 40


def test_a_month_has_only_so_many_files_and_what_comes_later_stays_in_the_record(
    store: SqliteStore,
) -> None:
    for number in range(MOST_PARTS + 2):
        take_in(store, registers(number + 1, (number, number)))
        put_away(store, NOW_S + number * LATE_EVERY_S)

    assert len(store.shelf.parts()) == MOST_PARTS
    assert rows_left(store) == 1
    assert len(store.points(HOME, "import_wh", *EVER)) == MOST_PARTS + 2


def test_an_older_copy_put_back_beside_newer_files_tells_everything_once(tmp_path: Path) -> None:
    path, copy = tmp_path / "record.db", tmp_path / "copy.db"
    with SqliteStore(path) as store:
        take_in(store, registers(1, (0, 1), (60, 7)))
        store.copy_to(copy)
        put_away(store)
    for file in tmp_path.glob("record.db*"):
        if file.is_file():
            file.unlink()
    copy.rename(path)

    with SqliteStore(path) as store:
        points = store.points(HOME, "import_wh", *EVER)
        assert points == [(NOON_S, 1), (NOON_S + 60, 7)]
        assert put_away(store) == [JULY]
        assert rows_left(store) == 0
        assert len(store.shelf.parts()) == 1
        with store.asking() as connection:
            assert [put.name for put in noted(connection)] == store.shelf.parts()
        assert store.points(HOME, "import_wh", *EVER) == points
        assert put_away(store) == []


def test_a_disk_that_takes_no_file_lets_nothing_go_and_leaves_nothing_behind(
    store: SqliteStore, tmp_path: Path
) -> None:
    take_in(store, registers(1, (0, 1)))
    months_folder(tmp_path / "record.db").write_text("a file where the folder would be")

    with pytest.raises(StoreBusyError, match="nothing was put away"):
        put_away(store)

    assert rows_left(store) == 1
    months_folder(tmp_path / "record.db").unlink()
    assert put_away(store) == [JULY]


class FullFolder(DiskFolder):
    """A folder on a disk that is full."""

    def create(self, name: str) -> BinaryIO:  # noqa: ARG002 - whatever its name
        """Open the machine's full device in place of a file."""
        return Path("/dev/full").open("wb", buffering=0)


def test_a_disk_that_is_full_half_way_lets_nothing_go(store: SqliteStore, tmp_path: Path) -> None:
    take_in(store, registers(1, *((second, second * 7919 % 5000) for second in range(3000))))
    store.merge(2**40)
    shelf = Shelf(FullFolder(months_folder(tmp_path / "record.db")))

    with pytest.raises(StoreBusyError, match="No space left"):
        Closing(shelf, store.asking, store.changing).turn(0, NOW_S, NOW_S, GOING)

    assert rows_left(store) == 1
    assert put_away(store) == [JULY]


def test_told_to_stop_nothing_is_let_go_and_the_next_time_it_is_done(
    store: SqliteStore, tmp_path: Path
) -> None:
    take_in(store, registers(1, (0, 1)))
    store.merge(2**40)
    stopped = threading.Event()
    stopped.set()

    assert closing(store).turn(0, NOW_S, NOW_S, stopped) == []

    assert rows_left(store) == 1
    assert put_away(store) == [JULY]


@pytest.mark.parametrize("place", [0.3, 0.6, -6])
def test_a_damaged_file_is_named_and_never_half_told(
    store: SqliteStore, tmp_path: Path, place: float
) -> None:
    take_in(store, registers(1, *((second, second * 7 % 31) for second in range(3000))))
    put_away(store)
    file = months_folder(tmp_path / "record.db") / "2025-07.readings.1.parquet"
    content = bytearray(file.read_bytes())
    at = int(len(content) * place) if place > 0 else len(content) + int(place)
    content[at] ^= 0xFF
    file.write_bytes(content)

    with (
        SqliteStore(tmp_path / "record.db", read_only=True) as reader,
        pytest.raises(MonthDamagedError, match=r"2025-07\.readings\.1"),
    ):
        reader.points(HOME, "import_wh", *EVER)


def test_a_damaged_file_keeps_its_own_late_readings_waiting_and_no_other_month(
    store: SqliteStore, tmp_path: Path
) -> None:
    take_in(store, registers(1, (0, 1)))
    put_away(store)
    file = months_folder(tmp_path / "record.db") / "2025-07.readings.1.parquet"
    file.write_bytes(file.read_bytes()[:-9])
    take_in(store, registers(2, (0, 1), (9, 4), (40 * 86_400, 5)))

    with SqliteStore(tmp_path / "record.db", read_only=True) as fresh:
        while store.merge(2**40):
            pass
        closing_anew = Closing(fresh.shelf, fresh.asking, store.changing)
        with pytest.raises(MonthDamagedError, match="2025-07"):
            closing_anew.turn(0, NOW_S, NOW_S + LATE_EVERY_S, GOING)

    assert [str(part.month) for part in store.shelf.parts()] == ["2025-07", "2025-08"]
    assert rows_left(store) == 1


def test_files_of_months_that_are_over_are_removed(store: SqliteStore) -> None:
    take_in(store, registers(1, (0, 1)), registers(2, (40 * 86_400, 5)))
    put_away(store)

    assert closing(store).forget_before(JULY.end_s) == [PartName(JULY, 1)]

    assert store.points(HOME, "import_wh", *EVER) == [(NOON_S + 40 * 86_400, 5)]
    with store.asking() as connection:
        assert [put.name.month for put in noted(connection)] == [AUGUST]


def test_a_file_that_was_lost_keeps_its_name_for_the_copy_of_a_backup(
    store: SqliteStore, tmp_path: Path
) -> None:
    take_in(store, registers(1, (0, 1)))
    put_away(store)
    file = months_folder(tmp_path / "record.db") / "2025-07.readings.1.parquet"
    kept = file.read_bytes()
    file.unlink()
    take_in(store, registers(2, (9, 4)))

    put_away(store, NOW_S + LATE_EVERY_S)

    assert [str(part) for part in store.shelf.parts()] == ["2025-07.readings.2.parquet"]
    with store.asking() as connection:
        assert [put.name.part for put in noted(connection)] == [1, 2]
    file.write_bytes(kept)
    assert store.points(HOME, "import_wh", *EVER) == [(NOON_S, 1), (NOON_S + 9, 4)]


def test_a_file_that_was_lost_is_asked_for_no_longer_than_it_would_be_kept(
    store: SqliteStore, tmp_path: Path
) -> None:
    take_in(store, registers(1, (0, 1)))
    put_away(store)
    (months_folder(tmp_path / "record.db") / "2025-07.readings.1.parquet").unlink()

    closing(store).forget_before(JULY.end_s)

    with store.asking() as connection:
        assert list(noted(connection)) == []


@settings(max_examples=12)
@given(
    readings=st.lists(
        st.tuples(st.integers(0, 70 * 86_400), st.integers(-(2**62), 2**62)), min_size=1
    ),
    splits=st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
def test_whatever_is_put_away_in_whatever_steps_is_told_the_same(
    tmp_path_factory: pytest.TempPathFactory, readings: list[tuple[int, int]], splits: list[int]
) -> None:
    expected: dict[int, int] = {}
    with SqliteStore(tmp_path_factory.mktemp("law") / "record.db") as store:
        for seq, first in enumerate(range(0, len(readings), 20), start=1):
            some = readings[first : first + 20]
            at_s = [NOON_S + after_s for after_s, _ in some]
            take_in(store, block(seq, at_s, {"battery_w": [value for _, value in some]}))
            for at, (_, value) in zip(at_s, some, strict=True):
                expected.setdefault(at, value)
            if seq % splits[seq % len(splits)] == 0:
                put_away(store, NOW_S + seq * LATE_EVERY_S)

        assert store.points(HOME, "battery_w", *EVER) == sorted(expected.items())
        assert store.integrity() == []


def _told(store: SqliteStore) -> tuple[object, ...]:
    points = [store.points(HOME, name, *EVER) for name in ("import_wh", "import_w")]
    return store.latest(), store.quarters({"import_wh"}, *EVER), points
