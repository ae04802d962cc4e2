"""One finding of a run: what, where and how much; what mends it; and to answer for it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request, Response

from api.auth import Need, Require
from api.cooperative.database import Desk
from api.cooperative.runs import Run
from api.pages.runs.acts import Sent, waive
from api.pages.runs.front import finding_values
from api.pages.runs.next import path_of
from api.pages.runs.refusals import Notice, notice_of
from api.pages.sheets import go, language_of
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.board.runs_room import MonthName, Room, Version, known_run
from api.routes.forms import Form
from kwartier.errors import InputError, TemporaryError

FindingKey = Annotated[str, Path(pattern=r"^A[0-9]{1,2}-[A-Za-z0-9:-]{1,60}$")]
"""A finding in an address."""


def add_findings(app: FastAPI, room: Room) -> None:
    """Add the page of a finding, and the way to answer for it."""
    board = Depends(Require(room.door, Need.BOARD))
    money = Depends(Require(room.door, Need.MONEY))

    def page(
        request: Request,
        visitor: Visitor,
        place: tuple[str, int, str],
        notice: Notice | None = None,
        reason: str = "",
    ) -> Response:
        lang = language_of(request, visitor)
        month, version, key = place
        with room.reading() as desk:
            run = known_run(desk, month, version)
            values = finding_values(desk, run, key, visitor, lang)
        if values is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"run {run.id} has no such finding now")
        status = HTTPStatus.OK if notice is None else notice.status
        told = {**values, "notice": notice, "reason": reason}
        return room.show(request, visitor, "run_finding.html", told, "title.run_finding", status)

    @app.get("/bestuur/runs/{month}/{version}/bevinding/{key}", include_in_schema=False)
    def finding(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        key: FindingKey,
    ) -> Response:
        return page(request, visitor, (month, version, key))

    @app.post("/bestuur/runs/{month}/{version}/bevinding/{key}", include_in_schema=False)
    def answer_for(
        request: Request,
        visitor: Annotated[Visitor, money],
        month: MonthName,
        version: Version,
        key: FindingKey,
        sent: Form,
    ) -> Response:
        told = Sent.of(sent)
        try:
            with room.office.writing_as(visitor) as desk:
                _answer(desk, known_run(desk, month, version), key, told)
        except (InputError, TemporaryError) as error:
            return page(request, visitor, (month, version, key), notice_of(error), told.reason)
        return go(path_of(f"{month}/{version}"), done="runs_waived")


def _answer(desk: Desk, run: Run, key: str, told: Sent) -> None:
    waive(desk, run.id, key, told)
