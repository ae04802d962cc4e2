"""A small street for the planner: ten homes, one battery, days of history on record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api.embedded.prices import MadeUpPrices
from api.plan_book import SqlitePlanBook
from api.planner import Planner
from api.planning.calls import CallBook
from api.price_book import PriceBook
from api.retail import Retail
from collectors.prices.model import PriceSource
from collectors.queries import Records
from collectors.sqlite_store import SqliteStore
from kwartier.bus import Bus, InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S
from kwartier.model import Community
from kwartier.reading import Reading, Schedule
from kwartier.schedule import decode_schedule
from kwartier.units import EpochS, Wh
from optimizer.plan import Plan
from optimizer.problem import Problem
from tests.api.street import community_of, feed

HOMES = 10
BATTERY_TOPIC = "nec/v1/zonnehof/gw-accu/cmd/battery"
SECOND_TOPIC = "nec/v1/zonnehof/gw-schuur/cmd/battery"


@dataclass(slots=True)
class Scene:
    """What a planner works with, and what it sent."""

    folder: Path
    community: Community
    store: SqliteStore
    records: Records
    book: SqlitePlanBook
    bus: InProcessBus
    clock: VirtualClock
    sent: list[Schedule] = field(default_factory=list)
    sent_to: dict[str, list[Schedule]] = field(default_factory=dict)
    first_sent: threading.Event = field(default_factory=threading.Event)

    @property
    def calls(self) -> CallBook:
        """The book of calls."""
        return CallBook(self.folder / "calls.db")

    def planner(
        self,
        bus: Bus | None = None,
        prices: PriceSource | None = None,
        *,
        retail: Retail | None = None,
        street_file: Path | None = None,
        refusing: Callable[[], frozenset[str]] = frozenset,
        make: Callable[[Problem], Plan] | None = None,
    ) -> Planner:
        """Return a new planner, as after a start of the program."""
        return Planner(
            self.community,
            self.store,
            self.records,
            PriceBook(prices or MadeUpPrices(), ask_again_s=120.0),
            self.book,
            bus or self.bus,
            self.clock,
            retail,
            make=make,
            calls=self.calls,
            street_file=street_file,
            refusing=refusing,
        )


@contextmanager
def scene(
    folder: Path, now_s: EpochS, *, homes: int = HOMES, community: Community | None = None
) -> Iterator[Scene]:
    """Yield a street with an empty record."""
    community = community or community_of(homes, solar_every=homes + 1)
    clock, bus = VirtualClock(now_s), InProcessBus()
    with SqliteStore(folder / "telemetry.db") as store:
        book = SqlitePlanBook(folder / "plans.db")
        records = Records(store, community, clock)
        made = Scene(folder, community, store, records, book, bus, clock)

        def take(message: Message) -> None:
            known = {BATTERY_TOPIC, SECOND_TOPIC}
            assert message.topic in known or community.home_batteries
            schedule = decode_schedule(message.payload)
            made.sent.append(schedule)
            made.sent_to.setdefault(message.topic.split("/")[3], []).append(schedule)
            made.first_sent.set()

        bus.subscribe("nec/v1/+/+/cmd/+", take)
        yield made
        book.close()


def use_in(
    scene: Scene, home: int, from_s: EpochS, until_s: EpochS, seq: int, wh: Wh = 100
) -> None:
    """Put a home's registers on record: ``wh`` a quarter, read at each quarter's edge."""
    edges = range(from_s, until_s + 1, QUARTER_S)
    readings = [
        Reading("p1", f"m{home}", at_s, {"import_wh": wh * (at_s // QUARTER_S), "export_wh": 0})
        for at_s in edges
    ]
    feed(scene.store, f"gw-{home:02d}", seq, readings)


def charge_of(
    scene: Scene, at_s: EpochS, permille: int, seq: int = 1, gateway: str = "gw-accu"
) -> None:
    """Put the battery's state of charge on record."""
    feed(
        scene.store,
        gateway,
        seq,
        [Reading("battery", "b1", at_s, {"soc_permille": permille, "battery_w": 0})],
    )
