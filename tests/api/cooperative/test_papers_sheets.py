"""Sheets: opened again they hold the statement's numbers as numbers, and never a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from api.cooperative.papers.machine import machine_csv
from api.cooperative.papers.sheet import FORMULA_STARTS, guarded, run_xlsx, statement_csv
from api.cooperative.statement import Statement
from tests.api.cooperative import example_statements as examples

RUN = examples.all_of_them()
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60) | st.sampled_from(
    ["=1+1", "+31 6", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=HYPERLINK(1)"]
)


def opened(workbook: bytes) -> Workbook:
    return load_workbook(io.BytesIO(workbook))


def sheet(workbook: bytes, title: str) -> Worksheet:
    found = opened(workbook)[title]
    assert isinstance(found, Worksheet)
    return found


def rows(csv_file: bytes) -> list[list[str]]:
    text = csv_file.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


def named(name: str) -> Statement:
    """A statement of a line, of somebody with a name."""
    made = examples.final()
    party = replace(examples.RESIDENT, name=name)
    return replace(made, party=party, lines=made.lines[:1], connections=())


def test_the_workbook_has_a_sheet_of_totals_one_of_lines_and_one_of_days() -> None:
    book = opened(run_xlsx(RUN))

    assert book.sheetnames == ["Totalen per lid", "Regels", "Dagen"]
    assert {name: book[name].max_row for name in book.sheetnames} == {
        "Totalen per lid": 1 + len(RUN) + 1,
        "Regels": 1 + sum(len(each.lines) for each in RUN),
        "Dagen": 1 + sum(len(part.days) for each in RUN for part in each.connections),
    }
    assert all(book[name].freeze_panes == "A2" for name in book.sheetnames)


def test_money_is_a_number_with_a_format_and_a_day_is_a_day() -> None:
    lines = sheet(run_xlsx([examples.final()]), "Regels")
    head = [cell.value for cell in lines[1]]
    row = dict(zip(head, lines[2], strict=True))

    assert row["Bedrag in € zonder btw"].value == 9.69
    assert row["Bedrag in € zonder btw"].number_format == "€ #,##0.00;[Red]€ -#,##0.00"
    assert row["kWh"].value == 53.832
    assert row["kWh"].number_format == "#,##0.000"
    assert row["Periode vanaf"].value == datetime(2026, 7, 1)  # noqa: DTZ001 - a sheet has no zone
    assert row["Periode vanaf"].is_date
    assert row["Kwartieren"].value == 2976
    assert row["Naam"].data_type == "s"


def test_the_totals_row_adds_up_what_everybody_pays() -> None:
    totals = sheet(run_xlsx(RUN), "Totalen per lid")
    last = [cell.value for cell in totals[totals.max_row]]

    told = Decimal(str(last[11])).quantize(Decimal("0.01"))
    assert last[0] == "Samen"
    assert told == Decimal(sum(each.to_pay_cents for each in RUN)).scaleb(-2)


def test_the_same_run_gives_the_same_workbook() -> None:
    assert run_xlsx(RUN) == run_xlsx(RUN)


def test_the_csv_is_what_dutch_excel_opens() -> None:
    made = statement_csv([examples.final()])

    assert made.startswith(b"\xef\xbb\xbf")
    assert made.endswith(b"\r\n")
    head, first, *_ = rows(made)
    row = dict(zip(head, first, strict=True))
    assert (row["kWh"], row["Prijs in €"], row["Bedrag in € zonder btw"]) == (
        "53,832",
        "0,18",
        "9,69",
    )
    assert row["Periode vanaf"] == "01-07-2026"


def test_a_price_below_zero_stays_a_number_in_the_csv() -> None:
    prices = {row[10] for row in rows(statement_csv([examples.negative_price()]))[1:]}

    assert {"-0,02", "-0,035"} <= prices


@settings(max_examples=200)
@given(NAMES)
@example("=cmd|' /C calc'!A0")
@example("\uff1d1+1")
@example("a\u0000b\uffffc")
def test_no_name_becomes_a_formula_in_a_workbook(name: str) -> None:
    totals = sheet(run_xlsx([named(name)]), "Totalen per lid")

    cell = totals.cell(2, 4)
    assert cell.data_type == "s"
    assert cell.quotePrefix
    assert cell.hyperlink is None
    assert all(each.data_type != "f" for row in totals.iter_rows() for each in row)


@settings(max_examples=200)
@given(NAMES)
@example("=cmd|' /C calc'!A0")
@example('";=1+1;"')
def test_no_name_becomes_a_formula_or_another_cell_in_a_csv(name: str) -> None:
    made = rows(statement_csv([named(name)]))

    assert {len(row) for row in made} == {20}
    for row in made[1:]:
        assert not row[3].startswith(FORMULA_STARTS)
        assert row[3].lstrip("'")[-5:] == guarded(name).lstrip("'")[-5:]


def test_the_machine_csv_has_dots_and_instants_with_their_offset() -> None:
    text = machine_csv([examples.final(), examples.october()]).decode()
    head, *lines = csv.reader(io.StringIO(text))
    made = [dict(zip(head, line, strict=True)) for line in lines]

    assert made[0]["from"] == "2026-07-01T00:00:00+02:00"
    assert made[0]["until"] == "2026-08-01T00:00:00+02:00"
    assert (made[0]["energy_wh"], made[0]["energy_kwh"]) == ("53832", "53.832")
    assert (made[0]["amount_cents"], made[0]["amount_eur"]) == ("969", "9.69")
    assert made[-1]["until"] == "2026-11-01T00:00:00+01:00"
    assert {line["paper"] for line in made} == {
        "F2026-0014",
        "I2026-0014",
        "F2026-0061",
        "I2026-0061",
    }
