"""Somebody looks at many pages: one window per person and language, and what is wrong there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from playwright.sync_api import Browser, ConsoleMessage, Error, Page

from tests.api.matrix import Who
from tests.browser.looking import behind_the_bar, open_all, too_wide, violations
from tests.browser.places import Place
from tests.browser.sights import Sight

Colours: TypeAlias = Literal["light", "dark"]
Language: TypeAlias = Literal["nl", "en"]
WIDTHS = (320, 768, 1280)
COLOURS: tuple[Colours, ...] = ("light", "dark")
LANGUAGES: tuple[Language, ...] = ("nl", "en")
BROWSER_LANGUAGE = {"nl": "nl-NL", "en": "en-GB"}
HEIGHT = 800
SERIOUS = frozenset({"error", "warning"})
"""What a console says when something is wrong; that a cache was cleared is no fault."""
WAIT_MS = 60_000
"""How long a page may take on a busy machine [ms]."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at."""

    width: int
    colours: Colours


LOOKS = tuple(Look(*each) for each in itertools.product(WIDTHS, COLOURS))


class Eyes:
    """Looks at the pages of a place; what comes out the same for two people is judged once."""

    def __init__(self, browser: Browser, at: Place) -> None:
        """Look with a browser."""
        self._browser, self._at = browser, at
        self._windows: dict[tuple[Who, Language], Page] = {}
        self._complaints: list[str] = []
        self._seen: set[tuple[str, Language, bytes]] = set()

    def open(self, sight: Sight, language: Language) -> Page | None:
        """Return a page that was opened, or None when it was looked at for somebody else."""
        page = self._window(sight.who, language)
        self._complaints.clear()
        answer = page.goto(self._at.address + sight.path, wait_until="load")
        assert answer is not None
        known = (sight.path, language, answer.body())
        if known in self._seen:
            return None
        self._seen.add(known)
        if answer.status != sight.status:
            self._complaints.append(f"answers {answer.status}")
        elif answer.status != 200:
            self._complaints.clear()  # the browser itself reports the refusal that is meant
        return page

    def judged(
        self, page: Page, looks: tuple[Look, ...], widths: tuple[int, ...] = WIDTHS
    ) -> list[str]:
        """Return what is wrong: by axe as it is told, sideways and behind the bar at each width."""
        wrong: list[str] = []
        judged: set[int] = set()
        open_all(page)
        for width in widths:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            wrong += [f"{width}: {one}" for one in (*too_wide(page), *behind_the_bar(page))]
            for look in looks:
                if look.width == width:
                    page.emulate_media(color_scheme=look.colours, reduced_motion="reduce")
                    told = violations(page, colours_only=width in judged)
                    wrong += [f"{width} {look.colours}: {one}" for one in told]
                    judged.add(width)
        return wrong + [f"console: {one}" for one in self._complaints]

    def picture(self, page: Page, sight: Sight, folder: Path, language: Language) -> None:
        """Keep what fits a phone and a wide window."""
        folder.mkdir(parents=True, exist_ok=True)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = false })")
        for width, colours in ((390, "light"), (1280, "light" if language == "nl" else "dark")):
            page.set_viewport_size({"width": width, "height": 844 if width == 390 else HEIGHT})
            page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
            page.screenshot(path=folder / f"{sight.name}-{width}-{language}.png")

    def close(self) -> None:
        """Close every window."""
        for page in self._windows.values():
            page.context.close()
        self._windows.clear()

    def _window(self, who: Who, language: Language) -> Page:
        if (who, language) not in self._windows:
            context = self._browser.new_context(
                viewport={"width": 320, "height": HEIGHT},
                locale=BROWSER_LANGUAGE[language],
                timezone_id="America/New_York",
                reduced_motion="reduce",
            )
            context.set_default_timeout(WAIT_MS)
            session = self._at.session(who)
            if session is not None:
                context.add_cookies(
                    [{"name": "kwartier", "value": session, "url": self._at.address}]
                )
            page = context.new_page()
            page.on("console", self._said)
            page.on("pageerror", self._failed)
            self._windows[who, language] = page
        return self._windows[who, language]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in SERIOUS:
            self._complaints.append(message.text)

    def _failed(self, error: Error) -> None:
        self._complaints.append(str(error))
