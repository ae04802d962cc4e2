"""The board's settlements: the list, a run, and two runs beside each other."""

from contextlib import suppress
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.cooperative.errors import BooksError
from api.cooperative.runs import runs
from api.house import House
from api.pages.runs.compare import comparable, compared, prices_in
from api.pages.runs.files import Printery
from api.pages.runs.front import board_values, run_values
from api.pages.runs.members import Chosen, Order, Which
from api.pages.runs.open import OpenMonths
from api.pages.runs.refusals import notice_of
from api.pages.runs.shelf import Shelf
from api.pages.runs.work import Workshop
from api.pages.sheets import Sheets, language_of
from api.people.visitor import ANYBODY, Visitor
from api.problems import RefusedError
from api.routes.board.runs_acts import add_run_acts
from api.routes.board.runs_api import add_runs_api
from api.routes.board.runs_files import add_run_files
from api.routes.board.runs_findings import add_findings
from api.routes.board.runs_members import add_run_members
from api.routes.board.runs_months import add_month_acts
from api.routes.board.runs_room import MonthName, Room, Version, known_run
from kwartier.errors import InputError, StoreBusyError, TemporaryError


def add_board_runs(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add every page of the board's settlements, and what programs read of them."""
    room = Room(house, door, sheets, Shelf(), OpenMonths(), Workshop(), Printery())
    _add_list(app, room)
    _add_run(app, room)
    _add_compare(app, room)
    add_month_acts(app, room)
    add_findings(app, room)
    add_run_members(app, room)
    add_run_files(app, room)
    app.router.add_event_handler("shutdown", room.printery.close)
    # An act is the last part of an address, so whatever else has that shape stands above.
    add_run_acts(app, room)
    add_runs_api(app, room)
    _tell_refusals(app, room)


def _tell_refusals(app: FastAPI, room: Room) -> None:
    """Have what the books refuse told in words on the board's pages; elsewhere as ever."""

    def told(request: Request, error: BooksError | StoreBusyError, general: type) -> Response:
        if not request.url.path.startswith("/bestuur"):
            answer = app.exception_handlers[general](request, error)
            assert isinstance(answer, Response), general
            return answer
        notice, visitor = notice_of(error), ANYBODY
        with suppress(StoreBusyError):  # it may be the book that knows who asks
            visitor = room.door.visitor(request)
        return room.show(
            request, visitor, "run_refused.html", {"notice": notice}, "title.error", notice.status
        )

    @app.exception_handler(BooksError)
    def _refused(request: Request, error: BooksError) -> Response:
        return told(request, error, InputError)

    @app.exception_handler(StoreBusyError)
    def _busy(request: Request, error: StoreBusyError) -> Response:
        return told(request, error, TemporaryError)


def _add_list(app: FastAPI, room: Room) -> None:
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/bestuur", include_in_schema=False)
    def settlements(
        request: Request,
        visitor: Annotated[Visitor, board],
        before: Annotated[str, Query(alias="voor", max_length=7)] = "",
    ) -> Response:
        lang = language_of(request, visitor)
        with room.reading() as desk:
            values = board_values(desk, room.shelf, room.months, visitor, lang, before)
        values["working"] = room.workshop.running
        return room.show(request, visitor, "runs.html", values, "title.runs")


def _add_run(app: FastAPI, room: Room) -> None:
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/bestuur/runs/{month}/{version}", include_in_schema=False)
    def settlement(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        order: Annotated[Order, Query(alias="volgorde")] = Order.RISK,
        rising: Annotated[int, Query(alias="oplopend", ge=0, le=1)] = 0,
        which: Annotated[Which, Query(alias="toon")] = Which.ALL,
        text: Annotated[str, Query(alias="zoek", max_length=32)] = "",
        page: Annotated[int, Query(alias="blad", ge=1, le=10_000)] = 1,
    ) -> Response:
        lang = language_of(request, visitor)
        chosen = Chosen(order, not rising, which, text, page)
        with room.reading() as desk:
            run = known_run(desk, month, version)
            values = run_values(desk, room.shelf, run, visitor, lang, chosen)
        return room.show(request, visitor, "run.html", values, "title.run")


def _add_compare(app: FastAPI, room: Room) -> None:
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/bestuur/runs/{month}/{version}/vergelijk", include_in_schema=False)
    def compare(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        other: Annotated[str, Query(alias="met", max_length=12)] = "",
    ) -> Response:
        with room.reading() as desk:
            run = known_run(desk, month, version)
            others = comparable(runs(desk), run)
            if other and other not in others:
                raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no run {other!r} beside it")
            try:
                both = compared(desk, run.id, other or None)
            except BooksError:
                both = None  # Nothing was named, and no month before is in the books.
        lang = language_of(request, visitor)
        values = {"run": run, "others": others, "both": both, "prices": prices_in(lang)}
        return room.show(request, visitor, "run_compare.html", values, "title.run_compare")
