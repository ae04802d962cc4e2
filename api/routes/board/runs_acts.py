"""What the board does with a run: each act is shown first, and done once."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need, Require
from api.pages.runs.acts import Sent, perform
from api.pages.runs.next import Act, path_of
from api.pages.runs.refusals import Notice, notice_of
from api.pages.runs.sign import act_values
from api.pages.sheets import go, language_of
from api.people.visitor import Visitor
from api.routes.board.runs_room import MonthName, Room, Version, known_run
from api.routes.forms import Form
from kwartier.errors import InputError, TemporaryError


def add_run_acts(app: FastAPI, room: Room) -> None:
    """Add a page and its form for every act."""
    money = Depends(Require(room.door, Need.MONEY))

    def page(
        request: Request,
        visitor: Visitor,
        place: tuple[str, int, Act],
        notice: Notice | None = None,
        told: Sent | None = None,
    ) -> Response:
        lang = language_of(request, visitor)
        month, version, act = place
        with room.office.reading_as(visitor) as desk:
            run = known_run(desk, month, version)
            values = act_values(desk, room.shelf, run, act, visitor, lang)
        status = HTTPStatus.OK if values["possible"] else HTTPStatus.CONFLICT
        if notice is not None:
            status = notice.status
        shown = {**values, "notice": notice, "told": told or Sent(-1)}
        return room.show(request, visitor, "run_act.html", shown, f"title.run_{act.word}", status)

    @app.get("/bestuur/runs/{month}/{version}/{act}", include_in_schema=False)
    def show_act(
        request: Request,
        visitor: Annotated[Visitor, money],
        month: MonthName,
        version: Version,
        act: Act,
    ) -> Response:
        return page(request, visitor, (month, version, act))

    @app.post("/bestuur/runs/{month}/{version}/{act}", include_in_schema=False)
    def do_act(
        request: Request,
        visitor: Annotated[Visitor, money],
        month: MonthName,
        version: Version,
        act: Act,
        sent: Form,
    ) -> Response:
        told = Sent.of(sent)
        try:
            with room.office.writing_as(visitor) as desk:
                run = known_run(desk, month, version)
                perform(desk, room.office.settings, act, run.id, told)
        except (InputError, TemporaryError) as error:
            return page(request, visitor, (month, version, act), notice_of(error), told)
        return go(path_of(run.id), done=f"runs_{act.word}")
