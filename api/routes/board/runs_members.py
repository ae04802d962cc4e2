"""One member's run: the statement as its resident sees it, and quarter-hours with a reason."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Need, Require
from api.cooperative.errors import BooksError
from api.cooperative.runs import Run, quarters
from api.pages.runs.acts import check_reason
from api.pages.runs.home import home_values, part_of
from api.pages.runs.member import member_values
from api.pages.runs.refusals import Notice, notice_of
from api.pages.sheets import language_of
from api.people.acts import record
from api.people.looks import note_look
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.board.runs_room import BookName, MonthName, Room, Version, known_run
from api.routes.forms import Form
from kwartier.errors import InputError


def add_run_members(app: FastAPI, room: Room) -> None:
    """Add the page of a member in a run, and that of a home's quarter-hours."""
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/bestuur/runs/{month}/{version}/leden/{party}", include_in_schema=False)
    def member(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        party: BookName,
    ) -> Response:
        lang = language_of(request, visitor)
        values = member_values(room.house, party, month, version, lang)
        note_statement(room, visitor, f"{month}/{version}", party, values.homes)
        return room.show(request, visitor, "run_member.html", values.shown, "title.run_member")

    @app.get("/bestuur/runs/{month}/{version}/huis/{home}", include_in_schema=False)
    def home_of_run(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        home: BookName,
        day: Annotated[date | None, Query(alias="dag")] = None,
    ) -> Response:
        return home_page(room, request, visitor, (month, version, home), day)

    @app.post("/bestuur/runs/{month}/{version}/huis/{home}", include_in_schema=False)
    def quarters_of_home(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        home: BookName,
        sent: Form,
    ) -> Response:
        place = month, version, home
        reason = " ".join(sent.get("reden", "").split())
        try:
            day = date.fromisoformat(sent.get("dag", ""))
        except ValueError:
            day = None
        try:
            check_reason(reason)
            if day is None:
                raise BooksError("choose a day of this month")
            with room.reading() as desk:
                run = known_run(desk, month, version)
                rows = quarters(desk, run.id, home, day)
        except InputError as error:
            return home_page(room, request, visitor, place, day, notice_of(error), reason)
        note_look(room.house.people, visitor, home, "quarters", day, day, reason)
        values = {
            "run": run,
            "home": home,
            "day": day,
            "reason": reason,
            "rows": rows,
            "before": _inside(run, day - timedelta(days=1)),
            "after": _inside(run, day + timedelta(days=1)),
        }
        return room.show(request, visitor, "run_quarters.html", values, "title.run_quarters")


def home_page(
    room: Room,
    request: Request,
    visitor: Visitor,
    place: tuple[str, int, str],
    day: date | None,
    notice: Notice | None = None,
    reason: str = "",
) -> Response:
    """Return the page of a home in a run: its days, and the form that asks for quarter-hours."""
    month, version, home = place
    with room.reading() as desk:
        run = known_run(desk, month, version)
        part = part_of(desk, run, home)
    if part is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"run {run.id} has no such connection")
    values = {**home_values(run, part, day), "notice": notice, "reason": reason}
    status = HTTPStatus.OK if notice is None else notice.status
    return room.show(request, visitor, "run_home.html", values, "title.run_home", status)


def note_statement(
    room: Room, visitor: Visitor, run: str, party: str, homes: tuple[tuple[str, date, date], ...]
) -> None:
    """Write down that somebody looked at a member's statement, in the log and for the member."""
    for home, first, last in homes:
        note_look(room.house.people, visitor, home, "statement", first, last)
    with room.house.people.writing() as desk:
        record(desk, visitor.account, "statement.look", party, {"run": run})


def _inside(run: Run, day: date) -> date | None:
    return day if run.name.month.first <= day <= run.name.month.last else None
