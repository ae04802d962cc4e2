"""The second factor: after a password, before a privileged page, and again for money."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need, Require
from api.pages.sheets import go, language_of
from api.people.errors import TooOftenError
from api.people.factors import read_proofs
from api.people.recovery import use_code
from api.people.sessions import OpenSession
from api.people.totp import check_totp
from api.people.visitor import Visitor
from api.problems import safe_path
from api.routes.entry.entrance import Entrance, address_of, go_to, told_to_wait
from api.routes.forms import Form


def add_second(app: FastAPI, entrance: Entrance) -> None:
    """Add ``/bevestig``: a code of the app, a passkey, or a code on paper."""
    house, door = entrance.house, entrance.door
    anyone = Depends(Require(door, Need.ANYONE))

    def page(
        request: Request,
        visitor: Visitor,
        session: OpenSession,
        further: str,
        problem: str | None = None,
        status: int = HTTPStatus.OK,
    ) -> Response:
        proofs = read_proofs(house.people, session.account)
        values = {
            "further": safe_path(further),
            "problem": problem,
            "proofs": proofs,
            "half": session.half,
            "way": session.way,
        }
        return entrance.page(
            request, visitor, "confirm.html", values, title="title.confirm", status=status
        )

    @app.get("/bevestig", include_in_schema=False)
    def ask(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        session = door.session(request)
        further = request.query_params.get("verder", "/")
        if session is None:
            return go("/inloggen", verder=safe_path(further))
        return page(request, visitor, session, further)

    @app.post("/bevestig", include_in_schema=False)
    def show(request: Request, visitor: Annotated[Visitor, anyone], sent: Form) -> Response:
        session, further = door.session(request), sent.get("verder", "/")
        if session is None:
            return go("/inloggen", verder=safe_path(further))
        key, address = f"second {session.account}", address_of(request)
        try:
            door.rates.count(address, key)
        except TooOftenError as error:
            said, headers = told_to_wait(request, error, visitor)
            answer = page(request, visitor, session, further, said, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers.update(headers)
            return answer
        way = _way(entrance, session.account, sent)
        if way is None:
            said = language_of(request, visitor).say("confirm.wrong")
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return page(request, visitor, session, further, said, status)
        door.rates.right(address, key)
        answer = go_to(safe_path(further))
        door.let_in(answer, entrance.strengthen(request, session.account, way))
        return answer


def _way(entrance: Entrance, account: str, sent: Mapping[str, str]) -> str | None:
    """Return with what a second factor was shown; None when it was wrong."""
    with entrance.house.people.writing() as desk:
        if check_totp(desk, account, sent.get("code", "")[:20]):
            return "totp"
        if use_code(desk, account, sent.get("recovery", "") or sent.get("code", "")):
            return "recovery"
    return None
