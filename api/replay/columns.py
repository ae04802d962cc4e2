"""The columns of a file of measured quarter-hours: CSV, CSV.gz or Parquet."""

from __future__ import annotations

import csv
import gzip
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from kwartier.errors import InputError, MissingExtraError

MAX_ROWS = 20_000_000
"""More rows than this are refused: two years of 280 homes."""
_ALIASES = {"pv_kwh": "kwh_pv"}
_NEEDED = ("utc", "household", "kwh_import")
_OPTIONAL = ("kwh_export", "kwh_pv")


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
        kwh_export: Shape ``(N,)`` [kWh]; zero where the file has no such column.
        kwh_pv: Shape ``(N,)`` [kWh]; None where the file has no such column.
        lines: Whether a row's place is told as a line of text.
    """

    names: Sequence[str]
    households: npt.NDArray[np.int64]
    starts_s: npt.NDArray[np.int64]
    kwh_import: npt.NDArray[np.float64]
    kwh_export: npt.NDArray[np.float64]
    kwh_pv: npt.NDArray[np.float64] | None
    lines: bool

    def place(self, row: int) -> str:
        """Return how to find a row in the file."""
        return f"line {row + 2}" if self.lines else f"row {row + 1}"


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
    places = _places(path, [name.strip() for name in next(rows, [])])
    stamp_at, household_at = places["utc"], places["household"]
    energy_at = [(name, at) for name, at in places.items() if name.startswith("kwh")]
    known: dict[str, int] = {}
    stamps_read: dict[str, int] = {}
    households, starts_s = array("q"), array("q")
    energy = {name: array("d") for name, _ in energy_at}
    for number, cells in enumerate(rows):
        place = f"{path} line {number + 2}"
        if len(cells) <= max(places.values()) or number >= MAX_ROWS:
            raise MeterFileError(
                f"{place}: has {len(cells)} values: give one for each name in the first line, "
                f"and at most {MAX_ROWS} lines"
            )
        stamp = cells[stamp_at]
        if stamp not in stamps_read:
            stamps_read[stamp] = _start_s(place, stamp)
        starts_s.append(stamps_read[stamp])
        households.append(known.setdefault(cells[household_at], len(known)))
        for name, at in energy_at:
            energy[name].append(_kwh(place, name, cells[at]))
    arrays = {name: np.array(values, dtype=np.float64) for name, values in energy.items()}
    return _columns(
        list(known),
        np.array(households, dtype=np.int64),
        np.array(starts_s, dtype=np.int64),
        arrays,
        lines=True,
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
        if pa.types.is_string(stamps.type):
            starts = [_start_s(f"{path} row {i + 1}", t) for i, t in enumerate(stamps.to_pylist())]
            starts_s = np.array(starts, dtype=np.int64)
        else:
            micros = stamps.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
            starts_s = np.asarray(micros.to_numpy()) // 1_000_000
        coded = table.column(names[places["household"]]).cast(pa.string())
        known = coded.unique().to_pylist()
        households = np.asarray(pc.index_in(coded, pa.array(known, pa.string())).to_numpy())
        arrays = {
            name: np.asarray(table.column(names[at]).cast(pa.float64()).to_numpy())
            for name, at in places.items()
            if name.startswith("kwh")
        }
    except (pa.ArrowException, OSError, ValueError) as error:
        raise MeterFileError(f"{path}: is no Parquet that can be read: {error}") from error
    return _columns(known, households.astype(np.int64), starts_s, arrays, lines=False)


def _columns(
    names: Sequence[str],
    households: npt.NDArray[np.int64],
    starts_s: npt.NDArray[np.int64],
    energy: dict[str, npt.NDArray[np.float64]],
    *,
    lines: bool,
) -> Columns:
    nothing = np.zeros(starts_s.size)
    return Columns(
        names,
        households,
        starts_s,
        energy["kwh_import"],
        energy.get("kwh_export", nothing),
        energy.get("kwh_pv"),
        lines,
    )


def _places(path: Path, names: list[str]) -> dict[str, int]:
    """Return where each known column stands, or refuse the file."""
    called = [_ALIASES.get(name, name) for name in names]
    missing = [name for name in _NEEDED if name not in called]
    if missing:
        raise MeterFileError(
            f"{path}: has the columns {', '.join(names)[:200]!r}: it needs {', '.join(_NEEDED)} "
            f"and may have {' and '.join(_OPTIONAL)}"
        )
    return {name: called.index(name) for name in (*_NEEDED, *_OPTIONAL) if name in called}


def _start_s(place: str, text: str) -> int:
    try:
        stamp = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise MeterFileError(
            f"{place}: {text[:60]!r} is no instant: write it as '2026-07-01T09:45:00Z'"
        ) from error
    aware = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
    return int(aware.timestamp())


def _kwh(place: str, name: str, text: str) -> float:
    if not text.strip():
        return float("nan")
    try:
        return float(text)
    except ValueError as error:
        raise MeterFileError(
            f"{place}: {name} is {text[:40]!r}: give kWh with a decimal point, such as 0.250"
        ) from error
