"""The first start: who reads the house's terminal becomes its first operator."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need, Require
from api.pages.sheets import language_of
from api.people.errors import DeniedError, TooOftenError
from api.people.first_start import has_operator, make_first_operator
from api.people.passwords import LoginTakenError, WeakPasswordError
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.entry.entrance import Entrance, address_of, told_to_wait
from api.routes.forms import Form


def add_begin(app: FastAPI, entrance: Entrance) -> None:
    """Add ``/begin``, which is there only while nobody is an operator."""
    house, door = entrance.house, entrance.door
    anyone = Depends(Require(door, Need.ANYONE))

    def page(
        request: Request,
        visitor: Visitor,
        sent: Form,
        problem: str | None = None,
        status: int = HTTPStatus.OK,
    ) -> Response:
        typed = {key: sent.get(key, "")[:64] for key in ("code", "name", "login")}
        values = {"problem": problem, "typed": typed}
        return entrance.page(
            request, visitor, "door_begin.html", values, title="title.begin", status=status
        )

    def only_at_first() -> None:
        with house.people.reading() as desk:
            if has_operator(desk):
                raise RefusedError(
                    HTTPStatus.NOT_FOUND, "there is an operator already: ask them to let you in"
                )

    @app.get("/begin", include_in_schema=False)
    def ask(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        only_at_first()
        return page(request, visitor, {})

    @app.post("/begin", include_in_schema=False)
    def begin(request: Request, visitor: Annotated[Visitor, anyone], sent: Form) -> Response:
        only_at_first()
        lang = language_of(request, visitor)
        try:
            door.rates.count(address_of(request), "begin")
            account = make_first_operator(
                house.people,
                sent.get("code", "")[:64],
                sent.get("name", ""),
                sent.get("login", ""),
                sent.get("password", ""),
            )
        except TooOftenError as error:
            said, headers = told_to_wait(request, error, visitor)
            answer = page(request, visitor, sent, said, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers.update(headers)
            return answer
        except WeakPasswordError as error:
            said = lang.say(f"password.{error.weakness}")
        except LoginTakenError:
            said = lang.say("password.login.taken")
        except DeniedError:
            said = lang.say("code.wrong")
        else:
            door.rates.right(address_of(request), "begin")
            return entrance.let_in(request, account, "begin", "/mijn/app")
        return page(request, visitor, sent, said, HTTPStatus.UNPROCESSABLE_ENTITY)
