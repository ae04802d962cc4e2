"""Rows gathered before they are stored: how they are put together changes nothing that is told."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.quarters import Span
from collectors.sqlite_store import SqliteStore
from collectors.store import Counts, Latest, QuarterEnergy
from collectors.stretch import Stretch, newest, points_of, spans
from kwartier.reading import ClockSource
from kwartier.wire import Block
from tests.collectors.blocks import HOME, NOON_S, block, registers, take_in

NAMES = ("import_wh", "import_w")


def test_a_series_is_silent_in_the_rows_of_blocks_that_lack_it() -> None:
    stretch = Stretch()
    stretch.extend((NOON_S, NOON_S + 1), {1: (10, 11)})
    stretch.extend((NOON_S + 2,), {2: (-5,)})
    stretch.extend((NOON_S + 3,), {1: (13,), 2: (None,)})

    assert stretch.columns == {1: [10, 11, None, 13], 2: [None, None, -5, None]}
    assert (stretch.offsets, stretch.hour * 3600) == ([0, 1, 2, 3], NOON_S)
    assert points_of(stretch.columns) == 4


def test_the_ends_of_a_quarter_are_its_first_and_last_value() -> None:
    at_s = (NOON_S, NOON_S + 1, NOON_S + 2, NOON_S + 900, NOON_S + 1800)
    column = (None, 7, 8, None, 9)

    assert list(spans(at_s, column)) == [
        Span(NOON_S, NOON_S + 1, 7, NOON_S + 2, 8),
        Span(NOON_S + 1800, NOON_S + 1800, 9, NOON_S + 1800, 9),
    ]
    assert newest(at_s[:4], column[:4]) == (NOON_S + 2, 8)
    assert newest(at_s[:1], column[:1]) is None


def test_the_blocks_of_an_hour_in_one_transaction_are_one_chunk(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "record.db") as store:
        take_in(store, *(registers(seq, (10 * seq, 100 + seq)) for seq in range(1, 6)))

        assert store.counts() == Counts(5, 5, 5, 0, 0)
        assert store.points(HOME, "import_wh", NOON_S, NOON_S + 60) == [
            (NOON_S + 10, 101),
            (NOON_S + 20, 102),
            (NOON_S + 30, 103),
            (NOON_S + 40, 104),
            (NOON_S + 50, 105),
        ]
    assert _rows(tmp_path / "record.db", "fresh") == 1


def test_what_waits_is_known_to_a_late_block_of_the_same_transaction(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "record.db") as store:
        take_in(store, registers(1, (0, 5), (10, 6)), registers(2, (10, 7), (20, 8)))

        assert store.counts() == Counts(points=3, readings=4, blocks=2, dead_letters=0, conflicts=1)
        assert store.points(HOME, "import_wh", NOON_S, NOON_S + 60) == [
            (NOON_S, 5),
            (NOON_S + 10, 6),
            (NOON_S + 20, 8),
        ]


def test_a_block_beyond_the_watermark_is_stored_once(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "record.db") as store:
        take_in(store, registers(3, (30, 3)), registers(3, (30, 3)))
        take_in(store, registers(3, (30, 3)), registers(1, (10, 1)))

        assert store.counts() == Counts(2, 2, 2, 0, 0)
    assert _rows(tmp_path / "record.db", "journal") == 2


@st.composite
def blocks(draw: st.DrawFn) -> list[Block]:
    """Return blocks that follow, overlap and repeat each other, some of a doubted clock."""
    count = draw(st.integers(1, 8))
    drawn: list[Block] = []
    for seq in range(1, count + 1):
        at_s = draw(st.lists(st.integers(0, 7200), min_size=1, max_size=5, unique=True))
        rows = st.lists(
            st.one_of(st.none(), st.integers(0, 50)), min_size=len(at_s), max_size=len(at_s)
        )
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
        columns = {name: draw(rows) for name in names}
        clock = draw(st.sampled_from((ClockSource.METER, ClockSource.UNSURE)))
        drawn.append(block(seq, [NOON_S + at for at in sorted(at_s)], columns, clock=clock))
    return drawn


@settings(max_examples=25)
@given(drawn=blocks())
def test_one_transaction_or_one_a_block_come_to_the_same(drawn: list[Block]) -> None:
    assert _told([drawn]) == _told([[one] for one in drawn])


def _told(
    transactions: Sequence[Sequence[Block]],
) -> tuple[Counts, list[Latest], list[QuarterEnergy], list[list[tuple[int, int]]]]:
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "r.db") as store:
        for taken in transactions:
            take_in(store, *taken)
        end_s = NOON_S + 10_800
        return (
            store.counts(),
            store.latest(),
            store.quarters(["import_wh"], NOON_S, end_s),
            [store.points(HOME, name, NOON_S, end_s) for name in NAMES],
        )


def _rows(path: Path, table: str) -> int:
    with sqlite3.connect(path) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    connection.close()
    return int(count)
