"""Connections to the grid: EAN, fuse, and what reads them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.officers import CLERKS
from api.cooperative.plain_text import checked_line
from api.cooperative.registry.supply_book import START_S, add_supply, supplier_at, suppliers_at
from api.cooperative.stamp import stamp
from api.cooperative.tables.registry import ConnectionRow
from kwartier.errors import ContractError
from kwartier.identity import checked_ean, checked_name
from kwartier.units import Watt

PHASE_VOLT = 230
"""Nominal voltage of a phase [V]; EN 50160."""
MAX_FUSE_AMPERE = 1000


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to the grid.

    Attributes:
        id: Its name in the cooperative, such as ``huis-12``.
        ean: Its EAN-18. Personal.
        supplier: Who bills the rest now, as a short name such as ``greenchoice``.
        fuse_ampere: Its main fuse [A].
        phases: 1 or 3.
        grid_area: Its grid area or substation; empty when it is not known.
        gateway: The gateway that reads it; empty without one.
        meter: The meter's name on that gateway.

    Raises:
        ContractError: A value is no such thing; the EAN is not in the message.
    """

    id: str
    ean: str
    supplier: str
    fuse_ampere: int = 25
    phases: int = 3
    grid_area: str = ""
    gateway: str = ""
    meter: str = "p1"

    def __post_init__(self) -> None:
        checked_name(self.id, "connection")
        try:
            checked_ean(self.ean)
        except ContractError as error:
            raise ContractError(f"connection {self.id}: {error}") from None
        checked_name(self.supplier, f"connection {self.id}: supplier")
        if not 0 < self.fuse_ampere <= MAX_FUSE_AMPERE:
            raise ContractError(
                f"connection {self.id}: fuse of {self.fuse_ampere} A: use 1 to 1000"
            )
        if self.phases not in {1, 3}:
            raise ContractError(f"connection {self.id}: {self.phases} phases: use 1 or 3")
        checked_line(self.grid_area, f"connection {self.id}: grid area", 0, 32)
        for value, what in ((self.gateway, "gateway"), (self.meter, "meter")):
            if value:
                checked_name(value, f"connection {self.id}: {what}")

    @property
    def limit_w(self) -> Watt:
        """The most its fuse allows, per direction [W]."""
        return self.fuse_ampere * self.phases * PHASE_VOLT

    @property
    def masked_ean(self) -> str:
        """The EAN with all but its last four digits hidden."""
        return f"…{self.ean[-4:]}"


def add_connection(desk: Desk, connection: Connection) -> None:
    """Add a connection; adding the same one again changes nothing.

    Raises:
        ConflictError: That id or that EAN is there already for something else.
    """
    desk.officer.need(*CLERKS)
    if desk.session.get(ConnectionRow, connection.id) is not None:
        _refuse_another(desk, connection)
        return
    fingerprint = desk.keys.fingerprint(connection.ean)
    other = desk.session.scalars(
        select(ConnectionRow.id).where(ConnectionRow.ean_fingerprint == fingerprint)
    ).first()
    if other is not None:
        raise ConflictError(
            f"connection {connection.id}: its EAN belongs to {other} already: compare both"
        )
    desk.session.add(
        ConnectionRow(
            id=connection.id,
            ean=desk.keys.seal(connection.ean),
            ean_fingerprint=fingerprint,
            fuse_ampere=connection.fuse_ampere,
            phases=connection.phases,
            grid_area=connection.grid_area,
            gateway=connection.gateway,
            meter=connection.meter,
            **stamp(desk),
        )
    )
    desk.session.flush()
    add_supply(desk, connection.id, connection.supplier, START_S)
    record(
        desk,
        "connection.add",
        connection.id,
        {
            "supplier": connection.supplier,
            "fuse_ampere": connection.fuse_ampere,
            "phases": connection.phases,
        },
    )


def change_connection(desk: Desk, connection: Connection) -> tuple[str, ...]:
    """Write another fuse, grid area, gateway or meter, and return which changed.

    Raises:
        BooksError: There is no such connection, or EAN or supplier differ: those have words of
            their own.
    """
    desk.officer.need(*CLERKS)
    known = connection_of(desk, connection.id)
    if (known.ean, known.supplier) != (connection.ean, connection.supplier):
        raise BooksError(f"connection {connection.id}: EAN and supplier are not changed like this")
    row = desk.session.get(ConnectionRow, connection.id)
    names = ("fuse_ampere", "phases", "grid_area", "gateway", "meter")
    changed = tuple(name for name in names if getattr(known, name) != getattr(connection, name))
    for name in changed:
        setattr(row, name, getattr(connection, name))
    if changed:
        record(
            desk,
            "connection.change",
            connection.id,
            {name: getattr(connection, name) for name in changed},
            {name: getattr(known, name) for name in changed},
        )
    return changed


def connection_of(desk: Desk, connection: str) -> Connection:
    """Return a connection, opened; its supplier is today's.

    Raises:
        BooksError: There is no such connection.
    """
    row = known_connection(desk, connection)
    return _opened(desk, row, supplier_at(desk, connection, desk.at_s))


def known_connection(desk: Desk, connection: str) -> ConnectionRow:
    """Return the row of a connection, nothing opened.

    Raises:
        BooksError: There is no such connection.
    """
    row = desk.session.get(ConnectionRow, connection)
    if row is None:
        raise BooksError(
            f"connection {connection[:40]!r} is not known: see `kwartier coop connection list`"
        )
    return row


def connections(desk: Desk) -> list[Connection]:
    """Return all connections, opened, by id."""
    rows = desk.session.scalars(select(ConnectionRow).order_by(ConnectionRow.id))
    suppliers = suppliers_at(desk, desk.at_s)
    return [_opened(desk, row, suppliers[row.id]) for row in rows]


def _opened(desk: Desk, row: ConnectionRow, supplier: str) -> Connection:
    return Connection(
        row.id,
        desk.keys.open(row.ean),
        supplier,
        row.fuse_ampere,
        row.phases,
        row.grid_area,
        row.gateway,
        row.meter,
    )


def _refuse_another(desk: Desk, connection: Connection) -> None:
    known = connection_of(desk, connection.id)
    different = [
        field.name
        for field in fields(Connection)
        if getattr(known, field.name) != getattr(connection, field.name)
    ]
    if different:
        raise ConflictError(
            f"connection {connection.id} is there already with another {', '.join(different)}: "
            "use another id, or the words that change those"
        )
