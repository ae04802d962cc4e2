"""Handovers as they are read again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from api.people.book import PeopleDesk
from api.people.tables import HandoverRow
from gateway.enrol.signed import opened
from kwartier.identity import GatewayId
from kwartier.units import EpochS
from kwartier.wire import Json

MOST_LINES = 400
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Handover:
    """How a home was handed over.

    Attributes:
        gateway: By which gateway.
        home: Of which home.
        at_s: When the server got it [s].
        hash: The SHA-256 of what was signed.
        record: What was measured and agreed. Personal data.
        signed: The same as it came, with its signature.
    """

    gateway: GatewayId
    home: str
    at_s: EpochS
    hash: str
    record: Mapping[str, Json]
    signed: Mapping[str, Json]

    def __repr__(self) -> str:
        return f"Handover({self.gateway!r})"

    def lines(self) -> list[tuple[str, str]]:
        """Return the record line by line: the place, and what stands there."""
        found = _lines("", dict(self.record), DEEPEST)
        return [line for line, _ in zip(found, range(MOST_LINES), strict=False)]


def newest_handover(desk: PeopleDesk, gateway: GatewayId) -> Handover | None:
    """Return the newest handover of a gateway, or None."""
    wanted = select(HandoverRow).where(HandoverRow.gateway == gateway)
    row = desk.session.scalars(wanted.order_by(HandoverRow.id.desc())).first()
    if row is None:
        return None
    signed = json.loads(desk.keys.open(row.record))
    return Handover(row.gateway, row.home, row.at_s, row.hash, opened(signed).body, signed)


def _lines(place: str, value: Json, deep: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and deep:
        for name, inner in value.items():
            yield from _lines(f"{place} {name}".strip(), inner, deep - 1)
    elif isinstance(value, list) and deep:
        for number, inner in enumerate(value, 1):
            yield from _lines(f"{place} {number}".strip(), inner, deep - 1)
    else:
        yield place, json.dumps(value, ensure_ascii=False).strip('"')
