"""What a first visit costs: three requests and sixty kilobytes at most, for every page there is.

The pages come from the app's own routes, so a new one cannot be forgotten. The quick test asks for
a page and what it names; the other opens each in a browser that has seen nothing yet.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, sync_playwright
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.people.questions import ask
from api.people.sessions import hash_of
from api.people.tables import SessionRow
from api.server import WebServer
from tests.api.cooperative.stages import Stage
from tests.api.matrix import MEETS, Values, Who, Whose, need_of, paths_of, session_of
from tests.api.town import Town, Towns

MOST_REQUESTS = 3
MOST_BYTES = 60_000
"""What a page and all it needs may weigh on the wire [bytes]."""
LOOKING = (Who.RESIDENT, Who.TREASURER, Who.OPERATOR, Who.INSTALLER, Who.PUBLIC)
"""Who opens a page: the first of them who may."""
NO_PAGES = ("/api/", "/static/", "/metrics", "/sw.js", "/healthz", "/readyz", "/openapi.json")
"""What starts like this answers programs."""
LATER = ("/sw.js", "/offline", "/api/v1/stream")
"""What a script asks for beside the page: what works offline, and the live values."""
FEWEST_PAGES = 50
QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
_NAMED = re.compile(r'<(?:link rel="stylesheet" href|script[^>]* src|img[^>]* src)="(/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Opened:
    """A page that somebody opened.

    Attributes:
        path: Its address.
        who: Who opened it.
        requests: What was asked for until it stood.
        weight: What came over the wire for that, packed [bytes].
        later: What its script asked for besides.
    """

    path: str
    who: Who
    requests: int
    weight: int
    later: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with towns.at(Stage.CLOSED, tmp_path_factory.mktemp("first-load")) as made:
        yield made


@pytest.fixture(scope="module")
def sessions(town: Town) -> Mapping[Who, str | None]:
    return {who: session_of(town, who) for who in LOOKING}


@pytest.fixture(scope="module")
def wire(town: Town) -> Wire:
    counted = Wire()
    town.app.add_middleware(Counted, wire=counted)
    return counted


@pytest.fixture(scope="module")
def address(town: Town, wire: Wire) -> Iterator[str]:
    server = WebServer(town.app, "127.0.0.1", 0)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    town.house.live.close()
    server.stop()


@pytest.fixture(scope="module")
def pages(
    town: Town, sessions: Mapping[Who, str | None], address: str
) -> list[tuple[str, Who, str]]:
    """Every page there is: its address, who may open it, and its text."""
    found, values = [], known(town, sessions[Who.RESIDENT])
    for route in town.app.routes:
        if (
            not isinstance(route, APIRoute)
            or "GET" not in (route.methods or ())
            or route.path.startswith(NO_PAGES)
            or route.path.endswith((".pdf", ".csv"))
        ):
            continue
        path = next(path for whose, path in paths_of(route, values) if whose is Whose.OWN)
        for who in LOOKING:
            if who in MEETS[need_of(route)]:
                reply = httpx.get(address + path, headers=cookie(sessions[who]), timeout=60)
                kind = reply.headers["content-type"] if reply.status_code == 200 else ""
                if kind.startswith("text/html"):
                    found.append((path, who, reply.text))
                break
    assert len(found) >= FEWEST_PAGES
    return found


class Wire:
    """What crossed the wire: which paths were asked for, and what the answers weighed."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, int]] = []


class Counted:
    """Writes down every answer as it leaves, packed as it is."""

    def __init__(self, app: ASGIApp, wire: Wire) -> None:
        self._app = app
        self._wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = len(self._wire.answers)
        self._wire.answers.append((str(scope.get("path")), 0))

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.body":
                path, weight = self._wire.answers[place]
                self._wire.answers[place] = (path, weight + len(message.get("body", b"")))
            await send(message)

        await self._app(scope, receive, counted)


def known(town: Town, resident: str | None) -> Mapping[str, Values]:
    """Return what a part of a path may name, once somebody asked a question."""
    assert resident is not None
    with town.house.people.writing() as desk:
        account = desk.session.get_one(SessionRow, hash_of(resident)).account
        question = ask(desk, account, "lid-1", "2026-10/1", "Klopt deze regel wel?").number
    names = {
        "account": account,
        "home": "home-1",
        "party": "lid-1",
        "month": "2026-10",
        "version": "1",
        "line": "1",
        "day": "2026-10-25",
        "kind": "1",
        "kind@/bestuur/runs/{month}/{version}/bestanden/{kind}": "csv",
        "act": "verbeteren",
        "key": "A9-home-3",
        "name": "style.css",
        "token": "nothing",
        "passkey": "0" * 64,
        "proposal": "1",
        "gateway": "gw-00",
        "job": "1",
        "mark": "2222",
        "number": "1",
        "number@/afrekening/vraag/{number}": str(question),
    }
    return {name: Values(value, None, value) for name, value in names.items()}


def cookie(session: str | None) -> dict[str, str]:
    return {} if session is None else {"Cookie": f"kwartier={session}"}


def fetched(client: httpx.Client, path: str, session: str | None) -> int:
    """Return what an answer weighs on the wire [bytes]."""
    return client.get(path, headers=cookie(session)).num_bytes_downloaded


def test_no_page_asks_for_more_than_two_files_or_weighs_more_than_sixty_kilobytes(
    pages: list[tuple[str, Who, str]], sessions: Mapping[Who, str | None], address: str
) -> None:
    opened = []
    with httpx.Client(base_url=address, timeout=60) as client:
        for path, who, text in pages:
            asked = {path, *_NAMED.findall(text)}
            weight = sum(fetched(client, each, sessions[who]) for each in asked)
            opened.append(Opened(path, who, len(asked), weight))

    assert [one for one in opened if one.requests > MOST_REQUESTS] == []
    assert [one for one in opened if one.weight > MOST_BYTES] == []
    assert min(one.requests for one in opened) > 1


def test_what_never_changes_is_packed_and_kept_for_a_year(
    pages: list[tuple[str, Who, str]], address: str
) -> None:
    files = {path for _, _, text in pages for path in _NAMED.findall(text)}

    with httpx.Client(base_url=address) as client:
        packed = [client.get(path) for path in files]
        plain = [client.get(path, headers={"Accept-Encoding": "identity"}) for path in files]
        again = [
            client.get(one.url, headers={"If-None-Match": one.headers["etag"]}) for one in packed
        ]

    assert len(files) >= 2
    for one, same in zip(packed, plain, strict=True):
        assert one.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert one.headers["content-encoding"] == "gzip"
        assert one.headers["vary"] == "Accept-Encoding"
        assert "content-encoding" not in same.headers
        assert one.content == same.content
        assert one.num_bytes_downloaded < same.num_bytes_downloaded / 2
    assert {one.status_code for one in again} == {304}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=program, args=list(QUIET))
        yield opened
        opened.close()


@pytest.mark.speed
@pytest.mark.browser
@pytest.mark.timeout(1_200)
def test_a_browser_that_saw_nothing_yet_loads_every_page_in_three_requests(
    pages: list[tuple[str, Who, str]],
    sessions: Mapping[Who, str | None],
    address: str,
    wire: Wire,
    browser: Browser,
) -> None:
    opened = [opening(browser, wire, address + path, who, sessions[who]) for path, who, _ in pages]

    print("\n| page | who | requests until load | packed [kB] | later |")
    print("|---|---|---|---|---|")
    for one in sorted(opened, key=lambda each: -each.weight):
        later = ", ".join(one.later)
        print(f"| {one.path} | {one.who} | {one.requests} | {one.weight / 1000:.1f} | {later} |")
    assert max(one.requests for one in opened) <= MOST_REQUESTS
    assert max(one.weight for one in opened) <= MOST_BYTES


def opening(browser: Browser, wire: Wire, address: str, who: Who, session: str | None) -> Opened:
    """Return what a page cost in a browser that was opened for it."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="nl-NL")
    if session is not None:
        context.add_cookies([{"name": "kwartier", "value": session, "url": address}])
    page = context.new_page()
    wire.answers.clear()
    page.goto(address, wait_until="load", timeout=60_000)
    until_load = list(wire.answers)
    page.wait_for_timeout(300)
    answers = list(wire.answers)
    context.close()
    needed = [each for each in until_load if each[0] not in LATER]
    later = tuple(path for path, _ in answers if path in LATER)
    path = address.partition("//")[2].partition("/")[2]
    return Opened(f"/{path}", who, len(needed), sum(weight for _, weight in needed), later)
