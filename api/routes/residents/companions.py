"""Laat iemand meekijken: a resident makes a link, somebody opens it, and either may end it."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.qr import qr_picture
from api.pages.sheets import Sheets, go, language_of
from api.people.companions import (
    MOST_DAYS,
    MOST_LIVE,
    MOST_NAME,
    USUAL_DAYS,
    CompanionState,
    come_along,
    companion_of,
    companions,
    end_companion,
    invite,
)
from api.people.errors import DeniedError, PeopleError, TooOftenError, UnknownError
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.forms import Form
from api.routes.residents.looks import Number
from api.schemas import moment_time, time_or_none
from kwartier.interval import day_of

CHOICES = (1, 7, USUAL_DAYS, 30, MOST_DAYS)
"""For how many days a link may be made, as the form offers it."""


@dataclass(frozen=True, slots=True)
class CompanionAnswer:
    """Somebody who may look along; without the code, which is shown once."""

    id: int
    name: str
    home: str
    state: CompanionState
    made: datetime
    until: datetime
    seen: datetime | None


@dataclass(frozen=True, slots=True)
class CompanionsAnswer:
    """Everybody who may look along or could, the newest first."""

    companions: tuple[CompanionAnswer, ...]


def add_companions(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add the page of the resident, and the door of the helper."""
    add_own_companions(app, house, door, sheets)
    add_helpers_door(app, house, door, sheets)


def add_own_companions(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/hulp/meekijken``, where a resident lets somebody look along."""
    owner = Depends(Require(door, Need.OWNER))

    def page(
        request: Request, visitor: Visitor, *, code: str = "", name: str = "", problem: str = ""
    ) -> Response:
        with house.people.reading() as desk:
            known = companions(desk, visitor.account)
        lang = language_of(request, visitor)
        link = f"{house.public_url}/meekijken#{code}"
        values: dict[str, object] = {
            "companions": known,
            "free": MOST_LIVE - sum(each.holds for each in known),
            "most_live": MOST_LIVE,
            "choices": CHOICES,
            "day_of": day_of,
            "usual": USUAL_DAYS,
            "most_name": MOST_NAME,
            "code": code,
            "link": link,
            "address": house.public_url.partition("://")[2] + "/meekijken",
            "qr": qr_picture(link, lang.say("companion.qr", name=name)) if code else "",
            "name": name,
            "problem": problem,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        answer = sheets.show(
            request,
            visitor,
            "companion.html",
            values,
            title="title.companion",
            tab="help",
            status=status,
        )
        if code:
            answer.headers["Cache-Control"] = "no-store"
        return answer

    @app.get("/hulp/meekijken", include_in_schema=False)
    def show(request: Request, visitor: Annotated[Visitor, owner]) -> Response:
        return page(request, visitor)

    @app.get("/api/v1/companions", tags=["privacy"], summary="Who may look along with my home")
    def told(visitor: Annotated[Visitor, owner]) -> CompanionsAnswer:
        with house.people.reading() as desk:
            known = companions(desk, visitor.account)
        return CompanionsAnswer(
            tuple(
                CompanionAnswer(
                    each.id,
                    each.name,
                    each.home,
                    each.state,
                    moment_time(each.from_s),
                    moment_time(each.until_s),
                    time_or_none(each.seen_at_s),
                )
                for each in known
            )
        )

    @app.post("/hulp/meekijken", include_in_schema=False)
    def make(request: Request, visitor: Annotated[Visitor, owner], sent: Form) -> Response:
        name, days = sent.get("name", ""), sent.get("days", str(USUAL_DAYS))
        assert visitor.home is not None
        if not visitor.lived_in(visitor.home, house.clock.now_s()):
            raise RefusedError(HTTPStatus.FORBIDDEN, "you do not live here now: nobody can look")
        try:
            with house.people.writing() as desk:
                code = invite(
                    desk,
                    visitor.account,
                    visitor.account,
                    visitor.home,
                    name,
                    int(days) if days.isdecimal() and len(days) <= 3 else 0,
                )
        except PeopleError:
            problem = language_of(request, visitor).say("companion.problem")
            return page(request, visitor, name=name[:MOST_NAME], problem=problem)
        return page(request, visitor, code=code, name=" ".join(name.split()))

    @app.post("/hulp/meekijken/{number}/stop", include_in_schema=False)
    def stop(visitor: Annotated[Visitor, owner], number: Number) -> Response:
        try:
            with house.people.writing() as desk:
                end_companion(desk, visitor.account, visitor.account, number)
        except UnknownError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
        return go("/hulp/meekijken", done="companion.end")


def add_helpers_door(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/meekijken``, where somebody shows the code they were given."""
    anyone = Depends(Require(door, Need.ANYONE))

    def page(request: Request, visitor: Visitor, problem: str, status: int) -> Response:
        values = {"problem": problem}
        return sheets.show(
            request, visitor, "companion_door.html", values, title="title.along", status=status
        )

    @app.get("/meekijken", include_in_schema=False)
    def ask(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        return page(request, visitor, "", HTTPStatus.OK)

    @app.post("/meekijken", include_in_schema=False)
    def let_in(request: Request, visitor: Annotated[Visitor, anyone], sent: Form) -> Response:
        code = sent.get("code", "")[:64]
        address = request.client.host if request.client else ""
        # Four letters stand for the link, as on a card: guesses at one link are counted together.
        wanted = f"along {''.join(filter(str.isalnum, code.upper()))[:4]}"
        lang = language_of(request, visitor)
        try:
            door.rates.count(address, wanted)
            with house.people.writing() as desk:
                session = come_along(desk, companion_of(desk, code))
        except TooOftenError as error:
            said = lang.say("along.wait", minutes=int(error.wait_s // 60) + 1)
            answer = page(request, visitor, said, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers["Retry-After"] = str(int(error.wait_s) + 1)
            return answer
        except DeniedError:
            return page(request, visitor, lang.say("along.wrong"), HTTPStatus.UNPROCESSABLE_ENTITY)
        door.rates.right(address, wanted)
        answer = go("/")
        door.let_in(answer, session)
        return answer
