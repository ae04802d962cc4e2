"""The door to XlsxWriter: tables become a workbook of typed cells, without a formula in it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import xlsxwriter

from api.cooperative.papers.table import Cell, Kind, Table

FORMATS = {
    Kind.TEXT: "@",
    Kind.WHOLE: "#,##0",
    Kind.KWH: "#,##0.000",
    Kind.EURO: "€ #,##0.00;[Red]€ -#,##0.00",
    Kind.PRICE: "€ #,##0.00######",
    Kind.DAY: "dd-mm-yyyy",
}
"""How each kind is shown; the reader's own settings decide on comma and point."""
MOST_LETTERS = 32_767
"""Excel's own limit of a cell."""


def workbook_of(tables: Sequence[Table], created: datetime) -> bytes:
    """Return a workbook; the same tables and instant give the same bytes.

    Args:
        tables: One sheet each.
        created: What the workbook says of its making.
    """
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"author": "kwartier", "created": created.replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for table in tables:
        sheet = book.add_worksheet(table.title)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.columns) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.title, head)
        plain = [_format(book, column.kind) for column in table.columns]
        bold = [_format(book, column.kind, bold=True) for column in table.columns]
        for at, row in enumerate(table.rows, start=1):
            shown = bold if table.has_total and at == len(table.rows) else plain
            for place, cell in enumerate(row):
                _write(sheet, (at, place), cell, shown[place])
    book.close()
    return out.getvalue()


def _format(
    book: xlsxwriter.Workbook, kind: Kind, *, bold: bool = False
) -> xlsxwriter.format.Format:
    look = {"num_format": FORMATS[kind], "quote_prefix": kind is Kind.TEXT}
    return book.add_format({**look, "bold": True, "top": 1} if bold else look)


def _write(
    sheet: xlsxwriter.worksheet.Worksheet,
    place: tuple[int, int],
    cell: Cell,
    look: xlsxwriter.format.Format,
) -> None:
    """Write one cell as what it is; text is always text."""
    if cell is None or cell == "":
        sheet.write_blank(*place, None, look)
    elif isinstance(cell, str):
        sheet.write_string(*place, _storable(cell), look)
    elif isinstance(cell, date):
        sheet.write_datetime(*place, cell, look)
    else:
        assert isinstance(cell, int | Decimal)
        sheet.write_number(*place, cell, look)


def _storable(text: str) -> str:
    """Return a text that XML can hold: no half letters, no control signs, not too long."""
    whole = "".join(
        letter if ord(letter) >= 32 and not 0xD800 <= ord(letter) <= 0xDFFF else " "
        for letter in text[:MOST_LETTERS]
    )
    return whole.replace("\ufffe", " ").replace("\uffff", " ")
