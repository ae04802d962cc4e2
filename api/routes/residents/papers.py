"""Paper for at home: the weekly sheet and the login card."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from markupsafe import Markup

from api.auth import Doorkeeper, Need, Require
from api.history import History
from api.house import House
from api.pages.language import Language
from api.pages.paper_week import LastWeek, last_week, week_values
from api.pages.qr import qr_image
from api.pages.render import Pages
from api.pages.sheets import Sheets, language_of
from api.papers.kept import Kept
from api.papers.typeset import pdf
from api.people.cards import ALPHABET
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.forms import Form
from api.schemas import moment_time
from api.week import DayMoments, moments_of_week
from kwartier.errors import SettingsError
from kwartier.interval import day_of
from optimizer.moment import Moment

KEPT_S = 1_800.0
"""How long the week's forecast and a sheet made of it are told again [s]."""
_CODE = re.compile(f"[{ALPHABET}]{{4}}(-[{ALPHABET}]{{4}}){{2}}", re.ASCII)
MOST_LETTERS = 80
"""The longest name on a card."""


@dataclass(frozen=True, slots=True)
class HourAnswer:
    """What is expected of an hour."""

    start: datetime
    state: Moment


@dataclass(frozen=True, slots=True)
class WeekDayAnswer:
    """A day of the week to come, hour by hour."""

    day: date
    hours: tuple[HourAnswer, ...]


def add_papers(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/week`` as page and PDF, and the login card as PDF."""
    _add_week(app, house, door, sheets)
    _add_card(app, house, door, sheets)


def _add_week(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    anyone = Depends(Require(door, Need.ANYONE))
    weeks: Kept[date, tuple[DayMoments, ...]] = Kept(2, KEPT_S)
    printed: Kept[tuple[date, str, str, LastWeek | None], bytes] = Kept(64, KEPT_S)
    pages, history = Pages(), History(house.records)

    def week() -> tuple[DayMoments, ...]:
        today = day_of(house.clock.now_s())
        return weeks.of(today, lambda: moments_of_week(house, history=history))

    def values(visitor: Visitor, *, hallway: bool) -> dict[str, object]:
        alone = hallway or visitor.home is None
        last = None if alone else last_week(house, visitor)
        return week_values(house, week(), "" if alone else visitor.home or "", last)

    def page(request: Request, visitor: Visitor, *, hallway: bool) -> Response:
        told = values(visitor, hallway=hallway) | {"hallway": hallway}
        return sheets.show(request, visitor, "week.html", told, title="title.week")

    def paper(request: Request, visitor: Visitor, *, hallway: bool) -> Response:
        lang = language_of(request, visitor)
        told = values(visitor, hallway=hallway)
        own, last = str(told["home"]), told["last"]
        assert last is None or isinstance(last, LastWeek)

        def make() -> bytes:
            return pdf(pages.draw("week_paper.html", lang, css=paper_css(), **told))

        try:
            body = printed.of((week()[0].date, own, lang.tag, last), make)
        except SettingsError:
            return no_paper(request, sheets, visitor, "/week/gang" if hallway else "/week")
        return pdf_answer(body, f"week-{week()[0].date}.pdf", inline=True)

    @app.get("/week", include_in_schema=False)
    def own_page(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        return page(request, visitor, hallway=False)

    @app.get("/week.pdf", include_in_schema=False)
    def own_paper(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        return paper(request, visitor, hallway=False)

    @app.get("/week/gang", include_in_schema=False)
    def hallway_page(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        return page(request, visitor, hallway=True)

    @app.get("/week/gang.pdf", include_in_schema=False)
    def hallway_paper(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        return paper(request, visitor, hallway=True)

    @app.get("/api/v1/week", tags=["now"], summary="What is expected of each hour of the week")
    def answer(_: Annotated[Visitor, anyone]) -> tuple[WeekDayAnswer, ...]:
        return tuple(
            WeekDayAnswer(
                day.date,
                tuple(HourAnswer(moment_time(hour.start_s), hour.state) for hour in day.hours),
            )
            for day in week()
        )


def _add_card(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    keeper = Depends(Require(door, Need.KEEPER))
    pages = Pages()

    @app.post("/accounts/kaart.pdf", include_in_schema=False)
    def card(request: Request, visitor: Annotated[Visitor, keeper], sent: Form) -> Response:
        """Print the code that was just shown; it is kept nowhere, and stands in no address."""
        code = sent.get("code", "").strip().upper()
        if _CODE.fullmatch(code) is None:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "this is no code of a login card: give a new card"
            )
        lang = language_of(request, visitor)
        html = card_html(
            house, pages, lang, code, sent.get("home", "")[:32], sent.get("name", "")[:MOST_LETTERS]
        )
        try:
            body = pdf(html)
        except SettingsError:
            return no_paper(request, sheets, visitor, "/accounts")
        return pdf_answer(body, "inlogkaart.pdf", inline=False)


def card_html(house: House, pages: Pages, lang: Language, code: str, home: str, name: str) -> str:
    """Return the card as the page that is printed.

    The picture brings the code behind a ``#``, which a browser sends to no server.
    """
    address = f"{house.public_url}/inloggen"
    return pages.draw(
        "card_sheet.html",
        lang,
        css=paper_css(),
        code=code,
        home=home,
        name=name,
        address=address.partition("://")[2],
        picture=qr_image(f"{address}#{code}"),
        phone=house.help_line.phone,
        phone_hours=house.help_line.hours,
        place=house.community.name,
    )


def no_paper(request: Request, sheets: Sheets, visitor: Visitor, back: str) -> Response:
    """Return a page that says that no PDF can be made here, and what to do instead."""
    return sheets.show(
        request,
        visitor,
        "paper_none.html",
        {"back": back},
        title="title.statement.paper",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
    )


def pdf_answer(body: bytes, name: str, *, inline: bool) -> Response:
    """Return a PDF; inline it opens in the browser, where it can be printed."""
    way = "inline" if inline else "attachment"
    headers = {"Content-Disposition": f'{way}; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/pdf", headers=headers)


@cache
def paper_css() -> Markup:
    """Return the style of what is printed."""
    text = files("api.papers").joinpath("style", "home.css").read_text("utf-8")
    return Markup(text)  # noqa: S704 - a file of ours
