"""One's own statements for programs, below ``/api/v1/statements``."""

from datetime import date
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query

from api.auth import Doorkeeper, Need, Require
from api.cooperative.database import Desk
from api.cooperative.runs.states import Run
from api.cooperative.statement import Statement
from api.house import House
from api.pages.statement.answers import (
    LineQuartersAnswer,
    LineWayAnswer,
    QuestionAnswer,
    StatementAnswer,
    StatementsAnswer,
    day_answer,
    question_answer,
    statement_answer,
    told_answer,
    way_answer,
)
from api.pages.statement.front import office_of
from api.pages.statement.line import FoundLine, find_day, find_line
from api.pages.statement.list import own_statement, told_to
from api.people.looks import note_look
from api.people.questions import questions_of
from api.people.visitor import Visitor

MONTH = Annotated[str, Path(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", description="2026-07")]
VERSION = Annotated[int, Path(ge=1, le=9999, description="the run's version")]
LINE = Annotated[int, Path(ge=1, le=999, description="its place on the statement, from 1")]
DAY = Annotated[date, Path(description="a local day")]
LIMIT = Annotated[int, Query(ge=1, le=120)]
OFFSET = Annotated[int, Query(ge=0, le=10_000)]


def add_statement_answers(app: FastAPI, house: House, door: Doorkeeper) -> None:
    """Add the addresses below ``/api/v1/statements``, and one's own questions."""
    resident = Depends(Require(door, Need.HOME))
    owner = Depends(Require(door, Need.OWNER))

    def said_to(desk: Desk, visitor: Visitor, month: str, version: int) -> tuple[Run, Statement]:
        return own_statement(house, desk, office_of(house), visitor, month, version)

    def line_for(desk: Desk, visitor: Visitor, month: str, version: int, line: int) -> FoundLine:
        run, said = said_to(desk, visitor, month, version)
        return find_line(house, desk, run, said, line)

    @app.get("/api/v1/statements", tags=["statements"], summary="One's own statements")
    def statements(
        visitor: Annotated[Visitor, resident], limit: LIMIT = 24, offset: OFFSET = 0
    ) -> StatementsAnswer:
        with office_of(house).reading() as desk:
            told = told_to(house, desk, visitor)
        following = offset + limit
        return StatementsAnswer(
            tuple(told_answer(each) for each in told[offset:following]),
            f"/api/v1/statements?limit={limit}&offset={following}"
            if following < len(told)
            else None,
        )

    @app.get(
        "/api/v1/statements/{month}/{version}", tags=["statements"], summary="One's own statement"
    )
    def statement(
        month: MONTH, version: VERSION, visitor: Annotated[Visitor, resident]
    ) -> StatementAnswer:
        with office_of(house).reading() as desk:
            _, said = said_to(desk, visitor, month, version)
        if visitor.companion is not None:
            for part in said.connections:
                note_look(house.people, visitor, part.id, "statement", part.first, part.last)
        return statement_answer(said)

    @app.get(
        "/api/v1/statements/{month}/{version}/lines/{line}",
        tags=["statements"],
        summary="How a line adds up, day by day",
    )
    def way(
        month: MONTH, version: VERSION, line: LINE, visitor: Annotated[Visitor, resident]
    ) -> LineWayAnswer:
        with office_of(house).reading() as desk:
            return way_answer(line_for(desk, visitor, month, version, line))

    @app.get(
        "/api/v1/statements/{month}/{version}/lines/{line}/days/{day}",
        tags=["statements"],
        summary="A day of a line, quarter by quarter",
    )
    def quarters(
        month: MONTH,
        version: VERSION,
        line: LINE,
        day: DAY,
        visitor: Annotated[Visitor, resident],
    ) -> LineQuartersAnswer:
        with office_of(house).reading() as desk:
            found = line_for(desk, visitor, month, version, line)
            of_day = find_day(house, desk, found, day)
        if visitor.companion is not None and found.line.connection:
            note_look(house.people, visitor, found.line.connection, "quarters", day, day)
        return day_answer(of_day)

    @app.get("/api/v1/questions", tags=["statements"], summary="One's own questions")
    def questions(
        visitor: Annotated[Visitor, owner], limit: LIMIT = 50
    ) -> tuple[QuestionAnswer, ...]:
        with house.people.reading() as desk:
            found = questions_of(desk, visitor.account)
        return tuple(question_answer(each) for each in found[:limit])
