"""Sheets for people: XLSX with typed cells, CSV as Dutch Excel opens it.

A name that looks like a formula never becomes one: in XLSX every text is a cell of type text
that keeps its quote, in CSV it gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from api.cooperative.papers.machine import paper_number
from api.cooperative.papers.table import Cell, Column, Kind, Table
from api.cooperative.papers.wording import Wording, wording
from api.cooperative.papers.workbook import workbook_of
from api.cooperative.statement import ConnectionPart, Statement, StatementLine
from kwartier.units import kwh

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a text for a formula or another cell; the last are full width."""


def run_xlsx(statements: Sequence[Statement], language: str = "nl") -> bytes:
    """Return a workbook: totals per member, lines, days; the same run gives the same bytes."""
    words = wording(language)
    created = max((each.issued or each.last for each in statements), default=date(2000, 1, 1))
    tables = (
        _totals(statements, words),
        lines_table(statements, words),
        _days(statements, words),
    )
    return workbook_of(tables, datetime(created.year, created.month, created.day, tzinfo=UTC))


def statement_csv(statements: Sequence[Statement], language: str = "nl") -> bytes:
    """Return the lines as CSV in Dutch conventions: ``;``, decimal comma, UTF-8 BOM, CRLF."""
    table = lines_table(statements, wording(language))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.title for column in table.columns])
    writer.writerows([_csv_text(cell) for cell in row] for row in table.rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    clean = "".join(" " if ord(letter) < 32 else letter for letter in text)
    return f"'{clean}" if text.startswith(FORMULA_STARTS) else clean


def lines_table(statements: Sequence[Statement], words: Wording) -> Table:
    """Return every line of some statements."""
    columns = (
        *_who(words),
        Column(words.say("sheet.paper"), Kind.TEXT, 13),
        Column(words.say("sheet.connection"), Kind.TEXT, 14),
        Column(words.say("lines.what"), Kind.TEXT, 30),
        Column(words.say("sheet.kwh"), Kind.KWH, 13),
        Column(words.say("sheet.fee.days"), Kind.WHOLE, 8),
        Column(words.say("sheet.price"), Kind.PRICE, 12),
        Column(words.say("sheet.amount"), Kind.EURO, 14),
        Column(words.say("sheet.vat.code"), Kind.TEXT, 11),
        Column(words.say("sheet.tariff"), Kind.TEXT, 16),
        Column(words.say("sheet.tariff.from"), Kind.DAY, 12),
        Column(words.say("sheet.tariff.decision"), Kind.TEXT, 16),
        Column(words.say("sheet.key"), Kind.TEXT, 16),
        Column(words.say("sheet.key.decision"), Kind.TEXT, 16),
        Column(words.say("days.col.quarters"), Kind.WHOLE, 11),
        Column(words.say("sheet.estimated"), Kind.WHOLE, 11),
    )
    rows = [
        _line_row(statement, line, words) for statement in statements for line in statement.lines
    ]
    return Table(words.say("sheet.lines"), columns, tuple(rows))


def _line_row(statement: Statement, line: StatementLine, words: Wording) -> tuple[Cell, ...]:
    return (
        *_who_row(statement, words),
        paper_number(statement, line),
        line.connection,
        words.say(f"charge.{line.charge}"),
        None if line.energy_wh is None else kwh(line.energy_wh),
        line.days,
        _price(line.price_eur),
        _euro(line.amount_cents),
        line.vat_code,
        line.tariff,
        line.tariff_from,
        line.tariff_decision,
        line.key,
        line.key_decision,
        line.quarters,
        line.estimated,
    )


def _totals(statements: Sequence[Statement], words: Wording) -> Table:
    """Return one row per member, and one for all of them."""
    columns = (
        *_who(words),
        Column(words.say("meta.invoice"), Kind.TEXT, 13),
        Column(words.say("meta.purchase"), Kind.TEXT, 13),
        Column(words.say("sheet.net"), Kind.EURO, 14),
        Column(words.say("sheet.vat"), Kind.EURO, 12),
        Column(words.say("sheet.earned"), Kind.EURO, 14),
        Column(words.say("sheet.earned.vat"), Kind.EURO, 14),
        Column(words.say("sheet.to.pay"), Kind.EURO, 14),
        Column(words.say("sheet.due"), Kind.DAY, 12),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            *_who_row(statement, words),
            statement.invoice_number,
            statement.purchase_number,
            _euro(statement.net_cents),
            _euro(statement.vat_cents),
            _euro(statement.earned_cents),
            _euro(statement.earned_vat_cents),
            _euro(statement.to_pay_cents),
            statement.due,
        )
        for statement in statements
    ]
    rows.append(
        (
            words.say("days.total"),
            *("",) * 6,
            _euro(sum(each.net_cents for each in statements)),
            _euro(sum(each.vat_cents for each in statements)),
            _euro(sum(each.earned_cents for each in statements)),
            _euro(sum(each.earned_vat_cents for each in statements)),
            _euro(sum(each.to_pay_cents for each in statements)),
            None,
        )
    )
    return Table(words.say("sheet.totals"), columns, tuple(rows), has_total=True)


def _days(statements: Sequence[Statement], words: Wording) -> Table:
    """Return every day of every connection."""
    columns = (
        Column(words.say("meta.member"), Kind.TEXT, 14),
        Column(words.say("sheet.connection"), Kind.TEXT, 14),
        Column(words.say("days.day"), Kind.DAY, 12),
        *(
            Column(words.say(f"days.col.{name}"), Kind.KWH, 14)
            for name in ("import", "bought", "export", "sold", "battery")
        ),
        Column(words.say("sheet.import.left"), Kind.KWH, 16),
        Column(words.say("sheet.export.left"), Kind.KWH, 16),
        Column(words.say("days.col.quarters"), Kind.WHOLE, 11),
        Column(words.say("sheet.missing"), Kind.WHOLE, 11),
        Column(words.say("sheet.estimated"), Kind.WHOLE, 11),
    )
    rows = [
        row
        for statement in statements
        for part in statement.connections
        for row in _day_rows(statement.party.id, part)
    ]
    return Table(words.say("sheet.days"), columns, tuple(rows))


def _day_rows(party: str, part: ConnectionPart) -> list[tuple[Cell, ...]]:
    return [
        (
            party,
            part.id,
            day.day,
            kwh(day.import_wh),
            kwh(day.bought_wh),
            kwh(day.export_wh),
            kwh(day.sold_wh),
            kwh(day.to_battery_wh),
            kwh(day.import_wh - day.bought_wh),
            kwh(day.export_wh - day.sold_wh - day.to_battery_wh),
            day.quarters,
            day.missing,
            day.estimated,
        )
        for day in part.days
    ]


def _who(words: Wording) -> tuple[Column, ...]:
    return (
        Column(words.say("meta.run"), Kind.TEXT, 12),
        Column(words.say("sheet.state"), Kind.TEXT, 12),
        Column(words.say("meta.member"), Kind.TEXT, 14),
        Column(words.say("sheet.name"), Kind.TEXT, 30),
        Column(words.say("sheet.from"), Kind.DAY, 12),
    )


def _who_row(statement: Statement, words: Wording) -> tuple[Cell, ...]:
    return (
        statement.run,
        words.say(f"state.{statement.state}"),
        statement.party.id,
        statement.party.name,
        statement.first,
    )


def _euro(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _price(text: str) -> Decimal | str:
    """Return an exact price as a number; as text where its decimals never end."""
    return text if "/" in text else Decimal(text)


def _csv_text(cell: Cell) -> str:
    """Return a cell in Dutch: decimal comma, day-month-year; text that cannot be a formula."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return guarded(cell)
    if isinstance(cell, date):
        return f"{cell:%d-%m-%Y}"
    if isinstance(cell, Decimal):
        return f"{cell:f}".replace(".", ",")
    return str(cell)
