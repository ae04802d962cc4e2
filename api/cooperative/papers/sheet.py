"""Sheets for people: XLSX with typed cells, CSV as Dutch Excel opens it."""

from __future__ import annotations

from collections.abc import Sequence

from api.cooperative.statement import Statement


def run_xlsx(statements: Sequence[Statement]) -> bytes:
    """Return a workbook: totals per member, lines, days; the same run gives the same bytes."""
    raise NotImplementedError


def statement_csv(statements: Sequence[Statement]) -> bytes:
    """Return the lines as CSV in Dutch conventions: ``;``, decimal comma, UTF-8 BOM, CRLF."""
    raise NotImplementedError
