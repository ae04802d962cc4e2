"""The neighbourhood in numbers: now, a day, the plan, a settled day, the moment."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query

from api.auth import Doorkeeper, Need, Require
from api.day import day_of_house
from api.house import House
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.schemas import (
    DayAnswer,
    MomentAnswer,
    PlanAnswer,
    PowerAnswer,
    SettlementAnswer,
    day_answer,
    moment_answer,
    plan_answer,
    power_answer,
    settlement_answer,
)
from api.settled import SettledDays
from collectors.disclosure import MIN_HOMES
from collectors.power import home_power, street_power
from kwartier.interval import day_of

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""The days that can be asked for."""


def add_series(app: FastAPI, house: House, settled: SettledDays, door: Doorkeeper) -> None:
    """Add the addresses below ``/api/v1`` that tell numbers."""
    anyone = Depends(Require(door, Need.ANYONE))

    @app.get("/api/v1/now", tags=["now"], summary="Power at this moment")
    def now(visitor: Annotated[Visitor, anyone]) -> PowerAnswer:
        now_s = house.clock.now_s()
        instants = house.live.instants()
        street = street_power(house.community, instants, now_s)
        if street is None:
            raise RefusedError(
                HTTPStatus.NOT_FOUND,
                "fewer than five homes were heard in the last 15 minutes: "
                "a sum over them would show one; try again later",
            )
        own = visitor.home and house.community.connections.get(visitor.home)
        return power_answer(street, home_power(own, instants, now_s) if own else None)

    @app.get("/api/v1/moment", tags=["now"], summary="Whether now is a good moment")
    def moment(_: Annotated[Visitor, anyone]) -> MomentAnswer:
        return moment_answer(house.signals.now())

    @app.get("/api/v1/day", tags=["days"], summary="A local day of 92, 96 or 100 quarters")
    def one_day(
        visitor: Annotated[Visitor, anyone], date: Annotated[date | None, Query()] = None
    ) -> DayAnswer:
        return day_answer(day_of_house(house, settled, asked_day(house, date), visitor.home))

    @app.get("/api/v1/plan", tags=["plan"], summary="The batteries' plan in force, with reasons")
    def plan(_: Annotated[Visitor, anyone]) -> PlanAnswer:
        current = house.plans.current()
        if current is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "nothing was planned yet: try again later")
        return plan_answer(current)

    @app.get("/api/v1/settlement", tags=["days"], summary="A day settled, as far as it is known")
    def settlement(
        visitor: Annotated[Visitor, anyone], date: Annotated[date | None, Query()] = None
    ) -> SettlementAnswer:
        asked = asked_day(house, date)
        if len(house.community.connections) < MIN_HOMES:
            raise RefusedError(HTTPStatus.NOT_FOUND, "fewer than five homes: sums would show one")
        over = asked < day_of(house.clock.now_s())
        return settlement_answer(asked, settled.of(asked), visitor.home, over=over)


def asked_day(house: House, day: date | None) -> date:
    """Return the day that was asked for, today when none was; far away days do not exist."""
    if day is None:
        return day_of(house.clock.now_s())
    if not FIRST_DAY <= day <= LAST_DAY:
        raise RefusedError(
            HTTPStatus.NOT_FOUND, f"there is no day {day} here: ask from {FIRST_DAY} to {LAST_DAY}"
        )
    return day
