"""What pages fetch besides themselves, and the page of an error."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.pages.render import Pages
from api.pages.sheets import YEAR_S, Sheets, language_of
from api.people.visitor import ANYBODY, Visitor
from api.problems import ErrorPage, RefusedError


def add_static(app: FastAPI, door: Doorkeeper, pages: Pages, sheets: Sheets) -> None:
    """Add ``/static``, whose names hold a hash of what they bring, and what works offline."""
    anyone = Depends(Require(door, Need.ANYONE))

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str, _: Annotated[Visitor, anyone]) -> Response:
        found = pages.asset(name)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such file: load the page anew")
        body, kind = found
        headers = {"Content-Type": kind, "Cache-Control": f"public, max-age={YEAR_S}, immutable"}
        return Response(body, headers=headers)

    @app.get("/sw.js", include_in_schema=False)
    def service_worker(_: Annotated[Visitor, anyone]) -> Response:
        # Its address never changes, so it is asked for anew each time.
        return Response(pages.worker, headers={"Content-Type": "text/javascript; charset=utf-8"})

    @app.get("/offline", include_in_schema=False)
    def offline(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        return sheets.show(request, ANYBODY, "offline.html", title="title.offline")


def error_page(sheets: Sheets) -> ErrorPage:
    """Return what draws the page of a status."""

    def draw(request: Request, status: int) -> Response:
        key = f"error.{status}" if status in {404, 429} else "error.text"
        values = {"text": language_of(request).say(key)}
        return sheets.show(
            request, ANYBODY, "error.html", values, title="title.error", status=status
        )

    return draw
