"""The rows of a price file that is text: CSV, gzipped or not.

A header with ``;`` in it has decimal commas below it, as Dutch spreadsheets write.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import TextIO

from collectors.prices.rows import (
    KNOWN_AS,
    MAX_ROWS,
    PER_KWH,
    STAMP,
    PriceFileError,
    Row,
    price_column,
)

_GZIP = b"\x1f\x8b"
_MAX_LINE = 4096


def csv_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV or CSV.gz file with a header, lazily.

    Raises:
        PriceFileError: The file or a line in it cannot be read.
    """
    try:
        with path.open("rb") as start:
            gzipped = start.read(len(_GZIP)) == _GZIP
        with (
            gzip.open(path) if gzipped else path.open("rb") as raw,
            TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text,
        ):
            yield from _rows(path, text)
    except UnicodeDecodeError as error:
        raise PriceFileError(f"{path}: is no UTF-8 text: save it as CSV in UTF-8") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PriceFileError(f"{path}: is cut off or damaged: fetch it again ({error})") from error
    except OSError as error:
        raise PriceFileError(f"{path}: cannot be read: {error.strerror}") from error


def _rows(path: Path, text: TextIO) -> Iterator[Row]:
    lines = _lines(path, text)
    header = next(lines, "")
    dutch = ";" in header
    reader = csv.reader(
        chain([header], lines), delimiter=";" if dutch else ",", skipinitialspace=True
    )
    try:
        names = [KNOWN_AS.get(name.strip(), name.strip()) for name in next(reader, [])]
        priced = price_column(path, names)
        stamp_at, price_at = names.index(STAMP), names.index(priced)
        for cells in reader:
            if not cells:
                continue
            place = f"{path} line {reader.line_num}"
            if len(cells) != len(names):
                raise PriceFileError(
                    f"{place}: has {len(cells)} values where the header has {len(names)}: "
                    f"{','.join(cells)[:80]!r}"
                )
            if reader.line_num > MAX_ROWS:
                raise PriceFileError(f"{place}: more than {MAX_ROWS} lines: is this a price file?")
            price = cells[price_at].replace(",", ".") if dutch else cells[price_at]
            yield Row(place, cells[stamp_at], price, priced == PER_KWH)
    except csv.Error as error:
        raise PriceFileError(f"{path} line {reader.line_num}: is no CSV: {error}") from error


def _lines(path: Path, text: TextIO) -> Iterator[str]:
    """Yield lines of bounded length: a file without line ends must not fill the memory."""
    while line := text.readline(_MAX_LINE):
        if len(line) == _MAX_LINE:
            raise PriceFileError(
                f"{path}: has a line of more than {_MAX_LINE} characters: is this a price file?"
            )
        yield line
