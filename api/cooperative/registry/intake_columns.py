"""The columns of an import: their names in two languages, and what each cell must be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from api.cooperative.law.vat_book import VatStatus
from api.cooperative.plain_text import checked_line
from api.cooperative.registry.connection_book import MAX_FUSE_AMPERE
from api.cooperative.registry.intake_file import MAX_CELL
from api.cooperative.registry.member_book import VoteClass
from api.cooperative.registry.numbers import (
    checked_iban,
    checked_kvk,
    checked_oin,
    checked_reference,
    checked_vat_number,
)
from api.cooperative.registry.party_book import Language, PartyKind
from kwartier.errors import ContractError
from kwartier.identity import checked_ean, checked_name

_DUTCH_DAY = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name.
        dutch: Its Dutch name.
        read: Returns a cell's text in the one right form, or refuses it.
        personal: Whether its cells must not stand in a message.
    """

    name: str
    dutch: str
    read: Callable[[str], str]
    personal: bool = False

    def shown(self, cell: str) -> str:
        """Return what a message may tell of a cell."""
        if self.personal:
            return f"({len(cell)} characters)" if len(cell) < 8 else f"…{cell[-4:]}"
        return cell[:40]


def day_text(cell: str) -> str:
    """Return a day as ISO text from ``2026-07-01`` or ``01-07-2026``, or refuse it."""
    dutch = _DUTCH_DAY.fullmatch(cell)
    text = f"{dutch[3]}-{int(dutch[2]):02d}-{int(dutch[1]):02d}" if dutch is not None else cell
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ContractError("is no day of the calendar: write 01-07-2026 or 2026-07-01") from None


def _line(most: int) -> Callable[[str], str]:
    return lambda cell: checked_line(cell, "it", 1, most)


def _choice(choices: type[StrEnum]) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if cell not in {choice.value for choice in choices}:
            raise ContractError(f"is not known: use {', '.join(choices)}")
        return cell

    return read


def _whole(low: int, high: int) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if _WHOLE.fullmatch(cell) is None or not low <= int(cell) <= high:
            raise ContractError(f"is no whole number from {low} to {high}")
        return cell

    return read


def _name(cell: str) -> str:
    return checked_name(cell.lower(), "it")


def _phases(cell: str) -> str:
    if cell not in {"1", "3"}:
        raise ContractError("is no number of phases: use 1 or 3")
    return cell


def _country(cell: str) -> str:
    if len(cell) != 2 or not cell.isalpha() or not cell.isascii():
        raise ContractError("is no country: use two letters, such as NL")
    return cell.upper()


COLUMNS: tuple[Column, ...] = (
    Column("party", "partij", _name),
    Column("kind", "soort", _choice(PartyKind)),
    Column("name", "naam", _line(140), personal=True),
    Column("street", "straat", _line(70), personal=True),
    Column("number", "huisnummer", _line(70), personal=True),
    Column("postcode", "postcode", _line(16), personal=True),
    Column("town", "plaats", _line(70), personal=True),
    Column("country", "land", _country),
    Column("email", "e-mail", _line(254), personal=True),
    Column("language", "taal", _choice(Language)),
    Column("vat_status", "btw-status", _choice(VatStatus)),
    Column("vat_number", "btw-nummer", checked_vat_number, personal=True),
    Column("kvk", "kvk-nummer", checked_kvk),
    Column("oin", "oin-nummer", checked_oin),
    Column("member_from", "lid vanaf", day_text),
    Column("vote", "stem", _choice(VoteClass)),
    Column("connection", "aansluiting", _name),
    Column("ean", "ean-code", checked_ean, personal=True),
    Column("supplier", "leverancier", _name),
    Column("fuse", "zekering", _whole(1, MAX_FUSE_AMPERE)),
    Column("phases", "fasen", _phases),
    Column("grid_area", "netgebied", _line(32)),
    Column("gateway", "kastje", _name),
    Column("meter", "meter", _name),
    Column("owned_from", "eigenaar vanaf", day_text),
    Column("owned_to", "eigenaar tot", day_text),
    Column("mandate", "machtiging", checked_reference),
    Column("iban", "rekening", checked_iban, personal=True),
    Column("signed", "getekend op", day_text),
    Column("remedy", "wat te doen", str),
)
"""Every column that is known; ``remedy`` is written by an import and read by people."""

_BY_NAME: Mapping[str, Column] = {
    name: column for column in COLUMNS for name in (column.name, column.dutch)
}


def columns_of(header: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns of a header, or refuse it.

    Raises:
        ContractError: A name is not known or stands there twice, or ``party`` is missing.
    """
    found = []
    for place, written in enumerate(header, 1):
        name = written.lower().strip().replace("_", " ")
        column = _BY_NAME.get(name.replace(" ", "_")) or _BY_NAME.get(name)
        if column is None:
            known = ", ".join(each.name for each in COLUMNS)
            raise ContractError(
                f"row 1, column {place}: {written[:40]!r} is not known; use {known}"
            )
        if column in found:
            raise ContractError(f"row 1, column {place}: {column.name} stands there twice")
        found.append(column)
    if _BY_NAME["party"] not in found:
        raise ContractError("row 1: column party is missing: add it")
    return tuple(found)


def read_cell(column: Column, cell: str) -> str:
    """Return a cell in the one right form; empty stays empty.

    Raises:
        ContractError: It is too long, hides something, or is not what the column holds.
    """
    if not cell or column.name == "remedy":
        return ""
    checked_line(cell, "it", 1, MAX_CELL)
    return column.read(cell)
