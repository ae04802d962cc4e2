"""The newest values: from the live lane while a bus brings them, from the record otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Iterator

from collectors.power import Instants
from collectors.store import DeviceKey, Store
from kwartier.bus import Bus, Message
from kwartier.clock import Clock
from kwartier.errors import ContractError
from kwartier.identity import CoopId
from kwartier.wire import ROOT, Address, Lane, decode_live

RECORD_AGE_S = 5.0
"""How old what was read from the record may be [s]."""
AT_MOST_EVERY_S = 1.0
"""The shortest time between two changes that a listener is told of [s]."""
AT_LEAST_EVERY_S = 10.0
"""The longest time a listener waits, whether or not a bus brings anything [s]."""
LISTENING_S = 900.0
"""How long a stream lasts before its listener must ask, and be known, anew [s]."""
MOST_LISTENERS = 500
"""How many streams may be open at once."""

_log = logging.getLogger(__name__)


class LiveFeed:
    """Keeps the newest value of each series and wakes whoever listens."""

    def __init__(self, store: Store, clock: Clock, coop: CoopId, bus: Bus | None = None) -> None:
        """Listen on a bus, or only look into the record."""
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._instants = Instants()
        self._read_at: float | None = None
        self._listeners: set[_Listener] = set()
        self._streams = 0
        self._closed = False
        self._refused = 0
        if bus is not None:
            bus.subscribe(f"{ROOT}/{coop}/+/{Lane.LIVE}/#", self._receive)

    def instants(self) -> Instants:
        """Return the newest values as they are now; the answer does not change any more.

        Raises:
            StoreBusyError: The record cannot be read now.
        """
        now_s = self._clock.monotonic_s()
        with self._lock:
            if self._read_at is None or now_s - self._read_at >= RECORD_AGE_S:
                for latest in self._store.latest():
                    self._instants.take(latest.key, latest.name, latest.at_s, latest.value)
                self._read_at = now_s
            return self._instants.copy()

    @property
    def refused(self) -> int:
        """How many live messages could not be read."""
        return self._refused

    @property
    def listening(self) -> int:
        """How many streams are open."""
        with self._lock:
            return self._streams

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count a stream as open."""
        with self._lock:
            self._streams += 1
        try:
            yield
        finally:
            with self._lock:
                self._streams -= 1

    async def changes(self) -> AsyncIterator[None]:
        """Yield at once, and then each time there may be news, until the feed ends."""
        listener = _Listener()
        with self._lock:
            self._listeners.add(listener)
        try:
            while not self._closed:
                yield
                await asyncio.sleep(AT_MOST_EVERY_S)
                await listener.woken(AT_LEAST_EVERY_S)
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def close(self) -> None:
        """Let every listener go."""
        self._closed = True
        self._wake()

    def _receive(self, message: Message) -> None:
        try:
            address = Address.parse(message.topic)
            reading = decode_live(message.payload)
        except ContractError as error:
            self._refused += 1
            if self._refused == 1:
                _log.warning(
                    "a live message cannot be read, and others are only counted: %s", error
                )
            return
        key = DeviceKey(address.gateway, reading.device)
        with self._lock:
            for name, value in reading.values.items():
                self._instants.take(key, name, reading.at_s, value)
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.wake()


class _Listener:
    """One open stream, woken from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    def wake(self) -> None:
        # A loop that has ended has nobody left to wake.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)

    async def woken(self, at_most_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), at_most_s)
        self._news.clear()
