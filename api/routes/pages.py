"""What people open in a browser: Vandaag, the big screen, and the door with the login card."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from api.attempts import Attempts
from api.auth import Doorkeeper, Need, Require
from api.cards import Visitor
from api.house import House
from api.pages.language import LANGUAGES, Language, chosen
from api.pages.render import Pages
from api.pages.today import today_values
from api.problems import ErrorPage, RefusedError
from api.settled import SettledDays

RELOAD_S = 120
"""How often the big screen loads itself anew, with or without its script [s]."""
MOST_TRIES_PER_ADDRESS, MOST_TRIES_PER_CARD, TRIES_WINDOW_S = 20, 5, 900.0
_YEAR_S = 31_536_000
_FORM_BYTES = 1024


def add_pages(
    app: FastAPI, house: House, settled: SettledDays, door: Doorkeeper, pages: Pages
) -> None:
    """Add the pages of residents and of the street."""
    anyone = Depends(Require(door, Need.ANYONE))

    @app.get("/", include_in_schema=False)
    def today(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        lang = language_of(request)
        values = today_values(house, settled, visitor, lang)
        return _page(pages, request, lang, "today.html", "title.today", values)

    @app.get("/wijk", include_in_schema=False)
    def street(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        lang = language_of(request)
        values = today_values(house, settled, Visitor(), lang)
        values["page_class"] = "big-screen"
        answer = _page(pages, request, lang, "street.html", "title.street", values)
        answer.headers["Refresh"] = str(RELOAD_S)
        return answer

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str, _: Annotated[Visitor, anyone]) -> Response:
        found = pages.asset(name)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such file: load the page anew")
        body, kind = found
        headers = {"Content-Type": kind, "Cache-Control": f"public, max-age={_YEAR_S}, immutable"}
        return Response(body, headers=headers)


def add_login(app: FastAPI, house: House, door: Doorkeeper, pages: Pages) -> None:
    """Add the door: a form for the login card, and the way out."""
    anyone = Depends(Require(door, Need.ANYONE))
    by_address = Attempts(house.clock, MOST_TRIES_PER_ADDRESS, TRIES_WINDOW_S)
    by_card = Attempts(house.clock, MOST_TRIES_PER_CARD, TRIES_WINDOW_S)

    def form(request: Request, problem: str | None, status: HTTPStatus) -> Response:
        values = {"community": house.community, "version": house.version, "problem": problem}
        lang = language_of(request)
        return _page(pages, request, lang, "login.html", "title.login", values, status)

    @app.get("/inloggen", include_in_schema=False)
    def ask(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        return form(request, None, HTTPStatus.OK)

    @app.post("/inloggen", include_in_schema=False)
    async def let_in(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        code = await _field(request, "code")
        card = "".join(filter(str.isalnum, code.upper()))[:4]
        address = request.client.host if request.client else ""
        wait_s = by_address.wait_s(address) or by_card.wait_s(card)
        if wait_s:
            lang = language_of(request)
            said = lang.say("login.wait", minutes=int(wait_s // 60) + 1)
            answer = form(request, said, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers["Retry-After"] = str(int(wait_s) + 1)
            return answer
        session = await run_in_threadpool(house.cards.open_session, code)
        if session is None:
            said = language_of(request).say("login.wrong")
            return form(request, said, HTTPStatus.UNPROCESSABLE_ENTITY)
        by_card.forget(card)
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        door.let_in(answer, session)
        return answer

    @app.post("/uitloggen", include_in_schema=False)
    def let_out(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        door.let_out(request, answer)
        return answer


def error_page(house: House, pages: Pages) -> ErrorPage:
    """Return what draws the page of a status."""

    def draw(request: Request, status: int) -> Response:
        lang = language_of(request)
        key = f"error.{status}" if status in {404, 429} else "error.text"
        values = {
            "community": house.community,
            "version": house.version,
            "text": lang.say(key),
        }
        return _page(pages, request, lang, "error.html", "title.error", values, HTTPStatus(status))

    return draw


def language_of(request: Request) -> Language:
    """Return the reader's language: the address first, then the cookie, then the browser."""
    asked = request.query_params.get("lang")
    return chosen(asked, request.cookies.get("lang"), request.headers.get("accept-language", ""))


def _page(
    pages: Pages,
    request: Request,
    lang: Language,
    template: str,
    title: str,
    values: Mapping[str, object],
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    other = next(tag for tag in LANGUAGES if tag != lang.tag)
    text = pages.draw(
        template,
        lang,
        **{"title": lang.say(title), "other": other, "page_class": ""} | dict(values),
    )
    answer = HTMLResponse(text, status, {"Content-Language": lang.tag})
    if request.query_params.get("lang") == lang.tag:
        answer.set_cookie("lang", lang.tag, max_age=_YEAR_S, httponly=True, samesite="lax")
    return answer


async def _field(request: Request, name: str) -> str:
    """Return one field of a small form, or refuse a large one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a form of more than {_FORM_BYTES} bytes"
            )
    found = parse_qs(body.decode("ascii", "replace"), max_num_fields=10).get(name, [""])
    return found[0][:64]
