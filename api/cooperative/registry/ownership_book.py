"""Who owns a connection when: half-open windows from local midnight to local midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError, StateError
from api.cooperative.officers import CLERKS
from api.cooperative.registry.connection_book import known_connection
from api.cooperative.registry.party_book import known_party
from api.cooperative.registry.supply_book import participation
from api.cooperative.stamp import stamp
from api.cooperative.tables.registry import OwnershipRow
from kwartier.interval import day_of, local_day
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.settling.period import Ownership


@dataclass(frozen=True, slots=True)
class OwnershipWindow:
    """Who owns a connection from a local day up to, not including, another; None has no end."""

    id: int
    connection: str
    party: str
    from_day: date
    to_day: date | None


def own(
    desk: Desk, connection: str, party: str, from_day: date, to_day: date | None = None
) -> OwnershipWindow:
    """Let a party own a connection in ``[from_day, to_day)``; the same again changes nothing.

    Raises:
        ConflictError: Somebody owns it in a part of that time.
    """
    desk.officer.need(*CLERKS)
    known_connection(desk, connection)
    known_party(desk, party)
    if to_day is not None and to_day <= from_day:
        raise BooksError(f"{connection}: ownership ends {to_day}, not after {from_day}")
    start_s, end_s = midnight_s(from_day), None if to_day is None else midnight_s(to_day)
    for row in _touching(desk, connection, start_s, end_s):
        if (row.party, row.start_s, row.end_s) == (party, start_s, end_s):
            return _window(row)
        raise ConflictError(
            f"{connection} is owned by {row.party} from {day_of(row.start_s)}"
            f"{f' to {day_of(row.end_s)}' if row.end_s is not None else ', without an end'}: "
            "end that first with `kwartier coop own end`"
        )
    row = OwnershipRow(
        connection=connection,
        party=party,
        start_s=start_s,
        end_s=end_s,
        withdrawn_at_s=None,
        **stamp(desk),
    )
    desk.session.add(row)
    desk.session.flush()
    facts: Json = {
        "party": party,
        "from": from_day.isoformat(),
        "to": None if to_day is None else to_day.isoformat(),
    }
    record(desk, "ownership.add", connection, facts)
    return _window(row)


def end_ownership(desk: Desk, connection: str, to_day: date) -> OwnershipWindow:
    """End the window that is open; from ``to_day`` on nobody owns the connection."""
    desk.officer.need(*CLERKS)
    row = desk.session.scalars(
        select(OwnershipRow).where(
            OwnershipRow.connection == connection,
            OwnershipRow.end_s.is_(None),
            OwnershipRow.withdrawn_at_s.is_(None),
        )
    ).first()
    if row is None:
        raise StateError(f"{connection} has no owner without an end: see `kwartier coop own list`")
    if midnight_s(to_day) <= row.start_s:
        raise BooksError(f"{connection}: ownership began {day_of(row.start_s)}: end it later")
    row.end_s = midnight_s(to_day)
    desk.session.flush()
    record(desk, "ownership.end", connection, {"party": row.party, "to": to_day.isoformat()})
    return _window(row)


def hand_over(
    desk: Desk, connection: str, party: str, from_day: date, to_day: date | None = None
) -> OwnershipWindow:
    """End the window that is open and let another party own the connection from then on."""
    end_ownership(desk, connection, from_day)
    return own(desk, connection, party, from_day, to_day)


def withdraw_ownership(desk: Desk, window: int, reason: str) -> None:
    """Take back a window that was a mistake; it stays on record and counts no more."""
    desk.officer.need(*CLERKS)
    row = desk.session.get(OwnershipRow, window)
    if row is None or row.withdrawn_at_s is not None:
        raise StateError(f"ownership {window} is not in force: see `kwartier coop own list`")
    row.withdrawn_at_s = desk.at_s
    desk.session.flush()
    record(
        desk,
        "ownership.withdraw",
        row.connection,
        {"party": row.party, "window": window, "reason": reason},
    )


def windows(
    desk: Desk, connection: str | None = None, party: str | None = None
) -> list[OwnershipWindow]:
    """Return the windows in force, by connection and start."""
    query = select(OwnershipRow).where(OwnershipRow.withdrawn_at_s.is_(None))
    if connection is not None:
        query = query.where(OwnershipRow.connection == connection)
    if party is not None:
        query = query.where(OwnershipRow.party == party)
    ordered = query.order_by(OwnershipRow.connection, OwnershipRow.start_s)
    return [_window(row) for row in desk.session.scalars(ordered)]


def ownership_between(desk: Desk, start_s: EpochS, end_s: EpochS) -> tuple[Ownership, ...]:
    """Return who settles what in ``[start_s, end_s)``, by connection and start.

    Windows are whole: they may begin before and end after. A connection takes part only while
    its supplier is the sharing group's, so a change of supplier cuts its window.

    Source:
        Section 6.10 of docs/settlement.md; one supplier for a group: section 1.
    """
    overlapping = desk.session.scalars(
        select(OwnershipRow)
        .where(
            OwnershipRow.withdrawn_at_s.is_(None),
            OwnershipRow.start_s < end_s,
            or_(OwnershipRow.end_s.is_(None), OwnershipRow.end_s > start_s),
        )
        .order_by(OwnershipRow.connection, OwnershipRow.start_s)
    )
    owned = [Ownership(row.connection, row.party, row.start_s, row.end_s) for row in overlapping]
    spans = participation(desk, {window.connection for window in owned})
    return tuple(
        part
        for window in owned
        for part in _within(window, spans[window.connection])
        if part.start_s < end_s and (part.end_s is None or part.end_s > start_s)
    )


def midnight_s(day: date) -> EpochS:
    """Return the first instant of a local day [s]."""
    return local_day(day)[0]


def _within(window: Ownership, spans: tuple[tuple[EpochS, EpochS | None], ...]) -> list[Ownership]:
    """Return the parts of a window that lie in some spans."""
    parts = []
    for begin_s, end_s in spans:
        start_s = max(window.start_s, begin_s)
        ends = [end for end in (window.end_s, end_s) if end is not None]
        until_s = min(ends) if ends else None
        if until_s is None or start_s < until_s:
            parts.append(Ownership(window.connection, window.member, start_s, until_s))
    return parts


def _touching(
    desk: Desk, connection: str, start_s: EpochS, end_s: EpochS | None
) -> list[OwnershipRow]:
    query = select(OwnershipRow).where(
        OwnershipRow.connection == connection,
        OwnershipRow.withdrawn_at_s.is_(None),
        or_(OwnershipRow.end_s.is_(None), OwnershipRow.end_s > start_s),
    )
    if end_s is not None:
        query = query.where(OwnershipRow.start_s < end_s)
    return list(desk.session.scalars(query.order_by(OwnershipRow.start_s)))


def _window(row: OwnershipRow) -> OwnershipWindow:
    return OwnershipWindow(
        row.id,
        row.connection,
        row.party,
        day_of(row.start_s),
        None if row.end_s is None else day_of(row.end_s),
    )
