"""Who may do what: each route declares its policy, and a route without one stops the start."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from api.cards import SESSION_LIMIT_S, CardBook, Role, Visitor
from api.problems import RefusedError
from kwartier.errors import SettingsError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Need(StrEnum):
    """What a route asks of a visitor."""

    ANYONE = "anyone"
    """Nothing: it tells sums, or nothing about people."""
    HOME = "home"
    """A resident; the home comes from the session, never from the request."""
    BOARD = "board"
    """A member of the board."""


class Doorkeeper:
    """Reads and writes the session cookie, and checks where a request comes from."""

    def __init__(self, cards: CardBook, public_url: str) -> None:
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
        self._cards = cards
        self.cookie = "__Host-kwartier" if self._secure else "kwartier"
        self._local = is_loopback(address.hostname)
        self._origins = frozenset({public_url.rstrip("/")})

    def visitor(self, request: Request) -> Visitor:
        """Return who asks."""
        return self._cards.visitor(request.cookies.get(self.cookie))

    def let_in(self, response: Response, session: str) -> None:
        """Give the browser a session's id."""
        response.set_cookie(
            self.cookie,
            session,
            max_age=SESSION_LIMIT_S,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def let_out(self, request: Request, response: Response) -> None:
        """End the session and take its id back."""
        session = request.cookies.get(self.cookie)
        if session is not None:
            self._cards.end_session(session)
        response.delete_cookie(
            self.cookie, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

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
        if not _meets(visitor, self.need):
            if visitor.role is Role.PUBLIC:
                raise RefusedError(
                    HTTPStatus.UNAUTHORIZED,
                    "log in with your card first",
                    {"WWW-Authenticate": 'Card realm="kwartier"'},
                )
            raise RefusedError(HTTPStatus.FORBIDDEN, f"this is for {self.need}: ask the board")
        return visitor


def own_home(visitor: Visitor, home: str) -> str:
    """Return a home that the visitor lives in; anybody else's does not exist for them."""
    if visitor.home is None or visitor.home != home:
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


def is_loopback(host: str) -> bool:
    """Return whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _own_origin(request: Request) -> str | None:
    """Return the origin of our own pages as this machine's browser sees it, or None.

    A page on another port or a name that was bent to this machine has another one.
    """
    host = urlsplit(f"http://{request.headers.get('host', '')}")
    return f"http://{host.netloc}" if is_loopback(host.hostname or "") else None


def _meets(visitor: Visitor, need: Need) -> bool:
    match need:
        case Need.ANYONE:
            return True
        case Need.HOME:
            return visitor.home is not None
        case Need.BOARD:
            return visitor.role is Role.BOARD
