"""Blocks that wait at a broker for two readers: paho alone, and the collector."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collectors.ingest import Ingest
from collectors.sqlite_store import SqliteStore
from kwartier.broker import Broker
from kwartier.clock import SystemClock
from kwartier.envelope import Envelope
from kwartier.mqtt import MqttBus, Session
from kwartier.wire import Address, Lane, decode_ack

WAIT_S = 300
WINDOW = 200
"""Messages under way to a reader, and to the broker."""
REMEMBERED_S = 3600


@dataclass(frozen=True, slots=True)
class Took:
    """What reading all blocks took: by the clock and of this process's time [s]."""

    wall_s: float
    cpu_s: float


class WaitingBlocks:
    """The same blocks, waiting at a broker once for each of two readers."""

    def __init__(self, broker: Broker, payloads: Mapping[str, list[bytes]]) -> None:
        """Have the broker remember both readers, then queue everything for them.

        Args:
            broker: Keeps the blocks; its queue must be long enough for all.
            payloads: The blocks of each gateway, numbered from 1 in epoch ``e1``.
        """
        self._broker = broker
        self._coop = f"c-{secrets.token_hex(4)}"
        self._topics = Address(self._coop, "+", Lane.BLOCK, "+").topic
        self._count = sum(map(len, payloads.values()))
        for name in ("paho", "collect"):
            self._be_remembered(name)
        self._send(payloads)

    def read_by_paho(self) -> Took:
        """Return what paho takes to hear and acknowledge all, and nothing else."""
        done = threading.Event()
        heard = 0

        def hear(client: Client, userdata: object, message: MQTTMessage) -> None:
            nonlocal heard
            heard += 1
            if heard == self._count:
                done.set()

        client = self._client("paho")
        client.on_message = hear
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        self._connect(client)
        assert done.wait(WAIT_S)
        took = Took(time.perf_counter() - wall_s, time.process_time() - cpu_s)
        _leave(client)
        return took

    def read_by_collector(self, path: Path) -> Took:
        """Return what it takes until all is committed to a record and acknowledged."""
        clock = SystemClock()
        session = Session(f"collect-{self._coop}", REMEMBERED_S, WINDOW)
        with SqliteStore(path) as record:
            bus = _AckedBus(self._broker, session, self._count)
            ingest = Ingest(record, bus, self._coop, clock)
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            ingest.start()
            bus.begin()
            assert bus.acked_all.wait(WAIT_S)
            took = Took(time.perf_counter() - wall_s, time.process_time() - cpu_s)
            ingest.stop()
            bus.close()
            assert record.counts().blocks == ingest.totals.taken == self._count
            assert record.counts().dead_letters == ingest.totals.overflowed == 0
        return took

    def _be_remembered(self, name: str) -> None:
        """Subscribe, and go away again."""
        subscribed = threading.Event()
        client = self._client(name)
        client.on_subscribe = lambda *told: subscribed.set()  # noqa: ARG005 - any answer will do
        self._connect(client)
        client.subscribe(self._topics, qos=1)
        assert subscribed.wait(WAIT_S)
        _leave(client)

    def _send(self, payloads: Mapping[str, list[bytes]]) -> None:
        """Publish block by block, all gateways by turns."""
        client = self._client("gateways")
        self._connect(client)
        under_way: deque[MQTTMessageInfo] = deque()
        for seq, blocks in enumerate(zip(*payloads.values(), strict=True), start=1):
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's own gap
            properties.UserProperty = list(Envelope("e1", seq).properties().items())
            for gateway, payload in zip(payloads, blocks, strict=True):
                topic = Address(self._coop, gateway, Lane.BLOCK, "p1").topic
                under_way.append(client.publish(topic, payload, 1, properties=properties))
                if len(under_way) == WINDOW:
                    under_way.popleft().wait_for_publish(WAIT_S)
        while under_way:
            under_way.popleft().wait_for_publish(WAIT_S)
        _leave(client)

    def _client(self, name: str) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"{name}-{self._coop}", protocol=MQTTv5
        )
        client.max_inflight_messages = WINDOW
        return client

    def _connect(self, client: Client) -> None:
        """Connect to the session that the broker remembers."""
        connected = threading.Event()
        client.on_connect = lambda *told: connected.set()  # noqa: ARG005 - any answer will do
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own gap
        properties.SessionExpiryInterval = REMEMBERED_S
        properties.ReceiveMaximum = WINDOW
        client.connect(
            self._broker.host, self._broker.port, clean_start=False, properties=properties
        )
        client.loop_start()
        assert connected.wait(WAIT_S)


class _AckedBus(MqttBus):
    """A bus that notices when so many blocks were acknowledged to their gateways."""

    def __init__(self, broker: Broker, session: Session, blocks: int) -> None:
        super().__init__(broker, session, begin=False)
        self._blocks = blocks
        self._upto: dict[str, int] = {}
        self.acked_all = threading.Event()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        super().publish(
            topic, payload, qos=qos, retain=retain, expiry_s=expiry_s, properties=properties
        )
        self._upto[topic] = decode_ack(payload).upto
        if sum(self._upto.values()) == self._blocks:
            self.acked_all.set()


def _leave(client: Client) -> None:
    client.disconnect()
    client.loop_stop()
    client.on_connect = client.on_message = client.on_subscribe = None
