"""Files of measured quarter-hours: what they may look like, and what is refused in one line."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.replay.columns import MeterFileError
from api.replay.meters import Measured, read_meters
from kwartier.interval import QUARTER_S, local_day

NOON = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
HEAD = "utc,household,kwh_import,kwh_export,kwh_pv"


def stamp(quarter: int, start: datetime = NOON) -> str:
    return (start + timedelta(seconds=quarter * QUARTER_S)).strftime("%Y-%m-%dT%H:%M:%SZ")


def csv_file(folder: Path, rows: Sequence[str], head: str = HEAD) -> Path:
    path = folder / "meters.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def registers(measured: Measured) -> dict[str, list[tuple[int, int, int, int | None]]]:
    """Return each household's told rows: quarter after noon, import, export and produced [Wh]."""
    noon_s = int(NOON.timestamp())
    return {
        name: [
            (
                (int(start_s) - noon_s) // QUARTER_S,
                int(history.import_wh[row]),
                int(history.export_wh[row]),
                None if history.produced_wh is None else int(history.produced_wh[row]),
            )
            for row, start_s in enumerate(history.starts_s)
        ]
        for name, history in measured.meters.items()
    }


def test_csv_gzip_and_parquet_give_the_same_registers(tmp_path: Path) -> None:
    rows = [
        f"{stamp(0)},anna,0.250,0,0",
        f"{stamp(0)},bert,0.100,0.400,0.700",
        f"{stamp(1)},anna,0.125,,",
        f"{stamp(1)},bert,0,0.0625,0.0625",
        f"{stamp(2)},anna,0.125,0,0",
    ]
    plain = csv_file(tmp_path, rows)
    zipped = tmp_path / "meters.csv.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    table = tmp_path / "meters.parquet"
    cells = [row.split(",") for row in rows]
    pq.write_table(
        pa.table(
            {
                "utc": pa.array(
                    [datetime.fromisoformat(row[0]) for row in cells], pa.timestamp("ms", "UTC")
                ),
                "household": pa.array([row[1] for row in cells]).dictionary_encode(),
                "kwh_import": [float(row[2]) if row[2] else None for row in cells],
                "kwh_export": [float(row[3]) if row[3] else None for row in cells],
                "kwh_pv": [float(row[4]) if row[4] else None for row in cells],
            }
        ),
        table,
    )

    read = [registers(read_meters(path)) for path in (plain, zipped, table)]

    assert read[0] == read[1] == read[2]
    # Anna's second quarter tells no export: its import waits for the row after it.
    assert read[0]["anna"] == [(0, 250, 0, None), (2, 500, 0, None)]
    # 0.0625 kWh is 62.5 Wh: a half goes to the even watt-hour, 400 + 62.5 = 462 and 762.
    assert read[0]["bert"] == [(0, 100, 400, 700), (1, 100, 462, 762)]


@pytest.mark.parametrize("kind", ["text", "large text", "naive", "seconds"])
def test_parquet_stamps_may_be_text_or_instants(kind: str, tmp_path: Path) -> None:
    instants = [NOON, NOON + timedelta(minutes=15)]
    column = {
        "text": pa.array([stamp(0), stamp(1)]),
        "large text": pa.array([stamp(0), stamp(1)], pa.large_string()),
        "naive": pa.array([instant.replace(tzinfo=None) for instant in instants]),
        "seconds": pa.array(instants, pa.timestamp("s", "Europe/Amsterdam")),
    }[kind]
    path = tmp_path / "meters.parquet"
    pq.write_table(
        pa.table({"utc": column, "household": pa.array([7, 7]), "kwh_import": [0.25, 0.5]}), path
    )

    read = read_meters(path)

    assert registers(read) == {"7": [(0, 250, 0, None), (1, 750, 0, None)]}


def test_only_utc_household_and_import_are_needed(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, [f"a,0.25,{stamp(0)},x"], head="household,kwh_import,utc,kwh_heat_pump"
    )

    assert registers(read_meters(path)) == {"a": [(0, 250, 0, None)]}


def test_pv_kwh_is_read_as_kwh_pv(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, [f"{stamp(0)},a,0,1,1.5"], "utc,household,kwh_import,kwh_export,pv_kwh"
    )

    assert registers(read_meters(path)) == {"a": [(0, 0, 1000, 1500)]}


def test_rows_may_come_in_any_order(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        [f"{stamp(2)},b,0.3,0,0", f"{stamp(1)},a,0.2,0,0", f"{stamp(0)},b,0.1,0,0"],
    )

    read = read_meters(path)

    assert list(read.meters) == ["b", "a"]
    assert registers(read) == {
        "b": [(0, 100, 0, None), (2, 400, 0, None)],
        "a": [(1, 200, 0, None)],
    }


def test_a_mark_blank_lines_spaces_and_windows_line_ends_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_bytes(
        b"\xef\xbb\xbfutc, household ,kwh_import\r\n\r\n"
        + f"{stamp(0)}, Caf\u00e9 de Zon,0.25\r\n\r\n".encode()
        + f"{stamp(1)}, Caf\u00e9 de Zon, .5 \r\n\r\n".encode()
    )

    (rows,) = registers(read_meters(path)).values()

    assert rows == [(0, 250, 0, None), (1, 750, 0, None)]


def test_a_household_with_an_empty_export_column_has_an_export_register_of_zero(
    tmp_path: Path,
) -> None:
    path = csv_file(
        tmp_path,
        [f"{stamp(0)},consumer,0.25,,", f"{stamp(0)},maker,0,0.5,", f"{stamp(1)},consumer,0.25,,"],
    )

    read = registers(read_meters(path))

    assert read["consumer"] == [(0, 250, 0, None), (1, 500, 0, None)]


def test_energy_next_to_an_empty_cell_is_kept_until_the_next_whole_row(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        [
            f"{stamp(0)},a,0.1,0.0,",
            f"{stamp(1)},a,0.2,,",
            f"{stamp(2)},a,,,",
            f"{stamp(3)},a,0.4,0.3,",
            f"{stamp(4)},a,,0.7,",
        ],
    )

    read = registers(read_meters(path))

    assert read["a"] == [(0, 100, 0, None), (3, 700, 300, None), (4, 700, 1000, None)]


def test_an_inverter_is_silent_where_its_energy_is_missing(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, [f"{stamp(0)},a,0,0,0.5", f"{stamp(1)},a,0,0,", f"{stamp(2)},a,0,0,0.5"]
    )

    history = read_meters(path).meters["a"]

    assert history.produced_told.tolist() == [True, False, True]


def test_very_large_values_are_exact(tmp_path: Path) -> None:
    # 460 kW for a quarter is 115 kWh; ten decimals are kept until the sum is rounded.
    path = csv_file(
        tmp_path, [f"{stamp(n)},factory,115.0000000001,2499.9999999999,0" for n in range(4)]
    )

    read = registers(read_meters(path))

    assert read["factory"][-1] == (3, 460_000, 10_000_000, None)


def test_half_watt_hours_do_not_pile_up(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [f"{stamp(n)},a,0.0005,0,0" for n in range(8)])

    read = registers(read_meters(path))

    # Sums of 0.5, 1, 1.5 … 4 Wh; a half goes to the even watt-hour.
    assert [row[1] for row in read["a"]] == [0, 1, 2, 2, 2, 3, 4, 4]


kwh_texts = st.lists(
    st.integers(min_value=0, max_value=25_000_000_000_000).map(
        lambda units: format(Decimal(units).scaleb(-10), "f")
    ),
    min_size=1,
    max_size=40,
)


@given(texts=kwh_texts)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_register_is_the_sum_so_far_rounded_once(texts: list[str], tmp_path: Path) -> None:
    path = csv_file(tmp_path, [f"{stamp(n)},a,{text},0,0" for n, text in enumerate(texts)])

    read = registers(read_meters(path))

    sums = [sum(map(Decimal, texts[: n + 1]), Decimal(0)) for n in range(len(texts))]
    assert [row[1] for row in read["a"]] == [
        int((kwh * 1000).quantize(Decimal(1), ROUND_HALF_EVEN)) for kwh in sums
    ]


@pytest.mark.parametrize(
    ("day", "quarters"), [((2026, 3, 29), 92), ((2026, 10, 25), 100), ((2026, 7, 1), 96)]
)
def test_one_day_is_a_local_day_of_92_96_or_100_quarters(
    day: tuple[int, int, int], quarters: int, tmp_path: Path
) -> None:
    midnight = datetime.fromtimestamp(local_day(datetime(*day, tzinfo=UTC).date())[0], UTC)
    path = csv_file(tmp_path, [f"{stamp(n, midnight)},a,0.25,0,0" for n in range(200)])

    read = read_meters(path, days=1)

    assert read.days == 1
    assert (read.end_s - read.start_s) // QUARTER_S == quarters
    assert read.meters["a"].total_import_wh == 250 * quarters


def test_more_days_or_households_than_there_are_give_what_there_is(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [f"{stamp(0)},a,0.25,0,0", f"{stamp(100)},b,0.5,0,0"])

    read = read_meters(path, days=10**12, limit=10**12)

    assert (list(read.meters), read.days) == (["a", "b"], 2)
    assert read_meters(path, limit=1).days == 1


def test_days_are_counted_from_the_first_quarter_of_the_households_asked_for(
    tmp_path: Path,
) -> None:
    path = csv_file(
        tmp_path,
        [f"{stamp(500)},late,0.5,0,0", f"{stamp(0)},early,0.25,0,0"],
    )

    read = read_meters(path, days=1, limit=1)

    assert registers(read) == {"late": [(500, 500, 0, None)]}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2026-07-01T10:07:00Z,a,0.1,0,0", ["line 3", "2026-07-01T10:07:00Z", "quarter-hour"]),
        ("2026-07-01T10:15:00.5Z,a,0.1,0,0", ["line 3", "10:15:00.5", "quarter-hour"]),
        ("1916-07-01T10:15:00Z,a,0.1,0,0", ["line 3", "1916", "2000"]),
        ("0001-01-01T00:00:00+14:00,a,0.1,0,0", ["line 3", "0001"]),
        ("01/07/2026 10:15,a,0.1,0,0", ["line 3", "01/07/2026", "2026-07-01T09:45:00Z"]),
        (",a,0.1,0,0", ["line 3", "utc", "instant"]),
        (f"{stamp(1)},a,-0.1,0,0", ["line 3", "kwh_import", "-0.1"]),
        (f"{stamp(1)},a,0.1,2501,0", ["line 3", "kwh_export", "2501", "2500"]),
        (f"{stamp(1)},a,0.1,0,1e300", ["line 3", "kwh_pv", "1e+300"]),
        (f"{stamp(1)},a,nan,0,0", ["line 3", "kwh_import", "'nan'", "empty"]),
        (f"{stamp(1)},a,0.1,inf,0", ["line 3", "kwh_export", "'inf'"]),
        (f"{stamp(1)},a,1_000,0,0", ["line 3", "'1_000'"]),
        (f'{stamp(1)},a,"0,25",0,0', ["line 3", "'0,25'", "decimal point"]),
        (f"{stamp(1)},a,0,25,0,0", ["line 3", "6 values", "decimal point"]),
        (f"{stamp(1)},a,0.1", ["line 3", "3 values"]),
        (f"{stamp(1)}, ,0.1,0,0", ["line 3", "household", "name"]),
        (f"{stamp(0)},a,0.1,0,0", ["line 3", "'a'", "twice"]),
    ],
)
def test_a_wrong_row_is_refused_with_its_line_value_and_remedy(
    row: str, says: list[str], tmp_path: Path
) -> None:
    path = csv_file(tmp_path, [f"{stamp(0)},a,0.1,0,0", row])

    with pytest.raises(MeterFileError) as refused:
        read_meters(path)

    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    assert [word for word in says if word not in message] == []


def test_the_line_that_is_named_is_the_line_of_the_file(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["", f"{stamp(0)},a,0.1,0,0", "", f"{stamp(1)},a,-3,0,0"])

    with pytest.raises(MeterFileError, match="line 5"):
        read_meters(path)


def parquet_of(
    folder: Path, utc: Sequence[datetime | None], household: Sequence[str | None]
) -> Path:
    path = folder / "meters.parquet"
    column = pa.array(utc, pa.timestamp("us", "UTC"))
    energy = [0.1] * len(utc)
    pq.write_table(
        pa.table({"utc": column, "household": pa.array(household), "kwh_import": energy}), path
    )
    return path


def test_a_wrong_row_of_a_parquet_is_refused_by_its_number(tmp_path: Path) -> None:
    wrong: list[tuple[list[datetime | None], list[str | None], str]] = [
        ([NOON, None], ["a", "a"], "1 rows have no 'utc'"),
        ([NOON, NOON + timedelta(seconds=1, microseconds=1)], ["a", "a"], "row 2.*quarter-hour"),
        ([NOON, NOON + timedelta(minutes=1)], ["a", "a"], "row 2.*quarter-hour"),
        ([NOON, NOON.replace(year=1950)], ["a", "a"], "row 2.*1950"),
        ([NOON, NOON + timedelta(minutes=15)], ["a", None], "row 2.*household"),
        ([NOON, NOON], ["a", "a"], "row 2.*twice"),
    ]
    for utc, household, says in wrong:
        path = parquet_of(tmp_path, utc, household)
        with pytest.raises(MeterFileError, match=says):
            read_meters(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it needs utc, household, kwh_import"),
        (b"utc,household,kwh_import\n", "holds no row"),
        (b"utc,household,kwh_import\n2026-07-01T10:00:00Z,a,\n", "holds no energy"),
        (b"utc,household\n", "it needs utc, household, kwh_import"),
        (b"utc;household;kwh_import\n2026-07-01T10:00:00Z;a;0,25\n", "separated by commas"),
        (b"utc,household,kwh_import,kwh_import\n", "each once"),
        (b"utc,household,kwh_import,kwh_pv,pv_kwh\n", "each once"),
        ("utc,household,kwh_import\n".encode("utf-16"), "UTF-8"),
        (b"PAR1 and nothing more", "Parquet"),
        (
            gzip.compress(f"{HEAD}\n{stamp(0)},a,1,0,0\n".encode(), mtime=0)[:-9],
            "cut off or damaged",
        ),
        (b"\x1f\x8b\x08 no gzip at all", "cut off or damaged"),
    ],
)
def test_a_file_that_is_no_table_of_quarters_is_refused(
    content: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "meters"
    path.write_bytes(content)

    with pytest.raises(MeterFileError, match=says) as refused:
        read_meters(path)

    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_or_a_file_that_is_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeterFileError, match="cannot be read: Is a directory"):
        read_meters(tmp_path)
    with pytest.raises(MeterFileError, match="cannot be read: No such file"):
        read_meters(tmp_path / "away.csv")
