"""Who supplies a connection: a sharing group has one supplier, and who leaves it leaves the group.

The group's supplier is the rule ``sharing_supplier`` where that was decided; else every
connection's first supplier is taken for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TypeAlias

from sqlalchemy import select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.law.parameter import SHARING_SUPPLIER, parameter, steps_of
from api.cooperative.officers import CLERKS
from api.cooperative.stamp import stamp
from api.cooperative.tables.registry import SupplyRow
from kwartier.identity import checked_name
from kwartier.interval import local_day
from kwartier.units import EpochS

START_S = 0
"""Since when a connection's first supplier is taken to supply it [s]."""
Span: TypeAlias = tuple[EpochS, EpochS | None]
"""``[start, end)`` [s]; None has no end."""


def add_supply(desk: Desk, connection: str, supplier: str, start_s: EpochS) -> None:
    """Let a supplier supply a connection from an instant on [s]."""
    row = SupplyRow(connection=connection, supplier=supplier, start_s=start_s, **stamp(desk))
    desk.session.add(row)
    desk.session.flush()


def change_supplier(desk: Desk, connection: str, supplier: str, from_day: date) -> tuple[str, ...]:
    """Let another supplier supply a connection from a local day on; return warnings.

    Taking part ends at that instant when the sharing group has another supplier.
    """
    desk.officer.need(*CLERKS)
    checked_name(supplier, "supplier")
    start_s = local_day(from_day)[0]
    before = supplier_at(desk, connection, start_s)
    if before == supplier:
        return ()
    add_supply(desk, connection, supplier, start_s)
    record(
        desk,
        "connection.supplier",
        connection,
        {"supplier": supplier, "from": from_day.isoformat()},
        {"supplier": before},
    )
    spans = participation(desk, [connection])[connection]
    if any(begin_s <= start_s and (end_s is None or start_s < end_s) for begin_s, end_s in spans):
        return ()
    left = f"{connection} no longer takes part from {from_day}"
    return (f"{left}: {supplier} is not the supplier of the sharing group",)


def supplier_at(desk: Desk, connection: str, at_s: EpochS) -> str:
    """Return who supplies a connection at an instant [s]."""
    return suppliers_of(desk, [(connection, at_s)])[0]


def suppliers_of(desk: Desk, wanted: Sequence[tuple[str, EpochS]]) -> list[str]:
    """Return who supplies each of some connections at an instant of its own [s].

    Raises:
        BooksError: A connection is not known.
    """
    rows: dict[str, list[SupplyRow]] = {}
    for row in _supplies(desk, {name for name, _ in wanted}):
        rows.setdefault(row.connection, []).append(row)
    told = []
    for name, at_s in wanted:
        found = [row.supplier for row in rows.get(name, ()) if row.start_s <= at_s]
        if not found:
            raise BooksError(f"connection {name[:40]!r} is not known: add it first")
        told.append(found[-1])
    return told


def suppliers_at(desk: Desk, at_s: EpochS) -> dict[str, str]:
    """Return who supplies each connection at an instant [s]."""
    rows = desk.session.scalars(
        select(SupplyRow).where(SupplyRow.start_s <= at_s).order_by(SupplyRow.start_s, SupplyRow.id)
    )
    return {row.connection: row.supplier for row in rows}


def supplier_note(desk: Desk, connection: str) -> str:
    """Return what an officer must know of a connection's supplier and the group; else nothing.

    Source:
        Amendment 56 of 2024-06-04: energy is shared through one and the same supplier.
    """
    suppliers = suppliers_at(desk, desk.at_s)
    own = suppliers[connection]
    wanted = parameter(desk, SHARING_SUPPLIER, desk.at_s).value
    if wanted and own != wanted:
        return f"{connection} takes no part: {own} is not the sharing group's supplier, {wanted}"
    others = sorted(set(suppliers.values()) - {own})
    if not wanted and others:
        return (
            f"{connection} has {own}, others have {', '.join(others)}: a sharing group has one "
            f"supplier; decide which with `kwartier coop parameter set {SHARING_SUPPLIER}`"
        )
    return ""


def participation(desk: Desk, connections: Collection[str]) -> dict[str, tuple[Span, ...]]:
    """Return when each connection's supplier is that of the sharing group."""
    group = steps_of(desk, SHARING_SUPPLIER)
    rows: dict[str, list[SupplyRow]] = {name: [] for name in connections}
    for row in _supplies(desk, connections):
        rows[row.connection].append(row)
    return {name: _spans(supplies, group) for name, supplies in rows.items()}


def _spans(supplies: Sequence[SupplyRow], group: Sequence[tuple[EpochS, str]]) -> tuple[Span, ...]:
    """Return when a connection's supplier and the group's are the same."""
    starts = sorted({row.start_s for row in supplies} | {start_s for start_s, _ in group})
    spans: list[Span] = []
    for place, start_s in enumerate(starts):
        supplied = [row.supplier for row in supplies if row.start_s <= start_s]
        wanted = [name for begin_s, name in group if begin_s <= start_s and name]
        if not supplied or supplied[-1] != (wanted[-1] if wanted else supplies[0].supplier):
            continue
        end_s = starts[place + 1] if place + 1 < len(starts) else None
        if spans and spans[-1][1] == start_s:
            spans[-1] = spans[-1][0], end_s
        else:
            spans.append((start_s, end_s))
    return tuple(spans)


def _supplies(desk: Desk, connections: Collection[str]) -> list[SupplyRow]:
    """Return the supplies of connections by start; of the same start the newest comes last."""
    query = select(SupplyRow).order_by(SupplyRow.start_s, SupplyRow.id)
    if len(connections) == 1:
        query = query.where(SupplyRow.connection.in_(connections))
    wanted = set(connections)
    return [row for row in desk.session.scalars(query) if row.connection in wanted]
