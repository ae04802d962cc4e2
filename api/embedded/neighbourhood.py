"""The whole neighbourhood, alive: one process, real protocols, pages to look at."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from api.app import create_app
from api.embedded.gateways import StreetGateways
from api.embedded.logins import Login, make_logins
from api.embedded.past import live_through, start_of_past
from api.embedded.prices import MadeUpPrices
from api.embedded.street import COOP, VirtualStreet
from api.forecasts.asked import DAYS_BACK
from api.forecasts.homes import HomeForecasts
from api.forecasts.keeper import Forecasts
from api.forecasts.night import NightWork
from api.history import History
from api.house import house_of
from api.moment_voice import MomentVoice
from api.overview.keeper import Overview
from api.people.book import PeopleBook
from api.people.opening import open_people
from api.people.steering import homes_refusing
from api.plan_book import SqlitePlanBook
from api.planner import Planner
from api.post.folder import FolderMailer
from api.post.loop import PostLoop
from api.price_book import PriceBook
from api.server import WebServer, open_port, port_of
from collectors.ingest import Ingest, Limits
from collectors.sqlite_store import SqliteStore
from gateway.agent import Manner
from gateway.keep.delivery import Pace
from kwartier.bus import InProcessBus
from kwartier.clock import SystemClock
from kwartier.errors import LinkDownError
from kwartier.interval import Quarter
from kwartier.model import Community

if TYPE_CHECKING:
    from api.office import Office

_log = logging.getLogger(__name__)

HOMES = 24
PAST_DAYS = 8
WITH_BATTERY = (2, 7)
"""The numbers of the homes with a battery of their own, and a roof."""
SUN_OF_DAY = 169
"""The sun of 18 June shines on the demo in every season, so that there is something to share."""
_DELIVERED_S = 60.0
_LOOK_S = 0.02


class Neighbourhood:
    """Starts everything in order, and stops it in the other order."""

    def __init__(self, folder: Path, host: str, port: int, homes: int = HOMES) -> None:
        """Describe the neighbourhood; nothing is opened or lives before ``start``.

        Args:
            folder: Where everything is kept.
            host: Where the pages are served.
            port: The same; 0 takes a free one.
            homes: How many homes the street has.
        """
        self._folder = folder
        self._clock = SystemClock()
        self._host, self._port, self._homes = host, port, homes
        self._parts = ExitStack()
        self._stopping = threading.Event()
        self.logins: list[Login] = []
        """How to come in."""
        self.url = ""
        self.letters = folder / "letters"
        """Where letters lie instead of being sent."""

    def start(self, say: Callable[[str], None]) -> None:
        """Open the port, live through the days before, and be there; ``say`` is told what goes on.

        Raises:
            SettingsError: The port cannot be opened.
            LinkDownError: The past did not reach the record.
        """
        try:
            self._start(say)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Release the battery, write everything down, close the page."""
        self._stopping.set()
        self._parts.close()

    def _start(self, say: Callable[[str], None]) -> None:
        clock, parts = self._clock, self._parts
        now_s = clock.now_s()
        listening = open_port(self._host, self._port)
        parts.callback(listening.close)
        street = VirtualStreet(
            self._homes,
            start_of_past(now_s, PAST_DAYS),
            clock,
            sun_of_day=SUN_OF_DAY,
            with_battery=WITH_BATTERY,
        )
        parts.callback(street.close)
        making = self._make_books(street.community)
        bus = InProcessBus()
        store = SqliteStore(self._folder / "telemetry.db")
        parts.callback(store.close)
        plans = SqlitePlanBook(self._folder / "plans.db")
        parts.callback(plans.close)
        gateways = StreetGateways(
            street, self._folder, bus, clock, Manner(pace=Pace(spread_s=0.0)), look_s=5.0
        )
        say(f"{self._homes} homes live through the last {PAST_DAYS} days")
        live_through(street, gateways, MadeUpPrices(), Quarter.containing(now_s).start_s)
        ingest = Ingest(store, bus, COOP, clock, Limits(gather_s=0.02))
        ingest.start()
        parts.callback(ingest.stop)
        gateways.start_sending()
        parts.callback(gateways.stop)
        self._wait(gateways)
        office = self._open_office(making)
        people = open_people(self._folder, clock, office)
        parts.callback(people.close)
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{host}:{port_of(listening)}"
        overview = Overview(
            street.community,
            store,
            clock,
            self._folder / "overview.db",
            people=people,
            office=office,
        )
        parts.callback(overview.close)
        house = house_of(
            street.community,
            store,
            plans,
            people,
            clock,
            bus,
            self.url,
            office=office,
            overview=overview,
            mailer=FolderMailer(self.letters, clock),
        )
        parts.callback(house.live.close)
        server = WebServer(
            create_app(house),
            self._host,
            self._port,
            opened=listening,
            stopping=house.live.close,
        )
        parts.callback(server.stop)
        self.logins = self._make_logins(people, street.community, office)
        self._live_on(street)
        gateways.start_reading()
        gateways.start_looking()
        house.market.source = MadeUpPrices()
        homes = HomeForecasts(house.records, street.community, states=house.forecasts)
        night = NightWork(homes, clock)
        night.start()
        parts.callback(night.stop)
        planner = Planner(
            street.community,
            store,
            house.records,
            PriceBook(MadeUpPrices()),
            plans,
            bus,
            clock,
            kept=house.last_plan,
            forecasts=Forecasts(
                History(house.records, DAYS_BACK), states=house.forecasts, homes=homes
            ),
            refusing=partial(homes_refusing, people),
        )
        planner.start()
        parts.callback(planner.stop)
        voice = MomentVoice(house.signals, bus, COOP, clock)
        voice.start()
        parts.callback(voice.stop)
        post = PostLoop(house)
        post.start()
        parts.callback(post.stop)
        overview.start()
        server.start()

    def _make_books(self, community: Community) -> BaseProcess | None:
        """Begin to make the books beside everything else; None where they are not installed."""
        if find_spec("weasyprint") is None:
            return None
        from api.embedded.books import make_undisturbed

        words = (self._folder / "books", community, SUN_OF_DAY)
        making = get_context("spawn").Process(target=make_undisturbed, args=words, daemon=True)
        making.start()

        def end() -> None:
            making.terminate()
            making.join()

        self._parts.callback(end)
        return making

    def _open_office(self, making: BaseProcess | None) -> Office | None:
        """Return the office once its books are made.

        Raises:
            LinkDownError: They were not made in time; what went wrong stands on standard error.
        """
        if making is None:
            return None
        from api.embedded.books import open_demo_office

        making.join(_DELIVERED_S)
        if making.exitcode != 0:
            raise LinkDownError(f"the demo's books were not made within {_DELIVERED_S:g} s")
        office = open_demo_office(self._folder / "books", self._clock)
        self._parts.callback(office.close)
        return office

    def _make_logins(
        self, people: PeopleBook, community: Community, office: Office | None
    ) -> list[Login]:
        if office is None:
            return make_logins(people, community, {})
        from api.embedded.books import OFFICERS

        return make_logins(people, community, OFFICERS)

    def _live_on(self, street: VirtualStreet) -> None:
        """Let the street live in real time: one telegram a second from every meter."""
        street.advance(int(self._clock.now_s()), 60)
        thread = threading.Thread(target=self._beat, args=(street,), name="street", daemon=True)
        thread.start()

        def end() -> None:
            self._stopping.set()
            thread.join()

        self._parts.callback(end)

    def _beat(self, street: VirtualStreet) -> None:
        while not self._stopping.is_set():
            now_s = self._clock.now_s()
            street.advance(int(now_s), 60)
            street.tell()
            self._stopping.wait(1.0 - now_s % 1.0)

    def _wait(self, gateways: StreetGateways) -> None:
        until_s = time.monotonic() + _DELIVERED_S
        while gateways.unacknowledged:
            if time.monotonic() > until_s:
                raise LinkDownError(f"the past was not on record after {_DELIVERED_S:g} s")
            time.sleep(_LOOK_S)
