"""A process that serves the grown town as ``kwartier serve`` does: its record read only, a bus."""

from __future__ import annotations

import gc
import sys
from contextlib import ExitStack
from pathlib import Path

from api.app import create_app
from api.house import house_of
from api.moment_voice import MomentVoice
from api.overview.keeper import Overview
from api.people.opening import open_people
from api.plan_book import SqlitePlanBook
from api.server import WebServer
from collectors.sqlite_store import SqliteStore
from kwartier.broker import broker_at
from kwartier.mqtt import MqttBus, Session
from tests.speed.grown_town import TownClock, community, open_office


def main(folder: Path, broker: str, ahead_s: float) -> None:
    """Serve until the process is told to stop; its port is the first line it prints."""
    clock = TownClock(ahead_s)
    with ExitStack() as parts:
        store = SqliteStore(folder / "telemetry.db", read_only=True)
        parts.callback(store.close)
        plans = SqlitePlanBook(folder / "plans.db")
        parts.callback(plans.close)
        office = open_office(folder, clock)
        people = open_people(folder, clock, office)
        parts.callback(people.close)
        overview = Overview(
            community(), store, clock, folder / "overview.db", people=people, office=office
        )
        parts.callback(overview.close)
        bus = MqttBus(broker_at(broker), Session("grown-serve"))
        parts.callback(bus.close)
        house = house_of(
            community(), store, plans, people, clock, bus, office=office, overview=overview
        )
        parts.callback(house.live.close)
        overview.start()
        voice = MomentVoice(house.signals, bus, community().coop, clock)
        voice.start()
        parts.callback(voice.stop)
        server = WebServer(create_app(house), "127.0.0.1", 0, stopping=house.live.close)
        gc.freeze()
        print(server.port, flush=True)
        server.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
