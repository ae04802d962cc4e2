"""The board's settlements for programs: the list, a run, findings, a comparison, a member."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request

from api.auth import Need, Require
from api.cooperative.errors import BooksError
from api.pages.runs.answers import (
    ComparisonAnswer,
    FindingsAnswer,
    MemberAnswer,
    RunAnswer,
    RunsAnswer,
    comparison_answer,
    findings_answer,
    member_answer,
    run_answer,
    runs_answer,
)
from api.pages.runs.compare import compared
from api.pages.runs.member import member_values
from api.pages.runs.members import Chosen, Order
from api.pages.sheets import language_of
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.board.runs_members import note_statement
from api.routes.board.runs_room import BookName, MonthName, Room, Version, known_run

MOST = 200
"""The most runs, findings or members in one answer."""


def add_runs_api(app: FastAPI, room: Room) -> None:
    """Add what programs read of the board's settlements."""
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/api/v1/board/runs", tags=["board"], summary="Settlements, and months to compute")
    def every_run(
        visitor: Annotated[Visitor, board],
        limit: Annotated[int, Query(ge=1, le=36)] = 12,
        before: Annotated[str, Query(max_length=7)] = "",
    ) -> RunsAnswer:
        with room.reading() as desk:
            return runs_answer(desk, room.shelf, room.months, visitor, limit, before)

    @app.get("/api/v1/board/runs/{month}/{version}", tags=["board"], summary="A settlement")
    def one_run(
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        order: Order = Order.RISK,
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 60,
    ) -> RunAnswer:
        with room.reading() as desk:
            run = known_run(desk, month, version)
            chosen = Chosen(order=order, page=page)
            return run_answer(desk, room.shelf, run, visitor, chosen, limit)

    @app.get(
        "/api/v1/board/runs/{month}/{version}/findings",
        tags=["board"],
        summary="What the checks found",
    )
    def findings_of_run(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
    ) -> FindingsAnswer:
        lang = language_of(request, visitor)
        with room.reading() as desk:
            run = known_run(desk, month, version)
            return findings_answer(desk, run, lang, skip, limit)

    @app.get("/api/v1/board/runs/{month}/{version}/diff", tags=["board"], summary="Two settlements")
    def diff_of_runs(
        _: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        other: Annotated[str, Query(alias="with", max_length=12)] = "",
    ) -> ComparisonAnswer:
        with room.reading() as desk:
            run = known_run(desk, month, version)
            try:
                return comparison_answer(compared(desk, run.id, other or None))
            except BooksError as error:
                raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error

    @app.get(
        "/api/v1/board/runs/{month}/{version}/members/{party}",
        tags=["board"],
        summary="A member's statement in a settlement",
    )
    def member_of_run(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        party: BookName,
    ) -> MemberAnswer:
        sight = member_values(room.house, party, month, version, language_of(request, visitor))
        note_statement(room, visitor, f"{month}/{version}", party, sight.homes)
        return member_answer(sight)
