"""A server, a broker with its real rights, and a box in a home that is brought on the air."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from api.app import create_app
from api.enrolment.jobs import ask_job, judge_job
from api.enrolment.office import Enrolment
from api.enrolment.settings import EnrolmentSettings
from api.house import House, house_of
from api.people.accounts import SYSTEM, add_account, grant
from api.people.opening import open_people
from api.people.sessions import open_session
from api.people.visitor import Role
from api.plan_book import SqlitePlanBook
from api.server import WebServer, open_port, port_of
from collectors.sqlite_store import SqliteStore
from gateway.commission.book import Step
from kwartier.clock import VirtualClock
from kwartier.model import Community, Connection
from kwartier.mqtt import MqttBus, Session
from tests.api.enrolling import COOP, WAIT_S, KnowingBroker, authority
from tests.gateway.commissioning import Home, home

GATEWAY, HOME = "gw-14", "home-1"
BEHIND_S = 3_600
"""How far the clock of server and box is behind the machine's: it runs ahead while time passes,
and no certificate may be of the future."""


@dataclass(slots=True)
class Afar:
    """Everything between an installer's browser and the meter.

    Attributes:
        house: What is served.
        url: Where.
        clock: Of server and box.
        broker: With the rights of the files we write.
        box: What stands in the home.
        job: The job of that home, which the board approved.
    """

    house: House
    url: str
    clock: VirtualClock
    broker: KnowingBroker
    box: Home
    job: int

    @property
    def page(self) -> str:
        """Return the path of the job's steps."""
        return f"/i/klussen/{self.job}"

    def session(self, home: str = HOME) -> str:
        """Return a session of a new installer who may work at a home."""
        with self.house.people.writing() as desk:
            account = add_account(desk, SYSTEM, name="installer")
            until_s = desk.at_s + 14 * 86_400
            grant(desk, SYSTEM, account, Role.INSTALLER, home=home, until_s=until_s)
            return open_session(desk, account, "password", strong=True)

    def browser(self, session: str) -> httpx.Client:
        """Return somebody's browser."""
        client = httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=60)
        client.cookies.set("kwartier", session)
        return client

    def until(self, true: Callable[[], object], what: str) -> None:
        """Wait until something holds, within a bound."""
        end_s = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < end_s, f"not so: {what}"
            time.sleep(0.02)

    def let_in(self, browser: httpx.Client) -> None:
        """Draw a code from afar, and type it at the box."""
        page = browser.post(f"{self.page}/code")
        code = re.findall(r"<code>([^<]+)</code>", page.text)[0]
        self.box.wizard.act(Step.ENROL, "begin", {"code": code})
        self.clock.advance(61)
        self.until(lambda: self.box.wizard.enrolment.enrolled, "the box is let in")
        self.until(lambda: self.house.wizards.of(GATEWAY), "the server hears the box")


@contextmanager
def afar(folder: Path) -> Iterator[Afar]:
    """Yield a server, a broker and a box; the box was not let in yet."""
    now = datetime.now(UTC)
    clock = VirtualClock(now.timestamp() - BEHIND_S)
    ca = authority(folder, now - timedelta(hours=2))
    with ExitStack() as parts:
        broker = KnowingBroker.started(folder, ca)
        parts.callback(broker.stop)
        people = open_people(folder / "people", clock)
        parts.callback(people.close)
        store = parts.enter_context(SqliteStore(folder / "record.db"))
        plans = SqlitePlanBook(folder / "plans.db")
        parts.callback(plans.close)
        bus = MqttBus(broker.for_service("server"), Session("server"))
        parts.callback(bus.close)
        assert bus.wait_until_up(WAIT_S)
        port = open_port("127.0.0.1", 0)
        url = f"http://127.0.0.1:{port_of(port)}"
        community = Community(COOP, "Straat", {HOME: Connection(HOME, "lid-1", GATEWAY)}, {})
        house = house_of(community, store, plans, people, clock, bus, url)
        parts.callback(house.live.close)
        settings = EnrolmentSettings(ca, f"mqtts://127.0.0.1:{broker.plan.port}", None, None)
        house = replace(house, enrolment=Enrolment(settings, COOP, people, clock))
        server = WebServer(create_app(house), "127.0.0.1", 0, opened=port)
        server.start()
        parts.callback(server.stop)
        parts.callback(house.live.close)
        with people.writing() as desk:
            job = ask_job(desk, "a-operator", GATEWAY, HOME, address="Laan 1", steering=True)
            judge_job(desk, "a-board", job, approved=True)
        box = parts.enter_context(home(folder / "box", clock, url))
        yield Afar(house, url, clock, broker, box, job)
