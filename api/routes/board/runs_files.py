"""A run's files: sheets for whoever reckons, papers for the members, the auditor's parcel."""

from datetime import date
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse

from api.auth import Need, Require
from api.cooperative.bundle.making import audit_bundle
from api.cooperative.papers.gathering import papers_of_run
from api.cooperative.runs import Run, State
from api.cooperative.runs.frozen import owners_of
from api.cooperative.runs.states import BOOKED
from api.cooperative.runs.storing import inputs_of
from api.pages.runs.acts import check_reason
from api.pages.runs.files import NUMBERED, Kind, pieces
from api.pages.runs.next import path_of
from api.pages.runs.refusals import BusyError, Notice, ReasonError, notice_of
from api.pages.runs.work import Share
from api.pages.sheets import language_of
from api.people.acts import record
from api.people.looks import add_look
from api.people.visitor import Role, Visitor
from api.problems import RefusedError
from api.routes.board.runs_room import MonthName, Room, Version, known_run
from api.routes.forms import Form

ZIP = "application/zip"


def add_run_files(app: FastAPI, room: Room) -> None:
    """Add the page of a run's files, and each of them."""
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/bestuur/runs/{month}/{version}/bestanden", include_in_schema=False)
    def files(
        request: Request, visitor: Annotated[Visitor, board], month: MonthName, version: Version
    ) -> Response:
        return _page(room, request, visitor, _run(room, month, version))

    _add_papers(app, room)
    _add_parcel(app, room)
    _add_sheets(app, room)


def _add_papers(app: FastAPI, room: Room) -> None:
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/bestuur/runs/{month}/{version}/bestanden/papieren", include_in_schema=False)
    def papers(visitor: Annotated[Visitor, board], month: MonthName, version: Version) -> Response:
        run = _run(room, month, version)
        file = room.printery.printed(run)
        if file is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "these papers are not printed: print them")
        _note(room, visitor, run, "papers")
        return FileResponse(file, media_type=ZIP, filename=file.name)

    @app.post("/bestuur/runs/{month}/{version}/bestanden/papieren", include_in_schema=False)
    def print_papers(
        request: Request, visitor: Annotated[Visitor, board], month: MonthName, version: Version
    ) -> Response:
        run = _run(room, month, version)
        if run.state not in NUMBERED:
            raise RefusedError(HTTPStatus.NOT_FOUND, "this run has no numbered papers yet")

        def do(show: Share) -> str:
            show(0.05)
            with room.reading() as desk:
                gathered = papers_of_run(desk, room.office.settings, run.id)
            show(0.2)
            room.printery.print_run(run, gathered)
            return f"{path_of(run.id)}/bestanden?klaar=runs_printed"

        try:
            work = room.workshop.begin("print", run.id, visitor.account, do)
        except BusyError as error:
            return _page(room, request, visitor, run, notice_of(error))
        return RedirectResponse(f"/bestuur/werk/{work.number}", HTTPStatus.SEE_OTHER)


def _add_sheets(app: FastAPI, room: Room) -> None:
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/bestuur/runs/{month}/{version}/bestanden/{kind}", include_in_schema=False)
    def sheet(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        kind: Kind,
    ) -> Response:
        lang = language_of(request, visitor)
        run = _run(room, month, version)
        try:
            with room.reading() as desk:
                made = room.printery.sheet(desk, room.office.settings, run, kind, lang.tag)
        except BusyError as error:
            return _page(room, request, visitor, run, notice_of(error))
        _note(room, visitor, run, kind.value)
        return _download(made.body, made.name, made.media_type)


def _add_parcel(app: FastAPI, room: Room) -> None:
    board = Depends(Require(room.door, Need.BOARD))

    @app.post("/bestuur/runs/{month}/{version}/bestanden/controle", include_in_schema=False)
    def parcel(
        request: Request,
        visitor: Annotated[Visitor, board],
        month: MonthName,
        version: Version,
        sent: Form,
    ) -> Response:
        run = _run(room, month, version)
        reason = " ".join(sent.get("reden", "").split())
        if run.state not in BOOKED:
            raise RefusedError(HTTPStatus.NOT_FOUND, "this run is not in the books yet")
        try:
            check_reason(reason)
        except ReasonError as error:
            return _page(room, request, visitor, run, notice_of(error), reason)
        with room.reading() as desk:
            body = audit_bundle(desk, run.id)
            homes = sorted({each.connection for each in owners_of(inputs_of(desk, run))})
        _note_looks(room, visitor, homes, run, reason)
        return _download(body, f"controle-{run.id.replace('/', '-')}.zip", ZIP)


def _page(
    room: Room,
    request: Request,
    visitor: Visitor,
    run: Run,
    notice: Notice | None = None,
    reason: str = "",
) -> Response:
    values = {
        "run": run,
        "notice": notice,
        "reason": reason,
        "numbered": run.state in NUMBERED,
        "in_books": run.state in BOOKED,
        "printed": room.printery.printed(run) is not None,
    }
    status = HTTPStatus.OK if notice is None else notice.status
    return room.show(request, visitor, "run_files.html", values, "title.run_files", status)


def _run(room: Room, month: str, version: int) -> Run:
    with room.reading() as desk:
        run = known_run(desk, month, version)
    if run.state is State.DRAFT and all(step.computation is None for step in run.steps):
        raise RefusedError(HTTPStatus.NOT_FOUND, f"run {run.id} was not computed yet")
    return run


def _note(room: Room, visitor: Visitor, run: Run, kind: str) -> None:
    """Write down that somebody took a run's file along."""
    with room.house.people.writing() as desk:
        record(desk, visitor.account, "run.export", run.id, {"kind": kind})


def _note_looks(room: Room, visitor: Visitor, homes: list[str], run: Run, reason: str) -> None:
    """Write down for every home that its quarter-hours were taken along, and why."""
    days: tuple[date, date] = (run.name.month.first, run.name.month.last)
    as_what = min((role.value for role in visitor.roles if role is not Role.RESIDENT), default="")
    with room.house.people.writing() as desk:
        for home in homes:
            add_look(desk, visitor.account, as_what, None, home, "export", days, reason)
        record(desk, visitor.account, "run.export", run.id, {"kind": "parcel"})


def _download(body: bytes, name: str, media_type: str) -> Response:
    headers = {
        "Content-Disposition": f"attachment; filename={quote(name)}",
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(pieces(body), media_type=media_type, headers=headers)
