"""Jobs for the board and operators: plan one, approve it, draw its code, and end it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.enrolment.claims import draw
from api.enrolment.jobs import LIVE, OwnJobError, ask_job, job_of, jobs, judge_job
from api.house import House
from api.pages.jobs import JobLine, code_values, job_line
from api.pages.sheets import Sheets, go
from api.people.errors import PeopleError, UnknownError
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.forms import Form
from api.routes.gateways.desk import enrolment_of
from kwartier.errors import InputError

PAGE = "/ops/klussen"
ON_A_PAGE = 50
JobNumber = Annotated[int, Path(ge=1, le=1_000_000_000)]


def add_jobs(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add the list of jobs, a page for each, and what the board does with them."""
    _add_list(app, house, door, sheets)
    _add_one(app, house, door, sheets)
    _add_judging(app, house, door, sheets)
    _add_ending(app, house, door)


def _add_list(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    keeper = Depends(Require(door, Need.KEEPER))

    def listed(
        request: Request,
        visitor: Visitor,
        page: int,
        typed: Mapping[str, str],
        refused: InputError | None = None,
    ) -> Response:
        with house.people.reading() as desk:
            found = jobs(desk, skip=(page - 1) * ON_A_PAGE, limit=ON_A_PAGE + 1)
            lines = [job_line(desk, each) for each in found[:ON_A_PAGE]]
        values = {
            "lines": lines,
            "page": page,
            "more": len(found) > ON_A_PAGE,
            "homes": list(house.community.connections),
            "typed": typed,
            "refused": None if refused is None else str(refused),
        }
        status = 200 if refused is None else 422
        return sheets.show(
            request,
            visitor,
            "jobs.html",
            values,
            title="title.jobs",
            tab="gateways",
            status=status,
        )

    @app.get(PAGE, include_in_schema=False)
    def everything(
        request: Request,
        visitor: Annotated[Visitor, keeper],
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    ) -> Response:
        return listed(request, visitor, page, {})

    @app.post(PAGE, include_in_schema=False)
    def ask(request: Request, visitor: Annotated[Visitor, keeper], sent: Form) -> Response:
        home = sent.get("home", "")
        try:
            if home not in house.community.connections:
                raise PeopleError(f"there is no home {home[:40]!r}: choose one of the list")
            with house.people.writing() as desk:
                number = ask_job(
                    desk,
                    visitor.account,
                    sent.get("gateway", ""),
                    home,
                    meter=sent.get("meter", ""),
                    address=sent.get("address", ""),
                    steering=sent.get("steering") == "ja",
                )
        except InputError as error:
            return listed(request, visitor, 1, sent, error)
        return go(f"{PAGE}/{number}", done="job_asked")

    @app.get("/api/v1/jobs", tags=["gateways"], summary="Gateways that are let in, or are to be")
    def told(
        _: Annotated[Visitor, keeper],
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = ON_A_PAGE,
    ) -> list[JobLine]:
        with house.people.reading() as desk:
            return [job_line(desk, each) for each in jobs(desk, skip=skip, limit=limit)]


def _add_one(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    keeper = Depends(Require(door, Need.KEEPER))

    @app.get(f"{PAGE}/{{job}}", include_in_schema=False)
    def one(request: Request, visitor: Annotated[Visitor, keeper], job: JobNumber) -> Response:
        return _show_one(house, sheets, request, visitor, job)

    @app.post(f"{PAGE}/{{job}}/code", include_in_schema=False)
    def code(request: Request, visitor: Annotated[Visitor, keeper], job: JobNumber) -> Response:
        with house.people.writing() as desk:
            drawn = draw(desk, visitor.account, job)
        values = dict(code_values(house, drawn)) | {"back": f"{PAGE}/{job}"}
        return sheets.show(
            request, visitor, "jobs_code.html", values, title="title.job_code", tab="gateways"
        )


def _show_one(
    house: House,
    sheets: Sheets,
    request: Request,
    visitor: Visitor,
    job: int,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Return the page of a job."""
    try:
        with house.people.reading() as desk:
            found = job_of(desk, job)
            line = job_line(desk, found)
    except UnknownError as error:
        raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
    own = found.made_by == visitor.account
    values = {"job": found, "line": line, "live": found.state in LIVE, "own": own}
    return sheets.show(
        request,
        visitor,
        "jobs_one.html",
        values,
        title="title.job",
        tab="gateways",
        status=status,
    )


def _add_judging(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    board = Depends(Require(door, Need.BOARD))

    def judge(
        request: Request, visitor: Visitor, job: int, sent: Form, *, approved: bool
    ) -> Response:
        try:
            with house.people.writing() as desk:
                seen = sent.get("key", "")
                if seen and job_line(desk, job_of(desk, job)).key != seen:
                    raise RefusedError(
                        HTTPStatus.CONFLICT, "another box showed the code meanwhile: look again"
                    )
                judge_job(desk, visitor.account, job, approved=approved)
        except OwnJobError:
            # The page says in words that somebody else has to.
            return _show_one(house, sheets, request, visitor, job, HTTPStatus.FORBIDDEN)
        return go(f"{PAGE}/{job}", done="job_approved" if approved else "job_refused")

    @app.post(f"{PAGE}/{{job}}/goed", include_in_schema=False)
    def approve(
        request: Request, visitor: Annotated[Visitor, board], job: JobNumber, sent: Form
    ) -> Response:
        return judge(request, visitor, job, sent, approved=True)

    @app.post(f"{PAGE}/{{job}}/weiger", include_in_schema=False)
    def refuse(
        request: Request, visitor: Annotated[Visitor, board], job: JobNumber, sent: Form
    ) -> Response:
        return judge(request, visitor, job, sent, approved=False)


def _add_ending(app: FastAPI, house: House, door: Doorkeeper) -> None:
    keeper = Depends(Require(door, Need.KEEPER))

    @app.post(f"{PAGE}/{{job}}/stop", include_in_schema=False)
    def end(visitor: Annotated[Visitor, keeper], job: JobNumber, sent: Form) -> Response:
        if sent.get("sure") != "ja":
            return go(f"{PAGE}/{job}")
        cut = enrolment_of(house).revoke(visitor.account, job)
        return go(f"{PAGE}/{job}", done="job_ended" if cut else "job_ending")
