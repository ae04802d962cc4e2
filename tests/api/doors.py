"""A house with letters and people at its door, served on a real port."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pyotp

from api.app import create_app
from api.mail import Mail
from api.people.accounts import SYSTEM, add_account, grant
from api.people.mail_links import set_email
from api.people.passwords import set_password
from api.people.recovery import new_codes
from api.people.sessions import open_session
from api.people.totp import confirm_totp, draw_totp
from api.people.visitor import Role
from api.server import WebServer
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

PASSWORD = "drie natte geiten zingen"
EMAIL = "Gerda@voorbeeld.nl"


@dataclass(slots=True)
class Letters:
    """Keeps what was sent."""

    sent: list[Mail] = field(default_factory=list)

    def send(self, mail: Mail) -> str:
        self.sent.append(mail)
        return "<1@house>"

    def newest(self, count: int = 1) -> Mail:
        """Return the newest of at least ``count`` letters, once it is there."""
        until_s = time.monotonic() + 10
        while len(self.sent) < count:
            assert time.monotonic() < until_s, "no letter came"
            time.sleep(0.01)
        return self.sent[-1]


@dataclass(frozen=True, slots=True)
class Door:
    """A town at a real port, and its letters."""

    town: Town
    letters: Letters
    address: str
    browsers: list[httpx.Client] = field(default_factory=list)

    def browser(self, session: str | None = None) -> httpx.Client:
        """Return a browser of our own pages, logged in when it has a session."""
        client = httpx.Client(
            base_url=self.address, headers={"Origin": self.town.house.public_url}, timeout=30
        )
        self.browsers.append(client)
        if session is not None:
            client.cookies.set("kwartier", session)
        return client

    def later(self) -> None:
        """Let an hour pass, in which nobody tried anything, and put letters and browsers away."""
        for client in self.browsers:
            client.close()
        self.browsers.clear()
        self.letters.sent.clear()
        self.town.clock.advance(3_600)

    def person(self, name: str, role: Role | None = None, **more: str) -> str:
        """Return a new account; ``password``, ``email`` and ``home`` as they are told."""
        people = self.town.house.people
        with people.writing() as desk:
            account = add_account(desk, SYSTEM, name=name)
            if role is Role.INSTALLER:
                until_s = desk.at_s + 86_400
                grant(desk, SYSTEM, account, role, home=more["home"], until_s=until_s)
            elif role is not None:
                grant(desk, SYSTEM, account, role)
            if "email" in more:
                set_email(desk, SYSTEM, account, more["email"])
        if "password" in more:
            set_password(people, SYSTEM, account, name, more["password"])
        return account

    def session(self, account: str, way: str = "password", *, strong: bool = False) -> str:
        """Return a new session of an account."""
        with self.town.house.people.writing() as desk:
            return open_session(desk, account, way, strong=strong)

    def app(self, account: str) -> tuple[pyotp.TOTP, list[str]]:
        """Give an account an app that counts, and return it with the codes on paper."""
        with self.town.house.people.writing() as desk:
            secret, drawn = draw_totp(desk, account)
            phone = pyotp.TOTP(secret)
            assert confirm_totp(desk, account, drawn, phone.at(desk.at_s))
            codes = new_codes(desk, account)
        self.town.clock.advance(30)
        return phone, codes

    def digits(self, phone: pyotp.TOTP, steps: int = 0) -> str:
        """Return what an app shows now, or some steps of half a minute later."""
        return phone.at(int(self.town.clock.now_s()) + 30 * steps)


@contextmanager
def door_of(
    towns: Towns, folder: Path, stage: Stage = Stage.READY, public_url: str = "http://localhost:1"
) -> Iterator[Door]:
    """Yield a town that sends letters."""
    letters = Letters()
    with towns.at(stage, folder, public_url=public_url) as town:
        house = replace(town.house, mailer=letters)
        server = WebServer(create_app(house), "127.0.0.1", 0)
        server.start()
        opened = Door(replace(town, house=house), letters, f"http://127.0.0.1:{server.port}")
        try:
            yield opened
        finally:
            for client in opened.browsers:
                client.close()
            town.house.live.close()
            server.stop()


def code_in(text: str) -> str:
    """Return the code of a letter or a page."""
    found = re.search(r"\b(?:[2-9A-HJ-NP-Z]{4}-){4}[2-9A-HJ-NP-Z]{4}\b", text)
    assert found is not None, text
    return found[0]
