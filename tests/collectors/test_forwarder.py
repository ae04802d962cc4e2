from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.forward_book import ForwardBook
from collectors.forwarder import Forwarder, Pauses
from collectors.influx import Influx, InfluxDownError, InfluxSettingsError
from collectors.line_protocol import block_lines
from collectors.months.calendar import Month
from collectors.months.shelf import months_folder
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.clock import VirtualClock
from kwartier.reading import ClockSource
from kwartier.wire import Block, encode_block
from tests.collectors.influx_far_side import influx, lines_of, refusal
from tests.collectors.loopback import Reply
from tests.collectors.test_months import put_away

NOON_S = 1_782_900_000  # 2026-07-01T10:00:00Z
CLOCK = VirtualClock(NOON_S)
SILENCE = Reply(silent=True)


def block(seq: int, rows: int = 3, gateway: str = "gw-01") -> Block:
    at_s = tuple(NOON_S + seq * 10_000 + row for row in range(rows))
    columns = {"import_wh": tuple(seq * 10_000 + row for row in range(rows))}
    return Block(gateway, "e1", seq, "p1", "meter", ClockSource.METER, at_s, columns)


class ListJournal:
    """A journal in memory, for blocks and for what is none."""

    def __init__(self, *payloads: bytes, generation: str = "first") -> None:
        self.payloads = list(payloads)
        self.generation = generation

    def journal_after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        return list(enumerate(self.payloads, start=1))[position : position + limit]

    def journal_end(self) -> tuple[int, int]:
        return len(self.payloads), 0

    def points(self, key: DeviceKey, name: str, start_s: int, end_s: int) -> list[tuple[int, int]]:
        raise AssertionError((key, name, start_s, end_s))


def journal(*blocks: Block) -> ListJournal:
    return ListJournal(*(encode_block(one) for one in blocks))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[ForwardBook]:
    book = ForwardBook(tmp_path / "forward.db")
    yield book
    book.close()


def forwarder(source: ListJournal | SqliteStore, door: Influx, book: ForwardBook) -> Forwarder:
    return Forwarder(source, door, book, "wijk", CLOCK, Pauses(0.01, 1.0, 60.0, spread=0.0))


def lines(*blocks: Block) -> set[str]:
    return {line for one in blocks for line in block_lines(one, "wijk")}


def test_what_the_record_took_in_arrives_and_the_position_stands_after_it(
    tmp_path: Path, book: ForwardBook
) -> None:
    blocks = [block(1), block(2), block(1, gateway="gw-02")]
    with SqliteStore(tmp_path / "record.db") as store, influx() as (server, door):
        with store.intake() as intake:
            for one in blocks:
                intake.add(one, encode_block(one), NOON_S)
        sending = forwarder(store, door, book)

        assert sending.step() == 3
        assert sending.step() == 0
        assert book.position(store.generation) == store.journal_after(0)[-1][0]

    assert server.stored == dict.fromkeys(lines(*blocks), 1)


def test_no_request_holds_more_than_five_thousand_lines(book: ForwardBook) -> None:
    blocks = [block(seq, rows=1800) for seq in range(1, 6)]
    with influx() as (server, door):
        sending = forwarder(journal(*blocks), door, book)
        while sending.step():
            pass

    sizes = [len(lines_of(asked)) for asked in server.asked]
    assert sizes == [3602, 3602, 1801]
    assert set(server.stored) == lines(*blocks)


def test_the_largest_block_there_can_be_fits(book: ForwardBook) -> None:
    with influx() as (server, door):
        forwarder(journal(block(1, rows=3600)), door, book).step()

    assert len(server.stored) == 3601


def test_the_place_is_found_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "forward.db"
    source = journal(block(1))
    with influx() as (server, door):
        first = ForwardBook(path)
        forwarder(source, door, first).step()
        first.close()
        source.payloads.append(encode_block(block(2)))

        second = ForwardBook(path)
        forwarder(source, door, second).step()
        second.close()

    assert set(server.stored.values()) == {1}
    assert set(server.stored) == lines(block(1), block(2))


def test_a_restored_record_is_forwarded_from_its_beginning(book: ForwardBook) -> None:
    with influx() as (server, door):
        forwarder(journal(block(1), block(2)), door, book).step()
        restored = ListJournal(encode_block(block(1)), encode_block(block(7)), generation="second")
        forwarder(restored, door, book).step()

    assert set(server.stored) == lines(block(1), block(2), block(7))


@pytest.mark.parametrize(
    "bad",
    [
        refusal(429, "slow down"),
        refusal(503, "busy"),
        refusal(500, "panic"),
        Reply(400, b'{"message": "half of it', cut=True),
        SILENCE,
    ],
    ids=["429", "503", "500", "cut", "silence"],
)
def test_a_far_side_that_is_away_moves_nothing_and_loses_nothing(
    book: ForwardBook, bad: Reply
) -> None:
    with influx(bad, timeout_s=1.0) as (server, door):
        sending = forwarder(journal(block(1)), door, book)
        with pytest.raises(InfluxDownError):
            sending.step()
        assert book.position("first") == 0

        assert sending.step() == 1

    assert set(server.stored) == lines(block(1))
    assert book.dead == 0


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wrong_settings_keep_the_place_and_condemn_no_line(book: ForwardBook, status: int) -> None:
    with influx(refusal(status, "unauthorized access")) as (_, door):
        sending = forwarder(journal(block(1)), door, book)
        with pytest.raises(InfluxSettingsError, match="bucket 'wijk'"):
            sending.step()

    assert (book.position("first"), book.dead) == (0, 0)


def test_a_bad_line_is_found_and_set_aside_and_the_rest_goes_on(book: ForwardBook) -> None:
    bad = f"import_wh=10007i {NOON_S + 10_007}"
    with influx(refuses=lambda line: bad in line) as (server, door):
        sending = forwarder(journal(block(1, rows=100), block(2)), door, book)

        assert sending.step() == 2
        assert sending.step() == 0

    (dead,) = book.dead_lines()
    assert bad in dead.line
    assert "unable to parse" in dead.reason
    assert (dead.refused_s, book.dead, book.position("first")) == (NOON_S, 1, 2)
    assert set(server.stored) | {dead.line} == lines(block(1, rows=100), block(2))
    assert len(server.asked) <= 16  # halving 105 lines to one takes seven steps of two


def test_every_line_is_stored_or_set_aside_whichever_are_bad(book: ForwardBook) -> None:
    with influx(refuses=lambda line: line.endswith(("3", "5", "7"))) as (server, door):
        forwarder(journal(block(1, rows=64)), door, book).step()

    dead = {one.line for one in book.dead_lines(1000)}
    assert len(dead) == book.dead > 1
    assert not dead & set(server.stored)
    assert dead | set(server.stored) == lines(block(1, rows=64))


def test_a_fault_while_halving_starts_the_batch_again_without_counting_twice(
    book: ForwardBook,
) -> None:
    script = [refusal(400, "partial write"), Reply(204), refusal(503, "busy")]
    with influx(*script, refuses=lambda line: "10001i" in line) as (server, door):
        sending = forwarder(journal(block(1, rows=4)), door, book)
        with pytest.raises(InfluxDownError):
            sending.step()
        sending.step()

    assert book.dead == 1
    assert set(server.stored) | {book.dead_lines()[0].line} == lines(block(1, rows=4))


def test_a_journal_entry_that_cannot_be_read_is_set_aside(book: ForwardBook) -> None:
    source = ListJournal(b"rubbish", encode_block(block(2)))
    with influx() as (server, door):
        forwarder(source, door, book).step()

    (dead,) = book.dead_lines()
    assert (dead.position, dead.line) == (1, "b'rubbish'")
    assert "no JSON" in dead.reason
    assert set(server.stored) == lines(block(2))


def test_pauses_grow_to_a_limit_heed_the_far_side_and_end_with_the_trouble(
    book: ForwardBook,
) -> None:
    script = [
        *[refusal(503, "busy")] * 8,
        Reply(429, headers={"Retry-After": "45"}),
        Reply(429, headers={"Retry-After": "4000"}),
        refusal(401, "unauthorized access"),
    ]
    with influx(*script) as (_, door):
        sending = forwarder(journal(block(1)), door, book)

        assert [sending.turn() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
        assert [sending.turn() for _ in range(3)] == [60, 60, 60]
        troubles = [str(sending.trouble)]
        assert sending.turn() == 0
        troubles.append(str(sending.trouble))
        assert sending.turn() == 0.01

    assert "401" in troubles[0]
    assert troubles[1] == "None"


def test_a_first_busy_answer_is_heeded_to_the_second(book: ForwardBook) -> None:
    with influx(Reply(429, headers={"Retry-After": "45"})) as (_, door):
        assert forwarder(journal(block(1)), door, book).turn() == 45


def test_it_runs_until_it_is_told_to_stop(book: ForwardBook) -> None:
    stop = threading.Event()
    with influx() as (server, door):
        sending = forwarder(journal(block(1)), door, book)
        thread = threading.Thread(target=sending.run, args=(stop,))
        thread.start()
        assert server.taken.wait(30)
        stop.set()
        thread.join(30)

    assert not thread.is_alive()
    assert set(server.stored) == lines(block(1))


def test_only_the_newest_dead_lines_are_kept_but_all_are_counted(tmp_path: Path) -> None:
    book = ForwardBook(tmp_path / "forward.db", keep=3)
    with influx(refuses=lambda line: True) as (_, door):  # noqa: ARG005 - every line
        forwarder(journal(block(1), block(2)), door, book).step()

    kept = book.dead_lines()
    assert book.dead == 8
    assert len(kept) == 3
    assert kept[0].line == block_lines(block(2), "wijk")[-1]
    book.close()


def test_a_value_that_came_again_otherwise_is_told_as_the_record_holds_it(
    tmp_path: Path, book: ForwardBook
) -> None:
    again = replace(block(1), seq=2, columns={"import_wh": (10_000, 77, 10_002)})
    with SqliteStore(tmp_path / "record.db") as store, influx() as (server, door):
        with store.intake() as intake:
            for one in (block(1), again, block(3)):
                intake.add(one, encode_block(one), NOON_S)
        sending = forwarder(store, door, book)
        while sending.step():
            pass
        assert store.counts().conflicts == 1

    assert set(server.stored) == lines(block(1), block(3))


def test_a_damaged_month_is_waited_out_and_forwarding_goes_on_once_it_is_mended(
    tmp_path: Path, book: ForwardBook
) -> None:
    again = replace(block(1), seq=2, columns={"import_wh": (10_000, 77, 10_002)})
    with SqliteStore(tmp_path / "record.db") as store, influx() as (server, door):
        with store.intake() as intake:
            for one in (block(1), again):
                intake.add(one, encode_block(one), NOON_S)
        put_away(store, Month.containing(NOON_S).end_s)
        (part,) = months_folder(store.path).iterdir()
        whole = part.read_bytes()
        part.write_bytes(b"nothing")
        sending = forwarder(store, door, book)

        assert sending.turn() == 60.0
        assert part.name in (sending.trouble or "")
        assert book.position(store.generation) == 0

        part.write_bytes(whole)
        sending.turn()
        assert sending.trouble is None

    assert set(server.stored) == lines(block(1))


def test_a_block_that_comes_while_doubts_are_counted_waits_for_the_next_turn(
    tmp_path: Path, book: ForwardBook
) -> None:
    again = replace(block(1), seq=2, columns={"import_wh": (10_000, 77, 10_002)})

    class Busy(SqliteStore):
        """A record that takes a block in just after its end was asked for."""

        def journal_end(self) -> tuple[int, int]:
            told = super().journal_end()
            if told == (1, 0):
                with self.intake() as intake:
                    intake.add(again, encode_block(again), NOON_S)
            return told

    with Busy(tmp_path / "record.db") as store, influx() as (server, door):
        with store.intake() as intake:
            intake.add(block(1), encode_block(block(1)), NOON_S)
        sending = forwarder(store, door, book)
        while sending.step():
            pass

    assert set(server.stored) == lines(block(1))


def test_only_blocks_up_to_the_last_doubt_are_looked_up(book: ForwardBook) -> None:
    assert book.doubtful_upto("first", 10, 0) == 0
    assert book.doubtful_upto("first", 20, 1) == 20
    assert book.doubtful_upto("first", 30, 1) == 20
    assert book.doubtful_upto("second", 5, 0) == 0
    assert book.doubtful_upto("second", 6, 1) == 6


def test_rows_that_the_bucket_would_not_keep_are_not_sent(book: ForwardBook) -> None:
    old = replace(block(1), at_s=(NOON_S - 3601, NOON_S - 3600, NOON_S))
    older = replace(block(2), at_s=(NOON_S - 9000, NOON_S - 8000, NOON_S - 7000))
    with influx() as (server, door):
        sending = Forwarder(journal(old, older), door, book, "wijk", CLOCK, keep_s=3600)
        sending.step()

    kept = replace(old, at_s=old.at_s[1:], columns={"import_wh": (10_001, 10_002)})
    assert set(server.stored) == lines(kept)
    assert (sending.too_old, book.dead, book.position("first")) == (4, 0, 2)


def test_a_backlog_goes_at_the_rate_that_was_set_and_its_end_at_once(book: ForwardBook) -> None:
    source = journal(*(block(seq, rows=1999) for seq in range(1, 6)))
    pauses = Pauses(idle_s=9.0, lines_per_s=1000)
    with influx() as (_, door):
        sending = Forwarder(source, door, book, "wijk", CLOCK, pauses)

        assert [sending.turn() for _ in range(4)] == [4.0, 4.0, 0.0, 9.0]


def test_pauses_are_spread_so_that_forwarders_do_not_come_back_together(book: ForwardBook) -> None:
    pauses = Pauses(first_s=100.0, longest_s=100.0, spread=0.5)
    with influx(*[refusal(503, "busy")] * 12) as (_, door):
        sending = Forwarder(journal(block(1)), door, book, "wijk", CLOCK, pauses)
        waits = [sending.turn() for _ in range(12)]

    assert all(50 <= wait <= 100 for wait in waits)
    assert len(set(waits)) > 1
