"""Live values as server-sent events: sums for everyone, one's own home for its residents."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.live import MOST_LISTENERS
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.readers import Onlooker, note_helper, onlooker
from api.spoken import Speaker
from kwartier.interval import day_of


def add_stream(app: FastAPI, house: House, door: Doorkeeper) -> None:
    """Add ``/api/v1/stream``."""
    anyone = Depends(Require(door, Need.ANYONE))
    speaker = Speaker(house)

    def room() -> None:
        if house.live.listening >= MOST_LISTENERS:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many pages listen at once: the page works without, or try again later",
                {"Retry-After": "60"},
            )

    def looking(
        visitor: Annotated[Visitor, anyone], home: Annotated[str | None, Query()] = None
    ) -> Onlooker:
        now_s = house.clock.now_s()
        looks = onlooker(visitor, now_s, home)
        note_helper(house, visitor, looks.home, day_of(now_s), day_of(now_s))
        return looks

    @app.get(
        "/api/v1/stream",
        tags=["now"],
        summary="Power and moment, as they change",
        response_class=EventSourceResponse,
        dependencies=[Depends(room)],
    )
    async def stream(
        _: Annotated[Visitor, anyone], looks: Annotated[Onlooker, Depends(looking)]
    ) -> AsyncIterator[ServerSentEvent]:
        told: dict[str, str] = {}
        async for spoken in speaker.listen():
            for event, text in spoken.for_somebody(looks).items():
                if told.get(event) != text:
                    told[event] = text
                    yield ServerSentEvent(event=event, raw_data=text)
