"""Consents: for what the values of a connection may be used, since when, and how we know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError, StateError
from api.cooperative.officers import CLERKS
from api.cooperative.plain_text import checked_line
from api.cooperative.registry.connection_book import known_connection
from api.cooperative.registry.party_book import known_party
from api.cooperative.stamp import stamp
from api.cooperative.tables.registry import ConsentRow
from kwartier.interval import instant_text
from kwartier.units import EpochS


class Purpose(StrEnum):
    """For what values may be used."""

    OWN_VIEW = "own-view"
    """The home sees its own."""
    SETTLEMENT = "settlement"
    STEERING = "steering"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class Consent:
    """For what the values of a connection may be used in ``[start_s, end_s)``.

    Attributes:
        id: Its number.
        connection: Whose values.
        party: Who gave it.
        purpose: For what.
        start_s: From when [s].
        end_s: Until when [s]; None until it is withdrawn.
        evidence: How we know, such as ``form 12 in folder 3``. Personal.
    """

    id: int
    connection: str
    party: str
    purpose: Purpose
    start_s: EpochS
    end_s: EpochS | None
    evidence: str


def give_consent(
    desk: Desk, connection: str, party: str, purpose: Purpose, start_s: EpochS, evidence: str
) -> Consent:
    """Write down a consent.

    Raises:
        ConflictError: There is one for that connection, party and purpose.
    """
    desk.officer.need(*CLERKS)
    known_connection(desk, connection)
    known_party(desk, party)
    checked_line(evidence, "evidence", 1, 200)
    for known in consents(desk, connection, party):
        if known.purpose is purpose and (known.end_s is None or start_s < known.end_s):
            raise ConflictError(
                f"{connection}: {party} gave consent for {purpose} from "
                f"{instant_text(known.start_s)} already: withdraw that first"
            )
    row = ConsentRow(
        connection=connection,
        party=party,
        purpose=purpose,
        start_s=start_s,
        end_s=None,
        evidence=desk.keys.seal(evidence),
        **stamp(desk),
    )
    desk.session.add(row)
    desk.session.flush()
    record(
        desk,
        "consent.give",
        connection,
        {"party": party, "purpose": purpose, "from": instant_text(start_s)},
    )
    return _consent(desk, row)


def withdraw_consent(
    desk: Desk, connection: str, party: str, purpose: Purpose, end_s: EpochS
) -> Consent:
    """End a consent at an instant [s]."""
    desk.officer.need(*CLERKS)
    row = desk.session.scalars(
        select(ConsentRow).where(
            ConsentRow.connection == connection,
            ConsentRow.party == party,
            ConsentRow.purpose == purpose,
            ConsentRow.end_s.is_(None),
        )
    ).first()
    if row is None:
        raise StateError(f"{connection}: {party} gave no consent for {purpose} that still holds")
    if end_s < row.start_s:
        raise BooksError(f"{connection}: consent began {instant_text(row.start_s)}: end it later")
    row.end_s = end_s
    desk.session.flush()
    record(
        desk,
        "consent.withdraw",
        connection,
        {"party": party, "purpose": purpose, "to": instant_text(end_s)},
    )
    return _consent(desk, row)


def may_use(desk: Desk, connection: str, purpose: Purpose, at_s: EpochS) -> bool:
    """Return whether the values of a connection may be used for something at an instant [s]."""
    return any(
        known.purpose is purpose
        and known.start_s <= at_s
        and (known.end_s is None or at_s < known.end_s)
        for known in consents(desk, connection)
    )


def consents(desk: Desk, connection: str | None = None, party: str | None = None) -> list[Consent]:
    """Return all consents, or those of a connection or party, in order of writing."""
    query = select(ConsentRow).order_by(ConsentRow.id)
    if connection is not None:
        query = query.where(ConsentRow.connection == connection)
    if party is not None:
        query = query.where(ConsentRow.party == party)
    return [_consent(desk, row) for row in desk.session.scalars(query)]


def _consent(desk: Desk, row: ConsentRow) -> Consent:
    return Consent(
        row.id,
        row.connection,
        row.party,
        Purpose(row.purpose),
        row.start_s,
        row.end_s,
        desk.keys.open(row.evidence),
    )
