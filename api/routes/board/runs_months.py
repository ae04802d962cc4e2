"""What takes a while: to compute a month or to correct it; the page tells how far it is."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import Need, Require
from api.cooperative.database import Desk
from api.cooperative.runs import compute, correct, run_of
from api.cooperative.runs.states import latest
from api.house import House
from api.pages.runs.acts import check_reason, refuse_stale_month, was_begun
from api.pages.runs.months import month_values
from api.pages.runs.next import MonthAct, path_of
from api.pages.runs.refusals import Notice, notice_of
from api.pages.runs.work import Share
from api.pages.sheets import language_of
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.board.runs_room import MonthName, Room
from api.routes.forms import Form
from kwartier.errors import InputError, TemporaryError
from kwartier.units import Wh, wh_from_kwh

RELOAD_S = 2
"""How often the page of work under way loads itself anew [s]."""


def add_month_acts(app: FastAPI, room: Room) -> None:
    """Add the forms of what takes a while, and the page that tells how far it is."""
    money = Depends(Require(room.door, Need.MONEY))
    _add_progress(app, room)

    def page(
        request: Request,
        visitor: Visitor,
        place: tuple[str, MonthAct],
        notice: Notice | None = None,
        sent: Mapping[str, str] | None = None,
    ) -> Response:
        lang = language_of(request, visitor)
        month, act = place
        with room.office.reading_as(visitor) as desk:
            values = month_values(desk, room.months, month, act, lang)
        status = HTTPStatus.OK if values["possible"] else HTTPStatus.CONFLICT
        if notice is not None:
            status = notice.status
        told = {**values, "notice": notice, "sent": sent or {}, "working": room.workshop.running}
        return room.show(request, visitor, "run_month.html", told, f"title.run_{act.word}", status)

    @app.get("/bestuur/maanden/{month}/{act}", include_in_schema=False)
    def show_act(
        request: Request, visitor: Annotated[Visitor, money], month: MonthName, act: MonthAct
    ) -> Response:
        return page(request, visitor, (month, act))

    @app.post("/bestuur/maanden/{month}/{act}", include_in_schema=False)
    def do_act(
        request: Request,
        visitor: Annotated[Visitor, money],
        month: MonthName,
        act: MonthAct,
        sent: Form,
    ) -> Response:
        reason = " ".join(sent.get("reden", "").split())

        def do(show: Share) -> str:
            with room.office.writing_as(visitor) as desk:
                run = _done(room.house, desk, month, act, sent, show)
            with room.reading() as desk:
                room.shelf.reckoned(desk, run_of(desk, run))  # so that no page has to wait for it
            return f"{path_of(run)}?klaar=runs_{act.word}"

        try:
            content_wh(sent)
            if act is MonthAct.CORRECT:
                check_reason(reason)
            work = room.workshop.begin(act.word, month, visitor.officer, do)
        except (InputError, TemporaryError) as error:
            return page(request, visitor, (month, act), notice_of(error), sent)
        if work.refused is not None:
            return page(request, visitor, (month, act), work.refused, sent)
        return RedirectResponse(work.path or f"/bestuur/werk/{work.number}", HTTPStatus.SEE_OTHER)


def content_wh(sent: Mapping[str, str]) -> Wh | None:
    """Return what the battery could still give at the month's end, as measured [Wh]; else None.

    Raises:
        ContractError: It is no number of kWh.
    """
    text = sent.get("batterij", "").strip().replace(",", ".")
    return wh_from_kwh(text) if text else None


def _done(
    house: House, desk: Desk, month: str, act: MonthAct, sent: Mapping[str, str], show: Share
) -> str:
    """Do an act about a month, and return its run."""
    assert house.office is not None, month
    settings, content = house.office.settings, content_wh(sent)
    if act is MonthAct.COMPUTE:
        # On unchanged data nothing is added, so nobody's step is undone by doing it again.
        return compute(desk, settings, month, content_wh=content, show=show)
    reason, decision = " ".join(sent.get("reden", "").split()), sent.get("besluit", "").strip()
    newest, seen = latest(desk, month), sent.get("gezien", "")
    if newest is not None and was_begun(newest, seen, desk.officer.id, reason):
        return newest.id
    refuse_stale_month(newest, seen)
    show(0.1)
    return correct(desk, settings, month, reason, decision, content_wh=content)


def _add_progress(app: FastAPI, room: Room) -> None:
    board = Depends(Require(room.door, Need.BOARD))

    @app.get("/bestuur/werk/{number}", include_in_schema=False)
    def progress(
        request: Request,
        visitor: Annotated[Visitor, board],
        number: Annotated[int, Path(ge=1, le=10**9)],
    ) -> Response:
        work = room.workshop.work(number)
        if work is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "this work is forgotten: look at the list")
        if work.path:
            return RedirectResponse(work.path, HTTPStatus.SEE_OTHER)
        answer = room.show(request, visitor, "run_work.html", {"work": work}, "title.run_work")
        if not work.ended.is_set():
            answer.headers["Refresh"] = str(RELOAD_S)
        return answer
