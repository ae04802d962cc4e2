"""Live values as server-sent events: sums for everyone, one's own home for its residents."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import StreamingResponse

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.live import MOST_LISTENERS
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.readers import Onlooker, note_helper, onlooker
from api.spoken import Speaker, Spoken
from kwartier.errors import TemporaryError
from kwartier.interval import day_of

AGAIN_S = 30.0
"""How long a listener is taken for the same person before it is looked up anew [s]."""
STILL_HERE = b": still here\n\n"
"""A line that browsers pass over; whoever stands between sees that the stream lives."""
QUIET_S = 10.0
"""How long a stream may say nothing [s]."""


class EventStream(StreamingResponse):
    """An endless answer of server-sent events, which nobody between may keep or hold up."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        """Send each frame as it comes."""
        super().__init__(frames, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})


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

    def same(request: Request, looks: Onlooker) -> bool:
        """Return whether whoever listens may still know what they were told until now."""
        try:
            return onlooker(door.visitor(request), house.clock.now_s(), looks.home) == looks
        except (RefusedError, TemporaryError):
            return False

    @app.get(
        "/api/v1/stream",
        tags=["now"],
        summary="Power and moment, as they change",
        response_class=EventStream,
        status_code=HTTPStatus.OK,
        dependencies=[Depends(room)],
    )
    async def stream(
        request: Request,
        visitor: Annotated[Visitor, anyone],
        looks: Annotated[Onlooker, Depends(looking)],
    ) -> EventStream:
        check = partial(same, request, looks) if visitor.known else None
        return EventStream(_frames(speaker.listen(), looks, check))


async def _frames(
    heard: AsyncGenerator[Spoken | None], looks: Onlooker, check: Callable[[], bool] | None
) -> AsyncIterator[bytes]:
    """Yield what one listener does not know yet, all of a moment at once.

    Who left, or may not look any more, is told nothing more: ``check`` looks them up anew.
    """
    told: dict[str, bytes] = {}
    loop = asyncio.get_running_loop()
    said_s = checked_s = loop.time()
    async with aclosing(heard):
        async for spoken in heard:
            if check is not None and loop.time() - checked_s >= AGAIN_S:
                if not await asyncio.to_thread(check):
                    return
                checked_s = loop.time()
            known = {} if spoken is None else spoken.for_somebody(looks)
            news = {event: frame for event, frame in known.items() if told.get(event) != frame}
            if news or loop.time() - said_s >= QUIET_S:
                said_s = loop.time()
                told |= news
                yield b"".join(news.values()) or STILL_HERE
