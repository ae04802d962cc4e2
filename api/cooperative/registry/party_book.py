"""Parties: residents and organisations, their sealed personal fields, how they stand to VAT."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.keys import Keys
from api.cooperative.law.vat_book import VatStatus
from api.cooperative.officers import CLERKS
from api.cooperative.plain_text import checked_line
from api.cooperative.registry.numbers import checked_kvk, checked_oin, checked_vat_number
from api.cooperative.settings import Address
from api.cooperative.stamp import stamp
from api.cooperative.statement import PartyPart
from api.cooperative.tables.registry import PartyDetailsRow, PartyRow, PartyVatRow
from kwartier.errors import ContractError
from kwartier.identity import checked_name
from kwartier.interval import day_of

ERASED = Address("", "", "", "")
"""What stands where an address was erased, or is not known yet."""
_FIRST_DAY = date(1970, 1, 1)


class PartyKind(StrEnum):
    """What sort of party it is."""

    RESIDENT = "resident"
    CORPORATION = "corporation"
    """A housing corporation."""
    MUNICIPALITY = "municipality"
    SCHOOL = "school"
    COOPERATIVE = "cooperative"
    """The cooperative itself, or another one."""


class Language(StrEnum):
    """In which language its papers are."""

    NL = "nl"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Party:
    """A resident or an organisation.

    Attributes:
        id: Its name in the books; it stands in the ledger for ever, so it must not tell a
            person's name: ``huis-12`` rather than ``jansen``.
        kind: What sort of party it is.
        name: Its name for people. Personal.
        address: Where its papers go; ``ERASED`` while it is not known. Personal.
        email: Where it is reached; empty without one. Personal.
        language: Of its papers.
        vat_status: How it stands to VAT now.
        vat_number: Its VAT number; empty without one.
        kvk: Its number in the trade register; empty without one.
        oin: A government organisation's number; empty without one.

    Raises:
        ContractError: A value is no such thing; a personal one is not in the message.
    """

    id: str
    kind: PartyKind
    name: str
    address: Address = ERASED
    email: str = ""
    language: Language = Language.NL
    vat_status: VatStatus = VatStatus.NONE
    vat_number: str = ""
    kvk: str = ""
    oin: str = ""

    def __post_init__(self) -> None:
        checked_name(self.id, "party")
        checked_line(self.name, f"party {self.id}: name", 1, 140)
        _check_address(self)
        checked_line(self.email, f"party {self.id}: e-mail", 0, 254)
        if self.email and ("@" not in self.email[1:-1] or " " in self.email):
            raise ContractError(f"party {self.id}: e-mail is no address: write it with an @")
        for text, check in (
            (self.vat_number, checked_vat_number),
            (self.kvk, checked_kvk),
            (self.oin, checked_oin),
        ):
            if text and check(text) != text:
                raise ContractError(f"party {self.id}: write numbers without spaces and dots")


def add_party(desk: Desk, party: Party) -> None:
    """Add a party; adding the same one again changes nothing.

    Raises:
        ConflictError: There is another party of that id.
    """
    desk.officer.need(*CLERKS)
    if desk.session.get(PartyRow, party.id) is not None:
        _refuse_another(desk, party)
        return
    _check_vat(party.id, party.vat_status, party.vat_number)
    desk.session.add(PartyRow(id=party.id, kind=party.kind, **stamp(desk)))
    desk.session.flush()
    desk.session.add(PartyDetailsRow(party=party.id, erased_at_s=None, **_sealed(desk.keys, party)))
    _add_vat_row(desk, party.id, party.vat_status, _FIRST_DAY)
    desk.session.flush()
    record(desk, "party.add", party.id, {"kind": party.kind, "vat_status": party.vat_status})


def change_party(desk: Desk, party: Party) -> tuple[str, ...]:
    """Write other personal fields for a party, and return which ones changed.

    Kind and VAT status stay: the first never changes, the second has ``set_vat_status``.

    Raises:
        BooksError: There is no such party, or it was erased.
    """
    desk.officer.need(*CLERKS)
    before = party_of(desk, party.id)
    if is_erased(desk, party.id):
        raise BooksError(f"party {party.id} was erased: add a new one")
    _check_vat(party.id, before.vat_status, party.vat_number)
    changed = tuple(name for name in _PERSONAL if getattr(before, name) != getattr(party, name))
    if changed:
        write_details(desk, party)
        record(desk, "party.change", party.id, {"fields": list(changed)})
    return changed


def set_vat_status(desk: Desk, party: str, status: VatStatus, from_day: date) -> None:
    """Let a party stand to VAT in another way from a local day on."""
    desk.officer.need(*CLERKS)
    known = party_of(desk, party)
    _check_vat(party, status, known.vat_number)
    before = vat_status(desk, party, from_day)
    _add_vat_row(desk, party, status, from_day)
    record(
        desk,
        "party.vat",
        party,
        {"vat_status": status, "from": from_day.isoformat()},
        {"vat_status": before},
    )


def vat_status(desk: Desk, party: str, day: date) -> VatStatus:
    """Return how a party stands to VAT on a local day."""
    return vat_statuses(desk, [party], day)[party]


def vat_statuses(desk: Desk, parties: Collection[str], day: date) -> dict[str, VatStatus]:
    """Return how some parties stand to VAT on a local day.

    Raises:
        BooksError: One of them is not known.
    """
    rows = desk.session.execute(
        select(PartyVatRow.party, PartyVatRow.vat_status)
        .where(PartyVatRow.party.in_(parties), PartyVatRow.from_day <= day)
        .order_by(PartyVatRow.from_day, PartyVatRow.id)
    )
    found = {party: VatStatus(status) for party, status in rows}
    for party in parties:
        if party not in found:
            raise BooksError(f"party {party!r} is not known: add it first")
    return found


def party_of(desk: Desk, party: str) -> Party:
    """Return a party, opened; its VAT status is today's.

    Raises:
        BooksError: There is no such party.
    """
    return parties_of(desk, [party])[party]


def parties_of(desk: Desk, names: Collection[str]) -> dict[str, Party]:
    """Return some parties by id, opened; their VAT status is today's.

    Raises:
        BooksError: One of them is not known.
    """
    return _of_rows(desk, names)


def known_party(desk: Desk, party: str) -> PartyRow:
    """Return the row of a party, nothing opened.

    Raises:
        BooksError: There is no such party.
    """
    row = desk.session.get(PartyRow, party)
    if row is None:
        raise BooksError(f"party {party[:40]!r} is not known: see `kwartier coop party list`")
    return row


def parties(desk: Desk) -> list[Party]:
    """Return all parties, opened, by id."""
    return list(_of_rows(desk, None).values())


def party_part(desk: Desk, party: str, day: date | None = None) -> PartyPart:
    """Return what a paper tells of a party, as it stood to VAT on a day; today when None."""
    return party_parts(desk, [party], day)[party]


def party_parts(
    desk: Desk, names: Collection[str], day: date | None = None
) -> dict[str, PartyPart]:
    """Return what papers tell of some parties, as they stood to VAT on a day; today when None."""
    known = parties_of(desk, names)
    statuses = {} if day is None else vat_statuses(desk, names, day)
    return {
        name: PartyPart(
            name,
            each.name,
            each.kind,
            each.language,
            each.address,
            each.email,
            statuses.get(name, each.vat_status),
            each.vat_number,
            each.kvk,
            each.oin,
        )
        for name, each in known.items()
    }


def is_erased(desk: Desk, party: str) -> bool:
    """Return whether a party's personal fields were erased."""
    return _details(desk, party).erased_at_s is not None


def erased_parties(desk: Desk) -> frozenset[str]:
    """Return every party whose personal fields were erased."""
    wanted = select(PartyDetailsRow.party).where(PartyDetailsRow.erased_at_s.is_not(None))
    return frozenset(desk.session.scalars(wanted))


def write_details(desk: Desk, party: Party, *, erased: bool = False) -> None:
    """Overwrite the personal fields of a party; what was there is gone."""
    details = _details(desk, party.id)
    for name, sealed in _sealed(desk.keys, party).items():
        setattr(details, name, sealed)
    if erased:
        details.erased_at_s = desk.at_s
    desk.session.flush()


_PERSONAL = ("name", "address", "email", "language", "vat_number", "kvk", "oin")


def _details(desk: Desk, party: str) -> PartyDetailsRow:
    details = desk.session.get(PartyDetailsRow, party)
    assert details is not None, party
    return details


def _sealed(keys: Keys, party: Party) -> dict[str, str]:
    address = json.dumps(asdict(party.address), ensure_ascii=False, sort_keys=True)
    return {
        "name": keys.seal(party.name),
        "address": keys.seal(address),
        "email": keys.seal(party.email),
        "language": party.language,
        "vat_number": keys.seal(party.vat_number),
        "kvk": keys.seal(party.kvk),
        "oin": keys.seal(party.oin),
    }


def _of_rows(desk: Desk, names: Collection[str] | None) -> dict[str, Party]:
    """Return some parties by id, or all of them, in order of their ids."""
    chosen = (
        select(PartyRow, PartyDetailsRow)
        .join(PartyDetailsRow, PartyDetailsRow.party == PartyRow.id)
        .order_by(PartyRow.id)
    )
    if names is not None:
        chosen = chosen.where(PartyRow.id.in_(names))
    rows = {row.id: (row, details) for row, details in desk.session.execute(chosen)}
    for name in names or ():
        if name not in rows:
            known_party(desk, name)
    statuses = vat_statuses(desk, rows, day_of(desk.at_s))
    return {
        name: _opened(desk.keys.open, row, details, statuses[name])
        for name, (row, details) in rows.items()
    }


def _opened(
    opened: Callable[[str], str], row: PartyRow, details: PartyDetailsRow, status: VatStatus
) -> Party:
    return Party(
        row.id,
        PartyKind(row.kind),
        opened(details.name),
        _address(json.loads(opened(details.address))),
        opened(details.email),
        Language(details.language),
        status,
        opened(details.vat_number),
        opened(details.kvk),
        opened(details.oin),
    )


def _address(values: Mapping[str, str]) -> Address:
    return Address(**values)


def _check_address(party: Party) -> None:
    if party.address == ERASED:
        return
    for field in fields(Address):
        value = getattr(party.address, field.name)
        checked_line(value, f"party {party.id}: {field.name}", 1, 70)
    if len(party.address.country) != 2 or not party.address.country.isupper():
        raise ContractError(f"party {party.id}: country is two capitals, such as NL")


def _check_vat(party: str, status: VatStatus, vat_number: str) -> None:
    if status in {VatStatus.REGISTERED, VatStatus.REVERSE_CHARGE} and not vat_number:
        raise BooksError(f"party {party}: VAT status {status} needs a VAT number: add it first")


def _refuse_another(desk: Desk, party: Party) -> None:
    known = party_of(desk, party.id)
    different = [
        field.name
        for field in fields(Party)
        if getattr(known, field.name) != getattr(party, field.name)
    ]
    if different:
        raise ConflictError(
            f"party {party.id} is there already with another {', '.join(different)}: "
            "change it with `kwartier coop party change`, or use another id"
        )


def _add_vat_row(desk: Desk, party: str, status: VatStatus, from_day: date) -> None:
    desk.session.add(PartyVatRow(party=party, from_day=from_day, vat_status=status, **stamp(desk)))
