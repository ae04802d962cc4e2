"""Live values as server-sent events: sums for everyone, one's own home for its residents."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import TypeAdapter

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.live import MOST_LISTENERS
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.schemas import MomentAnswer, PowerAnswer, moment_answer, power_answer
from collectors.power import home_power, street_power

_POWER = TypeAdapter(PowerAnswer)
_MOMENT = TypeAdapter(MomentAnswer)


def add_stream(app: FastAPI, house: House, door: Doorkeeper) -> None:
    """Add ``/api/v1/stream``."""
    anyone = Depends(Require(door, Need.ANYONE))

    def room() -> None:
        if house.live.listening >= MOST_LISTENERS:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many pages listen at once: the page works without, or try again later",
                {"Retry-After": "60"},
            )

    @app.get(
        "/api/v1/stream",
        tags=["now"],
        summary="Power and moment, as they change",
        response_class=EventSourceResponse,
        dependencies=[Depends(room)],
    )
    async def stream(visitor: Annotated[Visitor, anyone]) -> AsyncIterator[ServerSentEvent]:
        told: dict[str, str] = {}
        async for _ in house.live.changes():
            for event, text in (await asyncio.to_thread(_events, visitor)).items():
                if told.get(event) != text:
                    told[event] = text
                    yield ServerSentEvent(event=event, raw_data=text)

    def _events(visitor: Visitor) -> dict[str, str]:
        now_s = house.clock.now_s()
        instants = house.live.instants()
        events = {"signal": _MOMENT.dump_json(moment_answer(house.signals.now()), by_alias=True)}
        street = street_power(house.community, instants, now_s)
        if street is not None:
            own = house.community.connections.get(visitor.home or "")
            power = power_answer(street, home_power(own, instants, now_s) if own else None)
            events["power"] = _POWER.dump_json(power)
        return {name: json.dumps(json.loads(body)) for name, body in events.items()}
