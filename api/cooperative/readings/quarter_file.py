"""Rows of a file of quarters, as text: CSV, XLSX or P4; a long CSV or P4 is read as a stream."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from api.cooperative.errors import BooksError
from api.cooperative.registry import intake_file
from collectors.validated.p4 import read_p4
from kwartier.errors import ContractError
from kwartier.interval import instant_text
from kwartier.units import kwh_text

MAX_BYTES = 256 * 2**20
"""The largest file that is read [bytes]."""
MAX_ROWS = 3_500_000
"""The most rows that are read: a thousand connections for a month and some."""
REFUSED = "refused"
"""The column of a row that is none: it tells why."""
Row: TypeAlias = tuple[int, Mapping[str, str]]
"""A row's line in the file, the header being line 1, and its cells by column."""


def rows_of(path: Path, required: Sequence[str], allowed: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a file; empty ones are passed over.

    CSV is UTF-8 with ``;`` and decimal commas, or ``,`` and decimal points. XLSX is the first
    sheet, and a small one; a month of many connections comes as CSV. XML is an answer of the grid
    operators' P4 portal; its connections are numbered where other files have lines.

    Raises:
        BooksError: The file cannot be read, or a column is away, unknown or there twice.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BooksError(f"{path}: more than {MAX_BYTES // 2**20} MB: split it by month")
        if path.suffix.lower() == ".xml":
            yield from _p4_rows(path)
            return
        lines = _sheet_lines(path) if path.suffix.lower() == ".xlsx" else _csv_lines(path)
        yield from _named(path, lines, required, allowed)
    except (OSError, UnicodeDecodeError, csv.Error, ContractError) as error:
        raise BooksError(f"{path}: cannot be read as CSV, XLSX or P4: {error}") from error


def _named(
    path: Path,
    lines: Iterator[tuple[int, list[str]]],
    required: Sequence[str],
    allowed: Sequence[str],
) -> Iterator[Row]:
    _, header = next(lines, (1, []))
    columns = [cell.strip().lower() for cell in header]
    _refuse_columns(path, columns, required, allowed)
    for count, (line, cells) in enumerate(lines):
        if count >= MAX_ROWS:
            raise BooksError(f"{path}: more than {MAX_ROWS} rows: split it by month")
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(columns):
            raise BooksError(f"{path} line {line}: {len(cells)} cells, and {len(columns)} columns")
        filled = cells + [""] * (len(columns) - len(cells))
        yield line, {name: cell.strip() for name, cell in zip(columns, filled, strict=True)}


def _refuse_columns(
    path: Path, columns: Sequence[str], required: Sequence[str], allowed: Sequence[str]
) -> None:
    for name in columns:
        if name not in allowed:
            raise BooksError(f"{path}: column {name[:40]!r} is not known: use {', '.join(allowed)}")
        if columns.count(name) > 1:
            raise BooksError(f"{path}: column {name!r} stands there twice")
    for name in required:
        if name not in columns:
            raise BooksError(f"{path}: column {name!r} is away")


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        separator = ";" if ";" in header else ","
        reader = csv.reader(file, delimiter=separator, strict=True)
        for cells in reader:
            points = [cell.replace(",", ".") for cell in cells] if separator == ";" else cells
            yield reader.line_num, points


def _p4_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, point in enumerate(read_p4(file), 1):
            if point.refused:
                yield number, {REFUSED: f"EAN …{point.ean[-4:]}: {point.refused}"}
            for quarter in point.quarters:
                energies = {"import_kwh": quarter.import_wh, "export_kwh": quarter.export_wh}
                told = {name: kwh_text(wh) for name, wh in energies.items() if wh is not None}
                utc = instant_text(quarter.start_s)
                yield number, {"utc": utc, "connection": point.ean, **told}


def _sheet_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open("rb") as file:
        sheet = intake_file.read_sheet(file.read(intake_file.MAX_BYTES + 1))
    yield 1, list(sheet.header)
    for line, cells in sheet.rows:
        yield line, list(cells)
