"""The door: how people come in and go out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.attempts import Attempts
from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.sheets import Sheets, go, language_of
from api.people.cards import card_of
from api.people.sessions import open_session
from api.people.visitor import Visitor
from api.problems import safe_path
from api.routes.forms import Form

MOST_TRIES_PER_ADDRESS, MOST_TRIES_PER_CARD, TRIES_WINDOW_S = 20, 5, 900.0


def add_door(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add the door: a form for the login card, and the way out."""
    anyone = Depends(Require(door, Need.ANYONE))
    by_address = Attempts(house.clock, MOST_TRIES_PER_ADDRESS, TRIES_WINDOW_S)
    by_card = Attempts(house.clock, MOST_TRIES_PER_CARD, TRIES_WINDOW_S)

    def form(request: Request, visitor: Visitor, problem: str | None, status: int) -> Response:
        further = safe_path(request.query_params.get("verder", "/"))
        values = {"problem": problem, "further": further}
        return sheets.show(
            request, visitor, "login.html", values, title="title.login", status=status
        )

    @app.get("/inloggen", include_in_schema=False)
    def ask(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        return form(request, visitor, None, HTTPStatus.OK)

    @app.post("/inloggen", include_in_schema=False)
    def let_in(request: Request, visitor: Annotated[Visitor, anyone], sent: Form) -> Response:
        code = sent.get("code", "")[:64]
        number = "".join(filter(str.isalnum, code.upper()))[:4]
        address = request.client.host if request.client else ""
        wait_s = by_address.wait_s(address) or by_card.wait_s(number)
        lang = language_of(request, visitor)
        if wait_s:
            said = lang.say("login.wait", minutes=int(wait_s // 60) + 1)
            answer = form(request, visitor, said, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers["Retry-After"] = str(int(wait_s) + 1)
            return answer
        card = card_of(house.people, code)
        if card is None:
            said = lang.say("login.wrong")
            return form(request, visitor, said, HTTPStatus.UNPROCESSABLE_ENTITY)
        by_card.forget(number)
        with house.people.writing() as desk:
            session = open_session(desk, card.account, "card", card=card.number)
        answer = go(safe_path(sent.get("verder", "/")))
        door.let_in(answer, session)
        return answer

    @app.post("/uitloggen", include_in_schema=False)
    def let_out(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        answer = go("/")
        door.let_out(request, answer)
        return answer
