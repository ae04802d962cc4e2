"""Hulp: whom to call, answers in plain words, how my home is read, and how pages look."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.health.gateways import HomeLinks, Link, home_links
from api.health.happened import meter_swapped_s
from api.house import House
from api.pages.language import BEGUN, LANGUAGES, language
from api.pages.sheets import Sheets, go
from api.people.looks import looks_at
from api.people.page_style import choose_language, choose_pictures
from api.people.questions import questions_of
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.forms import Form
from api.schemas import time_or_none

ANSWERS = ("moment", "shared", "battery", "provisional", "box", "move", "who", "card")
"""The eight questions that are answered; each has a picture."""
NEWEST = 3
"""How many looks and questions the first page shows."""
LONG_SILENT_S = 86_400
"""After how long a silent box is something to look at oneself [s]."""


@dataclass(frozen=True, slots=True)
class LinksAnswer:
    """How one home is read: which link is broken, and since when; null is not known."""

    home: str
    broken: Link
    heard: datetime | None
    since: datetime | None
    you_can_help: bool


@dataclass(frozen=True, slots=True)
class HelpAnswer:
    """Whom to call, and how the visitor's own home is read."""

    phone: str
    hours: str
    links: LinksAnswer | None
    language: str
    pictures: bool


def add_help(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/hulp``, and what is chosen there."""
    anyone = Depends(Require(door, Need.ANYONE))
    account = Depends(Require(door, Need.ACCOUNT))

    def links_of(visitor: Visitor) -> HomeLinks | None:
        return home_links(house, visitor.home) if visitor.home and _lives_there(visitor) else None

    def _lives_there(visitor: Visitor) -> bool:
        return visitor.home is not None and visitor.lived_in(visitor.home, house.clock.now_s())

    @app.get("/hulp", include_in_schema=False)
    def page(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        links = links_of(visitor)
        own = visitor.known and visitor.companion is None
        with house.people.reading() as desk:
            looks = looks_at(desk, visitor.account, visitor.stays, NEWEST) if own else []
            asked = questions_of(desk, visitor.account)[:NEWEST] if own else []
        values: dict[str, object] = {
            "line": house.help_line,
            "links": links,
            "you": links is not None and _you_can_help(links, house.clock.now_s()),
            "swapped_s": None if links is None else meter_swapped_s(house, visitor),
            "answers": ANSWERS,
            "own": own,
            "looks": looks,
            "asked": asked,
            "languages": {tag: language(tag).say("language.name") for tag in (*LANGUAGES, *BEGUN)},
        }
        return sheets.show(request, visitor, "help.html", values, title="title.help", tab="help")

    @app.get("/api/v1/help", tags=["help"], summary="Whom to call, and how my home is read")
    def told(visitor: Annotated[Visitor, anyone]) -> HelpAnswer:
        links, now_s = links_of(visitor), house.clock.now_s()
        line = house.help_line
        return HelpAnswer(
            line.phone,
            line.hours,
            None
            if links is None or visitor.home is None
            else LinksAnswer(
                visitor.home,
                links.broken,
                time_or_none(links.heard_s),
                time_or_none(links.since_s),
                _you_can_help(links, now_s),
            ),
            visitor.language,
            visitor.pictures,
        )

    @app.post("/hulp/taal", include_in_schema=False)
    def speak(visitor: Annotated[Visitor, account], sent: Form) -> Response:
        tag = sent.get("lang", "")
        if tag not in LANGUAGES | BEGUN:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "choose one of the languages")
        with house.people.writing() as desk:
            choose_language(desk, visitor.account, tag)
        return go("/hulp", done="language", lang=tag)

    @app.post("/hulp/beeld", include_in_schema=False)
    def draw(visitor: Annotated[Visitor, account], sent: Form) -> Response:
        with house.people.writing() as desk:
            choose_pictures(desk, visitor.account, pictures=sent.get("pictures") == "yes")
        return go("/hulp", done="pictures")


def _you_can_help(links: HomeLinks, now_s: float) -> bool:
    """Return whether a resident may look at the box: it has been silent for a day."""
    silent_s = 0.0 if links.since_s is None else now_s - links.since_s
    return links.broken is Link.BOX and silent_s > LONG_SILENT_S
