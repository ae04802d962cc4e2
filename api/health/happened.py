"""What gateways told of themselves: who keeps them going, works at a home or lives there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.health.gateways import enrolled
from api.house import House
from api.people.visitor import Visitor
from api.schemas import moment_time
from collectors.happenings import Happening
from kwartier.events import EventKind
from kwartier.units import EpochS

MOST_AT_HOME = 5
"""How many happenings of one home are shown to who works there."""


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """What happened on a gateway; ``device`` is null for the gateway itself.

    ``at`` is the last time, ``reason`` what the gateway said of it in English.
    """

    gateway: str
    kind: EventKind
    device: str | None
    at: datetime
    times: int
    reason: str


def event_answer(one: Happening) -> EventAnswer:
    """Return a happening as programs read it."""
    return EventAnswer(
        one.gateway, one.kind, one.device, moment_time(one.at_s), one.times, one.reason
    )


def by_kind(found: list[Happening]) -> list[tuple[EventKind, list[Happening]]]:
    """Return happenings, each kind once with its gateways, the newest kind first."""
    alike: dict[EventKind, list[Happening]] = {}
    for one in found:
        alike.setdefault(one.kind, []).append(one)
    return list(alike.items())


def happened_at(house: House, home: str) -> list[Happening]:
    """Return what happened at one home of late, newest first.

    Of a gateway that reads other homes as well, only what concerns itself and this home's devices.
    """
    connection = house.community.connections.get(home)
    if connection is None:
        return []
    alone = enrolled(house)[connection.gateway] == (home,)
    own = {None, connection.meter, connection.solar}
    found = house.records.happenings({connection.gateway})
    return [one for one in found if alone or one.device in own][:MOST_AT_HOME]


def meter_swapped_s(house: House, visitor: Visitor) -> EpochS | None:
    """Return when another meter began to measure in a visitor's home of now [s].

    None where none did of late, or before they lived there.
    """
    connection = house.community.connections.get(visitor.home or "")
    if connection is None:
        return None
    for one in house.records.happenings({connection.gateway}):
        if (one.kind, one.device) == (EventKind.METER_SWAPPED, connection.meter):
            return one.at_s if visitor.lived_in(connection.id, one.at_s) else None
    return None
