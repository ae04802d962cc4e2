"""What an installer sees of the jobs at the homes of today."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.enrolment.claims import claim_of_mark, draw
from api.enrolment.jobs import job_of, jobs_at
from api.house import House
from api.pages.jobs import JobLine, code_values, job_line
from api.pages.sheets import Sheets
from api.people.errors import UnknownError
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.gateways.jobs import JobNumber
from api.routes.gateways.wizard import PAGE, WizardPages

Mark = Annotated[str, Path(pattern=r"^[2-9A-HJ-NP-Z]{4}$")]


def add_onsite(
    app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets, steps: WizardPages
) -> None:
    """Add ``/i/klussen``, drawing a code there, and ``/i/{mark}`` where a QR leads."""
    installer = Depends(Require(door, Need.INSTALLER))

    @app.get(PAGE, include_in_schema=False)
    def listed(request: Request, visitor: Annotated[Visitor, installer]) -> Response:
        return _show(house, sheets, request, visitor)

    @app.get("/api/v1/jobs/own", tags=["gateways"], summary="Jobs at the homes I work at now")
    def told(visitor: Annotated[Visitor, installer]) -> list[JobLine]:
        with house.people.reading() as desk:
            return [job_line(desk, each) for each in jobs_at(desk, visitor.works_at)]

    @app.post(f"{PAGE}/{{job}}/code", include_in_schema=False)
    def code(request: Request, visitor: Annotated[Visitor, installer], job: JobNumber) -> Response:
        try:
            with house.people.writing() as desk:
                is_theirs = job_of(desk, job).home in visitor.works_at
                drawn = draw(desk, visitor.account, job) if is_theirs else None
        except UnknownError:
            drawn = None
        if drawn is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no job {job} for you")
        values = dict(code_values(house, drawn)) | {"back": f"{PAGE}/{job}"}
        return sheets.show(
            request, visitor, "jobs_code.html", values, title="title.job_code", tab="work"
        )

    @app.get("/i/{mark}", include_in_schema=False)
    def scanned(request: Request, visitor: Annotated[Visitor, installer], mark: Mark) -> Response:
        with house.people.reading() as desk:
            row = claim_of_mark(desk, mark)
            job = None if row is None else job_of(desk, row.job)
        if job is None or job.home not in visitor.works_at:
            raise RefusedError(HTTPStatus.NOT_FOUND, "this code is nobody's: draw a new one")
        return steps.show(request, visitor, job)


def _show(house: House, sheets: Sheets, request: Request, visitor: Visitor) -> Response:
    with house.people.reading() as desk:
        lines = [job_line(desk, each) for each in jobs_at(desk, visitor.works_at)]
    return sheets.show(
        request, visitor, "jobs_work.html", {"lines": lines}, title="title.jobs", tab="work"
    )
