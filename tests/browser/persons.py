"""Somebody with a browser of their own in a town, who notes what its console complains about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect

from tests.api.matrix import Who
from tests.browser.eyes import SERIOUS, WAIT_MS
from tests.browser.looking import too_wide, violations
from tests.browser.places import Place

Colours = Literal["light", "dark"]
NEW_YORK = "America/New_York"
REFUSAL = "Failed to load resource"
"""What a browser says of a page that is a refusal, which a walk may mean."""


@dataclass(slots=True)
class Person:
    """Somebody with a browser.

    Attributes:
        at: The town.
        page: What they look at.
        complaints: What the console said, but for refusals.
    """

    at: Place
    page: Page
    complaints: list[str] = field(default_factory=list)

    @property
    def context(self) -> BrowserContext:
        """Return the browser's own room."""
        return self.page.context

    @property
    def path(self) -> str:
        """Return where they are."""
        return urlsplit(self.page.url).path

    def go(self, path: str) -> Page:
        """Open a page."""
        self.page.goto(self.at.address + path, wait_until="load")
        return self.page

    def press(self, name: str) -> None:
        """Press a button by its name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow a link by its name, the first one of that name."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def sees(self, words: str) -> None:
        """Make sure that some words are on the page."""
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=WAIT_MS)

    def faults(self) -> list[str]:
        """Return what axe finds on the open page, and whether it is too wide."""
        return [*violations(self.page), *too_wide(self.page)]


class Persons:
    """Gives browsers to people, and takes them back in the end."""

    def __init__(self, browser: Browser) -> None:
        """Begin with nobody."""
        self._browser = browser
        self._all: list[Person] = []

    def enter(
        self,
        at: Place,
        who: Who | str = Who.PUBLIC,
        *,
        width: int = 390,
        height: int = 844,
        language: str = "nl-NL",
        script: bool = True,
        zone: str = NEW_YORK,
        colours: Colours = "light",
    ) -> Person:
        """Return somebody in a town.

        Args:
            at: The town.
            who: Somebody it knows, or the id of a session.
            width: Of the window [px].
            height: Of the window [px].
            language: What the browser asks for.
            script: Whether the browser runs scripts.
            zone: Where the browser thinks it is.
            colours: What the device is set to.
        """
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            timezone_id=zone,
            java_script_enabled=script,
            color_scheme=colours,
        )
        context.set_default_timeout(WAIT_MS)
        session = at.session(who) if isinstance(who, Who) else who
        if session is not None:
            context.add_cookies([{"name": "kwartier", "value": session, "url": at.address}])
        person = Person(at, context.new_page())
        _listen(person)
        self._all.append(person)
        return person

    def leave(self) -> list[str]:
        """Close every browser and return what they complained about."""
        said = [line for person in self._all for line in person.complaints]
        for person in self._all:
            person.context.close()
        self._all.clear()
        return said


def _listen(person: Person) -> None:
    def said(message: ConsoleMessage) -> None:
        if message.type in SERIOUS and REFUSAL not in message.text:
            person.complaints.append(message.text)

    def failed(error: Error) -> None:
        person.complaints.append(str(error))

    person.page.on("console", said)
    person.page.on("pageerror", failed)
