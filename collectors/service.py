"""The collector as a process: broker and record put together, run until told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from collectors.event_intake import EventIntake
from collectors.ingest import Ingest, Totals
from collectors.measures import Pulse, collector_measures
from collectors.months.parquet import require_parquet
from collectors.retention import DAY_S, Keep
from collectors.settings import CollectorSettings, InfluxPlace
from collectors.shard import OwnBus
from collectors.sqlite_store import SqliteStore
from collectors.upkeep import Upkeep
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.identity import CoopId
from kwartier.metrics_door import MetricsDoor
from kwartier.metrics_text import Measure
from kwartier.mqtt import MqttBus, Session

_log = logging.getLogger(__name__)

_REMEMBERED_S = 14 * DAY_S
_LOOK_EVERY_S = 1.0
_TRY_AGAIN_S = 60.0


def collect(settings: CollectorSettings, clock: Clock, stop: threading.Event) -> Totals:
    """Take in blocks and events until told to stop, and return what was done.

    Raises:
        StoreBusyError: Another process writes the record, or it cannot be reached.
        MissingExtraError: Months are to be put away, and pyarrow is not installed.
        SettingsError: InfluxDB's address is none, or the record holds another shard's gateways.
        KwartierError: The record is damaged, at the start or while it was written.
    """
    if settings.keeping.months_kept:
        require_parquet()
    with ExitStack() as parts:
        store = SqliteStore(settings.keeping.path, max_bytes=settings.keeping.max_bytes)
        parts.callback(store.close)
        shard = settings.shard
        shard.refuse_strangers(store)
        name = f"kwartier-collect-{settings.coop}{shard.suffix}"
        bus = MqttBus(settings.broker, Session(name, expiry_s=_REMEMBERED_S), begin=False)
        parts.callback(bus.close)
        own = OwnBus(bus, shard)
        ingest = Ingest(store, own, settings.coop, clock, settings.limits)
        keep = Keep(settings.keeping.detail_days * DAY_S, settings.keeping.months_kept)
        upkeep = Upkeep(store, clock, keep)
        parts.enter_context(_thread("upkeep", upkeep.run))
        if settings.influx is not None:
            forward = _forwarding(settings.influx, store, settings, clock)
            parts.enter_context(_thread("forwarder", forward))
        events = EventIntake(store, own, settings.coop, clock)
        for intake in (ingest, events):
            intake.start()
            parts.callback(intake.stop)
        pulse = Pulse(clock)
        _open_door(settings, ingest, pulse, bus, clock, parts)
        bus.begin()  # only now: what waits at the broker comes with the connection
        _log.info("collecting for %s from %s, shard %s", settings.coop, settings.broker.url, shard)
        while not (stop.is_set() or ingest.wait(0) or events.ended.is_set()):
            pulse.look(ingest.totals)
            stop.wait(_LOOK_EVERY_S)
    failure = ingest.failure or events.failure
    if failure is not None:
        raise failure
    return replace(ingest.totals, events=events.kept)


def _open_door(
    settings: CollectorSettings,
    ingest: Ingest,
    pulse: Pulse,
    bus: MqttBus,
    clock: Clock,
    parts: ExitStack,
) -> None:
    """Answer whoever asks how the collector does, where the settings say so."""

    def look() -> list[Measure]:
        return collector_measures(
            ingest.totals,
            pulse,
            settings.keeping.path,
            clock,
            forwards=settings.influx is not None,
            linked=bus.wait_until_up(0),
        )

    if settings.metrics is not None:
        parts.enter_context(MetricsDoor(settings.metrics, look))


@contextmanager
def _thread(name: str, run: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run something beside the rest until the block is left."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _forwarding(
    place: InfluxPlace, store: SqliteStore, settings: CollectorSettings, clock: Clock
) -> Callable[[threading.Event], None]:
    """Return what passes readings on to InfluxDB; its client is loaded only where it is used."""
    from collectors.forward_book import ForwardBook, book_path
    from collectors.forwarder import Forwarder, Pauses
    from collectors.influx import Influx, InfluxSettings

    coop: CoopId = settings.coop
    path = book_path(settings.keeping.path)
    told = InfluxSettings(place.url, place.token, place.organisation, place.bucket)

    def opened(stop: threading.Event) -> ForwardBook | None:
        """Open the forwarder's book; intake goes on while it cannot be; None when told to stop."""
        is_said = False
        while True:
            try:
                return ForwardBook(path)
            except KwartierError as error:
                if not is_said:
                    _log.error("nothing is passed on to InfluxDB: %s", error)
                is_said = True
            if stop.wait(_TRY_AGAIN_S):
                return None

    def run(stop: threading.Event) -> None:
        book = opened(stop)
        if book is None:
            return
        with Influx(told) as influx:
            try:
                pauses = Pauses(lines_per_s=place.lines_per_s)
                keep_s = place.keep_days * DAY_S or None
                Forwarder(store, influx, book, coop, clock, pauses, keep_s).run(stop)
            finally:
                book.close()

    return run
