"""Somebody comes in: the session, the second factor that may follow, and where they go."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request, Response

from api.auth import Doorkeeper
from api.courier import Courier
from api.house import House
from api.pages.sheets import Sheets, go, language_of
from api.people.acts import record
from api.people.errors import TooOftenError
from api.people.factors import CARD, proofs_of
from api.people.sessions import end_session, hash_of, open_session, renew_session, visitor_of
from api.people.visitor import ANYBODY, PRIVILEGED, Visitor
from api.problems import safe_path

CONFIRM = "/bevestig"


class Entrance:
    """Opens sessions for whoever proved who they are."""

    def __init__(self, house: House, door: Doorkeeper, sheets: Sheets) -> None:
        """Let people into a house."""
        self.house = house
        self.door = door
        self.sheets = sheets
        self.courier = Courier(house.mailer)

    def let_in(
        self,
        request: Request,
        account: str,
        way: str,
        further: str,
        *,
        card: str | None = None,
        strong: bool = False,
    ) -> Response:
        """Return the way on for somebody who proved an account, with a new session.

        Who has a second factor shows it first; a login card opens a resident's own pages without
        it, as a household shares the card, and nothing else.
        """
        session = self._opened(request, account, way, card=card, strong=strong)
        path = safe_path(further)
        if self._needs_more(session):
            answer: Response = go(CONFIRM, verder=path)
        else:
            answer = go_to(path)
        self.door.let_in(answer, session)
        return answer

    def strengthen(self, request: Request, account: str, way: str) -> str:
        """Return the id of the session in which a second factor was shown just now."""
        known = self.door.session(request)
        if known is not None and known.account != account:
            end_session(self.house.people, known.hash)
            known = None
        with self.house.people.writing() as desk:
            if known is None:
                session = open_session(desk, account, way, strong=True)
            else:
                session = renew_session(desk, known.hash, strong=True)
            record(desk, account, "session.strong", account, {"way": way})
        return session

    def page(
        self,
        request: Request,
        visitor: Visitor,
        template: str,
        values: Mapping[str, object],
        *,
        title: str,
        tab: str = "",
        status: int = HTTPStatus.OK,
    ) -> Response:
        """Return a page that nobody keeps: it may hold a code, or a form with one."""
        wide = {"page_class": "board"} if tab else {}
        answer = self.sheets.show(
            request, visitor, template, wide | dict(values), title=title, tab=tab, status=status
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _opened(
        self, request: Request, account: str, way: str, *, card: str | None, strong: bool
    ) -> str:
        old = request.cookies.get(self.door.cookie)
        if old:
            end_session(self.house.people, hash_of(old))
        with self.house.people.writing() as desk:
            half = way != CARD and not strong and proofs_of(desk, account).second
            session = open_session(desk, account, way, card=card, strong=strong, half=half)
            record(desk, account, "session.open", account, {"way": way})
        return session

    def _needs_more(self, session: str) -> bool:
        visitor = visitor_of(self.house.people, session)
        if visitor == ANYBODY:
            return True
        stays_out = bool(visitor.possible & PRIVILEGED) and visitor.strong_at_s is None
        return stays_out and visitor.home is None


def go_to(path: str) -> Response:
    """Return the way to a path that may have a query of its own."""
    answer = go("/")
    answer.headers["Location"] = path
    return answer


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else ""


def told_to_wait(
    request: Request, error: TooOftenError, visitor: Visitor = ANYBODY
) -> tuple[str, Mapping[str, str]]:
    """Return the sentence that asks to wait, and the header that says how long [s]."""
    lang = language_of(request, visitor)
    said = lang.say("login.wait", minutes=int(error.wait_s // 60) + 1)
    return said, {"Retry-After": str(int(error.wait_s) + 1)}
