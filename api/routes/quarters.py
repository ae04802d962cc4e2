"""Quarter-hours of any period, page by page: sums for everyone, one's own home for residents."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Query

from api.auth import Doorkeeper, Need, Require, own_home
from api.day import DayQuarter, day_of_house
from api.house import House
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.readers import note_helper, onlooker
from api.routes.series import FIRST_DAY, LAST_DAY
from api.schemas import QuartersAnswer, moment_time, quarter_answer
from api.settled import SettledDays
from kwartier.interval import QUARTER_S, Quarter, day_of, epoch_s

MOST_QUARTERS = 192
"""The most quarters in one answer."""
MOST_SPAN_S = 400 * 86_400
"""The longest period that can be paged through [s]."""


def add_quarters(app: FastAPI, house: House, settled: SettledDays, door: Doorkeeper) -> None:
    """Add ``/api/v1/quarters`` and ``/api/v1/homes/{home}/quarters``."""
    anyone = Depends(Require(door, Need.ANYONE))
    resident = Depends(Require(door, Need.HOME))

    def page(
        address: str,
        span: tuple[datetime, datetime],
        limit: int,
        visitor: Visitor,
        home: str | None = None,
    ) -> QuartersAnswer:
        start_s, end_s = _span(*span)
        until_s = min(end_s, start_s + limit * QUARTER_S)
        looks = onlooker(visitor, house.clock.now_s(), home)
        note_helper(house, visitor, looks.home, day_of(start_s), day_of(until_s - 1))
        found: list[DayQuarter] = []
        at_s = start_s
        while at_s < until_s:
            day = day_of_house(house, settled, day_of(at_s), looks)
            found += [one for one in day.quarters if at_s <= one.start_s < until_s]
            at_s = day.end_s
        following = None
        if until_s < end_s:
            rest = {"from": moment_time(until_s).isoformat(), "to": moment_time(end_s).isoformat()}
            following = f"{address}?{urlencode({**rest, 'limit': limit})}"
        return QuartersAnswer(tuple(map(quarter_answer, found)), following)

    @app.get("/api/v1/quarters", tags=["days"], summary="Quarters of a period, page by page")
    def quarters(
        visitor: Annotated[Visitor, anyone],
        start: Annotated[datetime, Query(alias="from")],
        end: Annotated[datetime, Query(alias="to")],
        limit: Annotated[int, Query(ge=1, le=MOST_QUARTERS)] = 96,
    ) -> QuartersAnswer:
        return page("/api/v1/quarters", (start, end), limit, visitor)

    @app.get("/api/v1/homes/{home}/quarters", tags=["days"], summary="One's own home")
    def home_quarters(
        home: str,
        visitor: Annotated[Visitor, resident],
        start: Annotated[datetime, Query(alias="from")],
        end: Annotated[datetime, Query(alias="to")],
        limit: Annotated[int, Query(ge=1, le=MOST_QUARTERS)] = 96,
    ) -> QuartersAnswer:
        own = own_home(visitor, home)
        return page(f"/api/v1/homes/{own}/quarters", (start, end), limit, visitor, own)


def _span(start: datetime, end: datetime) -> tuple[int, int]:
    """Return a period as whole quarters [s], or refuse it."""
    for name, instant in (("from", start), ("to", end)):
        if instant.tzinfo is None:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{name} {instant.isoformat()} has no offset: end it with 'Z' or '+02:00'",
            )
        if not FIRST_DAY <= instant.date() <= LAST_DAY:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"{name} lies outside the days kept here")
    start_s, end_s = Quarter(epoch_s(start)).start_s, Quarter(epoch_s(end)).start_s
    if not start_s < end_s <= start_s + MOST_SPAN_S:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "to must lie after from, and at most 400 days after it"
        )
    return start_s, end_s
