"""The door for somebody else's table: CSV or XLSX as rows of text, bounded, nothing executed."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from kwartier.errors import ContractError

MAX_BYTES = 8 * 1024 * 1024
"""The largest file [bytes]."""
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
"""The largest XLSX once it is unpacked [bytes]."""
MAX_PARTS = 1000
"""How many files an XLSX may hold."""
MAX_ROWS = 10_000
MAX_COLUMNS = 64
MAX_CELL = 300
"""The longest cell [characters]."""
EXACT_DIGITS = 15
"""A spreadsheet's number keeps no more digits than these."""

_ZIP = b"PK\x03\x04"
_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    ValueError,
    RuntimeError,
    ParseError,
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
)
"""What openpyxl raises for a file that is none."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text.

    Attributes:
        header: The names of its columns as they were written.
        rows: Row number as a spreadsheet counts, and the cells in order of the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_sheet(content: bytes) -> Sheet:
    """Return the first table of a CSV or XLSX file.

    Raises:
        ContractError: It is too large, not UTF-8, broken, or has no header; the message says
            what to do.
    """
    if len(content) > MAX_BYTES:
        raise ContractError(f"file of {len(content)} bytes: at most {MAX_BYTES} are read")
    rows = _of_xlsx(content) if content.startswith(_ZIP) else _of_csv(content)
    first = next(rows, None)
    if first is None or not any(first[1]):
        raise ContractError("row 1: there is no header: name the columns in it")
    header = _without_tail(first[1])
    if len(header) > MAX_COLUMNS:
        raise ContractError(f"row 1: {len(header)} columns: at most {MAX_COLUMNS} are read")
    return Sheet(header, tuple(_body(rows, len(header))))


def _body(
    rows: Iterator[tuple[int, tuple[str, ...]]], width: int
) -> Iterator[tuple[int, tuple[str, ...]]]:
    taken = 0
    for number, cells in rows:
        if not any(cells):
            continue
        taken += 1
        if taken > MAX_ROWS:
            raise ContractError(f"row {number}: more than {MAX_ROWS} rows: import in parts")
        if any(cells[width:]):
            raise ContractError(
                f"row {number}: has more cells than the header: is a separator in a cell? "
                "put that cell in quotes"
            )
        yield number, (*cells[:width], *[""] * (width - len(cells)))


def _of_csv(content: bytes) -> Iterator[tuple[int, tuple[str, ...]]]:
    text = _decoded(content)
    head = text.partition("\n")[0]
    separator = ";" if ";" in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ContractError(f"line {reader.line_num}: is no CSV: {error}") from error
        yield reader.line_num, tuple(cell.strip() for cell in cells)


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ContractError("this is UTF-16 text: save it as CSV UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ContractError(
            f"line {line}: is no UTF-8, probably Windows-1252: save it as CSV UTF-8"
        ) from None


def _of_xlsx(content: bytes) -> Iterator[tuple[int, tuple[str, ...]]]:
    _refuse_bomb(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            # One row and one column more than may be there, so that too many are seen.
            found = book.worksheets[0].iter_rows(
                max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS + 1, values_only=True
            )
            rows = [tuple(_text(cell) for cell in row) for row in found]
        finally:
            book.close()
    except _UNREADABLE as error:
        raise ContractError(
            f"the XLSX file cannot be read ({type(error).__name__}): save it again as XLSX or CSV"
        ) from error
    yield from enumerate(rows, 1)


def _refuse_bomb(content: bytes) -> None:
    """Refuse a small file that unpacks into a large one, before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
    except _UNREADABLE as error:
        raise ContractError("the XLSX file is broken: save it again") from error
    total = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or total > MAX_UNPACKED_BYTES:
        raise ContractError(
            f"the XLSX file unpacks into {len(parts)} parts and {total} bytes: "
            f"at most {MAX_PARTS} and {MAX_UNPACKED_BYTES} are read"
        )


def _text(cell: object) -> str:
    """Return a spreadsheet's cell as it would stand in a CSV file."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int | float) and abs(cell) < 10**EXACT_DIGITS:
        return str(int(cell)) if cell == int(cell) else repr(cell)
    # A number of too many digits lost some; anything else is a formula. Neither is a value.
    return f"={type(cell).__name__}"


def _without_tail(cells: Iterable[str]) -> tuple[str, ...]:
    kept = list(cells)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)
