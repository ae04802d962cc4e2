"""What pages fetch besides themselves, and the page of an error."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.pages.render import Asset, Pages
from api.pages.sheets import YEAR_S, Sheets, language_of
from api.people.visitor import ANYBODY, Visitor
from api.problems import ErrorPage, RefusedError


def add_static(app: FastAPI, door: Doorkeeper, pages: Pages, sheets: Sheets) -> None:
    """Add ``/static``, whose names hold a hash of what they bring, and what works offline."""
    anyone = Depends(Require(door, Need.ANYONE))

    @app.get("/static/{name}", include_in_schema=False)
    def static(request: Request, name: str, _: Annotated[Visitor, anyone]) -> Response:
        found = pages.asset(name)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such file: load the page anew")
        answer = _sent(request, found)
        answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
        return answer

    @app.get("/sw.js", include_in_schema=False)
    def service_worker(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        # Its address never changes, so it is asked for anew each time.
        return _sent(request, pages.worker)

    @app.get("/offline", include_in_schema=False)
    def offline(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        return sheets.show(request, ANYBODY, "offline.html", title="title.offline")


def _sent(request: Request, asset: Asset) -> Response:
    """Return a file, in gzip to whoever takes that."""
    headers = {"Content-Type": asset.kind, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(asset.body, headers=headers)
    return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"})


def error_page(sheets: Sheets) -> ErrorPage:
    """Return what draws the page of a status."""

    def draw(request: Request, status: int) -> Response:
        key = f"error.{status}" if status in {404, 429} else "error.text"
        values = {"text": language_of(request).say(key)}
        return sheets.show(
            request, ANYBODY, "error.html", values, title="title.error", status=status
        )

    return draw
