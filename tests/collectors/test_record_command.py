"""``kwartier record``: months listed, checked, copied, exported; quarters go when told final."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from collectors.clock_doubt import ClockDoubt
from collectors.finality import final_before, read_finality, tell_final
from collectors.months.calendar import Month
from collectors.months.closing import Closing
from collectors.retention import CLASSES, DAY_S, QUARTERS_AFTER_S, YEAR_S, Keep
from collectors.sqlite_store import SqliteStore
from collectors.upkeep import Upkeep
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.errors import InputError
from tests.collectors.blocks import HOME, NOON_S, registers, take_in
from tests.collectors.test_months import EVER, JULY, put_away

ROOT = Path(__file__).parents[2]
FILE = "2025-07.readings.1.parquet"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A record whose July is put away."""
    path = tmp_path / "record.db"
    with SqliteStore(path) as store:
        take_in(store, registers(1, (0, 10), (900, 30)))
        put_away(store)
    return path


def run(capsys: pytest.CaptureFixture[str], record: Path, *words: str) -> tuple[int, str, str]:
    code = main(["record", "--store", str(record), *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_months_are_listed(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, record, "months")

    size = (record.parent / "record.db.months" / FILE).stat().st_size
    assert code == 0
    assert json.loads(out) == [{"file": FILE, "points": 2, "bytes": size, "is_relied_on": True}]


def test_a_whole_record_is_said_to_be_whole(
    record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, record, "verify")

    assert code == 0
    assert json.loads(out) == {"files": 1, "points": 2, "problems": []}


@pytest.mark.parametrize("way", ["changed", "cut", "away"])
def test_a_month_that_is_not_as_it_was_written_is_named(
    record: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    file = record.parent / "record.db.months" / FILE
    content = bytearray(file.read_bytes())
    if way == "away":
        file.unlink()
    elif way == "cut":
        file.write_bytes(content[:-20])
    else:
        content[40] ^= 1
        file.write_bytes(content)

    code, out, _ = run(capsys, record, "verify")

    assert code == 1
    assert FILE in json.loads(out)["problems"][0]


def test_one_series_of_a_month_is_exported(
    record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, record, "export", "2025-07", "gw-1", "p1", "import_wh")

    assert code == 0
    assert out.splitlines() == [
        "at_utc,at_s,value",
        f"2025-07-01T10:00:00Z,{NOON_S},10",
        f"2025-07-01T10:15:00Z,{NOON_S + 900},30",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "2025-13", "gw-1", "p1", "import_wh"), "is no month"),
        (("export", "2025-06", "gw-1", "p1", "import_wh"), "nothing is known"),
        (("export", "0000-01", "gw-1", "p1", "import_wh"), "is no month"),
        (("final", "2999-01"), "is not over"),
        (("final", "9999-12"), "is no month"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    record: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code, out, err = run(capsys, record, *words)

    assert (code, out) == (1, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_record_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, tmp_path / "none.db", "months")

    assert code == 1
    assert "there is no record" in err


def test_a_copy_holds_everything_and_takes_only_new_files(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"

    first = json.loads(run(capsys, record, "copy", "--to", str(copy))[1])
    second = json.loads(run(capsys, record, "copy", "--to", str(copy))[1])

    assert (first["new_files"], second["new_files"], second["files"]) == (1, 0, 1)
    with SqliteStore(copy / "record.db") as store, SqliteStore(record, read_only=True) as before:
        assert store.points(HOME, "import_wh", *EVER) == [(NOON_S, 10), (NOON_S + 900, 30)]
        assert store.quarters({"import_wh"}, *EVER) == before.quarters({"import_wh"}, *EVER)
    assert run(capsys, record, "copy", "--to", str(record.parent))[0] == 1


@pytest.mark.parametrize(("lost", "left"), [(False, []), (True, [FILE])])
def test_a_month_whose_time_is_over_leaves_the_copy_and_one_that_was_lost_stays_in_it(
    record: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    lost: bool,
    left: list[str],
) -> None:
    copy = tmp_path / "copy"
    run(capsys, record, "copy", "--to", str(copy))
    if lost:
        (tmp_path / "record.db.months" / FILE).unlink()
    else:
        with SqliteStore(record) as store:
            Closing(store.shelf, store.asking, store.changing).forget_before(JULY.end_s)

    run(capsys, record, "copy", "--to", str(copy))

    assert [file.name for file in (copy / "record.db.months").iterdir()] == left


def test_a_month_is_told_final_once_and_never_taken_back(tmp_path: Path) -> None:
    record = tmp_path / "record.db"
    august_s = JULY.end_s + 10 * 86_400

    tell_final(record, JULY.later(-1), JULY.end_s)
    told = tell_final(record, JULY, august_s)

    assert tell_final(record, JULY, august_s + 5) == told == read_finality(record)
    with pytest.raises(InputError, match="before 2025-07-31T22:00:00Z was told to be final"):
        tell_final(record, JULY.later(-1), august_s)
    # Amsterdam is two hours ahead in summer: a month is over there before it is in UTC.
    assert final_before(told, JULY.end_s + 99, 99) == JULY.start_s - 7200
    assert final_before(told, august_s + 99, 99) == JULY.end_s - 7200
    assert final_before(told, JULY.end_s + 98, 99) is None


def test_a_note_is_compared_to_the_second_with_the_end_of_a_dutch_month(tmp_path: Path) -> None:
    record = tmp_path / "record.db"
    # By an earlier version, up to the end of July in UTC: two hours of the Dutch August with it.
    (tmp_path / "record.db.final").write_text(json.dumps([[JULY.end_s, JULY.end_s]]))

    with pytest.raises(InputError, match="before 2025-08-01T00:00:00Z was told to be final"):
        tell_final(record, JULY, JULY.end_s + 86_400)
    told = tell_final(record, JULY.later(1), JULY.later(1).end_s)

    assert [one.upto_s for one in told] == [JULY.end_s, JULY.later(1).end_s - 7200]


def test_quarters_stay_until_two_years_after_their_settlement_is_final(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "record.db") as store:
        take_in(store, registers(1, (0, 10), (900, 30), (1800, 35)))
        quarters = store.quarters({"import_wh"}, *EVER)
        told_s = JULY.end_s + 30 * 86_400
        clock = VirtualClock(told_s + 10 * QUARTERS_AFTER_S)
        upkeep = Upkeep(store, clock, Keep())
        upkeep.turn(threading.Event())
        assert store.quarters({"import_wh"}, *EVER) == quarters

        tell_final(store.path, JULY, told_s)
        early = Upkeep(store, VirtualClock(told_s + QUARTERS_AFTER_S - 1), Keep())
        early.turn(threading.Event())
        assert store.quarters({"import_wh"}, *EVER) == quarters

        on_time = Upkeep(store, VirtualClock(told_s + QUARTERS_AFTER_S), Keep())
        on_time.turn(threading.Event())
        assert store.quarters({"import_wh"}, *EVER) == []


def test_a_note_of_finality_that_cannot_be_read_lets_no_quarter_go(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SqliteStore(tmp_path / "record.db") as store:
        take_in(store, registers(1, (0, 10), (900, 30)))
        (tmp_path / "record.db.final").write_text("[[1")
        upkeep = Upkeep(store, VirtualClock(NOON_S + 20 * QUARTERS_AFTER_S), Keep())

        for _ in range(3):
            upkeep.turn(threading.Event())

        assert len(store.quarters({"import_wh"}, *EVER)) == 1
    assert len([one for one in caplog.records if "finality" in one.getMessage()]) == 1


@pytest.mark.parametrize(
    ("months", "parts", "points"),
    [(24, 1, 2), (1, 0, 0), (0, 0, 0)],
)
def test_upkeep_puts_old_months_away_or_lets_them_go_as_the_settings_say(
    tmp_path: Path, months: int, parts: int, points: int
) -> None:
    with SqliteStore(tmp_path / "record.db") as store:
        take_in(store, registers(1, (0, 10), (900, 30)))
        now_s = Month(2025, 9).start_s + 86_400
        upkeep = Upkeep(store, VirtualClock(now_s), Keep(months=months))

        upkeep.turn(threading.Event())

        assert len(store.shelf.parts()) == parts
        assert len(store.points(HOME, "import_wh", *EVER)) == points
        assert store.counts().points == 0


def test_a_clock_that_jumps_lets_nothing_go_for_a_day(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock(NOON_S)
    with SqliteStore(tmp_path / "record.db") as store:
        take_in(store, registers(1, (0, 10), (900, 30)))
        upkeep = Upkeep(store, clock, Keep())
        upkeep.turn(threading.Event())

        clock.jump(9 * YEAR_S)
        upkeep.turn(threading.Event())
        clock.advance(DAY_S - 1)
        upkeep.turn(threading.Event())
        assert len(store.points(HOME, "import_wh", *EVER)) == 2
        assert caplog.text.count("days ahead of what passed") == 1

        clock.advance(1)
        upkeep.turn(threading.Event())
        assert store.points(HOME, "import_wh", *EVER) == []


def test_a_clock_in_doubt_stays_in_doubt_when_the_collector_starts_anew(tmp_path: Path) -> None:
    clock = VirtualClock(NOON_S)

    def left(store: SqliteStore) -> int:
        upkeep = Upkeep(store, clock, Keep())
        for part in (upkeep.turn, upkeep.look):
            part(threading.Event())
        return len(store.points(HOME, "import_wh", *EVER))

    with SqliteStore(tmp_path / "record.db") as store:
        take_in(store, registers(1, (0, 10), (900, 30)))
        told = [left(store)]
        clock.jump(9 * YEAR_S)
        for _ in range(4):  # started anew every seven hours
            told.append(left(store))
            clock.advance(7 * 3600)
        told.append(left(store))

    assert told == [2, 2, 2, 2, 2, 0]


def test_a_clock_put_right_again_is_believed_at_once(tmp_path: Path) -> None:
    clock = VirtualClock(NOON_S)
    doubt = ClockDoubt(clock, NOON_S - 60)
    doubts = [doubt.stands()]
    for jump_s in (5 * YEAR_S, -5 * YEAR_S):
        clock.jump(jump_s)
        doubts.append(doubt.stands())

    assert doubts == [False, True, False]
    assert ClockDoubt(clock, NOON_S - 3 * DAY_S).stands()


def test_the_table_of_how_long_what_stays_is_the_one_in_the_papers() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    table = text.split("## How long what stays\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert rows == [f"| {one.name} | {one.keep} | {one.where} |" for one in CLASSES]
