"""Errors as people and programs read them: RFC 9457 problem details, or a short page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

from api.people.errors import TooOftenError
from kwartier.errors import InputError, TemporaryError

_log = logging.getLogger(__name__)

ErrorPage = Callable[[Request, int], Response]
"""Draws the page for a status."""

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One value that was refused."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, as RFC 9457 has it; ``type`` says no more than ``status``."""

    title: str
    status: int
    detail: str
    errors: tuple[FieldProblem, ...] = ()
    type: str = "about:blank"


def documented_problems() -> dict[int | str, dict[str, object]]:
    """Return the problems that any address may answer, for the OpenAPI document."""
    schema = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    fields = schema.pop("$defs")["FieldProblem"]
    schema["properties"]["errors"]["items"] = fields
    return {
        int(status): {
            "description": status.phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in (
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.SERVICE_UNAVAILABLE,
        )
    }


class RefusedError(HTTPException):
    """A request that is answered with a problem; the detail says what to do."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with a status and one sentence."""
        super().__init__(int(status), detail, headers)


class ProofNeededError(RefusedError):
    """Somebody must show first who they are: pages lead to the door, programs are told."""

    def __init__(self, step: str, detail: str) -> None:
        """Ask for ``login`` or ``confirm``, and say so in a sentence."""
        super().__init__(
            HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": f'Card realm="kwartier {step}"'}
        )
        self.step = step


DOORS = {"login": "/inloggen", "confirm": "/bevestig"}
"""Where somebody shows who they are, by the step that is needed."""


def answer_problems(app: FastAPI, error_page: ErrorPage) -> None:
    """Have every error of an app answered: JSON below ``/api``, a page elsewhere."""

    def answer(
        request: Request,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: tuple[FieldProblem, ...] = (),
    ) -> Response:
        if _wants_page(request):
            page = error_page(request, status)
            page.headers.update(headers or {})
            return page
        problem = Problem(HTTPStatus(status).phrase, status, detail, errors)
        return JSONResponse(asdict(problem), status, headers, MEDIA_TYPE)

    @app.exception_handler(ProofNeededError)
    def _proof(request: Request, error: ProofNeededError) -> Response:
        if not _wants_page(request):
            return answer(request, error.status_code, error.detail, error.headers)
        back = own_path(request)
        return RedirectResponse(f"{DOORS[error.step]}?{urlencode({'verder': back})}", 303)

    @app.exception_handler(HTTPException)
    def _refused(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        fields = tuple(
            FieldProblem(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()[:20]
        )
        detail = "; ".join(f"{field.place}: {field.message}" for field in fields)
        return answer(request, 422, f"{detail}: see /openapi.json", errors=fields)

    @app.exception_handler(InputError)
    def _input(request: Request, error: InputError) -> Response:
        return answer(request, 422, str(error))

    @app.exception_handler(TooOftenError)
    def _often(request: Request, error: TooOftenError) -> Response:
        return answer(request, 429, str(error), {"Retry-After": str(int(error.wait_s) + 1)})

    @app.exception_handler(TemporaryError)
    def _later(request: Request, error: TemporaryError) -> Response:
        # An address may name a home or hold a link's proof: the route's own words do not.
        route = getattr(request.scope.get("route"), "path", "an address")
        _log.warning("%s answered 503: %s", route, error)
        return answer(request, 503, f"{error}: try again in a minute", {"Retry-After": "60"})

    @app.exception_handler(Exception)
    def _ours(request: Request, _: Exception) -> Response:
        return answer(request, 500, "a mistake of ours, and it is in the log: try again later")


def own_path(request: Request) -> str:
    """Return where to go on afterwards: this page, or the page whose form was sent."""
    if request.method in {"GET", "HEAD"}:
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return safe_path(urlsplit(request.headers.get("referer", "")).path)


def safe_path(asked: str) -> str:
    """Return a path of our own; anything else is the first page."""
    fine = asked.startswith("/") and not asked.startswith(("//", "/\\")) and asked.isprintable()
    return asked if fine and len(asked) <= 500 and "\\" not in asked else "/"


def _wants_page(request: Request) -> bool:
    path = request.url.path
    return not path.startswith(("/api/", "/healthz", "/readyz", "/metrics", "/openapi.json"))
