"""Who may do what: each route declares its policy, and a route without one stops the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from api.people.book import PeopleBook
from api.people.passkeys import Site
from api.people.rates import Rates
from api.people.sessions import LIMIT_S, OpenSession, end_session, hash_of, session_of, visitor_of
from api.people.visitor import Role, Visitor
from api.problems import ProofNeededError, RefusedError
from api.reach import is_loopback
from kwartier.errors import SettingsError

_OLD_PAGES = '"cache"'
"""Has a browser throw its pages away, also those behind its Back button."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Need(StrEnum):
    """What a route asks of a visitor."""

    ANYONE = "anyone"
    """Nothing: it tells sums, or nothing about people."""
    ACCOUNT = "account"
    """Somebody with an account, for what is about that account; helpers are refused."""
    HOME = "home"
    """A resident, or a helper of one who only reads; the home comes from the session."""
    OWNER = "owner"
    """A resident in person: writes, and what a helper has no business with."""
    BOARD = "board"
    """The board or its treasurer, with a second factor."""
    MONEY = "money"
    """The same, with an officer in the books and a second factor shown just now."""
    OPERATOR = "operator"
    """Who keeps accounts and machines, with a second factor."""
    KEEPER = "keeper"
    """The board or an operator: accounts, grants, the state of gateways."""
    INSTALLER = "installer"
    """Whoever may work at a home now; jobs at other homes do not exist for them."""


_ASKS: Mapping[Need, Callable[[Visitor], bool]] = {
    Need.ANYONE: lambda _: True,
    Need.ACCOUNT: lambda one: one.known and one.companion is None,
    Need.HOME: lambda one: one.home is not None,
    Need.OWNER: lambda one: one.home is not None and one.companion is None,
    Need.BOARD: lambda one: one.on_board,
    Need.MONEY: lambda one: one.on_board and one.officer != "",
    Need.OPERATOR: lambda one: Role.OPERATOR in one.roles,
    Need.KEEPER: lambda one: one.on_board or Role.OPERATOR in one.roles,
    Need.INSTALLER: lambda one: Role.INSTALLER in one.roles,
}
"""Who meets a need."""
_STRONGER: Mapping[Need, set[Role]] = {
    Need.BOARD: {Role.BOARD, Role.TREASURER},
    Need.MONEY: {Role.BOARD, Role.TREASURER},
    Need.OPERATOR: {Role.OPERATOR},
    Need.KEEPER: {Role.BOARD, Role.TREASURER, Role.OPERATOR},
    Need.INSTALLER: {Role.INSTALLER},
}
"""Roles with which a second factor would open a need."""


class Doorkeeper:
    """Reads and writes the session cookie, and checks where a request comes from."""

    def __init__(self, people: PeopleBook, public_url: str) -> None:
        """Guard the app at one public address.

        Raises:
            SettingsError: The address is no http(s) address, or plain http to another machine.
        """
        address = urlsplit(public_url)
        if address.scheme not in {"http", "https"} or address.hostname is None:
            raise SettingsError(
                f"public_url {public_url!r}: write it as 'https://wijk.example', without a path"
            )
        self._secure = address.scheme == "https"
        if not self._secure and not is_loopback(address.hostname):
            raise SettingsError(
                f"public_url {public_url!r}: login codes would cross the network in the clear; "
                "put TLS in front and write 'https://…', or keep to 127.0.0.1"
            )
        self._people = people
        self._host = address.hostname
        self.rates = Rates(people.clock)
        self.cookie = "__Host-kwartier" if self._secure else "kwartier"
        self._local = is_loopback(address.hostname)
        self._origins = frozenset({public_url.rstrip("/")})

    def now_s(self) -> float:
        """Return what time it is, for how fresh a proof is [s]."""
        return self._people.clock.now_s()

    def visitor(self, request: Request) -> Visitor:
        """Return who asks."""
        return visitor_of(self._people, request.cookies.get(self.cookie))

    def session(self, request: Request) -> OpenSession | None:
        """Return the browser's session, also one that waits for a second factor."""
        return session_of(self._people, request.cookies.get(self.cookie))

    def site(self, request: Request, name: str) -> Site:
        """Return where passkeys are made and shown: our address, or this machine's own."""
        own = _own_origin(request) if self._local else None
        host = self._host if own is None else urlsplit(own).hostname or self._host
        return Site(host, name, (*self._origins, *(() if own is None else (own,))))

    def let_in(self, response: Response, session: str) -> None:
        """Give the browser a session's id; pages of who was here before are not kept."""
        self.keep(response, self.cookie, session, LIMIT_S)
        response.headers["Clear-Site-Data"] = _OLD_PAGES

    def keep(self, response: Response, name: str, value: str, life_s: int) -> None:
        """Give the browser something to keep that no script and no other site sees."""
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def forget(self, response: Response, name: str) -> None:
        """Take back what the browser kept."""
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")

    def let_out(self, request: Request, response: Response) -> None:
        """End the session and take its id back."""
        session = request.cookies.get(self.cookie)
        if session is not None:
            end_session(self._people, hash_of(session))
        self.forget(response, self.cookie)
        response.headers["Clear-Site-Data"] = _OLD_PAGES

    def check_origin(self, request: Request) -> None:
        """Refuse a write that another site's page sends."""
        origin = request.headers.get("origin")
        if origin not in self._origins and not (self._local and origin == _own_origin(request)):
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "this form was not sent from our own page: open it there"
            )


class Require:
    """A route's policy, as a dependency that returns the visitor."""

    def __init__(self, door: Doorkeeper, need: Need) -> None:
        """Ask ``need`` of whoever comes through ``door``."""
        self._door = door
        self.need = need

    def __call__(self, request: Request) -> Visitor:
        """Return the visitor, or refuse."""
        if request.method not in _SAFE_METHODS:
            self._door.check_origin(request)
        visitor = self._door.visitor(request)
        if not _ASKS[self.need](visitor):
            raise _refusal(visitor, self.need)
        if self.need is Need.MONEY and not visitor.is_fresh(self._door.now_s()):
            raise ProofNeededError("confirm", "show your second factor again for this")
        return visitor


def _refusal(visitor: Visitor, need: Need) -> RefusedError:
    if not visitor.known:
        return ProofNeededError("login", "log in first")
    if visitor.possible & _STRONGER.get(need, set()) and visitor.strong_at_s is None:
        return ProofNeededError("confirm", "show your second factor for this")
    return RefusedError(HTTPStatus.FORBIDDEN, f"this is for {need}: ask the board")


def own_home(visitor: Visitor, home: str) -> str:
    """Return a home that the visitor lives or lived in; anybody else's does not exist for them."""
    if not visitor.ever_in(home):
        raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no home {home[:40]!r} for you here")
    return home


def check_policies(app: FastAPI) -> None:
    """Refuse to start an app in which a route has no policy, or is no plain route.

    Raises:
        SettingsError: A route asks nothing of its visitor, not even ``Need.ANYONE``.
    """
    for route in app.routes:
        policies = (
            [one for one in route.dependant.dependencies if isinstance(one.call, Require)]
            if isinstance(route, APIRoute)
            else []
        )
        if len(policies) != 1:
            name = getattr(route, "path", type(route).__name__)
            raise SettingsError(f"route {name!r} declares no policy: give it one Require")


def _own_origin(request: Request) -> str | None:
    """Return the origin of our own pages as this machine's browser sees it, or None.

    A page on another port or a name that was bent to this machine has another one.
    """
    host = urlsplit(f"http://{request.headers.get('host', '')}")
    return f"http://{host.netloc}" if is_loopback(host.hostname or "") else None
