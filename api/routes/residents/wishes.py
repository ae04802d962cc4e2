"""What somebody wants told: the page of wishes, a try, and the link that ends a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.sheets import Sheets, go
from api.people.visitor import Role, Visitor
from api.people.wishes import (
    FOR_RESIDENTS,
    Channel,
    Kind,
    end_wish,
    kinds_for,
    set_wishes,
    wishes_of,
)
from api.post.counter import Counter, reader_of
from api.post.outbox import Message, queue
from api.post.stopping import PATH, Stop, stop_of
from api.routes.forms import Form

PAGE = "/hulp/berichten"
TEST_S = 300
"""Within this time one test message goes by each way [s]."""


@dataclass(frozen=True, slots=True)
class WishAnswer:
    """A message one may wish for, and the ways by which it is wished for."""

    kind: str
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WishesAnswer:
    """One's own wishes; personal.

    Attributes:
        email: Where mail goes; empty without.
        ways: The ways there are.
        wishes: The messages one may wish for.
    """

    email: str
    ways: tuple[str, ...]
    wishes: tuple[WishAnswer, ...]


def add_wishes(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add one's own page of wishes, and the page behind the link in a letter."""
    _add_page(app, house, door, sheets)
    _add_stop(app, house, door, sheets)


def _add_page(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    account = Depends(Require(door, Need.ACCOUNT))

    @app.get(PAGE, include_in_schema=False)
    def wishes(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        values = _values(house, visitor)
        return sheets.show(
            request, visitor, "wishes.html", values, title="title.wishes", tab="help"
        )

    @app.get("/api/v1/wishes", tags=["messages"], summary="One's own wishes for messages")
    def own_wishes(visitor: Annotated[Visitor, account]) -> WishesAnswer:
        asked, ways = _kinds(visitor), _ways(house)
        with house.people.reading() as desk:
            wished = wishes_of(desk, visitor.account)
            reader = reader_of(desk, house.office, visitor.account)
        told = tuple(
            WishAnswer(kind.value, tuple(way.value for way in ways if (kind, way) in wished))
            for kind in asked
        )
        email = "" if reader is None else reader.email
        return WishesAnswer(email, tuple(way.value for way in ways), told)

    @app.post(PAGE, include_in_schema=False)
    def keep(visitor: Annotated[Visitor, account], sent: Form) -> Response:
        asked, ways = _kinds(visitor), _ways(house)
        ticked = {(kind, way) for kind in asked for way in ways if f"{kind}.{way}" in sent}
        with house.people.writing() as desk:
            # A way that is closed now was not asked about: the wish for it stays.
            kept = {each for each in wishes_of(desk, visitor.account) if each[1] not in ways}
            set_wishes(desk, visitor.account, visitor.account, ticked | kept, asked)
        return go(PAGE, done="wishes")

    @app.post(f"{PAGE}/proef", include_in_schema=False)
    def try_out(visitor: Annotated[Visitor, account]) -> Response:
        made = 0
        with house.people.writing() as desk:
            for way in sorted(Counter.of(house).ways):
                key = f"test:{visitor.account}:{way}:{desk.at_s // TEST_S}"
                message = Message(key, Kind.TEST, way, visitor.account, visitor.party, "", {})
                made += queue(desk, message)
        return go(PAGE, done="test" if made else "test_later")


def _add_stop(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    anyone = Depends(Require(door, Need.ANYONE))

    def page(
        request: Request, visitor: Visitor, stop: Stop | None, step: str, status: int
    ) -> Response:
        values = {"stop": stop, "step": step, "path": request.url.path}
        return sheets.show(
            request, visitor, "wishes_stop.html", values, title="title.stop", status=status
        )

    @app.get(PATH + "/{token}", include_in_schema=False)
    def ask(request: Request, visitor: Annotated[Visitor, anyone], token: str) -> Response:
        stop = stop_of(house.people.keys, token)
        if stop is None:
            return page(request, visitor, None, "unknown", HTTPStatus.NOT_FOUND)
        return page(request, visitor, stop, "ask", HTTPStatus.OK)

    @app.post(PATH + "/{token}", include_in_schema=False)
    def end(request: Request, visitor: Annotated[Visitor, anyone], token: str) -> Response:
        stop = stop_of(house.people.keys, token)
        if stop is None:
            return page(request, visitor, None, "unknown", HTTPStatus.NOT_FOUND)
        with house.people.writing() as desk:
            end_wish(desk, stop.account, stop.account, stop.kind, stop.channel)
        return page(request, visitor, stop, "done", HTTPStatus.OK)


def _values(house: House, visitor: Visitor) -> Mapping[str, object]:
    with house.people.reading() as desk:
        wished = wishes_of(desk, visitor.account)
        reader = reader_of(desk, house.office, visitor.account)
    open_ways = Counter.of(house).ways
    email = "" if reader is None else reader.email
    return {
        "kinds": _kinds(visitor),
        "ways": _ways(house),
        "wished": wished,
        "email": email,
        "closed": not open_ways,
        "may_try": Channel.WEBHOOK in open_ways or (Channel.EMAIL in open_ways and email != ""),
        "resident": Role.RESIDENT in visitor.possible,
    }


def _kinds(visitor: Visitor) -> tuple[Kind, ...]:
    return kinds_for(visitor.possible) or FOR_RESIDENTS


def _ways(house: House) -> tuple[Channel, ...]:
    """Return the ways to choose from: e-mail always, for it may be set up later."""
    return (Channel.EMAIL,) if house.hook is None else (Channel.EMAIL, Channel.WEBHOOK)
