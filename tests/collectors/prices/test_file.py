from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.answers import NothingToldError
from collectors.prices.file import FilePrices, read_prices
from collectors.prices.model import PriceSeries
from collectors.prices.rows import PriceFileError
from kwartier.errors import KwartierError
from kwartier.interval import Quarter, quarters_between

NOON = Quarter.parse("2026-07-01T10:00:00Z")
TWO_QUARTERS = "utc,eur_per_mwh\n2026-07-01T10:00:00Z,87.5\n2026-07-01T10:15:00Z,-12.34\n"


def prices_of(tmp_path: Path, text: str) -> PriceSeries:
    path = tmp_path / "prices.csv"
    path.write_text(text, encoding="utf-8")
    return read_prices(path)


def told(prices: PriceSeries, count: int) -> list[str | None]:
    over = prices.over(NOON.start_s, NOON.next(count).start_s)
    return [None if price is None else f"{price:f}" for price in over]


@pytest.mark.parametrize(
    "text",
    [
        TWO_QUARTERS,
        TWO_QUARTERS.replace("\n", "\r\n"),
        "\ufeff" + TWO_QUARTERS,
        TWO_QUARTERS.replace(",", ", "),
        TWO_QUARTERS.replace("Z", "+00:00").replace("T", " "),
        TWO_QUARTERS.replace("Z", ""),
        "utc,eur_per_mwh\n2026-07-01T12:15:00+02:00,-12.34\n2026-07-01T10:00:00Z,87.5\n",
        "utc,note,eur_per_kwh\n2026-07-01T10:00:00Z,x,.0875\n2026-07-01T10:15:00Z,,-0.01234\n",
    ],
    ids=["plain", "crlf", "bom", "spaces", "pandas", "naive is utc", "any order", "per kWh"],
)
def test_a_price_file_is_read_exactly(tmp_path: Path, text: str) -> None:
    prices = prices_of(tmp_path, text)

    assert prices.over(NOON.start_s, NOON.next(3).start_s) == (
        Decimal("87.5"),
        Decimal("-12.34"),
        None,
    )


def test_a_gzipped_file_is_known_by_its_bytes_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "prices"
    path.write_bytes(gzip.compress(TWO_QUARTERS.encode(), mtime=0))

    assert told(read_prices(path), 2) == ["87.5", "-12.34"]


def test_hourly_prices_hold_for_four_quarters(tmp_path: Path) -> None:
    prices = prices_of(
        tmp_path, "utc,eur_per_mwh\n2026-07-01T10:00:00Z,1\n2026-07-01T11:00:00Z,2\n"
    )

    assert told(prices, 9) == ["1", "1", "1", "1", "2", "2", "2", "2", None]


def test_an_hourly_file_with_a_gap_keeps_the_gap(tmp_path: Path) -> None:
    prices = prices_of(
        tmp_path, "utc,eur_per_mwh\n2026-07-01T10:00:00Z,1\n2026-07-01T12:00:00Z,2\n"
    )

    assert told(prices, 12) == ["1"] * 4 + [None] * 4 + ["2"] * 4


def test_an_empty_price_is_missing_and_not_zero(tmp_path: Path) -> None:
    prices = prices_of(
        tmp_path,
        "utc,eur_per_mwh\n2026-07-01T10:00:00Z,\n2026-07-01T10:15:00Z,0\n",
    )

    assert told(prices, 2) == [None, "0"]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("2026-07-01T10:15:00Z,12,5", r"line 3: has 3 values where the header has 2: '2026"),
        ("2026-07-01T10:15:00Z,nan", r"line 3: price 'nan' is no number: write it as"),
        ("2026-07-01T10:15:00Z,€ 5", r"line 3: price '€ 5' is no number"),
        ("2026-07-01T10:15:00Z,99999", r"line 3: a price of 99999 .* per kWh or per MWh"),
        ("2026-07-01T10:00:00Z,5", r"line 3: '2026-07-01T10:00:00Z' was given before, in .*line 2"),
        ("2026-07-01T12:00:00+02:00,5", r"line 3: .* was given before, in .*line 2: keep one"),
        ("2026-07-01T10:07:00Z,5", r"line 3: '2026-07-01T10:07:00Z' is not the start of a quar"),
        ("2026-07-01T10:15:00.5Z,5", r"line 3: .* is not the start of a quarter-hour"),
        ("1-7-2026 10:15,5", r"line 3: '1-7-2026 10:15' is no instant: write it as '2026-07-01T"),
        ("0001-01-01T00:00:00+14:00,5", r"line 3: .* is no year of prices"),
        ("2026-07-01T10:30:00Z,5", r"its stamps are half-hours, such as 2026-07-01T10:30:00Z"),
    ],
)
def test_a_bad_row_is_named_with_file_line_value_and_remedy(
    tmp_path: Path, row: str, named: str
) -> None:
    with pytest.raises(PriceFileError, match=named) as refused:
        prices_of(tmp_path, f"utc,eur_per_mwh\n2026-07-01T10:00:00Z,1\n{row}\n")

    assert str(refused.value).startswith(str(tmp_path / "prices.csv"))
    assert refused.value.exit_code == 1


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "has the columns ''"),
        (b"utc;eur_per_mwh\n", "holds no price"),
        (b"utc\teur_per_mwh\n", "separated by commas"),
        (b"utc,price\n", "has the columns 'utc, price'"),
        (b"utc,eur_per_mwh,eur_per_kwh\n", "one of"),
        (b"utc,eur_per_mwh\n", "holds no price"),
        (b"utc,eur_per_mwh\n2026-07-01T10:00:00Z,\n", "holds no price"),
        (TWO_QUARTERS.encode("utf-16"), "no UTF-8"),
        (b"x" * 10_000, "has a line of more than 4096"),
        (gzip.compress(TWO_QUARTERS.encode(), mtime=0)[:-12], "cut off or damaged"),
        (gzip.compress(TWO_QUARTERS.encode(), mtime=0)[:-6] + b"abcdef", "cut off or damaged"),
        (b"PAR1 and nothing more", "no Parquet that can be read"),
    ],
)
def test_a_file_that_is_no_price_file_is_refused(
    tmp_path: Path, content: bytes, named: str
) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)

    with pytest.raises(PriceFileError, match=named):
        read_prices(path)


def test_a_file_of_a_dutch_spreadsheet_is_read_and_its_lost_hour_stays_lost(tmp_path: Path) -> None:
    # On 25 October 2026 the hour from 02.00 comes twice; this file has it once.
    path = tmp_path / "jaar.csv"
    first = Quarter.parse("2026-10-24T22:00:00Z")
    kept = [quarter for quarter in quarters_between(first.start_s, first.next(100).start_s)
            if not 12 <= quarter.number - first.number < 16]  # fmt: skip
    rows = [f'"x";"{quarter.start:%Y-%m-%d %H:%M:%S}";-0,0125' for quarter in kept]
    path.write_text("\n".join(["datum_nl;datum_utc;prijs_excl_belastingen", *rows]))

    told = FilePrices(path).day(date(2026, 10, 25))

    assert len(told.quarters) == 100
    assert told.missing == tuple(first.next(place) for place in range(12, 16))
    assert set(told.eur_per_mwh) == {Decimal("-12.5"), None}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match=r"nowhere\.csv: cannot be read: No such file"):
        read_prices(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.decimal128(9, 3), pa.string()])
@pytest.mark.parametrize(
    "stamps", [pa.timestamp("us", tz="UTC"), pa.timestamp("ns", tz="Europe/Amsterdam"),
               pa.timestamp("s"), pa.string()]
)  # fmt: skip
def test_parquet_prices_are_what_they_were_in_text(
    tmp_path: Path, kind: pa.DataType, stamps: pa.DataType
) -> None:
    path = tmp_path / "prices.parquet"
    instants = [datetime(2026, 7, 1, 10, minute, tzinfo=UTC) for minute in (0, 15, 45)]
    column = pa.array(instants, pa.timestamp("us", tz="UTC"))
    if stamps == pa.timestamp("s"):
        column = column.cast(pa.timestamp("us"))
    texts = pa.array(["13.62", None, "-350.001"])
    table = pa.table({"utc": column.cast(stamps), "eur_per_mwh": texts.cast(kind)})
    pq.write_table(table, path)

    prices = read_prices(path)

    assert prices.over(NOON.start_s, NOON.next(4).start_s) == (
        Decimal("13.62"),
        None,
        None,
        Decimal("-350.001"),
    )


def test_a_bad_parquet_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    instants = [datetime(2026, 7, 1, 10, minute, tzinfo=UTC) for minute in (0, 15)]
    pq.write_table(pa.table({"utc": instants, "eur_per_mwh": [1.0, float("nan")]}), path)

    with pytest.raises(PriceFileError, match=r"prices\.parquet row 2: price 'nan' is no number"):
        read_prices(path)


def test_parquet_without_pyarrow_names_the_extra_that_brings_it(tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    path.write_bytes(b"PAR1")
    program = (
        "import sys, pathlib; sys.modules['pyarrow'] = None\n"
        "from collectors.prices.file import read_prices\n"
        "from kwartier.errors import MissingExtraError\n"
        "try:\n    read_prices(pathlib.Path(sys.argv[1]))\n"
        "except MissingExtraError as error:\n    print(error)"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )

    assert "install kwartier[serve]" in ran.stdout


def test_a_file_is_a_source_of_days(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(TWO_QUARTERS)

    source = FilePrices(path)

    assert len(source.day(date(2026, 7, 1)).missing) == 94
    with pytest.raises(NothingToldError, match="no prices for 2026-07-02"):
        source.day(date(2026, 7, 2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.text(alphabet='0123456789-:TZ+.,"\n eurnaif€\0', max_size=40), max_size=6))
def test_no_rows_whatever_end_in_anything_but_prices_or_a_named_error(
    tmp_path: Path, rows: list[str]
) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["utc,eur_per_mwh", *rows]), encoding="utf-8")

    try:
        outcome = f"{len(read_prices(path))} prices"
    except KwartierError as error:
        outcome = str(error)

    assert outcome.endswith("prices") or str(path) in outcome


def test_a_year_of_recorded_quarters_has_the_gap_its_source_had(shared_data: Path) -> None:
    prices = read_prices(shared_data / "prices" / "nl_day_ahead_2025_15min.csv.gz")

    assert len(prices) == 35_036
    assert [str(quarter) for quarter in prices.day(date(2025, 10, 26)).missing] == [
        "2025-10-26T01:00:00Z",
        "2025-10-26T01:15:00Z",
        "2025-10-26T01:30:00Z",
        "2025-10-26T01:45:00Z",
    ]
    assert len(prices.day(date(2025, 3, 30)).quarters) == 92
    assert min(prices.eur_per_mwh.values()) == -350
    assert max(prices.eur_per_mwh.values()) == Decimal("523.47")


def test_a_quarter_year_of_recorded_hours_becomes_four_times_as_many(shared_data: Path) -> None:
    path = shared_data / "prices" / "nl_day_ahead_2020q4_hourly.csv.gz"
    rows = gzip.decompress(path.read_bytes()).count(b"\n") - 1

    assert len(read_prices(path)) == 4 * rows
