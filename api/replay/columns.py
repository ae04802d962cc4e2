"""The columns of a file of measured quarter-hours: CSV, CSV.gz or Parquet."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from kwartier.errors import InputError, MissingExtraError
from kwartier.printable import columns_shown

MAX_ROWS = 20_000_000
"""More rows than this are refused: two years of 280 homes."""
YEARS = range(2000, 2100)
"""Years that a P1 telegram can tell apart: it writes two digits."""
_ALIASES = {"pv_kwh": "kwh_pv"}
_NEEDED = ("utc", "household", "kwh_import")
_OPTIONAL = ("kwh_export", "kwh_pv")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII
)
_FIRST_S, _END_S = (
    int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (YEARS.start, YEARS.stop)
)
_NO_START = f"is not the start of a quarter-hour between {YEARS.start} and {YEARS.stop - 1}"


class MeterFileError(InputError):
    """A file of measured quarters cannot be read; the message names place, value and remedy."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The rows of a file, column by column; missing energy is NaN.

    Attributes:
        names: The households, in the order they first appear.
        households: Each row's household, as its place in ``names``, shape ``(N,)``.
        starts_s: Each row's quarter, shape ``(N,)`` [s].
        kwh_import: Shape ``(N,)`` [kWh].
        kwh_export: Shape ``(N,)`` [kWh]; missing where the file has no such column.
        kwh_pv: Shape ``(N,)`` [kWh]; None where the file has no such column.
        lines: The line of text that each row ends on, shape ``(N,)``; None in a binary table.
    """

    names: Sequence[str]
    households: npt.NDArray[np.int64]
    starts_s: npt.NDArray[np.int64]
    kwh_import: npt.NDArray[np.float64]
    kwh_export: npt.NDArray[np.float64]
    kwh_pv: npt.NDArray[np.float64] | None
    lines: npt.NDArray[np.uint32] | None

    def place(self, row: int) -> str:
        """Return how to find a row in the file."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"


def read_columns(path: Path) -> Columns:
    """Return the columns of a file.

    Raises:
        MeterFileError: It cannot be read, or a cell is no instant or no number.
        MissingExtraError: It is Parquet, and pyarrow is not installed.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise MeterFileError(f"{path}: cannot be read: {error.strerror}") from error
    if start == b"PAR1":
        return _parquet(path)
    try:
        with (
            gzip.open(path) if start[:2] == b"\x1f\x8b" else path.open("rb") as raw,
            TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text,
        ):
            return _csv(path, text)
    except UnicodeDecodeError as error:
        raise MeterFileError(f"{path}: is no UTF-8 text: save it as CSV in UTF-8") from error
    except (EOFError, OSError, zlib.error, csv.Error) as error:
        raise MeterFileError(f"{path}: is cut off or damaged: {error}") from error


def _csv(path: Path, text: TextIO) -> Columns:
    rows = csv.reader(text, skipinitialspace=True)
    header = next(rows, [])
    places = _places(path, [name.strip() for name in header])
    stamp_at, household_at = places["utc"], places["household"]
    energy_at = [(name, at) for name, at in places.items() if name.startswith("kwh")]
    codes: dict[str, int] = {}
    stamps_read: dict[str, int] = {}
    households, starts_s, lines = array("q"), array("q"), array("I")
    energy = {name: array("d") for name, _ in energy_at}
    for cells in rows:
        if not cells:
            continue
        place = f"{path} line {rows.line_num}"
        if len(cells) != len(header):
            raise MeterFileError(
                f"{place}: has {len(cells)} values where the first line has {len(header)} names: "
                "separate values by commas and write kWh with a decimal point"
            )
        if len(lines) >= MAX_ROWS:
            raise MeterFileError(f"{place}: is row {MAX_ROWS + 1}: give the file in parts")
        stamp, household = cells[stamp_at], cells[household_at]
        if stamp not in stamps_read:
            stamps_read[stamp] = _start_s(place, stamp)
        if household not in codes:
            codes[household] = len(codes)
            _named(place, household)
        lines.append(rows.line_num)
        starts_s.append(stamps_read[stamp])
        households.append(codes[household])
        for name, at in energy_at:
            energy[name].append(_kwh(place, name, cells[at]))
    arrays = {name: np.array(values, dtype=np.float64) for name, values in energy.items()}
    return _columns(
        list(codes),
        np.array(households, dtype=np.int64),
        np.array(starts_s, dtype=np.int64),
        arrays,
        np.array(lines, dtype=np.uint32),
    )


def _parquet(path: Path) -> Columns:
    try:
        import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
        import pyarrow.compute as pc  # type: ignore[import-untyped] # pyarrow ships no types
        import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
    except ModuleNotFoundError as error:
        raise MissingExtraError("replay", "serve", "pyarrow") from error
    try:
        with pq.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            places = _places(path, names)
            if file.metadata.num_rows > MAX_ROWS:
                raise MeterFileError(f"{path}: more than {MAX_ROWS} rows: give it in parts")
            table = file.read(columns=[names[at] for at in places.values()])
        stamps = table.column(names[places["utc"]])
        if pa.types.is_timestamp(stamps.type):
            micros = stamps.cast(pa.timestamp("us", tz=stamps.type.tz or "UTC")).cast(pa.int64())
            starts_s = _whole_seconds(path, micros.null_count, micros.fill_null(0).to_numpy())
        else:
            texts = enumerate(stamps.cast(pa.string()).to_pylist(), start=1)
            starts_s = np.array(
                [_start_s(f"{path} row {row}", text or "") for row, text in texts], dtype=np.int64
            )
        coded = table.column(names[places["household"]]).cast(pa.string()).fill_null("")
        known = coded.unique().to_pylist()
        households = np.asarray(pc.index_in(coded, pa.array(known, pa.string())).to_numpy())
        arrays = {
            name: np.asarray(table.column(names[at]).cast(pa.float64()).to_numpy())
            for name, at in places.items()
            if name.startswith("kwh")
        }
    except (pa.ArrowException, OSError, ValueError) as error:
        raise MeterFileError(f"{path}: is no Parquet that can be read: {error}") from error
    for code, name in enumerate(known):
        row = int(np.flatnonzero(households == code)[0]) if not name.strip() else 0
        _named(f"{path} row {row + 1}", name)
    return _columns(known, households.astype(np.int64), starts_s, arrays, None)


def _whole_seconds(
    path: Path, missing: int, micros: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return stamps in seconds, or refuse one that is missing, between seconds, or out of time."""
    if missing:
        raise MeterFileError(f"{path}: {missing} rows have no 'utc': give each row its start")
    starts_s, rest = np.divmod(np.asarray(micros, dtype=np.int64), 1_000_000)
    wrong = np.flatnonzero((rest != 0) | (starts_s < _FIRST_S) | (starts_s >= _END_S))
    if wrong.size:
        row = int(wrong[0])
        text = np.datetime64(int(micros[row]), "us")
        raise MeterFileError(f"{path} row {row + 1}: {text}Z {_NO_START}")
    return starts_s


def _columns(
    names: Sequence[str],
    households: npt.NDArray[np.int64],
    starts_s: npt.NDArray[np.int64],
    energy: Mapping[str, npt.NDArray[np.float64]],
    lines: npt.NDArray[np.uint32] | None,
) -> Columns:
    unknown = np.full(starts_s.size, np.nan)
    return Columns(
        names,
        households,
        starts_s,
        energy["kwh_import"],
        energy.get("kwh_export", unknown),
        energy.get("kwh_pv"),
        lines,
    )


def _places(path: Path, names: list[str]) -> dict[str, int]:
    """Return where each known column stands, or refuse the file."""
    called = [_ALIASES.get(name, name) for name in names]
    wanted = (*_NEEDED, *_OPTIONAL)
    if any(name not in called for name in _NEEDED) or any(called.count(n) > 1 for n in wanted):
        raise MeterFileError(
            f"{path}: has the columns {columns_shown(names)}: it needs {', '.join(_NEEDED)} "
            f"and may have {' and '.join(_OPTIONAL)}, each once and separated by commas"
        )
    return {name: called.index(name) for name in wanted if name in called}


def _named(place: str, household: str) -> None:
    if not household.strip():
        raise MeterFileError(f"{place}: household is empty: give each household a name")


def _start_s(place: str, text: str) -> int:
    """Return the start of a row; a stamp without offset is UTC, as its column says."""
    try:
        stamp = datetime.fromisoformat(text.strip())
        aware = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
        at_s = aware.timestamp()
    except (ValueError, OverflowError) as error:
        raise MeterFileError(
            f"{place}: utc is {text[:60]!r}, which is no instant: write '2026-07-01T09:45:00Z'"
        ) from error
    if at_s % 1 or not _FIRST_S <= at_s < _END_S:
        raise MeterFileError(f"{place}: utc is {text[:60]!r}, which {_NO_START}")
    return int(at_s)


def _kwh(place: str, name: str, text: str) -> float:
    if not text or text.isspace():
        return float("nan")
    if _NUMBER.fullmatch(text.strip()) is None:
        raise MeterFileError(
            f"{place}: {name} is {text[:40]!r}: give kWh with a decimal point, such as 0.250, "
            "and leave it empty where it is missing"
        )
    return float(text)
