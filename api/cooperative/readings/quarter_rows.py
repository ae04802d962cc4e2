"""One row of a file of quarters: whose, which quarter, and what it counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.readings.days import ESTIMATED, MEASURED, MISSING, Direction
from api.cooperative.registry.connection_book import PHASE_VOLT
from api.cooperative.tables.registry import ConnectionRow
from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE, QUARTER_S, Quarter, epoch_s, parse_instant
from kwartier.units import EpochS, Watt, Wh, wh_from_kwh

REQUIRED = ("connection",)
"""Columns that a file must have, beside one that says when."""
ALLOWED = (
    "utc",
    "local",
    "connection",
    "import_kwh",
    "export_kwh",
    "charge_kwh",
    "discharge_kwh",
    "quality",
)
"""Columns that a file may have; a battery's own connection charges and discharges."""

_ENERGIES = {
    "import_kwh": Direction.IMPORT,
    "export_kwh": Direction.EXPORT,
    "charge_kwh": Direction.CHARGE,
    "discharge_kwh": Direction.DISCHARGE,
}
_EAN = re.compile(r"[0-9]{18}", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_QUALITIES = {
    "": MEASURED,
    "m": MEASURED,
    "measured": MEASURED,
    "gemeten": MEASURED,
    "e": ESTIMATED,
    "estimated": ESTIMATED,
    "geschat": ESTIMATED,
    "-": MISSING,
    "missing": MISSING,
    "ontbreekt": MISSING,
}


@dataclass(frozen=True, slots=True)
class KnownConnection:
    """A connection as far as taking in values needs it.

    Attributes:
        id: Its name.
        limit_w: The most it carries [W].
    """

    id: str
    limit_w: Watt


@dataclass(frozen=True, slots=True)
class Registered:
    """All connections of the registry.

    Attributes:
        by_name: By their names.
        by_print: By the fingerprints of their EANs.
    """

    by_name: Mapping[str, KnownConnection]
    by_print: Mapping[str, KnownConnection]

    @classmethod
    def of(cls, desk: Desk) -> Registered:
        """Read them."""
        rows = desk.session.execute(
            select(
                ConnectionRow.id,
                ConnectionRow.ean_fingerprint,
                ConnectionRow.fuse_ampere,
                ConnectionRow.phases,
            )
        )
        by_name, by_print = {}, {}
        for name, fingerprint, ampere, phases in rows:
            known = KnownConnection(name, ampere * phases * PHASE_VOLT)
            by_name[name] = by_print[fingerprint] = known
        return cls(by_name, by_print)

    @property
    def limits_w(self) -> dict[str, Watt]:
        """The most each connection carries [W]."""
        return {name: known.limit_w for name, known in self.by_name.items()}


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads one row; what is wrong with it is a ContractError."""

    desk: Desk
    registered: Registered
    stamps_end: bool = False

    def connection(self, cells: Mapping[str, str]) -> KnownConnection:
        """Return whose row it is; an EAN is never in the message."""
        named = cells["connection"]
        if _EAN.fullmatch(named):
            known = self.registered.by_print.get(self.desk.keys.fingerprint(named))
            shown = f"EAN …{named[-4:]}"
        elif _FINGERPRINT.fullmatch(named):
            known, shown = self.registered.by_print.get(named), f"fingerprint {named[:8]}…"
        else:
            known, shown = self.registered.by_name.get(named), f"connection {named[:32]!r}"
        if known is None:
            raise ContractError(f"{shown} is not in the registry")
        return known

    def start_s(self, cells: Mapping[str, str]) -> EpochS:
        """Return the start of the row's quarter."""
        utc, local = cells.get("utc", ""), cells.get("local", "")
        if bool(utc) == bool(local):
            raise ContractError("give either utc or local, and one of them only")
        at = _utc(utc) if utc else _local(local)
        if at.microsecond:
            raise ContractError(f"{utc or local} is no whole second")
        if not 2000 <= at.year < 2100:
            raise ContractError(f"{(utc or local)[:32]}: the year is not from 2000 to 2099")
        return Quarter(epoch_s(at) - (QUARTER_S if self.stamps_end else 0)).start_s


def energies_of(cells: Mapping[str, str]) -> dict[Direction, tuple[Wh, str]]:
    """Return what a row knows; an empty cell tells nothing."""
    letter = _QUALITIES.get(cells.get("quality", "").lower())
    if letter is None:
        raise ContractError(
            f"quality {cells['quality'][:20]!r}: use measured, estimated or missing"
        )
    if letter == MISSING:
        return {}
    return {
        direction: (wh_from_kwh(cells[column]), letter)
        for column, direction in _ENERGIES.items()
        if cells.get(column)
    }


def _utc(text: str) -> datetime:
    """Return an instant whose column says that it is in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return parse_instant(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else parse_instant(text)


def _local(text: str) -> datetime:
    """Return an instant on the clock at home, which its offset must fit."""
    at = parse_instant(text)
    written = datetime.fromisoformat(text).utcoffset()
    if at.astimezone(HOME_ZONE).utcoffset() != written:
        raise ContractError(f"{text[:32]} is no time on the clock at home: its offset is another")
    return at
