"""Where readings come from: the house's record, the grid operator's files, a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import text

from api.cooperative.database import Books
from api.cooperative.errors import BooksError, NotAllowedError
from api.cooperative.officers import Officer
from api.cooperative.readings import (
    DayValues,
    Direction,
    Source,
    day_values,
    store_day,
    versions_of,
)
from api.cooperative.readings.corrections import correct_quarter
from api.cooperative.readings.intake import most_wh
from api.cooperative.readings.meters import install_meter, meters_between
from api.cooperative.readings.pull import Recorded, pull
from api.cooperative.readings.quarter_file import rows_of
from api.cooperative.readings.quarter_rows import ALLOWED, REQUIRED
from api.cooperative.readings.validated import Imported, import_quarters
from collectors.sqlite_store import SqliteStore
from kwartier.clock import VirtualClock
from kwartier.interval import HOME_ZONE, QUARTER_S, Quarter, local_day
from kwartier.model import Battery, Community, Connection
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block
from tests.api.cooperative.registered import ean, register

on_sqlite = pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
"""For what is decided before anything is written; the rest is tried on both databases."""

DAY = date(2026, 7, 6)
START_S, END_S = local_day(DAY)
STREET = Community(
    "zonnehof",
    "Zonnehof",
    {
        "huis-01": Connection("huis-01", "lid-1", "g1"),
        "huis-02": Connection("huis-02", "lid-2", "g2", limit_w=5_750),
    },
    {"accu": Battery("accu", "g3", "battery", 100_000, 50_000, 50_000)},
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "telemetry.db") as opened:
        yield opened


class Street:
    """Writes registers into the record, one reading at every quarter's beginning."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._seq = 0

    def count(
        self,
        gateway: str,
        device: str,
        quarters_wh: dict[str, list[int]],
        *,
        silent: Iterable[int] = (),
        meter: str = "m",
    ) -> None:
        """Let registers count from 1000 Wh on; nothing is read at the ``silent`` boundaries."""
        lengths = {len(values) for values in quarters_wh.values()}
        away = set(silent)
        readings = [
            Reading(
                device,
                meter,
                START_S + place * QUARTER_S,
                {name: 1000 + sum(values[:place]) for name, values in quarters_wh.items()},
            )
            for place in range(max(lengths) + 1)
            if place not in away
        ]
        self._seq += 1
        block = block_of(readings, gateway, "e", 1)
        with self._store.intake() as intake:
            intake.add(block, encode_block(block), END_S)
            intake.advance(gateway, "e", 1)


def pulled_from(store: SqliteStore) -> Recorded:
    return Recorded(store, STREET, VirtualClock(END_S + 7200))


def test_a_pull_brings_homes_and_batteries_to_the_watt_hour(
    books: Books, treasurer: Officer, store: SqliteStore
) -> None:
    street = Street(store)
    street.count("g1", "p1", {"import_wh": [50] * 96, "export_wh": list(range(96))})
    street.count("g2", "p1", {"import_wh": [70] * 96})
    street.count("g3", "battery", {"charged_wh": [5] * 96, "discharged_wh": [3] * 96})

    with books.desk(treasurer) as desk:
        result = pull(desk, pulled_from(store), DAY, DAY)
        home = day_values(desk, "huis-01", DAY)
        consumer = day_values(desk, "huis-02", DAY)
        battery = day_values(desk, "accu", DAY)

    assert home[Direction.EXPORT].values.wh == tuple(range(96))
    assert home[Direction.IMPORT].values.quality == "m" * 96
    assert consumer[Direction.EXPORT].values.wh == (0,) * 96, "no register counted nothing"
    assert battery[Direction.CHARGE].values.wh == (5,) * 96
    assert battery[Direction.DISCHARGE].values.wh == (3,) * 96
    assert (result.taken.days, result.taken.versions, result.taken.missing) == (6, 6, 0)


@on_sqlite
def test_pulling_again_changes_nothing(
    books: Books, treasurer: Officer, store: SqliteStore
) -> None:
    Street(store).count("g1", "p1", {"import_wh": [50] * 96})
    with books.desk(treasurer) as desk:
        pull(desk, pulled_from(store), DAY, DAY)
        again = pull(desk, pulled_from(store), DAY, DAY)
        versions = versions_of(desk, "huis-01", Direction.IMPORT, DAY)
    assert again.taken.versions == 0
    assert len(versions) == 1


@on_sqlite
def test_what_was_not_read_is_missing_or_an_estimate_and_what_came_late_makes_it_measured(
    books: Books, treasurer: Officer, store: SqliteStore
) -> None:
    Street(store).count("g1", "p1", {"import_wh": [50] * 90}, silent=[40, 41, 42])
    with books.desk(treasurer) as desk:
        result = pull(desk, pulled_from(store), DAY, DAY)
        values = day_values(desk, "huis-01", DAY)[Direction.IMPORT].values
    assert values.quality == "m" * 39 + "e" * 4 + "m" * 47 + "-" * 6
    assert sum(wh or 0 for wh in values.wh) == 50 * 90
    assert result.taken.missing == 12  # import and export


@on_sqlite
def test_more_than_a_connection_can_carry_is_set_aside(
    books: Books, treasurer: Officer, store: SqliteStore
) -> None:
    # 5750 W x 0.25 h x 1.1 is 1581.25 Wh.
    assert most_wh(5_750) == 1_581
    quarters_wh = [50] * 96
    quarters_wh[10] = 1_582
    Street(store).count("g2", "p1", {"import_wh": quarters_wh})
    with books.desk(treasurer) as desk:
        result = pull(desk, pulled_from(store), DAY, DAY)
        values = day_values(desk, "huis-02", DAY)[Direction.IMPORT].values
        kept = desk.session.execute(text("SELECT value, why FROM reading_quarantine")).all()
    assert values.wh[10] is None
    assert [tuple(row) for row in kept] == [("1.582 kWh", "above_limit")]
    assert str(result.taken.set_aside[0]) == (
        "huis-02 import 2026-07-06T00:30:00Z: 1.582 kWh was set aside: "
        "more than the connection can carry"
    )


def test_a_pull_records_what_registers_stood_at_and_names_a_strange_meter(
    books: Books, treasurer: Officer, store: SqliteStore
) -> None:
    street = Street(store)
    serial = "E0047000123456724"
    street.count("g1", "p1", {"import_wh": [50] * 96}, meter=serial.encode().hex())
    street.count("g2", "p1", {"import_wh": [50] * 96}, meter="another")
    with books.desk(treasurer) as desk:
        install_meter(desk, "huis-01", serial, 0, {})
        install_meter(desk, "huis-02", "B2", 0, {})
        result = pull(desk, pulled_from(store), DAY, DAY)
        (part,) = meters_between(desk, "huis-01", START_S, END_S)
    assert (part.import_opening_wh, part.import_closing_wh) == (1000, 1000 + 96 * 50)
    assert result.strangers == ["huis-02"]


def csv_of(tmp_path: Path, *lines: str, name: str = "p4.csv") -> Path:
    file = tmp_path / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def imported(
    books: Books,
    officer: Officer,
    file: Path,
    *,
    leave_out: bool = False,
    stamps_end: bool = False,
) -> Imported:
    with books.desk(officer) as desk:
        return import_quarters(desk, file, apply=True, leave_out=leave_out, stamps_end=stamps_end)


def whole_day(connection: str, kwh: str, day: date = DAY) -> list[str]:
    start_s, end_s = local_day(day)
    return [f"{Quarter(at_s)},{connection},{kwh},0" for at_s in range(start_s, end_s, QUARTER_S)]


HEADER = "utc,connection,import_kwh,export_kwh"


def test_validated_quarters_make_a_provisional_day_final(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    register(books, treasurer, "huis-01")
    with books.desk(treasurer) as desk:
        store_day(
            desk,
            DayValues(
                "huis-01",
                Direction.IMPORT,
                DAY,
                (90,) * 95 + (None,),
                "m" * 50 + "e" * 45 + "-",
                Source.P1,
            ),
        )
    told = imported(books, treasurer, csv_of(tmp_path, HEADER, *whole_day("huis-01", "0.091")))
    with books.reading(treasurer) as desk:
        values = day_values(desk, "huis-01", DAY)[Direction.IMPORT].values
    assert (told.rows, told.refused, told.applied) == (96, 0, True)
    assert told.taken.made_final == 46 + 96  # and the whole export
    assert (values.quality, values.origins) == ("m" * 96, "4" * 96)
    assert values.wh == (91,) * 96


def test_a_dry_run_tells_the_same_and_keeps_nothing(
    books: Books, auditor: Officer, treasurer: Officer, tmp_path: Path
) -> None:
    register(books, treasurer, "huis-01")
    file = csv_of(tmp_path, HEADER, *whole_day("huis-01", "0.091"))
    with books.reading(auditor) as desk:
        dry = import_quarters(desk, file)
        assert day_values(desk, "huis-01", DAY) == {}
    kept = imported(books, treasurer, file)
    assert (dry.applied, kept.applied) == (False, True)
    assert dry.taken.counts() == kept.taken.counts()
    with pytest.raises(NotAllowedError):
        imported(books, auditor, file)


REFUSED = {
    "2026-07-06T10:07:00Z,huis-01,0.1,0": "is not the start of a quarter-hour",
    "2026-07-06T10:00:00Z,huis-01,-0.1,0": "'-0.1' is not kWh",
    "2026-07-06T10:00:00Z,huis-01,0.1234,0": "at most three decimals",
    "2026-07-06T10:00:00Z,huis-99,0.1,0": "'huis-99' is not in the registry",
    f"2026-07-06T10:00:00Z,{ean(77)},0.1,0": f"EAN …{ean(77)[-4:]} is not in the registry",
    ",huis-01,0.1,0": "give either utc or local",
    "2026-07-05T22:00:00Z,huis-01,0.1,0": "stands in line 2 already",
    "gisteren,huis-01,0.1,0": "is not an instant",
}


@on_sqlite
def test_rows_that_cannot_be_are_told_by_their_line_and_nothing_is_kept(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    register(books, treasurer, "huis-01")
    file = csv_of(tmp_path, HEADER, *whole_day("huis-01", "0.091"), *REFUSED)
    told = imported(books, treasurer, file)
    assert (told.rows, told.refused, told.applied) == (96 + len(REFUSED), len(REFUSED), False)
    for line, (message, says) in enumerate(zip(told.messages, REFUSED.values(), strict=True), 98):
        assert message.startswith(f"line {line}: ")
        assert says in message
        assert ean(77) not in message
    with books.reading(treasurer) as desk:
        assert day_values(desk, "huis-01", DAY) == {}


@on_sqlite
def test_sound_rows_may_be_kept_beside_refused_ones(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    register(books, treasurer, "huis-01")
    file = csv_of(
        tmp_path, HEADER, "2026-07-06T10:00:00Z,huis-01,0.1,", "2026-07-06T10:01:00Z,huis-01,1,"
    )
    told = imported(books, treasurer, file, leave_out=True)
    with books.reading(treasurer) as desk:
        known = day_values(desk, "huis-01", DAY)
    assert (told.applied, told.refused) == (True, 1)
    assert list(known) == [Direction.IMPORT], "an empty cell tells nothing"
    assert known[Direction.IMPORT].values.wh[48] == 100


@on_sqlite
def test_dutch_columns_an_ean_and_stamps_at_the_end_are_understood(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    register(books, treasurer, "huis-01")
    file = csv_of(
        tmp_path,
        "\ufeffLocal;Connection;import_kwh;export_kwh;quality",
        f"2026-07-06T00:15:00+02:00;{ean(1)};0,25;1,5;geschat",
    )
    imported(books, treasurer, file, stamps_end=True)
    with books.reading(treasurer) as desk:
        known = day_values(desk, "huis-01", DAY)
    assert known[Direction.IMPORT].values.wh[0] == 250
    assert known[Direction.EXPORT].values.wh[0] == 1500
    assert known[Direction.EXPORT].values.quality[:2] == "e-"


@on_sqlite
@pytest.mark.parametrize(("day", "quarters"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100)])
def test_the_autumn_hour_comes_twice_and_the_spring_hour_not_at_all(
    books: Books, treasurer: Officer, tmp_path: Path, day: date, quarters: int
) -> None:
    register(books, treasurer, "huis-01")
    stamps = [
        datetime.fromtimestamp(at_s, HOME_ZONE).isoformat()
        for at_s in range(*local_day(day), QUARTER_S)
    ]
    rows = [f"{stamp},huis-01,{place / 1000:.3f},0" for place, stamp in enumerate(stamps)]
    told = imported(
        books, treasurer, csv_of(tmp_path, "local,connection,import_kwh,export_kwh", *rows)
    )
    with books.reading(treasurer) as desk:
        values = day_values(desk, "huis-01", day)[Direction.IMPORT].values
    assert told.refused == 0
    assert values.wh == tuple(range(quarters))


@on_sqlite
def test_an_hour_that_the_clock_skips_is_refused(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    register(books, treasurer, "huis-01")
    file = csv_of(tmp_path, "local,connection,import_kwh", "2026-03-29T02:15:00+01:00,huis-01,0.1")
    assert "no time on the clock" in imported(books, treasurer, file).messages[0]


@on_sqlite
def test_a_spreadsheet_is_read_like_a_text(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    register(books, treasurer, "huis-01")
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["utc", "connection", "import_kwh", "export_kwh"])
    sheet.append([datetime(2026, 7, 5, 22, 0), "huis-01", 0.1, 2])  # noqa: DTZ001
    sheet.append(["2026-07-05T22:15:00Z", "huis-01", 0.1234, None])
    file = tmp_path / "p4.xlsx"
    book.save(file)
    told = imported(books, treasurer, file, leave_out=True)
    with books.reading(treasurer) as desk:
        known = day_values(desk, "huis-01", DAY)
    assert (known[Direction.IMPORT].values.wh[0], known[Direction.EXPORT].values.wh[0]) == (
        100,
        2000,
    )
    assert told.refused == 1
    assert told.messages[0].startswith("line 3: energy '0.1234' is not kWh")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("utc,import_kwh", "column 'connection' is away"),
        ("utc,connection,kwh", "column 'kwh' is not known"),
        ("utc,connection,utc", "column 'utc' stands there twice"),
    ],
)
def test_a_file_with_other_columns_is_refused(tmp_path: Path, header: str, says: str) -> None:
    file = csv_of(tmp_path, header, "2026-07-06T10:00:00Z,x,1")
    with pytest.raises(BooksError, match=says):
        list(rows_of(file, REQUIRED, ALLOWED))


def test_a_file_that_is_no_spreadsheet_is_refused(tmp_path: Path) -> None:
    for file in (csv_of(tmp_path, "PK\x03\x04", name="p4.xlsx"), tmp_path / "none.csv"):
        with pytest.raises(BooksError, match="cannot be read"):
            list(rows_of(file, REQUIRED, ALLOWED))


def test_a_correction_outlives_everything_told_after_it(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    register(books, treasurer, "huis-01")
    quarter = Quarter(START_S + 48 * QUARTER_S)
    imported(books, treasurer, csv_of(tmp_path, HEADER, *whole_day("huis-01", "0.091")))
    with books.desk(treasurer) as desk:
        version = correct_quarter(
            desk, "huis-01", Direction.IMPORT, quarter, 12, "misread by the operator"
        )
        log = desk.session.execute(text("SELECT act, body FROM audit ORDER BY id")).all()
    told = imported(books, treasurer, csv_of(tmp_path, HEADER, *whole_day("huis-01", "0.095")))
    with books.reading(treasurer) as desk:
        values = day_values(desk, "huis-01", DAY)[Direction.IMPORT].values
    assert version == 2
    assert "misread by the operator" in log[-1].body
    assert '"wh":91' in log[-1].body.replace(" ", "")
    assert (values.wh[48], values.origins[48]) == (12, "h")
    assert (values.wh[47], told.taken.kept) == (95, 1)


@on_sqlite
def test_a_value_by_hand_needs_a_reason_and_a_clerk(
    books: Books, treasurer: Officer, auditor: Officer
) -> None:
    quarter = Quarter(START_S)
    for officer, reason, refusal in (
        (treasurer, " ", BooksError),
        (auditor, "because", NotAllowedError),
    ):
        with books.desk(officer) as desk, pytest.raises(refusal):
            correct_quarter(desk, "huis-01", Direction.IMPORT, quarter, 1, reason)
