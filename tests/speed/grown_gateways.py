"""A process in which sixty gateways send a telegram a second, and the record takes them in."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from collectors.ingest import Ingest
from collectors.sqlite_store import SqliteStore
from gateway.agent import Agent, Manner
from gateway.keep.blocks import Shape
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from kwartier.broker import broker_at
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading
from tests.speed.grown_town import TownClock, community

MANNER = Manner(shape=Shape(rows=10, age_s=5.0), pace=Pace(spread_s=0.0))


def main(folder: Path, broker: str, ahead_s: float) -> None:
    """Send and take in until told to stop; then print how much was sent and how much came."""
    clock, sent = TownClock(ahead_s), 0
    homes = community().connections.values()
    with ExitStack() as parts:
        store = SqliteStore(folder / "telemetry.db")
        parts.callback(store.close)
        before = store.counts().readings
        taking = MqttBus(broker_at(broker), Session("grown-collector"))
        parts.callback(taking.close)
        ingest = Ingest(store, taking, community().coop, clock)
        ingest.start()
        parts.callback(ingest.stop)
        bus = MqttBus(broker_at(broker), Session("grown-gateways"))
        parts.callback(bus.close)
        bus.wait_until_up(30)
        agents = []
        for place, home in enumerate(homes):
            outbox = Outbox(folder / f"{home.gateway}.outbox", home.gateway, clock)
            parts.callback(outbox.close)
            agents.append(Agent(community().coop, home.gateway, outbox, bus, clock, MANNER))
            agents[place].start()
            parts.callback(agents[place].stop)
        stopping = threading.Event()
        print("sending", flush=True)
        threading.Thread(target=_wait_for_end, args=(stopping,), daemon=True).start()
        second = 0
        while not stopping.wait(1 - time.time() % 1):
            second += 1
            for place, agent in enumerate(agents):
                counted = {"import_wh": 90_000_000 + second, "export_wh": 90_000_000}
                power = {"import_w": 500 + (second * 997 + place * 31) % 3_000, "export_w": 0}
                agent.take(Reading("p1", "m-p1", int(clock.now_s()), counted | power))
                sent += 1
        for agent in agents:
            agent.write_all()
        until_s = time.monotonic() + 60
        while any(agent.unacknowledged for agent in agents) and time.monotonic() < until_s:
            time.sleep(0.05)
        print(sent, store.counts().readings - before, flush=True)


def _wait_for_end(stopping: threading.Event) -> None:
    """Stop when whoever began this process closes its input."""
    sys.stdin.read()
    stopping.set()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
