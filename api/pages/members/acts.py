"""The everyday acts on a member: what a form says, and the books' own act that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.registry import (
    ERASED,
    Language,
    Party,
    PartyKind,
    Purpose,
    VatStatus,
    VoteClass,
    add_member,
    add_party,
    change_party,
    end_mandate,
    end_member,
    end_ownership,
    give_consent,
    hand_over,
    own,
    propose_iban,
    set_vat_status,
    sign_mandate,
    withdraw_consent,
)
from api.cooperative.registry import party as party_of
from api.cooperative.settings import Address
from kwartier.interval import local_day

Of = TypeVar("Of", bound=StrEnum)
Act = Callable[[Desk, str, Mapping[str, str]], None]
"""Does something for a party, as a form says."""
_ADDRESS = ("street", "number", "postcode", "town")
_TEXTS = ("name", "email", "vat_number", "kvk")


def add(desk: Desk, sent: Mapping[str, str]) -> str:
    """Add a party, and its membership where a day is given; return its id.

    Raises:
        InputError: A value is none, or the party is there already.
    """
    name = _text(sent, "party")
    empty = Party(name, _one(PartyKind, sent, "kind", "resident"), _text(sent, "name"))
    add_party(desk, _with_details(empty, sent))
    if _text(sent, "since"):
        add_member(desk, name, _day(sent, "since"), _vote(sent))
    if _text(sent, "connection"):
        own(desk, _text(sent, "connection"), name, _day(sent, "since"))
    return name


def _details(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    change_party(desk, _with_details(party_of(desk, name), sent))


def _join(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    add_member(desk, name, _day(sent, "since"), _vote(sent))


def _leave(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    end_member(desk, name, _day(sent, "until"))


def _take_over(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    """Let this party own a connection from a day on, in place of whoever does."""
    connection, day = _text(sent, "connection"), _day(sent, "since")
    if _text(sent, "vacant"):
        own(desk, connection, name, day)
    else:
        hand_over(desk, connection, name, day)


def _give_up(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    """Hand one of this party's connections over to another party, or leave it without an owner."""
    connection, day, other = _text(sent, "connection"), _day(sent, "since"), _text(sent, "other")
    ended = end_ownership(desk, connection, day)
    if ended.party != name:
        raise BooksError(f"{connection} is not owned by {name}: look at its own page")
    if other:
        own(desk, connection, other, day)


def _mandate(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    signed = _day(sent, "signed")
    sign_mandate(desk, name, _text(sent, "reference"), _text(sent, "iban"), signed)


def _mandate_end(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    del name
    end_mandate(desk, _text(sent, "reference"), _day(sent, "until"))


def _account(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    propose_iban(desk, name, _text(sent, "iban"))


def _vat(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    set_vat_status(desk, name, _one(VatStatus, sent, "vat_status", ""), _day(sent, "since"))


def _consent(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    start_s = local_day(_day(sent, "since"))[0]
    purpose = _one(Purpose, sent, "purpose", "")
    give_consent(desk, _text(sent, "connection"), name, purpose, start_s, _text(sent, "evidence"))


def _consent_end(desk: Desk, name: str, sent: Mapping[str, str]) -> None:
    purpose = _one(Purpose, sent, "purpose", "")
    withdraw_consent(desk, _text(sent, "connection"), name, purpose, desk.at_s)


ACTS: Mapping[str, Act] = {
    "gegevens": _details,
    "lid": _join,
    "lid-einde": _leave,
    "toestemming": _consent,
    "toestemming-einde": _consent_end,
}
"""Acts by the last part of their address."""
MONEY_ACTS: Mapping[str, Act] = {
    "machtiging": _mandate,
    "machtiging-einde": _mandate_end,
    "rekening": _account,
    "overnemen": _take_over,
    "overdragen": _give_up,
    "btw": _vat,
}
"""Likewise those that say who pays, how much, and from where or to where money goes."""


def _with_details(before: Party, sent: Mapping[str, str]) -> Party:
    """Return a party with what a form says of it; a field it does not bring stays."""
    texts = {name: sent[name].strip() for name in _TEXTS if name in sent}
    parts = {name: sent[name].strip() for name in _ADDRESS if name in sent}
    address = before.address
    if any(parts.values()):
        address = replace(Address("", "", "", "") if address == ERASED else address, **parts)
    language = _one(Language, sent, "language", before.language.value)
    return Party(
        before.id,
        before.kind,
        texts.get("name", before.name),
        address,
        texts.get("email", before.email),
        language,
        before.vat_status,
        texts.get("vat_number", before.vat_number),
        texts.get("kvk", before.kvk),
        before.oin,
    )


def _text(sent: Mapping[str, str], name: str) -> str:
    return sent.get(name, "").strip()


def _day(sent: Mapping[str, str], name: str) -> date:
    text = _text(sent, name)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1900 <= day.year < 3000:
        raise BooksError(f"{name} {text[:20]!r} is no day: write it as 2026-07-01")
    return day


def _vote(sent: Mapping[str, str]) -> VoteClass:
    return _one(VoteClass, sent, "vote", VoteClass.MEMBER.value)


def _one(kind: type[Of], sent: Mapping[str, str], name: str, default: str) -> Of:
    """Return one of some choices, or refuse what is none."""
    text = _text(sent, name) or default
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(kind)
        raise BooksError(f"{name} {text[:20]!r}: use one of {known}") from None
