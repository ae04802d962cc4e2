"""The way to the server while a home is brought on the air: a real agent, watched."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gateway.agent import Agent, Manner
from gateway.enrol.identity import Enrolled, Identity
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from kwartier.broker import broker_at
from kwartier.clock import Clock
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading

ACKNOWLEDGED_WITHIN_S = 60.0
OUTAGE_S = 120.0
_WRITE_EVERY_S = 10.0
_SPREAD_S = 1.0


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """What was seen of the way to the server.

    Attributes:
        up: Whether the link is up now.
        acknowledged_after_s: How long the server took to acknowledge the first sample [s].
        outage_s: How long the link was away, once everything of that time was acknowledged [s].
        away_s: How long it has been away now [s]; 0 when it is up.
    """

    up: bool = False
    acknowledged_after_s: float | None = None
    outage_s: float | None = None
    away_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Return whether the server gets everything, also what was measured without a link."""
        first, outage = self.acknowledged_after_s, self.outage_s
        return (
            first is not None
            and first < ACKNOWLEDGED_WITHIN_S
            and outage is not None
            and outage >= OUTAGE_S
        )


class Uplink:
    """Sends what is measured, and watches whether the server acknowledges it."""

    def __init__(
        self,
        enrolled: Enrolled,
        identity: Identity,
        folder: Path,
        clock: Clock,
        manner: Manner | None = None,
    ) -> None:
        """Connect to the broker that the server named.

        Args:
            enrolled: What the server told.
            identity: Whose files prove it to the broker.
            folder: Of the outbox; the gateway goes on with it later.
            clock: The gateway's clock.
            manner: How blocks are sent; at once when none is given: somebody waits for it.

        Raises:
            SettingsError: The broker's address or the certificate cannot be used.
            OutboxInUseError: The gateway itself runs: stop it first.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._first_s: float | None = None
        self._after_s: float | None = None
        self._down_s: float | None = None
        self._waiting_s: float | None = None
        self._outage_s: float | None = None
        self._up = False
        self._written_s = 0.0
        tls = identity.tls() if enrolled.broker_url.startswith("mqtts:") else None
        broker = broker_at(enrolled.broker_url, tls)
        with ExitStack() as parts:
            outbox = Outbox(folder / "outbox.db", enrolled.gateway, clock)
            parts.callback(outbox.close)
            bus = MqttBus(broker, Session(enrolled.gateway, expiry_s=24 * 3600), begin=False)
            parts.callback(bus.close)
            at_once = Manner(pace=Pace(spread_s=_SPREAD_S))
            self._agent = Agent(
                enrolled.coop, enrolled.gateway, outbox, bus, clock, manner or at_once
            )
            bus.watch_link(self._linked)
            bus.begin()
            self._agent.start()
            parts.callback(self._agent.stop)
            self._parts = parts.pop_all()

    def take(self, reading: Reading) -> None:
        """Keep a reading and send it."""
        with self._lock:
            if self._first_s is None:
                self._first_s = self._clock.monotonic_s()
        self._agent.take(reading)

    def look(self) -> LinkSeen:
        """Send what is open, and return what was seen so far."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            due = self._first_s is not None and now_s >= self._written_s + _WRITE_EVERY_S
            if due:
                self._written_s = now_s
        if due:
            self._agent.write_all()
        empty = self._agent.unacknowledged == 0
        with self._lock:
            if self._up and empty and not due:
                self._all_there(now_s)
            away_s = now_s - self._down_s if self._down_s is not None else 0.0
            return LinkSeen(self._up, self._after_s, self._outage_s, away_s)

    def close(self) -> None:
        """Let go of the broker and the outbox."""
        self._parts.close()

    def _all_there(self, now_s: float) -> None:
        if self._after_s is None and self._first_s is not None and self._written_s:
            self._after_s = now_s - self._first_s
        if self._waiting_s is not None and self._written_s:
            self._outage_s = max(self._waiting_s, self._outage_s or 0.0)
            self._waiting_s = None

    def _linked(self, up: bool) -> None:  # noqa: FBT001 - the bus says it so
        now_s = self._clock.monotonic_s()
        with self._lock:
            self._up = up
            if not up and self._down_s is None:
                self._down_s = now_s
            elif up and self._down_s is not None:
                if self._after_s is not None:
                    self._waiting_s = now_s - self._down_s
                self._down_s = None
