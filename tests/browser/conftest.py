"""A headless Chromium before a street that is served on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    sync_playwright,
)

from api.cooperative.database import Books
from api.server import WebServer, open_port, port_of
from tests.api.cooperative.stages import Stage
from tests.api.matrix import Values
from tests.api.street import Street, street
from tests.api.town import Towns
from tests.browser.persons import Persons
from tests.browser.places import Place, furnish, place, secret_asked

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Keeps the browser from looking up anything but our pages."""
UNSEEN = ",".join(
    (
        # Pages of the browser's own, which every window would load behind ours.
        "WebUIOmniboxAimPopup",
        "WebUIOmniboxPopup",
        "Glic",
        "SidePanel",
        "PreloadTopChromeWebUI",
        # What Playwright turns off: of two such switches a Chromium hears the last.
        "AvoidUnnecessaryBeforeUnloadCheckSync",
        "DestroyProfileOnBrowserClose",
        "HttpsUpgrades",
        "HttpsFirstBalancedModeAutoEnable",
        "LensOverlay",
        "MediaRouter",
        "PaintHolding",
        "ThirdPartyStoragePartitioning",
        "OptimizationHints",
        "NetworkTimeServiceQuerying",
        "PreconnectToSearch",
    )
)
"""Features of Chromium that none of our pages needs."""
WAIT_MS = 60_000
"""How long a page may take on a busy machine [ms]."""


@dataclass(slots=True)
class Neighbour:
    """Somebody with a browser.

    Attributes:
        page: What they look at.
        complaints: What the browser's console said; it should say nothing.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Served:
    """A street and the address at which it is served."""

    street: Street
    address: str


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium from Debian; without one the tests are skipped, but never in CI."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed, and CI must look at the pages")
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as play:
        quiet = [*QUIET, f"--disable-features={UNSEEN}"]
        opened = play.chromium.launch(executable_path=found, args=quiet)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The street at five past one on 1 July 2026, at an address a browser may log in at."""
    port = open_port("127.0.0.1", 0)
    address = f"http://127.0.0.1:{port_of(port)}"
    with street(tmp_path_factory.mktemp("browser"), public_url=address) as made:
        server = WebServer(made.app, "127.0.0.1", 0, opened=port)
        server.start()
        yield Served(made, address)
        made.house.live.close()
        server.stop()


class Places:
    """Towns that are served, each made when somebody first asks for it."""

    def __init__(self, towns: Towns, folders: pytest.TempPathFactory, open_: ExitStack) -> None:
        """Begin with none."""
        self._towns, self._folders, self._open = towns, folders, open_
        self._made: dict[tuple[Stage, str], Place] = {}

    def at(self, stage: Stage, then: Callable[[Books], None] | None = None) -> Place:
        """Return the town of a stage; shared, so nobody moves its month on."""
        name = (stage, "" if then is None else then.__name__)
        if name not in self._made:
            self._made[name] = self.fresh(stage, then)
        return self._made[name]

    def fresh(self, stage: Stage, then: Callable[[Books], None] | None = None) -> Place:
        """Return a town of one's own."""
        folder = self._folders.mktemp(stage.name.lower())
        return self._open.enter_context(place(self._towns, folder, stage, then=then))


@pytest.fixture(scope="session")
def places(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Towns at every stage, at addresses of their own."""
    with ExitStack() as open_:
        yield Places(towns, tmp_path_factory, open_)


@dataclass(frozen=True, slots=True)
class Furnished:
    """A place in which everybody did something, and what its paths may name."""

    place: Place
    values: Mapping[str, Values]


@pytest.fixture(scope="session")
def furnished(places: Places) -> Furnished:
    """The town whose October is closed, with something on every page."""
    closed = places.at(Stage.CLOSED, secret_asked)
    return Furnished(closed, furnish(closed))


class Visitors:
    """Opens pages as somebody, each with a browser of their own."""

    def __init__(self, browser: Browser, served: Served) -> None:
        self._browser = browser
        self._served = served
        self.contexts: list[BrowserContext] = []

    def open(
        self,
        path: str = "/",
        *,
        language: str = "nl-NL",
        width: int = 390,
        height: int = 844,
        home: str | None = None,
        script: bool = True,
        scale: float = 1.0,
    ) -> Neighbour:
        """Return somebody in New York who looks at a page, logged in when they have a home."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            timezone_id="America/New_York",
            java_script_enabled=script,
            device_scale_factor=scale,
        )
        self.contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        if home is not None:
            session = self._served.street.session(home)
            context.add_cookies(
                [{"name": "kwartier", "value": session, "url": self._served.address}]
            )
        neighbour = Neighbour(context.new_page())
        _listen(neighbour)
        neighbour.page.goto(self._served.address + path, wait_until="load")
        return neighbour


@pytest.fixture
def persons(browser: Browser) -> Iterator[Persons]:
    """Gives browsers to people; in the end no console may have complained."""
    given = Persons(browser)
    yield given
    assert given.leave() == []


@pytest.fixture
def visitors(browser: Browser, served: Served) -> Iterator[Visitors]:
    """Opens pages, and closes every browser in the end."""
    opener = Visitors(browser, served)
    yield opener
    for context in opener.contexts:
        context.close()


def _listen(neighbour: Neighbour) -> None:
    def said(message: ConsoleMessage) -> None:
        neighbour.complaints.append(message.text)

    def failed(error: Error) -> None:
        neighbour.complaints.append(str(error))

    neighbour.page.on("console", said)
    neighbour.page.on("pageerror", failed)
