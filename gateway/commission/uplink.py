"""The way to the server while a home is brought on the air: a real agent, watched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from gateway.agent import Agent, Manner
from gateway.commission.link_watch import LinkSeen, LinkWatch
from gateway.enrol.identity import Enrolled, Identity
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from kwartier.broker import broker_at
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading

_SPREAD_S = 1.0


class Uplink:
    """Sends what is measured, and watches whether the server acknowledges it."""

    def __init__(
        self,
        enrolled: Enrolled,
        identity: Identity,
        folder: Path,
        clock: Clock,
        manner: Manner | None = None,
        meet: Callable[[Bus], None] | None = None,
    ) -> None:
        """Connect to the broker that the server named.

        Args:
            enrolled: What the server told.
            identity: Whose files prove it to the broker.
            folder: Of the outbox; the gateway goes on with it later.
            clock: The gateway's clock.
            manner: How blocks are sent; at once when none is given: somebody waits for it.
            meet: Is handed the bus before it begins to connect.

        Raises:
            SettingsError: The broker's address or the certificate cannot be used.
            OutboxInUseError: The gateway itself runs: stop it first.
        """
        self._watch = LinkWatch(clock)
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
            bus.watch_link(self._watch.linked)
            if meet is not None:
                meet(bus)
            bus.begin()
            self._agent.start()
            parts.callback(self._agent.stop)
            self._parts = parts.pop_all()

    def take(self, reading: Reading) -> None:
        """Keep a reading and send it."""
        self._agent.take(reading)
        self._watch.took()

    def look(self) -> LinkSeen:
        """Send what is awaited, and return what was seen so far."""
        if self._watch.wants_blocks():
            self._agent.write_all()
            return self._watch.look(1)
        return self._watch.look(self._agent.unacknowledged)

    def close(self) -> None:
        """Let go of the broker and the outbox."""
        self._parts.close()
