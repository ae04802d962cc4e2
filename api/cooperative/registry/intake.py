"""An import into the registry: row by row, each whole or not at all, with what to correct."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.exc import DBAPIError

from api.cooperative.chain import head
from api.cooperative.database import Desk
from api.cooperative.errors import TamperedError
from api.cooperative.law.vat_book import VatStatus
from api.cooperative.officers import CLERKS
from api.cooperative.plain_text import FORMULA
from api.cooperative.registry.connection_book import Connection, add_connection, connection_of
from api.cooperative.registry.intake_columns import Column, columns_of, read_cell
from api.cooperative.registry.intake_file import Sheet
from api.cooperative.registry.mandate_book import sign_mandate
from api.cooperative.registry.member_book import VoteClass, add_member
from api.cooperative.registry.ownership_book import own
from api.cooperative.registry.party_book import (
    ERASED,
    Language,
    Party,
    PartyKind,
    add_party,
    party_of,
)
from api.cooperative.settings import Address
from kwartier.errors import ContractError, InputError

_ADDRESS = ("street", "number", "postcode", "town")


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row was not taken.

    Attributes:
        row: Its number as a spreadsheet counts.
        column: The column that is wrong.
        value: What may be told of the cell.
        remedy: What is wrong and what to do.
    """

    row: int
    column: str
    value: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What an import did, or would do.

    Attributes:
        taken: Rows that added something.
        unchanged: Rows of which everything was there already.
        faults: What is wrong with the others, row by row.
        applied: Whether the rows were kept.
    """

    taken: int
    unchanged: int
    faults: tuple[RowFault, ...]
    applied: bool


def take(desk: Desk, sheet: Sheet, *, apply: bool) -> Intake:
    """Take the rows of a table into the registry; without ``apply`` nothing is kept.

    Every good row is written by the same words an officer would use, so a dry run refuses what
    an import would refuse.

    Raises:
        ContractError: The header is wrong.
    """
    desk.officer.need(*CLERKS)
    columns = columns_of(sheet.header)
    faults: list[RowFault] = []
    taken = unchanged = 0
    trial = desk.session.begin_nested()
    for number, cells in sheet.rows:
        before = head(desk).count
        wrong = _take_row(desk, columns, number, cells)
        faults += wrong
        if wrong:
            continue
        if head(desk).count == before:
            unchanged += 1
        else:
            taken += 1
    if apply:
        trial.commit()
    else:
        trial.rollback()
    return Intake(taken, unchanged, tuple(faults), apply)


def rest_csv(sheet: Sheet, intake: Intake) -> str:
    """Return the rows that were not taken, with what to correct, as CSV for a spreadsheet."""
    columns = columns_of(sheet.header)
    kept = [place for place, column in enumerate(columns) if column.name != "remedy"]
    remedies: dict[int, list[str]] = {}
    for fault in intake.faults:
        remedies.setdefault(fault.row, []).append(f"{fault.column}: {fault.remedy}")
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow([*(sheet.header[place] for place in kept), "remedy"])
    for number, cells in sheet.rows:
        if number in remedies:
            row = [*(cells[place] for place in kept), " / ".join(remedies[number])]
            writer.writerow([_harmless(cell) for cell in row])
    return "\ufeff" + written.getvalue()


@dataclass(frozen=True, slots=True)
class _Cells:
    """A row's cells by column; called with a name, and what stands for an empty one."""

    values: Mapping[str, str]

    def __call__(self, name: str, default: str = "") -> str:
        return self.values.get(name, "") or default


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, without what does not show."""
    shown = "".join(letter for letter in cell if letter.isprintable())
    return f"'{shown}" if shown.startswith(FORMULA) and not shown.startswith("'") else shown


def _take_row(
    desk: Desk, columns: tuple[Column, ...], number: int, cells: tuple[str, ...]
) -> list[RowFault]:
    values: dict[str, str] = {}
    faults: list[RowFault] = []
    for column, cell in zip(columns, cells, strict=True):
        try:
            values[column.name] = read_cell(column, cell)
        except ContractError as error:
            faults.append(RowFault(number, column.name, column.shown(cell), str(error)))
    if faults:
        return faults
    steps: tuple[tuple[str, Callable[[Desk, _Cells], None]], ...] = (
        ("party", _party),
        ("member_from", _member),
        ("connection", _connection),
        ("owned_from", _ownership),
        ("mandate", _mandate),
    )
    row = desk.session.begin_nested()
    for name, step in steps:
        try:
            step(desk, _Cells(values))
        except TamperedError:
            raise
        except InputError as error:
            row.rollback()
            return [RowFault(number, name, values.get(name, "")[:40], str(error))]
        except DBAPIError:
            row.rollback()
            return [RowFault(number, name, "", "the database refused it: compare it with the list")]
    row.commit()
    return []


def _party(desk: Desk, get: _Cells) -> None:
    if not get("party"):
        raise ContractError("party is empty: give each row the id of a party, such as huis-12")
    if not get("name"):
        party_of(desk, get("party"))
        return
    address = ERASED
    if any(get(name) for name in _ADDRESS):
        empty = [name for name in _ADDRESS if not get(name)]
        if empty:
            raise ContractError(f"{empty[0]} is empty: an address has all of {', '.join(_ADDRESS)}")
        street, number, postcode, town = (get(name) for name in _ADDRESS)
        address = Address(street, number, postcode, town, get("country", "NL"))
    add_party(
        desk,
        Party(
            get("party"),
            PartyKind(get("kind", PartyKind.RESIDENT)),
            get("name"),
            address,
            get("email"),
            Language(get("language", Language.NL)),
            VatStatus(get("vat_status", VatStatus.NONE)),
            get("vat_number"),
            get("kvk"),
            get("oin"),
        ),
    )


def _member(desk: Desk, get: _Cells) -> None:
    if get("member_from"):
        vote = VoteClass(get("vote", VoteClass.MEMBER))
        add_member(desk, get("party"), date.fromisoformat(get("member_from")), vote)


def _connection(desk: Desk, get: _Cells) -> None:
    if not get("connection"):
        if get("ean"):
            raise ContractError("connection is empty: give the EAN's connection a name")
        return
    if not get("ean"):
        connection_of(desk, get("connection"))
        return
    if not get("supplier"):
        raise ContractError("supplier is empty: who supplies this connection?")
    add_connection(
        desk,
        Connection(
            get("connection"),
            get("ean"),
            get("supplier"),
            int(get("fuse", "25")),
            int(get("phases", "3")),
            get("grid_area"),
            get("gateway"),
            get("meter", "p1"),
        ),
    )


def _ownership(desk: Desk, get: _Cells) -> None:
    if not get("owned_from"):
        if get("owned_to"):
            raise ContractError("owned_from is empty: from which day does it own the connection?")
        return
    if not get("connection"):
        raise ContractError("connection is empty: which one does it own?")
    to_day = date.fromisoformat(get("owned_to")) if get("owned_to") else None
    own(desk, get("connection"), get("party"), date.fromisoformat(get("owned_from")), to_day)


def _mandate(desk: Desk, get: _Cells) -> None:
    parts = [get(name) for name in ("mandate", "iban", "signed")]
    if not any(parts):
        return
    if not all(parts):
        raise ContractError(
            "a mandate has a reference, an iban and a day signed: fill in all three"
        )
    sign_mandate(desk, get("party"), parts[0], parts[1], date.fromisoformat(parts[2]))
