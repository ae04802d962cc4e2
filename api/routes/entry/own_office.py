"""Somebody shows that they are an officer of the books, with the officer's own secret."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need, Require
from api.cooperative.database import Books
from api.cooperative.errors import NotAllowedError
from api.cooperative.registry import recognise
from api.office import Office
from api.pages.sheets import go, language_of
from api.people.accounts import drop_officer, set_officer
from api.people.errors import PeopleError, TooOftenError
from api.people.factors import read_proofs
from api.people.sessions import renew_session
from api.people.visitor import Visitor
from api.problems import ProofNeededError, RefusedError
from api.routes.entry.entrance import Entrance, address_of, told_to_wait
from api.routes.forms import Form


def add_own_office(app: FastAPI, entrance: Entrance) -> None:
    """Add ``/mijn/functie``."""
    house, door = entrance.house, entrance.door
    account = Depends(Require(door, Need.ACCOUNT))

    def office() -> Office:
        if house.office is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no books are kept here: there are no offices")
        return house.office

    def check_fresh(visitor: Visitor) -> None:
        if not visitor.is_fresh(door.now_s()):
            raise ProofNeededError("confirm", "show your second factor for this")

    def page(
        request: Request,
        visitor: Visitor,
        typed: str = "",
        problem: str | None = None,
        status: int = HTTPStatus.OK,
    ) -> Response:
        roles = office().roles(visitor.officer) if visitor.officer else frozenset()
        values = {
            "problem": problem,
            "typed": typed,
            "officer": visitor.officer,
            "roles": sorted(roles),
            "second": read_proofs(house.people, visitor.account).second,
        }
        return entrance.page(
            request, visitor, "account_office.html", values, title="title.office", status=status
        )

    @app.get("/mijn/functie", include_in_schema=False)
    def ask(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        office()
        check_fresh(visitor)
        return page(request, visitor)

    @app.post("/mijn/functie", include_in_schema=False)
    def show(request: Request, visitor: Annotated[Visitor, account], sent: Form) -> Response:
        books = office().books
        check_fresh(visitor)
        name, lang = sent.get("officer", "").strip()[:64], language_of(request, visitor)
        try:
            session = _shown(entrance, request, visitor, books, sent)
        except TooOftenError as error:
            said, headers = told_to_wait(request, error, visitor)
            answer = page(request, visitor, name, said, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers.update(headers)
            return answer
        except NotAllowedError:
            said = lang.say("office.wrong")
        except PeopleError:
            said = lang.say("office.taken")
        else:
            done = go("/mijn/functie", done="office.set")
            door.let_in(done, session)
            return done
        return page(request, visitor, name, said, HTTPStatus.UNPROCESSABLE_ENTITY)

    _add_end(app, entrance)


def _add_end(app: FastAPI, entrance: Entrance) -> None:
    house = entrance.house
    account = Depends(Require(entrance.door, Need.ACCOUNT))

    @app.post("/mijn/functie/weg", include_in_schema=False)
    def end(visitor: Annotated[Visitor, account], _: Form) -> Response:
        with house.people.writing() as desk:
            drop_officer(desk, visitor.account, visitor.account)
        return go("/mijn", done="office.gone")


def _shown(entrance: Entrance, request: Request, visitor: Visitor, books: Books, sent: Form) -> str:
    """Have an account be the officer whose secret was sent; return its session's new id.

    Raises:
        NotAllowedError: Officer and secret do not belong together.
        PeopleError: The officer has another account, or there were too many tries.
    """
    key, address = f"office {visitor.account}", address_of(request)
    entrance.door.rates.count(address, key)
    name = sent.get("officer", "").strip()[:64]
    known = recognise(books, name, sent.get("secret", "").strip())
    with entrance.house.people.writing() as desk:
        set_officer(desk, visitor.account, known.id, known.person)
        session = renew_session(desk, visitor.session, strong=False)
    entrance.door.rates.right(address, key)
    return session
