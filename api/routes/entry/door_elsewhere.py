"""Logging in at another service, where one is set: it finds an account and never makes one."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import Need, Require
from api.cooperative.canonical import canonical
from api.cooperative.errors import TamperedError
from api.elsewhere import Elsewhere
from api.pages.sheets import go
from api.people.errors import DeniedError, TooOftenError
from api.people.mail_links import account_of_email
from api.people.visitor import Visitor
from api.problems import RefusedError, safe_path
from api.routes.entry.entrance import Entrance, address_of
from kwartier.errors import TemporaryError
from optimizer.as_json.strict_json import parsed

LIFE_S = 600
"""How long a login elsewhere may take [s]."""
WAY = "oidc"


def add_elsewhere(app: FastAPI, entrance: Entrance) -> None:
    """Add ``/inloggen/dienst`` and where the browser comes back from there."""
    house, door = entrance.house, entrance.door
    anyone = Depends(Require(door, Need.ANYONE))
    cookie = f"{door.cookie}-{WAY}"
    keys = house.people.keys

    def service() -> Elsewhere:
        if house.elsewhere is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no other service to log in at")
        return house.elsewhere

    @app.get("/inloggen/dienst", include_in_schema=False)
    def leave(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        try:
            begun = service().begin()
        except TemporaryError:
            return go("/inloggen", dienst="weg")
        further = safe_path(request.query_params.get("verder", "/"))
        until = str(int(door.now_s()) + LIFE_S)
        kept = keys.seal(canonical({**begun.kept, "further": further, "until": until}))
        answer = RedirectResponse(begun.address, HTTPStatus.SEE_OTHER)
        answer.headers["Cache-Control"] = "no-store"
        door.keep(answer, cookie, kept, LIFE_S)
        return answer

    @app.get("/inloggen/dienst/terug", include_in_schema=False)
    def come_back(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        there, failed = service(), go("/inloggen", dienst="niet")
        door.forget(failed, cookie)
        try:
            door.rates.count(address_of(request), f"{WAY} {address_of(request)}")
            text = keys.open(request.cookies.get(cookie, "")[:4_000])
            kept = {name: str(each.value) for name, each in parsed(text).names().items()}
            if int(kept["until"]) <= door.now_s():
                return failed
            known = there.finish(kept, f"{house.public_url}{request.url.path}?{request.url.query}")
        except (TamperedError, DeniedError, TooOftenError, TemporaryError):
            return failed
        with house.people.reading() as desk:
            account = account_of_email(desk, known.email)
        if account is None:
            return failed
        door.rates.right(address_of(request), f"{WAY} {address_of(request)}")
        answer = entrance.let_in(request, account, WAY, kept["further"], strong=known.strong)
        door.forget(answer, cookie)
        return answer
