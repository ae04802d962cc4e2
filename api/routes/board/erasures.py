"""Who asked to be forgotten: the board has the books forget them, once nothing needs them."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.cooperative import registry
from api.cooperative.errors import StateError
from api.house import House
from api.pages.sheets import Sheets, go
from api.people.errors import UnknownError
from api.people.privacy import Erasure, carry_out, erasure_of, erasures
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.relational import clear_log
from api.routes.residents.looks import Number
from api.routes.residents.privacy import Staying, books_hindrances, books_keep
from api.schemas import moment_time, time_or_none
from kwartier.wire import Json

PAGE = 50
"""How many requests a page shows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the board sees it.

    Attributes:
        erasure: What was asked.
        name: What the books call the party; empty once they forgot it. Personal.
        hindrances: What has to end first.
        stays: What would stay.
    """

    erasure: Erasure
    name: str
    hindrances: tuple[registry.Hindrance, ...]
    stays: tuple[Staying, ...]


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What stays, how many, and until when."""

    kind: str
    count: int
    until: date


@dataclass(frozen=True, slots=True)
class ErasureAnswer:
    """A request to be forgotten; the party is named by its id only."""

    id: int
    party: str
    asked: datetime
    done: datetime | None
    hindrances: tuple[str, ...]
    stays: tuple[KeptAnswer, ...]


@dataclass(frozen=True, slots=True)
class ErasuresAnswer:
    """Requests that wait, the oldest first; ``next`` is the next page's address, or null."""

    waiting: tuple[ErasureAnswer, ...]
    next: str | None


def add_board_privacy(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/bestuur/privacy``."""
    board = Depends(Require(door, Need.BOARD))
    money = Depends(Require(door, Need.MONEY))

    def waiting(skip: int) -> tuple[list[Asked], bool]:
        with house.people.reading() as desk:
            found = erasures(desk, waiting=True, limit=PAGE + 1, skip=skip)
        return [_request(house, each) for each in found[:PAGE]], len(found) > PAGE

    @app.get("/bestuur/privacy", include_in_schema=False)
    def page(
        request: Request,
        visitor: Annotated[Visitor, board],
        vanaf: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        found, more = waiting(vanaf)
        with house.people.reading() as desk:
            done = erasures(desk, waiting=False, limit=PAGE)
        values = {
            "waiting": found,
            "more": vanaf + PAGE if more else None,
            "done_before": [(each, _kept(each)) for each in done],
            "page_class": "board",
            "may": visitor.officer != "" and house.office is not None,
        }
        return sheets.show(
            request, visitor, "privacy_board.html", values, title="title.privacy.board", tab="log"
        )

    @app.get("/api/v1/board/erasures", tags=["board"], summary="Who asked to be forgotten")
    def told(
        _: Annotated[Visitor, board], skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0
    ) -> ErasuresAnswer:
        found, more = waiting(skip)
        address = f"/api/v1/board/erasures?skip={skip + PAGE}" if more else None
        return ErasuresAnswer(tuple(map(_answer, found)), address)

    @app.post("/bestuur/privacy/{number}", include_in_schema=False)
    def forget(visitor: Annotated[Visitor, money], number: Number) -> Response:
        if house.office is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no books are kept here")
        try:
            with house.people.reading() as people:
                asked = erasure_of(people, number)
        except UnknownError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
        if asked.done_at_s is not None:
            return go("/bestuur/privacy", done="forgotten")
        try:
            with house.office.writing_as(visitor) as desk:
                kept = registry.erase(desk, asked.party)
        except StateError as error:
            raise RefusedError(HTTPStatus.CONFLICT, str(error)) from error
        with house.people.writing() as people:
            told: list[Json] = [_plain(each) for each in kept]
            carry_out(people, visitor.account, number, told, house.office.stays(asked.party))
        clear_log(house.office.books.engine)
        return go("/bestuur/privacy", done="forgotten")


def _request(house: House, erasure: Erasure) -> Asked:
    return Asked(
        erasure,
        _name(house, erasure.party),
        tuple(books_hindrances(house, erasure.party)),
        tuple(books_keep(house, erasure.party)),
    )


def _name(house: House, party: str) -> str:
    if house.office is None:
        return ""
    with house.office.reading() as desk:
        return registry.party(desk, party).name


def _kept(erasure: Erasure) -> int:
    """Return how many things stayed after an erasure."""
    return len(json.loads(erasure.kept or "[]"))


def _plain(kept: registry.Kept) -> Json:
    return {"what": kept.what, "until": kept.until.isoformat(), "kind": kept.kind.value}


def _answer(asked: Asked) -> ErasureAnswer:
    return ErasureAnswer(
        asked.erasure.id,
        asked.erasure.party,
        moment_time(asked.erasure.asked_at_s),
        time_or_none(asked.erasure.done_at_s),
        tuple(asked.hindrances),
        tuple(KeptAnswer(each.kind, each.count, each.until) for each in asked.stays),
    )
