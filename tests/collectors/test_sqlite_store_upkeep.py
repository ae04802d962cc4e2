"""Settling, forgetting and forwarding change what lies on disk, never what is told."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.quarters import Register, spans_of
from collectors.sqlite_store import SqliteStore
from collectors.store import DeadLetter
from kwartier.interval import QUARTER_S
from kwartier.wire import encode_block
from tests.collectors.blocks import HOME, NOON_S, RECEIVED_S, block, registers, take_in

EVER = (0, 2**40)
HOUR_S = 3600


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "telemetry.db") as opened:
        yield opened


def test_settling_leaves_every_answer_as_it_was(store: SqliteStore) -> None:
    for hour in range(3):
        at_s = [NOON_S + hour * HOUR_S + minute * 60 for minute in range(60)]
        columns = {"import_wh": range(hour * 60, hour * 60 + 60), "import_w": [None, 5] * 30}
        take_in(store, block(2 * hour + 1, at_s[:30], {n: c[:30] for n, c in columns.items()}))
        take_in(store, block(2 * hour + 2, at_s[30:], {n: c[30:] for n, c in columns.items()}))
    before = _told(store)

    settled = [store.merge(NOON_S + 2 * HOUR_S, limit=1) for _ in range(3)]

    assert settled == [1, 1, 0]
    assert _told(store) == before
    assert store.integrity() == []


def test_the_hour_that_is_not_over_is_not_settled(store: SqliteStore) -> None:
    take_in(store, registers(1, (0, 1)))

    assert store.merge(NOON_S + HOUR_S - 1) == 0
    assert store.merge(NOON_S + HOUR_S) == 1


def test_a_late_point_joins_a_settled_hour_and_a_known_one_does_not(store: SqliteStore) -> None:
    take_in(store, registers(1, (0, 10), (60, 20)))
    store.merge(NOON_S + HOUR_S)

    take_in(store, registers(1, (0, 10), (30, 15), (60, 21), epoch="two"))

    points = [(NOON_S, 10), (NOON_S + 30, 15), (NOON_S + 60, 20)]
    assert store.points(HOME, "import_wh", *EVER) == points
    assert store.counts().conflicts == 1
    assert store.merge(NOON_S + HOUR_S) == 1
    assert store.points(HOME, "import_wh", *EVER) == points


def test_forgetting_detail_keeps_quarters_and_newest_values(store: SqliteStore) -> None:
    take_in(store, registers(1, (0, 10), (900, 20), (HOUR_S, 50)))
    quarters, newest = store.quarters({"import_wh"}, *EVER), store.latest()
    store.merge(NOON_S + 2 * HOUR_S)

    forgotten = [store.forget_detail(NOON_S + HOUR_S, limit=1) for _ in range(2)]

    assert forgotten == [1, 0]
    assert store.points(HOME, "import_wh", *EVER) == [(NOON_S + HOUR_S, 50)]
    assert store.quarters({"import_wh"}, *EVER) == quarters
    assert store.latest() == newest
    assert store.counts().points == 1
    assert store.integrity() == []


def test_the_journal_holds_each_block_as_it_came_in_order(store: SqliteStore) -> None:
    blocks = [registers(seq, (seq, seq)) for seq in (1, 2, 3)]
    take_in(store, *blocks)

    first = store.journal_after(0, limit=2)
    rest = store.journal_after(first[-1][0], limit=2)

    assert [payload for _, payload in first + rest] == [encode_block(one) for one in blocks]
    assert store.journal_after(rest[-1][0], limit=2) == []


def test_a_forgotten_journal_gives_no_position_twice_and_no_block_twice(
    store: SqliteStore,
) -> None:
    take_in(store, registers(1, (1, 1)), registers(2, (2, 2)))
    ((_, _), (newest, _)) = store.journal_after(0, 10)

    forgotten = [store.forget_journal(RECEIVED_S + 1, limit=1) for _ in range(3)]
    take_in(store, registers(2, (2, 2)), registers(3, (3, 3)))

    assert forgotten == [1, 1, 0]
    assert [position for position, _ in store.journal_after(0, 10)] == [newest + 1]
    assert store.counts().blocks == 3


def test_only_what_came_before_is_forgotten_from_the_journal(store: SqliteStore) -> None:
    with store.intake() as intake:
        for seq, received_s in ((1, 100), (2, 200), (3, 300)):
            intake.add(registers(seq, (seq, seq)), b"%d" % seq, received_s)
        intake.advance("gw-1", "one", 3)

    assert store.forget_journal(200) == 1
    assert [payload for _, payload in store.journal_after(0, 10)] == [b"2", b"3"]


def test_a_block_past_the_watermark_is_not_forgotten(store: SqliteStore) -> None:
    take_in(store, registers(5, (5, 5)))

    assert store.forget_journal(2**40) == 0
    take_in(store, registers(5, (5, 5)))
    assert store.counts().blocks == 1


def test_only_the_newest_dead_letters_are_kept_and_all_are_counted(store: SqliteStore) -> None:
    with store.intake() as intake:
        for seq in range(1, 6):
            intake.set_aside(DeadLetter("gw-1", "one", seq, RECEIVED_S, "no JSON", b"{"))

    assert store.forget_dead_letters(keep=2) == 3
    assert [letter.seq for letter in store.dead_letters()] == [5, 4]
    assert store.counts().dead_letters == 5


def test_old_dead_letters_go_whatever_their_number(store: SqliteStore) -> None:
    with store.intake() as intake:
        for seq, received_s in ((1, 100), (2, 200), (3, 300)):
            intake.set_aside(DeadLetter("gw-1", "one", seq, received_s, "no JSON", b"{"))

    assert store.forget_dead_letters(before_s=200) == 1
    assert [letter.seq for letter in store.dead_letters()] == [3, 2]


def test_dead_letters_go_in_steps(store: SqliteStore) -> None:
    with store.intake() as intake:
        for seq in range(1, 6):
            intake.set_aside(DeadLetter("gw-1", "e1", seq, 100, "unreadable", b"x"))

    steps = [store.forget_dead_letters(before_s=200, limit=2) for _ in range(4)]

    assert steps == [2, 2, 1, 0]


def test_quarters_are_let_go_in_steps_and_never_past_the_instant_told(store: SqliteStore) -> None:
    take_in(store, registers(1, (0, 10), (900, 20), (1800, 40), (2700, 70)))
    quarters = store.quarters({"import_wh"}, *EVER)

    forgotten = [store.forget_quarters(NOON_S + 1800, limit=1) for _ in range(3)]

    assert forgotten == [1, 1, 0]
    assert store.quarters({"import_wh"}, *EVER) == quarters[2:]
    assert store.integrity() == []


def test_the_same_block_ten_times_leaves_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    dumps = []
    for _ in range(10):
        with SqliteStore(path) as store:
            take_in(store, registers(1, (0, 100), (450, 170), (900, 200)))
        dumps.append(_content(path))

    assert dumps == dumps[:1] * 10


def test_hostile_names_are_only_names(store: SqliteStore) -> None:
    name = "x'); DROP TABLE series; --"

    take_in(store, block(1, [NOON_S], {name: [7]}, meter="'; --"))

    assert store.points(HOME, name, *EVER) == [(NOON_S, 7)]
    assert store.integrity() == []


def test_a_stamp_of_another_age_costs_no_more_than_any(store: SqliteStore) -> None:
    take_in(store, registers(1, (0, 10), (900, 20), (2**33, 1_000_000)))

    told = store.quarters({"import_wh"}, NOON_S, NOON_S + 3 * QUARTER_S)

    assert [quarter.energy_wh for quarter in told] == [10, 0, 0]


@settings(max_examples=40)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([5, 30, 450, 900, 4000]), st.sampled_from([0, 9, 70, -40])),
        min_size=1,
        max_size=50,
    ),
    sizes=st.lists(st.integers(1, 7), min_size=50, max_size=50),
    chance=st.randoms(use_true_random=False),
    window=st.tuples(st.integers(-2, 40), st.integers(0, 60)),
)
def test_what_is_kept_in_steps_is_what_follows_from_all_readings_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, int]],
    sizes: list[int],
    chance: random.Random,
    window: tuple[int, int],
) -> None:
    readings = [(0, 500)]
    for seconds, rise_wh in steps:
        readings.append((readings[-1][0] + seconds, readings[-1][1] + rise_wh))
    parts: list[list[tuple[int, int]]] = []
    for size in sizes:
        begin = sum(map(len, parts))
        parts.append(readings[begin : begin + size])
    parts = [part for part in parts if part]
    chance.shuffle(parts)
    start_s, end_s = (NOON_S + quarter * QUARTER_S for quarter in window)

    with SqliteStore(tmp_path_factory.mktemp("law") / "telemetry.db") as store:
        for seq, part in enumerate(parts, start=1):
            take_in(store, registers(seq, *part))
            if chance.random() < 0.3:
                store.merge(2**40)
        told = store.quarters({"import_wh"}, start_s, end_s)

    register = Register(spans_of((NOON_S + after_s, wh) for after_s, wh in readings))
    expected = {at_s: register.known(at_s) for at_s in range(start_s, end_s, QUARTER_S)}
    assert {q.start_s: (q.energy_wh, q.quality) for q in told} == {
        at_s: (known.energy_wh, known.quality) for at_s, known in expected.items() if known
    }


def _told(store: SqliteStore) -> tuple[object, ...]:
    points = [store.points(HOME, name, *EVER) for name in ("import_wh", "import_w")]
    return store.counts(), store.latest(), store.quarters({"import_wh"}, *EVER), points


def _content(path: Path) -> list[str]:
    """Return all a file holds but for how many transactions it has seen."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE life SET commits = 0")
        return list(other.iterdump())
