"""A page for one reader: their words, their tabs, what was just done, and the frame around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.house import House
from api.pages.language import BEGUN, LANGUAGES, Language, chosen, language
from api.pages.render import Pages
from api.people.visitor import ANYBODY, Role, Visitor

YEAR_S = 31_536_000


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of the bar: its name, where it leads, and whether it is this page."""

    name: str
    path: str
    here: bool


RESIDENT_TABS = (
    ("today", "/"),
    ("overview", "/overzicht"),
    ("statement", "/afrekening"),
    ("help", "/hulp"),
)
"""Always in this order, Help always the fourth (WCAG 2.2, 3.2.6)."""
BOARD_TABS = (
    ("runs", "/bestuur"),
    ("members", "/bestuur/leden"),
    ("law", "/bestuur/regels"),
    ("wijk", "/bestuur/wijk"),
    ("questions", "/bestuur/vragen"),
    ("post", "/bestuur/berichten"),
    ("log", "/bestuur/logboek"),
)
KEEPER_TABS = (("gateways", "/ops"), ("accounts", "/accounts"))
INSTALLER_TABS = (("work", "/i"),)


class Sheets:
    """Draws whole pages; every page of the house goes through here."""

    def __init__(self, house: House, pages: Pages) -> None:
        """Draw the pages of a house."""
        self._house = house
        self._pages = pages

    def show(
        self,
        request: Request,
        visitor: Visitor,
        template: str,
        values: Mapping[str, object] | None = None,
        *,
        title: str,
        tab: str = "",
        status: int = HTTPStatus.OK,
    ) -> Response:
        """Return a page.

        Args:
            request: What was asked.
            visitor: Who asked.
            template: Its template, which extends ``frame.html``.
            values: What the template asks for beside the frame's own.
            title: The key of its title.
            tab: The name of the tab it belongs to.
            status: The answer's status.
        """
        lang = language_of(request, visitor)
        done = request.query_params.get("klaar", "")[:40]
        frame: dict[str, object] = {
            "title": lang.say(title),
            "community": self._house.community,
            "version": self._house.version,
            "visitor": visitor,
            "tabs": tabs_of(visitor, tab),
            "page_class": "",
            "drawn": lang.moment(self._house.clock.now_s()),
            "path": request.url.path,
            "spoken": {tag: language(tag).say("language.name") for tag in (*LANGUAGES, *BEGUN)},
            "done": lang.say(f"done.{done}") if done and lang.knows(f"done.{done}") else None,
        }
        text = self._pages.draw(template, lang, **frame | dict(values or {}))
        answer = HTMLResponse(text, status, {"Content-Language": lang.tag})
        if request.query_params.get("lang") == lang.tag:
            answer.set_cookie("lang", lang.tag, max_age=YEAR_S, httponly=True, samesite="lax")
        return answer


def tabs_of(visitor: Visitor, here: str) -> list[Tab]:
    """Return the tabs a visitor has: those of who lives here, or of who is at work."""
    own_home = Role.RESIDENT in visitor.roles
    at_work = here in {name for name, _ in (*BOARD_TABS, *KEEPER_TABS, *INSTALLER_TABS)}
    wanted = [*RESIDENT_TABS]
    if at_work or (visitor.roles and not own_home):
        wanted = [
            *(BOARD_TABS if visitor.on_board else ()),
            *(KEEPER_TABS if visitor.on_board or Role.OPERATOR in visitor.roles else ()),
            *(INSTALLER_TABS if Role.INSTALLER in visitor.roles else ()),
            ("home", "/") if own_home else ("help", "/hulp"),
        ]
    return [Tab(name, path, name == here) for name, path in wanted]


def language_of(request: Request, visitor: Visitor = ANYBODY) -> Language:
    """Return the reader's language: the address first, then their choice, then the browser's."""
    asked = request.query_params.get("lang")
    remembered = visitor.language or request.cookies.get("lang")
    return chosen(asked, remembered, request.headers.get("accept-language", ""))


def go(path: str, done: str = "", **query: str) -> RedirectResponse:
    """Return the way to a page after a form, which then says what was done (key ``done.…``)."""
    told = {"klaar": done} if done else {}
    words = urlencode(told | query)
    return RedirectResponse(f"{path}?{words}" if words else path, HTTPStatus.SEE_OTHER)
