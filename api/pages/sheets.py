"""A page for one reader: their words, their tabs, what was just done, and the frame around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.house import House
from api.pages.language import SPOKEN, Language, chosen, language
from api.pages.render import Pages
from api.people.visitor import ANYBODY, Role, Visitor

YEAR_S = 31_536_000
ASKED_ONCE = frozenset({"lang", "klaar", "code", "state"})
"""What of an address no link repeats: the language, what was done, and secrets."""
WHOLE_ONLY = (
    "/accounts",
    "/afrekening/voorstel/",
    "/api/v1/board/",
    "/begin",
    "/bestuur",
    "/gateways/",
    "/i/",
    "/mijn",
    "/ops",
)
"""Where the pages begin that are in the whole languages only."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language to change to: its tag, its name in itself, and this page in it."""

    tag: str
    name: str
    path: str


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
        # Read at the start: whoever comes first need not wait for the catalogues.
        for tag in SPOKEN:
            language(tag)

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
            "tongues": tongues_of(request, lang),
            "done": lang.say(f"done.{done}") if done and lang.knows(f"done.{done}") else None,
        }
        text = self._pages.draw(template, lang, **frame | dict(values or {}))
        answer = HTMLResponse(text, status, {"Content-Language": lang.tag})
        asked = request.query_params.get("lang")
        if asked in SPOKEN:
            answer.set_cookie("lang", asked, max_age=YEAR_S, httponly=True, samesite="lax")
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


def tongues_of(request: Request, here: Language) -> list[Tongue]:
    """Return the other languages; the page keeps what it was asked, but for what counts once."""
    asked = request.query_params.multi_items()
    kept = [(name, value) for name, value in asked if name not in ASKED_ONCE]
    return [
        Tongue(tag, language(tag).say("language.name"), f"?{urlencode([*kept, ('lang', tag)])}")
        for tag in SPOKEN
        if tag != here.tag
    ]


def language_of(request: Request, visitor: Visitor = ANYBODY) -> Language:
    """Return the reader's language: of the address, this device, the account, or the browser."""
    return chosen(
        request.query_params.get("lang"),
        (request.cookies.get("lang"), visitor.language),
        request.headers.get("accept-language", ""),
        whole=request.url.path.startswith(WHOLE_ONLY),
    )


def go(path: str, done: str = "", **query: str) -> RedirectResponse:
    """Return the way to a page after a form, which then says what was done (key ``done.…``)."""
    told = {"klaar": done} if done else {}
    words = urlencode(told | query)
    return RedirectResponse(f"{path}?{words}" if words else path, HTTPStatus.SEE_OTHER)
