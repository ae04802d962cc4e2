"""Columns of whole numbers packed small: how readings of one device in one hour lie on disk.

A chunk is ``rows, columns``, the seconds into the hour of each row, and then each column: series,
count, width, first value, and the differences from value to value in that width. A column that is
silent in some rows names the rows in which it speaks. All little-endian.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate, chain, islice
from operator import sub
from typing import TypeAlias, TypeGuard

HOUR_S = 3600
"""A chunk lies within one hour [s], so that an instant in it fits in 16 bits."""

SeriesId: TypeAlias = int
Values: TypeAlias = Sequence[int | None]

_HEAD = struct.Struct("<HH")
_COLUMN = struct.Struct("<IHBq")
_SPARSE = 0x80
_CODES = {0: "", 1: "b", 2: "h", 4: "i", 8: "q"}


def pack(offsets: Sequence[int], columns: Mapping[SeriesId, Values]) -> bytes:
    """Return the bytes of a chunk; ``unpack(pack(x)) == x``, silent columns left out.

    Args:
        offsets: Seconds into the hour, rising, shape ``(R,)``.
        columns: Values by series, each of shape ``(R,)``; None where it is silent.
    """
    parts = [b"", _bytes_of(array("H", offsets))]
    count = 0
    for series, column in columns.items():
        values: Sequence[int]
        if _speaks_throughout(column):
            values, sparse, places = column, 0, b""
        else:
            rows = [row for row, value in enumerate(column) if value is not None]
            values = [value for value in column if value is not None]
            sparse, places = _SPARSE, _bytes_of(array("H", rows))
        if not values:
            continue
        width, body = _packed(values)
        parts += (_COLUMN.pack(series, len(values), width | sparse, values[0]), places, body)
        count += 1
    parts[0] = _HEAD.pack(len(offsets), count)
    return b"".join(parts)


def offsets_of(blob: bytes) -> list[int]:
    """Return the seconds into the hour of a chunk's rows, shape ``(R,)``."""
    rows, _ = _HEAD.unpack_from(blob)
    return _numbers("H", blob, _HEAD.size, rows).tolist()


def column_of(blob: bytes, wanted: SeriesId) -> list[tuple[int, int]]:
    """Return ``(seconds into the hour, value)`` of one series, in order of time."""
    for series, rows, values in _columns(blob, wanted):
        if series == wanted:
            offsets = offsets_of(blob)
            places = offsets if rows is None else [offsets[row] for row in rows]
            return list(zip(places, values, strict=True))
    return []


def unpack(blob: bytes) -> dict[SeriesId, dict[int, int]]:
    """Return every column as values by seconds into the hour."""
    offsets = offsets_of(blob)
    return {
        series: dict(
            zip(offsets if rows is None else [offsets[row] for row in rows], values, strict=True)
        )
        for series, rows, values in _columns(blob, None)
    }


def pack_points(columns: Mapping[SeriesId, Mapping[int, int]]) -> bytes:
    """Return the bytes of a chunk whose columns are values by seconds into the hour."""
    offsets = sorted(set().union(*columns.values()))
    return pack(
        offsets,
        {series: tuple(map(column.get, offsets)) for series, column in sorted(columns.items())},
    )


def renumbered(blob: bytes, numbers: Mapping[SeriesId, SeriesId]) -> bytes:
    """Return a chunk whose series have other numbers; its values are not looked at."""
    rows, count = _HEAD.unpack_from(blob)
    at = _HEAD.size + 2 * rows
    changed = bytearray(blob)
    for _ in range(count):
        series, size, code, base = _COLUMN.unpack_from(blob, at)
        _COLUMN.pack_into(changed, at, numbers[series], size, code, base)
        at += _COLUMN.size + (2 * size if code & _SPARSE else 0) + (code & ~_SPARSE) * (size - 1)
    return bytes(changed)


def _columns(
    blob: bytes, wanted: SeriesId | None
) -> list[tuple[SeriesId, list[int] | None, list[int]]]:
    """Return series, rows in which it speaks (None for all) and values; one series or all."""
    rows, count = _HEAD.unpack_from(blob)
    at = _HEAD.size + 2 * rows
    found: list[tuple[SeriesId, list[int] | None, list[int]]] = []
    for _ in range(count):
        series, size, code, base = _COLUMN.unpack_from(blob, at)
        width = code & ~_SPARSE
        places_at = at + _COLUMN.size
        body_at = places_at + (2 * size if code & _SPARSE else 0)
        at = body_at + width * (size - 1)
        if wanted is not None and series != wanted:
            continue
        places = _numbers("H", blob, places_at, size).tolist() if code & _SPARSE else None
        if width:
            steps = _numbers(_CODES[width], blob, body_at, size - 1)
            values = list(accumulate(chain((base,), steps)))
        else:
            values = [base] * size
        found.append((series, places, values))
    return found


def _speaks_throughout(column: Values) -> TypeGuard[Sequence[int]]:
    return None not in column


def _packed(values: Sequence[int]) -> tuple[int, bytes]:
    """Return the width and the bytes of the differences between values."""
    steps = list(map(sub, islice(values, 1, None), values))
    if not any(steps):
        return 0, b""
    for width in (1, 2, 4):
        with suppress(OverflowError):  # an array refuses a step that its width does not hold
            return width, _bytes_of(array(_CODES[width], steps))
    return 8, _bytes_of(array(_CODES[8], steps))


def _bytes_of(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _numbers(code: str, blob: bytes, at: int, count: int) -> array[int]:
    numbers = array(code)
    numbers.frombytes(blob[at : at + count * numbers.itemsize])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
