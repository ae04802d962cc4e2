"""Imports: each row whole or not at all, seen before it is kept, whatever is in the cells."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from api.cooperative.chain import head, verify_chains
from api.cooperative.database import Books
from api.cooperative.errors import NotAllowedError
from api.cooperative.officers import Officer
from api.cooperative.registry import connections, mandate_of, parties, party, windows
from api.cooperative.registry.intake import rest_csv, take
from api.cooperative.registry.intake_columns import COLUMNS
from api.cooperative.registry.intake_file import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_UNPACKED_BYTES,
    Sheet,
    read_sheet,
)
from kwartier.errors import ContractError
from tests.api.cooperative.neighbours import IBAN, ean_of

HEADER = (
    "partij;naam;straat;huisnummer;postcode;plaats;lid vanaf;aansluiting;ean-code;leverancier;"
    "eigenaar vanaf;machtiging;rekening;getekend op"
)
GOOD = (
    f"huis-1;J. de Vries;Zonlaan;2;2611 AA;Delft;01-07-2026;huis-1;{ean_of(1)};greenchoice;"
    f"01-07-2026;ZON-1;{IBAN};20-06-2026"
)
BAD = (
    f"huis-2;=1+1;Zonlaan;4;2611 AA;Delft;31-02-2026;huis-2;{ean_of(2)[:-1]}X;greenchoice;"
    "01-07-2026;ZON-2;NL91ABNA0417164301;20-06-2026"
)
# The rules of an import are the same on every database.
on_sqlite = pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)


@on_sqlite
def test_a_dry_run_finds_what_an_import_would_and_keeps_nothing(
    books: Books, treasurer: Officer
) -> None:
    sheet = _csv(HEADER, GOOD, BAD)

    with books.desk(treasurer) as desk:
        before = head(desk)
        dry = take(desk, sheet, apply=False)
        assert (head(desk).hash, parties(desk)) == (before.hash, [])
    with books.desk(treasurer) as desk:
        done = take(desk, sheet, apply=True)

    assert (dry.taken, dry.unchanged, dry.applied) == (1, 0, False)
    assert (done.taken, done.faults) == (1, dry.faults)


@on_sqlite
def test_a_good_row_becomes_party_connection_owner_and_mandate(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        take(desk, _csv(HEADER, GOOD), apply=True)

        assert party(desk, "huis-1").address.town == "Delft"
        assert [each.ean for each in connections(desk)] == [ean_of(1)]
        assert [each.from_day for each in windows(desk)] == [date(2026, 7, 1)]
        held = mandate_of(desk, "huis-1", date(2026, 8, 1))
        assert held is not None
        assert (held.iban, held.signed_on) == (IBAN, date(2026, 6, 20))


@on_sqlite
def test_every_wrong_cell_is_named_with_its_row_and_column_and_no_personal_value(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        found = take(desk, _csv(HEADER, GOOD, BAD), apply=False).faults

    assert [(fault.row, fault.column, fault.value) for fault in found] == [
        (3, "name", "(4 characters)"),
        (3, "member_from", "31-02-2026"),
        (3, "ean", f"…{ean_of(2)[-4:-1]}X"),
        (3, "iban", "…4301"),
    ]
    assert "as a formula does" in found[0].remedy
    assert "write 01-07-2026 or 2026-07-01" in found[1].remedy


@on_sqlite
def test_the_same_import_again_changes_nothing(books: Books, treasurer: Officer) -> None:
    sheet = _csv(HEADER, GOOD)
    with books.desk(treasurer) as desk:
        take(desk, sheet, apply=True)
        before = head(desk)

        again = take(desk, sheet, apply=True)

        assert (again.taken, again.unchanged, again.faults) == (0, 1, ())
        assert head(desk) == before


@on_sqlite
def test_the_rest_can_be_corrected_and_imported_again(books: Books, treasurer: Officer) -> None:
    sheet = _csv(HEADER, GOOD, BAD)
    with books.desk(treasurer) as desk:
        rest = rest_csv(sheet, take(desk, sheet, apply=True))
        assert rest.count("\r\n") == 2
        assert "'=1+1" in rest
        corrected = (
            rest.replace("'=1+1", "P. Jansen")
            .replace("31-02-2026", "28-02-2026")
            .replace(f"{ean_of(2)[:-1]}X", ean_of(2))
            .replace("NL91ABNA0417164301", IBAN)
        )

        again = take(desk, read_sheet(corrected.encode()), apply=True)

        assert (again.taken, again.faults) == (1, ())
        assert [each.id for each in parties(desk)] == ["huis-1", "huis-2"]


@on_sqlite
def test_a_row_that_fails_half_way_leaves_nothing_of_itself(
    books: Books, treasurer: Officer
) -> None:
    # The second row's home is owned already, which is seen after party and member are written.
    second = GOOD.replace("huis-1;J.", "huis-2;J.", 1).replace("ZON-1", "ZON-2")
    with books.desk(treasurer) as desk:
        done = take(desk, _csv(HEADER, GOOD, second), apply=True)

        assert [(fault.row, fault.column) for fault in done.faults] == [(3, "owned_from")]
        assert [each.id for each in parties(desk)] == ["huis-1"]
        assert verify_chains(desk) == []


@on_sqlite
def test_a_second_home_of_a_party_needs_no_name_again(books: Books, treasurer: Officer) -> None:
    second = f"huis-1;;;;;;;garage;{ean_of(3)};greenchoice;2026-07-01;;;"
    with books.desk(treasurer) as desk:
        done = take(desk, _csv(HEADER, GOOD, second), apply=True)

        assert (done.taken, done.faults) == (2, ())
        assert [each.connection for each in windows(desk, party="huis-1")] == ["garage", "huis-1"]


@on_sqlite
def test_a_comma_a_byte_order_mark_and_quotes_are_read(books: Books, treasurer: Officer) -> None:
    content = '\ufeffparty,name\r\nhuis-1,"Vries, J. de"\r\n\r\n'.encode()
    with books.desk(treasurer) as desk:
        take(desk, read_sheet(content), apply=True)

        assert party(desk, "huis-1").name == "Vries, J. de"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("party;name\nhuis-1;Zoë\n".encode("cp1252"), "line 2: is no UTF-8, probably Windows-1252"),
        ("party;name\n".encode("utf-16"), "UTF-16"),
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b"PK\x03\x04 and then nonsense", "broken"),
        (b'party;name\n"open', "is no CSV"),
        (b"party;name\nhuis-1;a;b\n", "row 2: has more cells than the header"),
        (b"x" * (MAX_BYTES + 1), "at most"),
        (b"party\n" + b"a\n" * (MAX_ROWS + 1), f"more than {MAX_ROWS} rows"),
        (b";".join([b"party"] * (MAX_COLUMNS + 1)), "columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_what_to_do(content: bytes, why: str) -> None:
    with pytest.raises(ContractError, match=why):
        read_sheet(content)


@on_sqlite
@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("name;street", "column party is missing"),
        ("party;naam;name", "name stands there twice"),
        ("party;password", "'password' is not known"),
    ],
)
def test_a_header_that_is_not_understood_is_refused(
    books: Books, treasurer: Officer, header: str, why: str
) -> None:
    with books.desk(treasurer) as desk, pytest.raises(ContractError, match=why):
        take(desk, _csv(header), apply=False)


@on_sqlite
def test_a_spreadsheet_is_read_like_a_csv(books: Books, treasurer: Officer) -> None:
    content = _xlsx(
        ["party", "name", "street", "number", "postcode", "town", "owned_from", "connection",
         "ean", "supplier", "fuse"],
        ["huis-1", "J. de Vries", "Zonlaan", 2, "2611 AA", "Delft", date(2026, 7, 1),
         "huis-1", ean_of(1), "greenchoice", 35.0],
    )  # fmt: skip
    with books.desk(treasurer) as desk:
        done = take(desk, read_sheet(content), apply=True)

        assert (done.taken, done.faults) == (1, ())
        assert connections(desk)[0].fuse_ampere == 35
        assert party(desk, "huis-1").address.number == "2"


@on_sqlite
def test_a_spreadsheets_formulas_and_damaged_numbers_are_never_values(
    books: Books, treasurer: Officer
) -> None:
    # An EAN that was typed as a number has lost its last digits.
    content = _xlsx(
        ["party", "name", "ean", "connection"],
        ["huis-1", '=HYPERLINK("http://x";"y")', 871687100000000006, "huis-1"],
        ["huis-2", "J.", 1e308, "huis-2"],
    )
    with books.desk(treasurer) as desk:
        found = take(desk, read_sheet(content), apply=True).faults

    assert [(fault.row, fault.column) for fault in found] == [(2, "name"), (2, "ean"), (3, "ean")]


def test_a_small_file_that_unpacks_into_a_large_one_is_not_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        for part in range(MAX_UNPACKED_BYTES // (16 * 1024 * 1024) + 1):
            bomb.writestr(f"xl/{part}.xml", bytes(16 * 1024 * 1024))
    assert len(packed.getvalue()) < MAX_BYTES

    with pytest.raises(ContractError, match="unpacks into"):
        read_sheet(packed.getvalue())


def test_a_spreadsheet_with_an_entity_is_refused() -> None:
    sheet = _xlsx(["party"], ["huis-1"])
    laughing = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet)) as source, zipfile.ZipFile(laughing, "w") as target:
        for part in source.infolist():
            body = source.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                body = b'<!DOCTYPE x [<!ENTITY a "ha">]>' + body.replace(
                    b"<sheetData>", b"<sheetData>&a;"
                )
            target.writestr(part, body)

    with pytest.raises(ContractError, match="cannot be read"):
        read_sheet(laughing.getvalue())


@on_sqlite
def test_the_auditor_imports_nothing(books: Books, auditor: Officer) -> None:
    with books.desk(auditor) as desk, pytest.raises(NotAllowedError):
        take(desk, _csv(HEADER, GOOD), apply=False)


HOSTILE = (
    "",
    "=1+1",
    "@SUM(A1)",
    "+31612345678",
    "-",
    "\x00",
    "a\x00b",
    "\u202egnirts",
    "\ufeff",
    "1e308",
    "31-02-2026",
    "29-02-2024",
    "0000-00-00",
    "99999999999999999999",
    "' OR 1=1 --",
    "x" * 400,
    "\ud7ff",
    "é",
    "²",
    "NaN",
    "huis-1",
    "huis-2",
    "1",
    "3",
    "nl",
    "resident",
    "registered",
    IBAN,
    ean_of(1),
    ean_of(2),
    "NL123456782B90",
    "greenchoice",
    "2026-07-01",
    "ZON-1",
)
cells = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec="utf-8"), max_size=12),
)
NAMES = [column.name for column in COLUMNS]


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    """Some columns and rows of whatever people, programs and enemies type."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=14, unique=True))
    header = tuple({"party": None, **dict.fromkeys(names)})
    rows = draw(st.lists(st.tuples(*[cells] * len(header)), min_size=1, max_size=3))
    named = [("huis-1" if not row[0].strip() else row[0].strip(), *row[1:]) for row in rows]
    return Sheet(header, tuple((place, row) for place, row in enumerate(named, 2)))


@on_sqlite
@given(sheets())
@example(Sheet(("party", "name", "postcode"), ((2, ("huis-1", "J.", "\x00")),)))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_the_cells_a_row_is_taken_or_told_and_the_same_again_changes_nothing(
    books: Books, treasurer: Officer, sheet: Sheet
) -> None:
    with books.desk(treasurer) as desk, desk.session.begin_nested() as trial:
        dry = take(desk, sheet, apply=False)
        done = take(desk, sheet, apply=True)
        before = head(desk)
        again = take(desk, sheet, apply=True)

        refused = {fault.row for fault in done.faults}
        assert done.faults == dry.faults
        assert done.taken + done.unchanged + len(refused) == len(sheet.rows)
        assert again.taken == 0
        assert head(desk) == before
        _reads_back(rest_csv(sheet, done), len(refused))
        trial.rollback()


@given(st.binary(max_size=300))
@example(b"PK\x03\x04")
@example("party;naam\r\nhuis-1;Zo\u00eb".encode("cp1252"))
@settings(max_examples=200)
def test_any_bytes_are_a_table_or_refused_in_words(content: bytes) -> None:
    try:
        sheet = read_sheet(content)
    except ContractError as error:
        told = str(error)
        assert told
    else:
        assert all(len(cells) == len(sheet.header) for _, cells in sheet.rows)


def _reads_back(rest: str, rows: int) -> None:
    """Check that a rest file holds its rows, and no cell that a spreadsheet would run."""
    read = list(csv.reader(io.StringIO(rest.removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert len(read) == 1 + rows
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in read for cell in row)


def _csv(*lines: str) -> Sheet:
    return read_sheet("\n".join(lines).encode())


def _xlsx(*rows: list[object]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
