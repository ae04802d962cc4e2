"""What was sent to whom, and how far it came."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.office import Office
from api.pages.post import MessagesAnswer, PostView, messages_answer, post_values, post_view
from api.pages.sheets import Sheets, go, language_of
from api.people.errors import UnknownError
from api.people.visitor import Visitor
from api.people.wishes import Channel
from api.post.board import Shown
from api.post.delivery import deliver, mark_posted, send_again
from api.problems import RefusedError
from api.routes.forms import Form

PAGE = "/bestuur/berichten"
MOST = 200
"""The most members in one answer."""
RunName = Annotated[str, Query(max_length=16)]


def add_board_post(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add the board's page of messages, its acts, and what programs read of it."""
    _add_pages(app, house, door, sheets)
    _add_acts(app, house, door)
    board = Depends(Require(door, Need.BOARD))

    @app.get("/api/v1/board/messages", tags=["board"], summary="How statements were delivered")
    def messages(
        _: Annotated[Visitor, board],
        run: RunName = "",
        state: Shown | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        after: Annotated[int, Query(ge=0, le=100_000)] = 0,
    ) -> MessagesAnswer:
        view = _view(house, run)
        chosen = "" if view.shown is None else view.shown.run.id
        wanted = {"run": chosen} | ({} if state is None else {"state": state.value})
        address = f"/api/v1/board/messages?{urlencode(wanted)}"
        return messages_answer(view, state or "", limit, after, address)


def _add_pages(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    board = Depends(Require(door, Need.BOARD))

    @app.get(PAGE, include_in_schema=False)
    def post(
        request: Request,
        visitor: Annotated[Visitor, board],
        run: RunName = "",
        state: Annotated[str, Query(alias="stand", max_length=16)] = "",
    ) -> Response:
        view = _view(house, run)
        wanted = state if state in set(Shown) else ""
        values = post_values(view, language_of(request, visitor), wanted)
        return sheets.show(request, visitor, "post.html", values, title="title.post", tab="post")

    @app.get(f"{PAGE}/brieven", include_in_schema=False)
    def letters(
        request: Request, visitor: Annotated[Visitor, board], run: RunName = ""
    ) -> Response:
        view = _view(house, run)
        values = post_values(view, language_of(request, visitor), Shown.PRINT)
        return sheets.show(
            request, visitor, "post_letters.html", values, title="title.post.letters", tab="post"
        )


def _add_acts(app: FastAPI, house: House, door: Doorkeeper) -> None:
    board = Depends(Require(door, Need.BOARD))

    @app.post(f"{PAGE}/verstuur", include_in_schema=False)
    def send(visitor: Annotated[Visitor, board], sent: Form) -> Response:
        run = _delivered_run(house, sent.get("run", ""))
        made = deliver(house, _office(house), run, visitor.account)
        return go(PAGE, done="delivered" if made else "delivered_before", run=run)

    @app.post(f"{PAGE}/opnieuw", include_in_schema=False)
    def again(visitor: Annotated[Visitor, board], sent: Form) -> Response:
        run = _delivered_run(house, sent.get("run", ""))
        way = Channel.PAPER if sent.get("way") == Channel.PAPER else Channel.EMAIL
        number, count = _whole(sent.get("number", "")), _whole(sent.get("count", ""))
        try:
            with house.people.writing() as desk:
                send_again(desk, visitor.account, number, way, count)
        except UnknownError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
        return go(PAGE, done="again", run=run)

    @app.post(f"{PAGE}/gepost", include_in_schema=False)
    def posted(visitor: Annotated[Visitor, board], sent: Form) -> Response:
        run = _delivered_run(house, sent.get("run", ""))
        number = _whole(sent["number"]) if sent.get("number") else None
        with house.people.writing() as desk:
            made = mark_posted(desk, visitor.account, run, number)
        return go(PAGE, done="posted" if made else "posted_before", run=run)


def _office(house: House) -> Office:
    if house.office is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "no books are kept here, so nothing is delivered")
    return house.office


def _view(house: House, run: str) -> PostView:
    view = post_view(house, _office(house), run)
    if view is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no run {run[:16]!r} to deliver")
    return view


def _delivered_run(house: House, run: str) -> str:
    """Return the run of a form; one that is not there is not found."""
    view = _view(house, run[:16])
    if view.shown is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "there is no run to deliver yet")
    return view.shown.run.id


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "this form is not whole: open it anew")
    return int(text)
