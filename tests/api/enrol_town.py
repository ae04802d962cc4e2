"""A town that lets gateways in, at a real port."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from api.app import create_app
from api.server import WebServer
from gateway.enrol.claim import Claim, State
from gateway.enrol.identity import Identity
from gateway.enrol.server import Server
from tests.api.cooperative.stages import Stage
from tests.api.enrolling import authority, desk_of
from tests.api.town import Town, Towns


@dataclass(frozen=True, slots=True)
class Served:
    """A town that lets gateways in, at a real port."""

    town: Town
    url: str

    def browser(self, session: str | None) -> httpx.Client:
        """Return somebody's browser."""
        client = httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=60)
        if session is not None:
            client.cookies.set("kwartier", session)
        return client

    def job(self, gateway: str, *, approved: bool = True, home: str = "home-1") -> int:
        """Return the number of a new job."""
        sent = {"gateway": gateway, "home": home, "meter": "E0047", "steering": "ja"}
        with self.browser(self.town.operator()) as operator:
            reply = operator.post("/ops/klussen", data=sent)
        assert reply.status_code == 303, reply.text
        number = int(re.findall(r"/ops/klussen/(\d+)", reply.headers["location"])[0])
        if approved:
            with self.browser(self.town.officer("board")) as board:
                assert board.post(f"/ops/klussen/{number}/goed").status_code == 303
        return number

    def code(self, job: int, home: str = "home-1") -> str:
        """Return a code that the installer draws on site."""
        with self.browser(self.town.installer(home)) as installer:
            page = installer.post(f"/i/klussen/{job}/code")
        assert page.status_code == 200
        return str(re.findall(r"<code>([^<]+)</code>", page.text)[0])

    def claim(self, folder: Path, code: str) -> Claim:
        """Return a box's claim that was not shown yet."""
        return Claim(Server(self.url), code, Identity(folder))

    def let_in(self, folder: Path, gateway: str) -> Identity:
        """Return a box that was let in."""
        claim = self.claim(folder, self.code(self.job(gateway)))
        claim.begin()
        assert claim.look() is State.APPROVED
        return claim.identity


@contextmanager
def served_town(towns: Towns, folder: Path) -> Iterator[Served]:
    """Yield a town that lets gateways in."""
    with towns.at(Stage.READY, folder, public_url="http://127.0.0.1:1") as town:
        begun = datetime.fromtimestamp(town.clock.now_s(), UTC) - timedelta(hours=1)
        ca = authority(folder, begun)
        house = replace(town.house, enrolment=desk_of(town.house.people, town.clock, ca))
        server = WebServer(create_app(house), "127.0.0.1", 0)
        server.start()
        yield Served(replace(town, house=house), f"http://127.0.0.1:{server.port}")
        town.house.live.close()
        server.stop()
