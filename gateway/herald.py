"""The herald: tells events as soon as there is a link, in order."""

from __future__ import annotations

import logging
import threading
from collections import deque

from kwartier.bus import Bus
from kwartier.errors import LinkDownError
from kwartier.events import Event, encode_event, sentence_of
from kwartier.identity import CoopId, GatewayId
from kwartier.wire import Address, Lane

_log = logging.getLogger(__name__)

MAX_UNTOLD = 200
"""Events that wait for a link; of more the oldest are given up."""


class Herald:
    """Tells events from any thread; those without a link wait in memory for the next one."""

    def __init__(self, bus: Bus, coop: CoopId, gateway: GatewayId) -> None:
        """Tell on ``bus`` in the name of ``gateway``."""
        self._bus = bus
        self._topic = Address(coop, gateway, Lane.EVENT).topic
        self._lock = threading.Lock()
        self._waiting: deque[Event] = deque()
        self.given_up = 0
        """Events nobody was told of, because too many waited."""

    @property
    def untold(self) -> int:
        """How many events wait for a link."""
        with self._lock:
            return len(self._waiting)

    def tell(self, event: Event) -> None:
        """Tell an event, now or once the link is there."""
        _log.warning(
            "event %s of %s: %s", event.kind, event.device or "gateway", sentence_of(event)
        )
        with self._lock:
            self._waiting.append(event)
            if len(self._waiting) > MAX_UNTOLD:
                self._waiting.popleft()
                self.given_up += 1
        self.tell_waiting()

    def tell_waiting(self) -> None:
        """Tell what waits, until there is no more or no link."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                event = self._waiting.popleft()
            try:
                self._bus.publish(self._topic, encode_event(event))
            except LinkDownError:
                with self._lock:
                    self._waiting.appendleft(event)
                return
