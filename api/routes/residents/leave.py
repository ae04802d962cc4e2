"""Leave to steer the own battery: taken back, and given again, by who lives there."""

import logging
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.sheets import go
from api.people.steering import allow_steering, refuse_steering
from api.people.visitor import Visitor
from api.planned.own import allowed_now, own_batteries
from api.problems import RefusedError
from api.readers import onlooker
from api.routes.forms import Form

_log = logging.getLogger(__name__)


def add_leave(app: FastAPI, house: House, door: Doorkeeper) -> None:
    """Add the form of ``/batterij`` that says yes or no to steering the own battery."""
    owner = Depends(Require(door, Need.OWNER))

    @app.post("/batterij/toestemming", include_in_schema=False)
    def decide(visitor: Annotated[Visitor, owner], sent: Form) -> Response:
        now_s = house.clock.now_s()
        looks = onlooker(visitor, now_s)
        mine, yes = own_batteries(house, looks, now_s), sent.get("yes") == "yes"
        if not mine or looks.home is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no battery at your home here")
        if yes and not any(one.steered for one in allowed_now(house.last_plan.newest(), mine)):
            raise RefusedError(
                HTTPStatus.CONFLICT,
                "leave is first given when the battery is tried at the home: ask the board",
            )
        with house.people.writing() as desk:
            if yes:
                allow_steering(desk, visitor.account, looks.home)
            else:
                refuse_steering(desk, visitor.account, looks.home)
        # Also where its battery was told nothing: a book put back from a copy may not hold it.
        said = "allows steering" if yes else "took leave to steer back"
        _log.info("home %s: who lives there %s", looks.home, said)
        return go("/batterij", done=f"leave.{'yes' if yes else 'no'}")
