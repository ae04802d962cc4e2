"""An installer's homes of now: whether each device speaks, and which way its power points."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.health.gateways import Link
from api.health.happened import EventAnswer, event_answer, happened_at
from api.health.workplace import DeviceKind, Workplace, workplace
from api.house import House
from api.pages.sheets import Sheets
from api.people.looks import note_look
from api.people.visitor import Visitor
from api.schemas import time_or_none
from kwartier.interval import day_of

COMMISSIONING = "commissioning"
"""What an installer's look is called in the log."""


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """A device; its powers are of the last five minutes."""

    kind: DeviceKind
    device: str
    heard: datetime | None
    powers_w: dict[str, int]


@dataclass(frozen=True, slots=True)
class WorkplaceAnswer:
    """A home somebody may work at now."""

    home: str
    gateway: str
    broken: Link
    devices: tuple[DeviceAnswer, ...]
    events: tuple[EventAnswer, ...]


@dataclass(frozen=True, slots=True)
class WorkAnswer:
    """Every home somebody may work at now; homes that are not in the neighbourhood are left out."""

    homes: tuple[WorkplaceAnswer, ...]


def add_work(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/i`` and ``/api/v1/work``."""
    installer = Depends(Require(door, Need.INSTALLER))

    def places(visitor: Visitor) -> list[Workplace]:
        found = [workplace(house, home) for home in sorted(visitor.works_at)]
        known = [each for each in found if each is not None]
        today = day_of(house.clock.now_s())
        for each in known:
            note_look(house.people, visitor, each.home, COMMISSIONING, today, today)
        return known

    @app.get("/i", include_in_schema=False)
    def page(request: Request, visitor: Annotated[Visitor, installer]) -> Response:
        found = places(visitor)
        values = {
            "places": found,
            "events": {each.home: happened_at(house, each.home) for each in found},
            "now_s": int(house.clock.now_s()),
        }
        return sheets.show(
            request, visitor, "ops_work.html", values, title="title.work", tab="work"
        )

    @app.get("/api/v1/work", tags=["operations"], summary="Devices at the homes I work at now")
    def told(visitor: Annotated[Visitor, installer]) -> WorkAnswer:
        return WorkAnswer(tuple(_answer(house, place) for place in places(visitor)))


def _answer(house: House, place: Workplace) -> WorkplaceAnswer:
    return WorkplaceAnswer(
        place.home,
        place.gateway,
        place.links.broken,
        tuple(
            DeviceAnswer(each.kind, each.device, time_or_none(each.heard_s), each.powers_w)
            for each in place.devices
        ),
        tuple(map(event_answer, happened_at(house, place.home))),
    )
