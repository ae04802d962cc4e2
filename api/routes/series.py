"""The neighbourhood in numbers: now, a day, the plan, a settled day, the moment."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query

from api.auth import Doorkeeper, Need, Require
from api.day import day_of_house, own_day, told_sums
from api.house import House
from api.people.visitor import Visitor
from api.power import power_now
from api.problems import RefusedError
from api.readers import note_helper, onlooker
from api.schemas import (
    DayAnswer,
    MomentAnswer,
    PlanAnswer,
    PowerAnswer,
    SettlementAnswer,
    day_answer,
    moment_answer,
    plan_answer,
    settlement_answer,
)
from api.settled import SettledDays
from collectors.disclosure import MIN_HOMES
from kwartier.interval import day_of

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""The days that can be asked for."""


def add_series(app: FastAPI, house: House, settled: SettledDays, door: Doorkeeper) -> None:
    """Add the addresses below ``/api/v1`` that tell numbers."""
    anyone = Depends(Require(door, Need.ANYONE))

    @app.get("/api/v1/now", tags=["now"], summary="Power at this moment")
    def now(
        visitor: Annotated[Visitor, anyone], home: Annotated[str | None, Query()] = None
    ) -> PowerAnswer:
        found = power_now(house, onlooker(visitor, house.clock.now_s(), home))
        if found is None:
            raise RefusedError(
                HTTPStatus.NOT_FOUND,
                "power is not told now: fewer than six homes were heard in the last 15 minutes, "
                "or one fell silent or came back just now; try again in half an hour",
            )
        return found

    @app.get("/api/v1/moment", tags=["now"], summary="Whether now is a good moment")
    def moment(_: Annotated[Visitor, anyone]) -> MomentAnswer:
        return moment_answer(house.signals.now())

    @app.get("/api/v1/day", tags=["days"], summary="A local day of 92, 96 or 100 quarters")
    def one_day(
        visitor: Annotated[Visitor, anyone],
        date: Annotated[date | None, Query()] = None,
        home: Annotated[str | None, Query()] = None,
    ) -> DayAnswer:
        asked = asked_day(house, date)
        looks = onlooker(visitor, house.clock.now_s(), home)
        note_helper(house, visitor, looks.home, asked, asked)
        return day_answer(day_of_house(house, settled, asked, looks))

    @app.get("/api/v1/plan", tags=["plan"], summary="The batteries' plan in force, with reasons")
    def plan(visitor: Annotated[Visitor, anyone]) -> PlanAnswer:
        current = house.plans.current()
        if current is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "nothing was planned yet: try again later")
        now_s = house.clock.now_s()
        return plan_answer(current, onlooker(visitor, now_s).reader, now_s)

    @app.get("/api/v1/settlement", tags=["days"], summary="A day settled, as far as it is known")
    def settlement(
        visitor: Annotated[Visitor, anyone],
        date: Annotated[date | None, Query()] = None,
        home: Annotated[str | None, Query()] = None,
    ) -> SettlementAnswer:
        asked = asked_day(house, date)
        now_s = house.clock.now_s()
        looks = onlooker(visitor, now_s, home)
        if len(house.community.connections) < MIN_HOMES:
            raise RefusedError(HTTPStatus.NOT_FOUND, "fewer than six homes: sums would show one")
        note_helper(house, visitor, looks.home, asked, asked)
        sums = told_sums(house, settled, asked, looks.reader)
        found = settled.of(asked)
        own = own_day(settled, asked, looks)
        return settlement_answer(asked, found, sums, own, over=asked < day_of(now_s))


def asked_day(house: House, day: date | None) -> date:
    """Return the day that was asked for, today when none was; far away days do not exist."""
    if day is None:
        return day_of(house.clock.now_s())
    if not FIRST_DAY <= day <= LAST_DAY:
        raise RefusedError(
            HTTPStatus.NOT_FOUND, f"there is no day {day} here: ask from {FIRST_DAY} to {LAST_DAY}"
        )
    return day
