"""Neighbours to try registry and law with: parties, connections, decisions, approvals."""

from __future__ import annotations

from datetime import date

from api.cooperative.database import Books, Desk
from api.cooperative.four_eyes import approve, open_proposals
from api.cooperative.law import Decision, DecisionKind, Result, record_decision
from api.cooperative.officers import Officer
from api.cooperative.registry import Connection, Party, PartyKind, add_connection, add_party
from api.cooperative.settings import Address
from kwartier.interval import local_day

IBAN = "NL91ABNA0417164300"
"""The example account of the Dutch IBAN standard."""
OTHER_IBAN = "DE89370400440532013000"
"""The example account of the German IBAN standard."""
HOME = Address("Zonlaan", "12", "2611 AA", "Delft")


def ean_of(number: int) -> str:
    """Return an EAN-18 with its check digit: weights 3 and 1 from the right (GS1, 7.9)."""
    digits = f"8716871{number:010d}"
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def resident(name: str, people: str = "J. de Vries") -> Party:
    """Return a resident with an address."""
    return Party(name, PartyKind.RESIDENT, people, HOME, "j@voorbeeld.nl")


def settle_in(desk: Desk, *names: str) -> None:
    """Add residents, and a connection of the same name for each."""
    for name in names:
        add_party(desk, resident(name))
        number = sum(ord(letter) << place for place, letter in enumerate(name))
        add_connection(desk, Connection(name, ean_of(number), "greenchoice"))


def midnight_s(day: str) -> int:
    """Return the first instant of a local day [s]."""
    return local_day(date.fromisoformat(day))[0]


def decide(desk: Desk, number: str = "2026-07", day: str = "2026-01-01") -> None:
    """Write down an adopted decision that holds from a local day."""
    record_decision(
        desk,
        Decision(
            number,
            DecisionKind.OTHER,
            "Besluit",
            "ab" * 32,
            date(2025, 12, 1),
            62,
            41,
            Result.ADOPTED,
            midnight_s(day),
        ),
    )


def approve_all(books: Books, officer: Officer) -> None:
    """Let an officer approve everything that waits."""
    with books.desk(officer) as desk:
        for waiting in open_proposals(desk):
            approve(desk, waiting.id, waiting.body_hash)
