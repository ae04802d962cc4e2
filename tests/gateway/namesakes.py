"""Gateways of one name as their processes wire them, at a real broker, and who listens to them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api.broker import BrokerProcess
from collectors.ingest import Ingest
from gateway.agent import Agent, Manner
from gateway.keep.blocks import Shape
from gateway.keep.delivery import Pace
from gateway.keep.namesake import Boot, Caution
from gateway.keep.outbox import Outbox
from gateway.presence import will_of
from kwartier.broker import Broker
from kwartier.bus import Message
from kwartier.clock import SystemClock
from kwartier.events import EventKind, decode_event, mark_of
from kwartier.mqtt import MqttBus, Session, Will
from kwartier.reading import Reading
from kwartier.wire import Address, GatewayState, Lane, decode_state, encode_state
from tests.memory_store import MemoryStore

T0 = 1_767_225_600
COOP, GATEWAY = "straat", "gw-1"


@dataclass
class Home:
    """One gateway as its process wires it, fed by hand."""

    folder: Path
    broker: Broker
    first_wh: int
    started_s: int
    quiet_s: float = 5.0
    coop: str = COOP
    gateway: str = GATEWAY
    parts: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        clock = SystemClock()
        self.outbox = Outbox(self.folder / "outbox.db", self.gateway, clock)
        self.parts.callback(self.outbox.close)
        boot = Boot(self.started_s, self.first_wh)
        will = encode_state(will_of(boot.details(0), self.outbox.position.epoch, clock))
        topic = Address(self.coop, self.gateway, Lane.STATE).topic
        self.bus = MqttBus(
            self.broker, Session(self.gateway, expiry_s=3600), Will(topic, will), begin=False
        )
        self.parts.callback(self.bus.close)
        manner = Manner(Shape(rows=1), Pace(spread_s=0.1), 0.0, Caution(quiet_s=self.quiet_s))
        self.agent = Agent(
            self.coop, self.gateway, self.outbox, self.bus, clock, manner, boot=boot, door=self.bus
        )
        self.taken = 0

    def start(self) -> None:
        self.bus.begin()
        self.agent.start()
        self.parts.callback(self.agent.stop)

    def hear_from(self, boot: Boot) -> list[GatewayState]:
        """Return a list that takes what the broker hands this gateway of another start."""
        words: list[GatewayState] = []

        def hear(message: Message) -> None:
            state = decode_state(message.payload)
            if state.details.get("boot") == boot.mark:
                words.append(state)

        self.bus.subscribe(Address(self.coop, self.gateway, Lane.STATE).topic, hear)
        return words

    def take(self) -> None:
        """Take the next reading; one home's registers lie far from the other's."""
        self.taken += 1
        at_s = T0 + 10 * self.taken
        self.agent.take(Reading("p1", "E1", at_s, {"import_wh": self.first_wh + self.taken}))


@dataclass
class Street:
    """A broker, a record, and who listens to the gateways."""

    broker: BrokerProcess
    store: MemoryStore
    parts: ExitStack
    folder: Path
    ear: MqttBus
    told: dict[str, EventKind] = field(default_factory=dict)
    states: list[GatewayState] = field(default_factory=list)

    @property
    def events(self) -> list[EventKind]:
        """What happened, each once, as the record keeps it: it is told again at a new link."""
        return list(self.told.values())

    def hear_event(self, message: Message) -> None:
        """Take what a gateway tells of itself."""
        self.told[mark_of(message.payload)] = decode_event(message.payload).kind

    def held_wh(self) -> list[int]:
        """Return the registers on record."""
        return list(self.store.held.points.values())

    def heard_from(self, boot: Boot, *, online: bool) -> int:
        """Return how often a start told that it is there, or its broker that it is not."""
        return sum(
            one.online == online and one.details.get("boot") == boot.mark for one in self.states
        )

    def say(self, state: GatewayState) -> None:
        """Say something on the gateway's topic, to be kept."""
        topic = Address(COOP, GATEWAY, Lane.STATE).topic
        self.ear.publish(topic, encode_state(state), retain=True)

    def save(self) -> None:
        """Have the broker save what it holds now, which it does once a minute by itself."""
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGUSR1)
        wait_until((self.folder / "broker" / "mosquitto.db").exists)


@contextmanager
def street_at(folder: Path) -> Iterator[Street]:
    """Yield a street with a broker of its own."""
    with ExitStack() as parts:
        (folder / "broker").mkdir()
        broker = BrokerProcess.on_spare_port(folder / "broker")
        parts.callback(broker.stop)
        bus = MqttBus(broker.broker, Session("collector"))
        made = Street(broker, MemoryStore(), parts, folder, bus)
        parts.callback(bus.close)
        bus.subscribe(Address(COOP, GATEWAY, Lane.EVENT).topic, made.hear_event)
        bus.subscribe(
            Address(COOP, GATEWAY, Lane.STATE).topic,
            lambda message: made.states.append(decode_state(message.payload)),
        )
        ingest = Ingest(made.store, bus, COOP, SystemClock())
        ingest.start()
        parts.callback(ingest.stop)
        assert bus.wait_until_up(30.0)
        yield made


def wait_until(reached: Callable[[], bool], act: Callable[[], None] = lambda: None) -> float:
    """Return how long it took until something is so [s]; a minute is too long."""
    start_s = time.monotonic()
    while not reached():
        assert time.monotonic() < start_s + 60.0, "nothing happened for a minute"
        act()
        time.sleep(0.02)
    return time.monotonic() - start_s
