"""What was forecast of the weather, from a CSV or CSV.gz file: sunlight and the air outside.

Columns are ``utc``, ``sun_w_per_m2`` and optionally ``outside_c``; a row is stamped at its start. A
file of whole hours holds each for four quarters. Empty is unknown. For an honest answer it holds
what was told the day before, not what came.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import numpy as np

from kwartier.errors import InputError
from kwartier.interval import QUARTER_S
from kwartier.printable import columns_shown
from optimizer.forecasting.history import Weather

_MAX_ROWS = 400_000
_HOUR_QUARTERS = 4
_BOUNDS = {"sun_w_per_m2": (0.0, 1500.0), "outside_c": (-60.0, 60.0)}
_MAGIC = b"\x1f\x8b"


def read_weather(path: Path, start_s: int, count: int) -> Weather:
    """Return the weather told for quarters from ``start_s`` on; NaN where it was not.

    Raises:
        InputError: It cannot be read, or tells nothing of these quarters.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == _MAGIC
        with (
            gzip.open(path) if zipped else path.open("rb") as raw,
            TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text,
        ):
            rows = _rows(path, text)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text: save it as CSV in UTF-8") from error
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        why = (isinstance(error, OSError) and error.strerror) or error
        raise InputError(f"{path}: cannot be read: {why}: check the name and the file") from error
    hourly = all(at_s % (QUARTER_S * _HOUR_QUARTERS) == 0 for at_s, _, _ in rows)
    told = np.full((2, count), np.nan)
    for at_s, sun, outside in rows:
        place = (at_s - start_s) // QUARTER_S
        until = place + (_HOUR_QUARTERS if hourly else 1)
        if until > 0 and place < count:
            told[:, max(place, 0) : until] = np.array([[sun], [outside]])
    if np.isnan(told[0]).all():
        raise InputError(f"{path}: tells no sunlight on the days that are played: give theirs")
    return Weather(told[0], told[1])


def _rows(path: Path, text: TextIO) -> list[tuple[int, float, float]]:
    reader = csv.DictReader(text, skipinitialspace=True)
    names = reader.fieldnames or []
    if "utc" not in names or "sun_w_per_m2" not in names:
        raise InputError(
            f"{path}: has the columns {columns_shown(names)}: it needs utc and sun_w_per_m2, "
            "and may have outside_c"
        )
    rows: list[tuple[int, float, float]] = []
    for row in reader:
        if len(rows) >= _MAX_ROWS:
            raise InputError(f"{path}: has more than {_MAX_ROWS} rows: give it in parts")
        place = f"{path} line {reader.line_num}"
        sun, outside = (_number(place, name, row.get(name)) for name in _BOUNDS)
        rows.append((_start_s(place, row["utc"] or ""), sun, outside))
    return rows


def _start_s(place: str, text: str) -> int:
    try:
        stamp = datetime.fromisoformat(text.strip())
        at_s = (stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"{place}: utc is {text[:60]!r}, which is no instant: write '2026-07-01T09:45:00Z'"
        ) from error
    if at_s % QUARTER_S:
        raise InputError(f"{place}: utc is {text[:60]!r}: use minute 00, 15, 30 or 45")
    return int(at_s)


def _number(place: str, name: str, text: str | None) -> float:
    if text is None or not text.strip():
        return float("nan")
    low, high = _BOUNDS[name]
    try:
        value = float(text)
    except ValueError:
        value = float("inf")
    if not low <= value <= high:
        raise InputError(f"{place}: {name} is {text[:40]!r}: give {low:g} to {high:g}, or nothing")
    return value
