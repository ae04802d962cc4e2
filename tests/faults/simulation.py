"""A neighbourhood in one thread with a virtual clock: the real outbox, courier and ingest.

One seed makes one history: messages get lost, doubled, late and out of order; gateways, links and
the collector come and go; commits fail; records and outboxes are put back from copies. Safety is
checked at every acknowledgement and at the end, liveness once the faults have stopped.
"""

from __future__ import annotations

import heapq
import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random

from collectors.ingest import Ingest
from collectors.store import DeviceKey
from gateway.keep.blocks import Draft
from gateway.keep.courier import Courier
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from kwartier.bus import LinkChanged, Message, Receive, matches
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError, StoreBusyError
from kwartier.reading import Reading
from kwartier.wire import Ack, Address, Lane, decode_ack
from tests.memory_store import Held, MemoryIntake, MemoryStore

T0 = 1_767_225_600
FAULTS_S = 400.0
HEALING_S = 600.0
SWAP_S = 30.0
"""How long a gateway is without power while its card is changed [s]."""
GATEWAYS = ("gw-1", "gw-2")
ROWS = 2
PACE = Pace(window=8, resend_s=5.0, resend_most_s=30.0, spread_s=5.0)


class CrashError(Exception):
    """The collector's process dies here."""


class BrokenPromiseError(AssertionError):
    """A history in which something was lost, doubled or stuck."""


@dataclass(slots=True)
class Weather:
    """How bad the network is, drawn once a history."""

    loss: float
    doubling: float
    delay_s: float

    @classmethod
    def drawn(cls, random: Random) -> Weather:
        return cls(random.choice([0, 0.05, 0.3]), random.choice([0, 0.1]), random.choice([0.1, 8]))


CALM = Weather(0.0, 0.0, 0.05)


class SimulatedStore(MemoryStore):
    """A record whose commit may fail before or after it became durable."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False
        self.crash_before = False
        self.crash_after = False

    @contextmanager
    def intake(self) -> Iterator[MemoryIntake]:
        if self.is_full:
            raise StoreBusyError("the disk is full")
        intake = MemoryIntake(self.held)
        yield intake
        if self.crash_before:
            self.crash_before = False
            raise CrashError
        intake.commit()
        if self.crash_after:
            self.crash_after = False
            raise CrashError


@dataclass(slots=True)
class SimulatedBus:
    """One side's end of the network."""

    world: World
    name: str
    up: bool = True
    takers: list[tuple[str, Receive]] = field(default_factory=list)
    watchers: list[LinkChanged] = field(default_factory=list)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,  # noqa: ARG002 - the shape of a bus
        retain: bool = False,
        expiry_s: int | None = None,  # noqa: ARG002
        properties: Mapping[str, str] | None = None,
    ) -> None:
        if not self.up:
            raise LinkDownError(self.name)
        message = Message(topic, payload, properties=dict(properties or {}))
        self.world.carry(message, retain=retain)

    def subscribe(
        self,
        topic_filter: str,
        receive: Receive,
        *,
        by_hand: bool = False,  # noqa: ARG002
    ) -> None:
        self.takers.append((topic_filter, receive))

    def watch_link(self, changed: LinkChanged) -> None:
        self.watchers.append(changed)
        changed(self.up)

    def close(self) -> None:
        self.takers.clear()
        self.watchers.clear()

    def deliver(self, message: Message) -> None:
        if self.up:
            for wanted, receive in list(self.takers):
                if matches(wanted, message.topic):
                    receive(message)

    def link(self, *, up: bool) -> None:
        self.up = up
        for changed in list(self.watchers):
            changed(up)


@dataclass(slots=True)
class Home:
    """One gateway's world: its disk, and its process that can be started again."""

    name: str
    path: Path
    bus: SimulatedBus
    outbox: Outbox
    courier: Courier
    written: int = 0
    timer: int = 0
    boots: int = 0
    is_off: bool = False
    copy: Path | None = None


@dataclass(frozen=True, slots=True)
class Kinds:
    """The parts of a history; a mutant swaps one of them."""

    store: type[SimulatedStore] = SimulatedStore
    ingest: type[Ingest] = Ingest
    courier: type[Courier] = Courier


class World:
    """One history."""

    def __init__(self, seed: int, folder: Path, kinds: Kinds | None = None) -> None:
        self.random = Random(seed)  # noqa: S311 - a history must be repeatable
        self.clock = VirtualClock(T0)
        self.kinds = kinds or Kinds()
        self.folder = folder
        self.weather = Weather.drawn(self.random)
        self.loses_outboxes = seed % 4 == 1
        self.puts_outboxes_back = seed % 4 == 3
        self.store = self.kinds.store()
        self.copies: list[Held] = []
        self.retained: dict[str, Message] = {}
        self.inbox: list[Message] = []
        self.owed: dict[tuple[DeviceKey, int], int] = {}
        self.unsure: set[tuple[DeviceKey, int]] = set()
        self.collector_bus = SimulatedBus(self, "collector")
        self.ingest = self._new_ingest()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.homes = {name: self._new_home(name) for name in GATEWAYS}

    def run(self) -> None:
        """Live through the faults, heal, and check what is left."""
        for home in self.homes.values():
            self._later(0.0, self._writing(home))
        self._later(0.0, self._collect)
        self._later(self.random.uniform(0, 20), self._strike)
        self._until(FAULTS_S)
        self._heal()
        self._until(FAULTS_S + HEALING_S)
        self._check_end()

    def carry(self, message: Message, *, retain: bool) -> None:
        """Put a message on its way: lost, once or twice, after some time."""
        if Address.parse(message.topic).lane is Lane.ACK:
            self._check_promise(message)
        if retain:
            self.retained[message.topic] = message
        copies = 0 if self.random.random() < self.weather.loss else 1
        copies += self.random.random() < self.weather.doubling
        for _ in range(copies):
            self._later(self.random.uniform(0, self.weather.delay_s), self._delivery(message))

    def _delivery(self, message: Message) -> Callable[[], None]:
        """Return what delivers a message; a process hears nothing meant for the one before."""
        home = self.homes[Address.parse(message.topic).gateway]
        boots = home.boots

        def deliver() -> None:
            self.collector_bus.deliver(message)
            if home.boots == boots:
                home.bus.deliver(message)
                self._turn(home)

        return deliver

    def _writing(self, home: Home) -> Callable[[], None]:
        def write() -> None:
            if self.clock.monotonic_s() < FAULTS_S:
                if not home.is_off:
                    self._write_block(home)
                self._later(self.random.uniform(0, 6), write)
            self._turn(home)

        return write

    def _write_block(self, home: Home) -> None:
        first_s = T0 + 10 * home.written
        home.written += ROWS
        poison = self.random.random() < 0.05
        name = "poison_w" if poison else "import_wh"
        rows = [Reading("p1", "E1", first_s + 10 * i, {name: first_s + i}) for i in range(ROWS)]
        home.outbox.append([Draft(tuple(rows))])
        if not poison:
            key = DeviceKey(home.name, "p1")
            self.owed.update({(key, row.at_s): row.values[name] for row in rows})

    def _turn(self, home: Home) -> None:
        """Let a courier do what is due; of all the times it asked for, the last one counts."""
        if home.is_off:
            return
        deadline_s = home.courier.turn()
        home.timer += 1
        if deadline_s is not None:
            wait_s = max(0.01, deadline_s - self.clock.monotonic_s())
            self._later(wait_s, partial(self._ring, home, home.timer))

    def _ring(self, home: Home, timer: int) -> None:
        if home.timer == timer:
            self._turn(home)

    def _arrive(self, message: Message) -> None:
        self.inbox.append(message)

    def _collect(self) -> None:
        """Let the collector work off what came; it is started again where it died."""
        batch, self.inbox = self.inbox[:50], self.inbox[50:]
        try:
            if batch:
                self.ingest.work_off(batch)
        except StoreBusyError:
            pass
        except CrashError:
            self._restart_collector()
        self._later(self.random.uniform(0.01, 1.0), self._collect)

    def _strike(self) -> None:
        if self.clock.monotonic_s() >= FAULTS_S:
            return
        home = self.homes[self.random.choice(GATEWAYS)]
        faults: list[Callable[[], None]] = [
            lambda: self._cut(home.bus),
            lambda: self._cut(self.collector_bus),
            lambda: self._restart_home(home),
            self._restart_collector,
            lambda: setattr(self.store, "crash_before", True),
            lambda: setattr(self.store, "crash_after", True),
            self._fill_store,
            self.retained.clear,
            self._copy_store,
        ]
        if self.loses_outboxes:
            faults += [lambda: self._lose_outbox(home)]
        elif self.puts_outboxes_back:
            faults += 4 * [lambda: self._copy_outbox(home), lambda: self._put_outbox_back(home)]
        else:
            faults += [self._put_store_back]
        self.random.choice(faults)()
        self._later(self.random.uniform(1, 40), self._strike)

    def _cut(self, bus: SimulatedBus) -> None:
        bus.link(up=False)
        self._later(self.random.uniform(0.1, 60), lambda: self._reconnect(bus))

    def _reconnect(self, bus: SimulatedBus) -> None:
        bus.link(up=True)
        for message in list(self.retained.values()):
            bus.deliver(replace(message, retained=True))
        for home in self.homes.values():
            self._turn(home)

    def _restart_home(self, home: Home) -> None:
        if not home.is_off:
            self._power_off(home)
            self._boot(home)

    def _power_off(self, home: Home) -> None:
        home.outbox._db.close()
        home.bus.close()
        home.is_off = True
        home.boots += 1

    def _boot_far_away(self, home: Home) -> None:
        """Start a process that writes for a while before it can speak to anybody."""
        if self.clock.monotonic_s() >= FAULTS_S:
            return
        self._cut(home.bus)
        self._boot(home)

    def _boot(self, home: Home) -> None:
        home.is_off = False
        home.outbox = Outbox(home.path, home.name, self.clock)
        home.courier = self._new_courier(home.name, home.outbox, home.bus)
        self._hear_retained(home)

    def _hear_retained(self, home: Home) -> None:
        for message in list(self.retained.values()):
            home.bus.deliver(replace(message, retained=True))
        self._turn(home)

    def _lose_outbox(self, home: Home) -> None:
        """Take the card away: what was not acknowledged may be gone, and nobody is to blame."""
        if home.is_off:
            return
        self._excuse_owed(home)
        self._power_off(home)
        home.path.unlink()
        for file in home.path.parent.glob(home.path.name + "-*"):
            file.unlink()
        self._boot(home)

    def _copy_outbox(self, home: Home) -> None:
        if home.is_off:
            return
        home.outbox._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        home.copy = home.path.with_suffix(".copy")
        shutil.copy(home.path, home.copy)

    def _put_outbox_back(self, home: Home) -> None:
        """Put an older card back; what was written since and not acknowledged is gone with it."""
        if home.copy is None or home.is_off:
            return
        self._excuse_owed(home)
        self._power_off(home)
        for file in home.path.parent.glob(home.path.name + "*"):
            file.unlink()
        shutil.copy(home.copy, home.path)
        self._later(SWAP_S, partial(self._boot_far_away, home))

    def _excuse_owed(self, home: Home) -> None:
        held = self.store.held.points
        self.unsure |= {
            (key, at_s)
            for key, at_s in self.owed
            if key.gateway == home.name and (key, "import_wh", at_s) not in held
        }

    def _restart_collector(self) -> None:
        self.inbox.clear()
        self.collector_bus.close()
        self.ingest = self._new_ingest()

    def _fill_store(self) -> None:
        self.store.is_full = True
        self._later(self.random.uniform(1, 60), lambda: setattr(self.store, "is_full", False))

    def _copy_store(self) -> None:
        self.copies.append(self.store.copy())

    def _put_store_back(self) -> None:
        """Put an older record back, or begin an empty one."""
        held = self.random.choice([*self.copies, Held()])
        self.store.put_back(held, f"gen-{self.random.getrandbits(32):08x}")
        self._restart_collector()

    def _heal(self) -> None:
        self.weather = CALM
        self.store.is_full = self.store.crash_before = self.store.crash_after = False
        self._reconnect(self.collector_bus)
        for home in self.homes.values():
            self._reconnect(home.bus)
            self._later(PACE.spread_s, partial(self._write_last, home))

    def _write_last(self, home: Home) -> None:
        """Write one more block: a gateway hears of a record put back when it next sends."""
        if home.is_off:
            self._boot(home)
        self._write_block(home)
        self._turn(home)

    def _check_promise(self, message: Message) -> None:
        """Check that the record holds, for good, what the acknowledgement says it does."""
        ack: Ack = decode_ack(message.payload)
        gateway = Address.parse(message.topic).gateway
        held = self.store.held.upto.get((gateway, ack.epoch), 0)
        if ack.store_gen == self.store.generation and ack.upto > held:
            raise BrokenPromiseError(f"{gateway} was told {ack.upto}, the record holds {held}")

    def _check_end(self) -> None:
        held = self.store.held
        for home in self.homes.values():
            if home.courier.unacknowledged:
                raise BrokenPromiseError(f"{home.name} is stuck: {home.outbox.position}")
        for place, value in self.owed.items():
            stored = held.points.get((place[0], "import_wh", place[1]))
            if stored != value and not (stored is None and place in self.unsure):
                raise BrokenPromiseError(f"lost or changed: {place}: {stored}, not {value}")
        if held.added_twice:
            raise BrokenPromiseError(f"{held.added_twice} blocks were counted twice")
        if not self.puts_outboxes_back and held.readings != len(held.points):
            raise BrokenPromiseError(f"{held.readings} readings make {len(held.points)} points")

    def _new_ingest(self) -> Ingest:
        ingest = self.kinds.ingest(self.store, self.collector_bus, "straat", self.clock)
        self.collector_bus.subscribe("nec/v1/straat/+/blk/+", self._arrive)
        return ingest

    def _new_home(self, name: str) -> Home:
        bus = SimulatedBus(self, name)
        path = self.folder / f"{name}.db"
        outbox = Outbox(path, name, self.clock)
        home = Home(name, path, bus, outbox, self._new_courier(name, outbox, bus))
        self._later(0.0, lambda: self._turn(home))
        return home

    def _new_courier(self, name: str, outbox: Outbox, bus: SimulatedBus) -> Courier:
        return self.kinds.courier(outbox, bus, "straat", name, self.clock, PACE, self.random)

    def _later(self, wait_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.clock.monotonic_s() + wait_s, next(self._order), act))

    def _until(self, end_s: float) -> None:
        while self._agenda and self._agenda[0][0] <= end_s:
            at_s, _, act = heapq.heappop(self._agenda)
            self.clock.advance(max(0.0, at_s - self.clock.monotonic_s()))
            act()
        self.clock.advance(max(0.0, end_s - self.clock.monotonic_s()))
