"""A process that takes in and serves: the record, ingest and the pages of a street on a broker."""

from __future__ import annotations

import sys
from pathlib import Path

from api.app import create_app
from api.house import house_of
from api.people.opening import open_people
from api.plan_book import SqlitePlanBook
from api.server import WebServer
from collectors.ingest import Ingest
from collectors.sqlite_store import SqliteStore
from kwartier.broker import broker_at
from kwartier.clock import SystemClock
from kwartier.model import Community, Connection
from kwartier.mqtt import MqttBus, Session

COOP = "speed"


def community_of(homes: int) -> Community:
    """Return a street of homes without roofs."""
    names = [f"huis-{place:02}" for place in range(homes)]
    return Community(
        COOP,
        "Zonnehof",
        {name: Connection(name, name, f"gw-{place:02}") for place, name in enumerate(names)},
        {},
    )


def main(folder: Path, broker: str, homes: int) -> None:
    """Serve until the process is told to stop; its port is the first line it prints."""
    clock = SystemClock()
    store = SqliteStore(folder / "telemetry.db")
    plans = SqlitePlanBook(folder / "plans.db")
    people = open_people(folder, clock)
    taking = MqttBus(broker_at(broker), Session("speed-collector"))
    ingest = Ingest(store, taking, COOP, clock)
    ingest.start()
    bus = MqttBus(broker_at(broker), Session("speed-serve"))
    house = house_of(community_of(homes), store, plans, people, clock, bus)
    server = WebServer(create_app(house), "127.0.0.1", 0, stopping=house.live.close)
    print(server.port, flush=True)
    server.run()
    ingest.stop()
    for bus_or_book in (bus, taking, plans, people, store):
        bus_or_book.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
