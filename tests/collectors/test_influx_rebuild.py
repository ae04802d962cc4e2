"""``kwartier influx rebuild`` and ``status``: filled again from the record, counted, resumable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.forward_book import ForwardBook, book_path
from collectors.forwarder import Forwarder
from collectors.influx import Influx, InfluxDownError, InfluxSettings
from collectors.influx_counts import Difference
from collectors.influx_rebuild import compare, oldest_s, refill, replay
from collectors.line_protocol import block_lines
from collectors.months.calendar import Month
from collectors.sqlite_store import SqliteStore
from kwartier.charts import DAY_S
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.wire import Block, encode_block
from tests.collectors.blocks import HOME, NOON_S, block, registers
from tests.collectors.influx_far_side import influx, refusal
from tests.collectors.influx_office_side import InfluxOfficeSide, influx_office
from tests.collectors.loopback import Reply, far_side
from tests.collectors.test_months import put_away

CLOCK = VirtualClock(NOON_S + DAY_S)
QUARTER = "quarter,device=p1,gateway=gw-1,site=wijk"
BLOCKS = [
    registers(1, (0, 1000), (600, 1010), (900, 1025)),
    block(2, [NOON_S, NOON_S + 10, NOON_S + 905], {"battery_w": [-3, -4, 7]}),
    block(3, [NOON_S + 20, NOON_S + 890], {"tariff": [1, 2]}),
]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "record.db") as store:
        put(store, *BLOCKS)
        yield store


def put(store: SqliteStore, *blocks: Block) -> None:
    with store.intake() as intake:
        for one in blocks:
            intake.add(one, encode_block(one), NOON_S)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[ForwardBook]:
    book = ForwardBook(tmp_path / "book.db")
    yield book
    book.close()


def test_the_journal_is_sent_from_its_beginning_to_its_end(
    record: SqliteStore, book: ForwardBook
) -> None:
    with influx() as (server, door):
        sending = Forwarder(record, door, book, "wijk", CLOCK)

        assert replay(record, sending, book) == 3
        assert replay(record, sending, book) == 0

    assert set(server.stored) == {line for one in BLOCKS for line in block_lines(one, "wijk")}


def test_quarter_hours_are_those_of_the_task(record: SqliteStore, book: ForwardBook) -> None:
    with influx() as (server, door):
        sent = refill(record, "life", door, book, "wijk", NOON_S, NOON_S + 2000)

    # The register as it stood first; the mean of -3 and -4 is -3.5, away from zero -4.
    assert server.stored == {
        f"{QUARTER} import_wh=1000i {NOON_S}": 1,
        f"{QUARTER} import_wh=1025i {NOON_S + 900}": 1,
        f"{QUARTER} battery_w=-4i {NOON_S}": 1,
        f"{QUARTER} battery_w=7i {NOON_S + 900}": 1,
        f"{QUARTER} tariff=1i {NOON_S}": 1,
    }
    assert sent == 5


def test_broken_off_it_goes_on_with_the_day_it_was_at(
    record: SqliteStore, book: ForwardBook
) -> None:
    put(record, registers(4, (DAY_S, 2000), (2 * DAY_S, 3000)))
    window = NOON_S, NOON_S + 2 * DAY_S + 900
    with influx(Reply(204), refusal(503, "busy")) as (server, door):
        with pytest.raises(InfluxDownError):
            refill(record, "life", door, book, "wijk", *window)
        assert refill(record, "life", door, book, "wijk", *window) == 2
        assert len(server.asked) == 4  # the first day, the busy answer, the other two days
        assert refill(record, "life", door, book, "wijk", *window) == 0
        assert refill(record, "another", door, book, "wijk", *window) == 7


def test_quarter_hours_of_months_put_away_are_filled_too(
    record: SqliteStore, book: ForwardBook
) -> None:
    now_s = Month(2025, 9).start_s
    held_s = now_s - 31 * DAY_S
    assert oldest_s(record, held_s) == held_s
    put_away(record, now_s)
    assert [str(part.month) for part in record.shelf.parts()] == ["2025-07"]

    with influx() as (server, door):
        start_s = oldest_s(record, held_s)
        sent = refill(record, "life", door, book, "wijk", start_s, now_s)

    assert (start_s, sent) == (Month(2025, 7).start_s, 5)
    assert f"{QUARTER} import_wh=1000i {NOON_S}" in server.stored


def counted(*rows: tuple[str, int]) -> Reply:
    head = (
        "#datatype,string,long,long,string,string,string\r\n"
        "#group,false,false,false,true,true,true\r\n#default,_result,,,,,\r\n"
        ",result,table,_value,_field,device,gateway\r\n"
    )
    body = "".join(f",,0,{count},{name},p1,gw-1\r\n" for name, count in rows)
    return Reply(200, (head + body).encode(), {"Content-Type": "text/csv"})


def test_both_sides_are_counted_series_by_series(record: SqliteStore) -> None:
    same = counted(("import_wh", 3), ("battery_w", 2), ("battery_w", 1), ("tariff", 2))
    with far_side(same) as server, Influx(settings(server.url)) as door:
        told = compare(record, door, "wijk", CLOCK, NOON_S)

    assert told == (8, 8, ())


def test_a_series_that_lacks_a_point_is_named(record: SqliteStore) -> None:
    less = counted(("import_wh", 2), ("battery_w", 3), ("tariff", 2))
    head = (
        "#datatype,string,long,dateTime:RFC3339,long\r\n#group,false,false,false,false\r\n"
        "#default,_result,,,\r\n,result,table,_time,_value\r\n"
    )
    points = ",,0,2025-07-01T10:00:00Z,1000\r\n,,0,2025-07-01T10:10:00Z,1010\r\n"
    exact = Reply(200, (head + points).encode(), {"Content-Type": "text/csv"})
    with far_side(less, exact) as server, Influx(settings(server.url)) as door:
        told = compare(record, door, "wijk", CLOCK, NOON_S)

    assert told == (8, 7, (Difference(HOME, "import_wh", NOON_S, 3, 2),))


def settings(url: str) -> InfluxSettings:
    return InfluxSettings(url, "token", "wijk", "raw")


def config(folder: Path, url: str) -> Path:
    (folder / "influx.token").write_text("of the writer\n")
    path = folder / "collect.toml"
    path.write_text(
        'coop = "wijk"\n[broker]\nurl = "mqtt://127.0.0.1"\n[store]\npath = "record.db"\n'
        f'[influx]\nurl = "{url}"\norganisation = "wijk"\ntoken_file = "influx.token"\n'
    )
    return path


@pytest.fixture
def office() -> Iterator[InfluxOfficeSide]:
    with influx_office() as office:
        yield office


def test_status_says_how_far_behind_it_is(
    record: SqliteStore,
    office: InfluxOfficeSide,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = config(tmp_path, office.url)
    assert main(["influx", "status", "--config", str(path)]) == 0
    before = json.loads(capsys.readouterr().out)
    book = ForwardBook(book_path(tmp_path / "record.db"))
    book.advance(record.generation, 2)
    book.close()
    assert main(["influx", "status", "--config", str(path)]) == 0
    after = json.loads(capsys.readouterr().out)

    assert before == {
        "version": "v2.7.12", "trouble": None, "forwarded": 0, "end": 3, "behind": 3,
        "refused": 0, "newest_refusal": None, "conflicts": 0,
    }  # fmt: skip
    assert (after["forwarded"], after["behind"]) == (2, 1)


def test_status_of_a_server_that_is_away_says_so_and_how_much_waits(
    record: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record.journal_end() == (3, 0)
    path = config(tmp_path, "http://127.0.0.1:9")

    assert main(["influx", "status", "--config", str(path)]) == 1

    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["behind"]) == (None, 3)
    assert "did not answer" in told["trouble"]


def test_rebuild_without_the_first_token_is_a_matter_of_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, "http://127.0.0.1:9")

    assert main(["influx", "rebuild", "--config", str(path), "--tokens", str(tmp_path)]) == 78

    assert "admin.token: cannot be read" in capsys.readouterr().err
