"""The whole chain around a played street: bus, record, shares and plan, and what came of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TypeAlias

from api.broker import mosquitto_program, running_broker
from api.replay.meters import Measured
from api.replay.street import INVERTER, ReplayStreet
from collectors.ingest import Ingest
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey, Store
from kwartier.broker import Broker, broker_at
from kwartier.bus import Bus, InProcessBus, Message
from kwartier.clock import SystemClock
from kwartier.errors import LinkDownError
from kwartier.identity import CoopId
from kwartier.model import Community, Connection
from kwartier.mqtt import MqttBus, Session
from kwartier.progress import Progress
from kwartier.units import EpochS, Wh
from kwartier.wire import ROOT

_log = logging.getLogger(__name__)

BusOf: TypeAlias = Callable[[str], Bus]
"""Returns the connection of a client to the bus, by the client's name."""
_LINK_S = 30.0
_STUCK_S = 60.0
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Delivered:
    """What went through the chain, checked against the record.

    Attributes:
        readings: Readings that meters and inverters told.
        lost: How many of them the record does not hold.
        duplicated: How many it took in more than once.
        import_wh: Import of all quarters in the record [Wh].
        export_wh: Export of all quarters in the record [Wh].
        quarters: Quarter-hours of which the record knows the energy of at least one meter.
        meter_quarters: The same, each meter's counted by itself.
        seconds: From the first telegram to the last acknowledgement [s].
    """

    readings: int
    lost: int
    duplicated: int
    import_wh: Wh
    export_wh: Wh
    quarters: int
    meter_quarters: int
    seconds: float


def community_of(measured: Measured) -> Community:
    """Return the neighbourhood of the played households, under a name of its own every time."""
    homes = {
        f"huis-{number:04d}": Connection(
            f"huis-{number:04d}",
            f"lid-{number:04d}",
            f"gw-{number:04d}",
            solar=None if history.produced_wh is None else INVERTER,
        )
        for number, history in enumerate(measured.meters.values(), start=1)
    }
    return Community(f"replay-{token_hex(4)}", "Replay", homes, {})


def deliver(
    measured: Measured, store: SqliteStore, folder: Path, bus_of: BusOf, coop: CoopId
) -> Delivered:
    """Play measured quarters into a store through sockets, gateways, a bus and ingest.

    Args:
        measured: What to play.
        store: The record, empty.
        folder: Where the gateways keep their outboxes.
        bus_of: Connects a client to the bus.
        coop: The cooperative they all belong to; nobody else uses its topics.

    Raises:
        LinkDownError: A link did not come up, or delivery stood still.
    """
    bar = Progress("playing", measured.end_s - measured.start_s)
    with ExitStack() as parts:
        ingest = Ingest(store, bus_of("collector"), coop, SystemClock())
        street = ReplayStreet(measured, coop, folder, bus_of)
        ingest.start()
        parts.callback(ingest.stop)
        parts.callback(street.close)
        parts.callback(bar.end)
        started_s = time.perf_counter()
        street.play(lambda at_s: bar.show(at_s - measured.start_s))
        street.write_all()
        _wait_until_delivered(street, ingest)
        seconds = time.perf_counter() - started_s
    return _judged(measured, street, store, seconds)


@contextmanager
def buses(broker: str | None, coop: CoopId) -> Iterator[BusOf]:
    """Yield what connects a client to a bus by its name.

    Args:
        broker: ``mqtt://HOST:PORT``; None starts mosquitto where it is installed, and else stays
            inside the process.
        coop: Part of the clients' names, so that two replays on one broker leave each other alone.

    Raises:
        SettingsError: The address is none.
        BrokerStartError: Mosquitto is installed and does not start.
    """
    if broker is not None:
        theirs = broker_at(broker)
        with _over_mqtt(theirs, coop) as bus_of:
            yield bus_of
        _sweep(theirs, coop)
    elif mosquitto_program() is not None:
        with running_broker() as started, _over_mqtt(started, coop) as bus_of:
            yield bus_of
    else:
        yield in_process()


def in_process() -> BusOf:
    """Return the bus that needs no broker: one for every client."""
    bus = InProcessBus()
    return lambda _: bus


@contextmanager
def _over_mqtt(broker: Broker, coop: CoopId) -> Iterator[BusOf]:
    opened: list[MqttBus] = []

    def connect(name: str) -> Bus:
        bus = MqttBus(broker, Session(f"kwartier-{coop}-{name}"))
        opened.append(bus)
        if not bus.wait_until_up(_LINK_S):
            raise LinkDownError(f"{broker.url}: no answer in {_LINK_S:g} s: is the broker running?")
        return bus

    try:
        yield connect
    finally:
        for bus in opened:
            bus.close()


def _sweep(broker: Broker, coop: CoopId) -> None:
    """Take back what was retained, so that a replay leaves nothing on somebody's broker."""
    kept: set[str] = set()
    told = threading.Semaphore(0)

    def hear(message: Message) -> None:
        if message.retained:
            kept.add(message.topic)
        elif message.topic == mark:
            told.release()

    mark = f"{ROOT}/{coop}/swept"
    bus = MqttBus(broker, Session(f"kwartier-{coop}-broom"))
    try:
        swept = bus.wait_until_up(_LINK_S)
        bus.subscribe(f"{ROOT}/{coop}/#", hear)
        # Our own mark comes back after everything that was retained, or was sent before it.
        bus.publish(mark, b"")
        swept = swept and told.acquire(timeout=_LINK_S)
        for topic in list(kept):
            bus.publish(topic, b"", retain=True)
        bus.publish(mark, b"")
        swept = swept and told.acquire(timeout=_LINK_S)
    except LinkDownError:
        swept = False
    finally:
        bus.close()
    if not swept:
        _log.warning("%s: retained messages of %s stay there", broker.url, coop)


def _wait_until_delivered(street: ReplayStreet, ingest: Ingest) -> None:
    """Wait until the record holds every block, as long as anything moves."""
    left = street.unacknowledged
    moved_s = time.monotonic()
    while left:
        time.sleep(_LOOK_S)
        if ingest.failure is not None:
            raise ingest.failure
        now_left = street.unacknowledged
        if now_left != left:
            left, moved_s = now_left, time.monotonic()
        elif time.monotonic() > moved_s + _STUCK_S:
            raise LinkDownError(f"{left} blocks were not acknowledged for {_STUCK_S:g} s")


def _judged(measured: Measured, street: ReplayStreet, store: Store, seconds: float) -> Delivered:
    held = 0
    for gateway, history in zip(street.gateways, measured.meters.values(), strict=True):
        until_s = measured.end_s + 1
        points = store.points(DeviceKey(gateway, "p1"), "import_wh", measured.start_s, until_s)
        held += len(points)
        if history.produced_wh is not None:
            roof = DeviceKey(gateway, INVERTER)
            held += len(store.points(roof, "produced_wh", measured.start_s, until_s))
    energy_wh = {"import_wh": 0, "export_wh": 0}
    known: set[tuple[DeviceKey, EpochS]] = set()
    for quarter in store.quarters(list(energy_wh), measured.start_s, measured.end_s):
        if quarter.energy_wh is not None:
            energy_wh[quarter.name] += quarter.energy_wh
            known.add((quarter.key, quarter.start_s))
    return Delivered(
        street.sent,
        street.sent - held,
        store.counts().readings - held,
        energy_wh["import_wh"],
        energy_wh["export_wh"],
        len({start_s for _, start_s in known}),
        len(known),
        seconds,
    )
