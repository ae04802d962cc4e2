"""The board's register: members, connections and shares."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request, Response

from api.auth import Doorkeeper, Need
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.registry import PartyKind, Purpose, VatStatus, connections
from api.house import House
from api.pages.members.acts import ACTS, MONEY_ACTS, Act, add
from api.pages.members.front import (
    Member,
    MemberAnswer,
    MembersAnswer,
    masked,
    member,
    member_answer,
    members,
)
from api.pages.members.shares import SharesAnswer, shares_answer, shares_now
from api.pages.rules.words import percent
from api.pages.sheets import Sheets, go
from api.people.acts import record
from api.people.visitor import Visitor
from api.routes.board.rules_room import BooksRoom, away
from api.routes.forms import Form
from kwartier.errors import InputError
from kwartier.interval import day_of

PartyName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Text = Annotated[str, Query(alias="zoek", max_length=60)]
Page = Annotated[int, Query(alias="blad", ge=1, le=10_000)]


def add_board_members(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add the list of members, a page for each, the acts on it, and who owns what part."""
    room = BooksRoom(house, door, sheets, "members")
    _add_list(app, room)
    _add_shares(app, room)
    _add_new(app, room)
    _add_one(app, room)
    for name, act in ACTS.items():
        _add_act(app, room, name, act, Need.BOARD)
    for name, act in MONEY_ACTS.items():
        _add_act(app, room, name, act, Need.MONEY)


def _add_list(app: FastAPI, room: BooksRoom) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/leden", include_in_schema=False)
    def everybody(
        request: Request, visitor: Annotated[Visitor, board], text: Text = "", page: Page = 1
    ) -> Response:
        with room.reading() as desk:
            found = members(desk, text, page)
        _note(room, visitor, "member.list", "members")
        values = {"members": found, "text": text}
        return room.show(request, visitor, "members.html", values, "title.members")

    @app.get("/api/v1/board/members", tags=["board"], summary="Members, fifty on a page")
    def everybody_told(
        visitor: Annotated[Visitor, board], text: Text = "", page: Page = 1
    ) -> MembersAnswer:
        with room.reading() as desk:
            found = members(desk, text, page)
        _note(room, visitor, "member.list", "members")
        return MembersAnswer(found.lines, found.found, found.page, found.pages)


def _add_shares(app: FastAPI, room: BooksRoom) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/leden/aandelen", include_in_schema=False)
    def shares(request: Request, visitor: Annotated[Visitor, board]) -> Response:
        with room.reading() as desk:
            found = shares_now(desk)
        values = {"shares": found, "percent": percent}
        return room.show(request, visitor, "members_shares.html", values, "title.shares")

    @app.get("/api/v1/board/shares", tags=["board"], summary="Who owns what part of the supply")
    def shares_told(_: Annotated[Visitor, board]) -> SharesAnswer:
        with room.reading() as desk:
            return shares_answer(shares_now(desk))


def _add_new(app: FastAPI, room: BooksRoom) -> None:
    board = Depends(room.require(Need.BOARD))

    def form(
        request: Request,
        visitor: Visitor,
        typed: Mapping[str, str],
        refused: InputError | None = None,
    ) -> Response:
        with room.reading() as desk:
            homes = [each.id for each in connections(desk)]
        values = {"typed": typed, "homes": homes, "kinds": [each.value for each in PartyKind]}
        return room.show(request, visitor, "members_new.html", values, "title.members_new", refused)

    @app.get("/bestuur/leden/nieuw", include_in_schema=False)
    def blank(request: Request, visitor: Annotated[Visitor, board]) -> Response:
        return form(request, visitor, {})

    @app.post("/bestuur/leden/nieuw", include_in_schema=False)
    def join(request: Request, visitor: Annotated[Visitor, board], sent: Form) -> Response:
        try:
            with room.office.writing_as(visitor) as desk:
                name = add(desk, sent)
        except InputError as error:
            return form(request, visitor, sent, error)
        return go(f"/bestuur/leden/{name}", done="member_added")


def _add_one(app: FastAPI, room: BooksRoom) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/leden/{party}", include_in_schema=False)
    def one(request: Request, visitor: Annotated[Visitor, board], party: PartyName) -> Response:
        return member_page(room, request, visitor, party)

    @app.get("/api/v1/board/members/{party}", tags=["board"], summary="One member")
    def one_told(visitor: Annotated[Visitor, board], party: PartyName) -> MemberAnswer:
        found = _found(room, party)
        _note(room, visitor, "member.read", party)
        return member_answer(found)


def _add_act(app: FastAPI, room: BooksRoom, name: str, act: Act, need: Need) -> None:
    allowed = Depends(room.require(need))

    @app.post(f"/bestuur/leden/{{party}}/{name}", include_in_schema=False)
    def change(
        request: Request, visitor: Annotated[Visitor, allowed], party: PartyName, sent: Form
    ) -> Response:
        try:
            with room.office.writing_as(visitor) as desk:
                act(desk, party, sent)
        except InputError as error:
            return member_page(room, request, visitor, party, error)
        done = "member_proposed" if name == "rekening" else "member_changed"
        return go(f"/bestuur/leden/{party}", done=done)


def member_page(
    room: BooksRoom,
    request: Request,
    visitor: Visitor,
    party: str,
    refused: InputError | None = None,
) -> Response:
    """Return a member's page; that it was read is written down."""
    found = _found(room, party)
    _note(room, visitor, "member.read", party)
    with room.reading() as desk:
        homes = [each.id for each in connections(desk)]
        today = day_of(desk.at_s)
    values = {
        "member": found,
        "masked": masked,
        "percent": percent,
        "homes": homes,
        "today": today,
        "purposes": [each.value for each in Purpose],
        "statuses": [each.value for each in VatStatus],
        "day_of": day_of,
    }
    return room.show(request, visitor, "member.html", values, "title.member", refused)


def _found(room: BooksRoom, party: str) -> Member:
    try:
        with room.reading() as desk, room.house.people.reading() as people:
            return member(desk, people, party)
    except TamperedError:
        raise
    except BooksError as error:
        raise away(f"there is no member {party!r} here") from error


def _note(room: BooksRoom, visitor: Visitor, act: str, subject: str) -> None:
    """Write down that somebody read personal data of members."""
    with room.house.people.writing() as people:
        record(people, visitor.account, act, subject)
