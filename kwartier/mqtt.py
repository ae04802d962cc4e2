"""The door to paho: a bus over an MQTT 5 broker.

MQTT 5 only, because version 3.1.1 answers a forbidden publish with success. paho's own queue is
kept short: what must not be lost lies in an outbox, and a publish without a link is refused.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from paho.mqtt.client import (
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    MQTTMessageInfo,
    MQTTv5,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from kwartier.broker import Broker
from kwartier.bus import LinkChanged, Message, Receive, matches
from kwartier.errors import LinkDownError

_log = logging.getLogger(__name__)

_MOST_QUEUED = 1000
_MOST_UNDER_WAY = 100
_RECONNECT_S = (1, 5)
_LAST_WORDS_S = 2.0
"""How long we wait on leaving until the broker has our last words [s]."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we vanish."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """What the broker remembers of us while we are away.

    Attributes:
        client: Our name; a second client of that name throws us out.
        expiry_s: How long it keeps our subscriptions and what arrives on them; 0 for not at all.
        unacknowledged: The most messages it hands us before we acknowledge some.
        keepalive_s: After one and a half times this in silence the link counts as gone [s].
    """

    client: str
    expiry_s: int = 0
    unacknowledged: int = 200
    keepalive_s: int = 15


@dataclass(frozen=True, slots=True)
class _Taker:
    topic_filter: str
    receive: Receive
    by_hand: bool


class MqttBus:
    """A bus over a broker; connects by itself, again and again, until it is closed."""

    def __init__(
        self,
        broker: Broker,
        session: Session,
        will: Will | None = None,
        *,
        begin: bool = True,
    ) -> None:
        """Begin to connect; ``watch_link`` tells when the link is there.

        Args:
            broker: Where to connect to.
            session: Who we are there.
            will: What is said for us when we vanish.
            begin: False to wait for ``begin``. A broker that remembers us hands over what waits
                as soon as we are there, so whoever must not miss it subscribes first.

        Raises:
            SettingsError: A TLS file cannot be used.
        """
        self._name = f"{session.client} at {broker.url}"
        self._lock = threading.RLock()
        self._takers: list[_Taker] = []
        self._watchers: list[LinkChanged] = []
        self._up = threading.Event()
        self._closed = False
        self._will = will
        self._connections = 0
        self._last_words: MQTTMessageInfo | None = None
        self.refused = 0
        """Publishes and subscriptions that the broker refused."""
        self.failed = 0
        """Messages at which a taker raised; each is a mistake of ours."""
        self._client = self._new_client(broker, session, will)
        self._broker, self._session = broker, session
        if begin:
            self.begin()

    def begin(self) -> None:
        """Begin to connect, where the bus was told to wait or has left."""
        self._client.connect_async(
            self._broker.host,
            self._broker.port,
            keepalive=self._session.keepalive_s,
            clean_start=self._session.expiry_s == 0,
            properties=_connect_properties(self._session),
        )
        self._client.loop_start()

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
        """Hand one message to the broker.

        Raises:
            LinkDownError: There is no link, or the broker has taken nothing for long.
        """
        if not self._up.is_set():
            raise LinkDownError(f"no link for {self._name}")
        info = self._client.publish(
            topic, payload, qos, retain, _publish_properties(expiry_s, properties)
        )
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkDownError(f"no link for {self._name}: {info.rc.name}")
        if qos:
            self._last_words = info

    def subscribe(self, topic_filter: str, receive: Receive, *, by_hand: bool = False) -> None:
        """Have every message of a filter handed to ``receive``, now and after each reconnect."""
        with self._lock:
            self._takers.append(_Taker(topic_filter, receive, by_hand))
            if self._up.is_set():
                self._client.subscribe(topic_filter, qos=1)

    def watch_link(self, changed: LinkChanged) -> None:
        """Have ``changed`` told when the link comes and goes; at once with the present state."""
        with self._lock:
            self._watchers.append(changed)
            changed(self._up.is_set())

    def wait_until_up(self, timeout_s: float) -> bool:
        """Return whether the link is there, after waiting for it for at most so long [s]."""
        return self._up.wait(timeout_s)

    def bequeath(self, payload: bytes) -> None:
        """Change what the will says, from the next connection on; without a will nothing changes.

        To be called while there is no link: by ``watch_link``'s taker, or after ``leave``.
        """
        will = self._will
        if will is not None:
            self._client.will_set(will.topic, payload, qos=1, retain=will.retain)

    def leave(self) -> None:
        """Go away in order, to come back with ``begin``; not to be called by a taker."""
        self._hand_over_last_words()
        self._client.disconnect()
        self._client.loop_stop()
        self._up.clear()

    def close(self) -> None:
        """Leave in order; nothing is delivered after this returns."""
        self._hand_over_last_words()
        with self._lock:
            self._closed = True
        self._client.disconnect()
        self._client.loop_stop()
        self._up.clear()
        self._let_go_of_client()

    def _hand_over_last_words(self) -> None:
        """Wait a little until the broker has what we said last.

        A socket that is closed while an answer is on its way is reset, and the broker may then
        read neither our last words nor our goodbye, and say our will.
        """
        if self._last_words is not None and self._up.is_set():
            with suppress(RuntimeError):  # the link went away meanwhile
                self._last_words.wait_for_publish(_LAST_WORDS_S)

    def _let_go_of_client(self) -> None:
        """Part from paho's client, which closes its own pair of sockets only when it is freed."""
        client = self._client
        client.on_connect = client.on_disconnect = client.on_message = None
        client.on_publish = client.on_subscribe = None

    def _new_client(self, broker: Broker, session: Session, will: Will | None) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=session.client,
            protocol=MQTTv5,
            manual_ack=True,
        )
        client.suppress_exceptions = True
        client.max_queued_messages = _MOST_QUEUED
        client.max_inflight_messages = _MOST_UNDER_WAY
        client.reconnect_delay_set(*_RECONNECT_S)
        if broker.tls is not None:
            client.tls_set_context(broker.tls.context())
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        client.on_socket_open = _send_small_packets_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        return client

    def _on_connect(
        self,
        client: Client,
        userdata: object,  # noqa: ARG002 - paho's shape
        flags: ConnectFlags,  # noqa: ARG002
        reason: ReasonCode,
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        if reason.is_failure:
            _log.error("%s: the broker refuses us: %s", self._name, reason)
            return
        with self._lock:
            self._connections += 1
            for topic_filter in dict.fromkeys(taker.topic_filter for taker in self._takers):
                client.subscribe(topic_filter, qos=1)
            self._up.set()
            watchers = list(self._watchers)
        _log.info("%s: link is up", self._name)
        for changed in watchers:
            changed(True)

    def _on_disconnect(
        self,
        client: Client,  # noqa: ARG002 - paho's shape
        userdata: object,  # noqa: ARG002
        flags: DisconnectFlags,  # noqa: ARG002
        reason: ReasonCode,
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        with self._lock:
            was_up = self._up.is_set()
            self._up.clear()
            is_lost = was_up and not self._closed
            watchers = list(self._watchers) if is_lost else []
        if is_lost:
            _log.warning("%s: link is gone: %s", self._name, reason)
        for changed in watchers:
            changed(False)

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:  # noqa: ARG002 - paho's shape
        with self._lock:
            if self._closed:
                return
            takers = [taker for taker in self._takers if matches(taker.topic_filter, message.topic)]
        debt = _Debt(len(takers), self._puback_of(message.mid, message.qos))
        payload, outside = bytes(message.payload), _outside(message.properties)
        for taker in takers:
            pay = debt.share()
            try:
                taker.receive(Message(message.topic, payload, message.retain, pay, outside))
            except Exception:  # noqa: BLE001 - the outermost loop of this thread; it must live on
                self.failed += 1
                _log.exception("a taker of %s raised", taker.topic_filter)
                pay()
            if not taker.by_hand:
                pay()

    def _puback_of(self, mid: int, qos: int) -> Callable[[], None]:
        """Return what acknowledges a message on this connection, and does nothing on a later one.

        After a reconnect the same number may stand for another message.
        """
        connection = self._connections

        def acknowledge() -> None:
            with self._lock:
                if self._connections == connection and self._up.is_set():
                    self._client.ack(mid, qos)

        return acknowledge

    def _on_publish(
        self,
        client: Client,  # noqa: ARG002 - paho's shape
        userdata: object,  # noqa: ARG002
        mid: int,  # noqa: ARG002
        reason: ReasonCode,
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        if reason.is_failure:
            self.refused += 1
            _log.error("%s: the broker refuses a message: %s", self._name, reason)

    def _on_subscribe(
        self,
        client: Client,  # noqa: ARG002 - paho's shape
        userdata: object,  # noqa: ARG002
        mid: int,  # noqa: ARG002
        reasons: list[ReasonCode],
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                self.refused += 1
                _log.error("%s: the broker refuses a subscription: %s", self._name, reason)


class _Debt:
    """The acknowledgement of one message: owed until every taker has paid its share."""

    def __init__(self, takers: int, acknowledge: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._owing = takers
        self._acknowledge = acknowledge
        if not takers:
            acknowledge()

    def share(self) -> Callable[[], None]:
        """Return what pays one share, once however often it is called."""
        paid = False

        def pay() -> None:
            nonlocal paid
            with self._lock:
                if paid:
                    return
                paid = True
                self._owing -= 1
                settled = self._owing == 0
            if settled:
                self._acknowledge()

        return pay


def _send_small_packets_at_once(
    client: Client,  # noqa: ARG001 - paho's shape
    userdata: object,  # noqa: ARG001
    link: object,
) -> None:
    """Turn off Nagle's delay: an acknowledgement must not wait 40 ms for company."""
    if isinstance(link, socket.socket):
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _connect_properties(session: Session) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own gap
    properties.SessionExpiryInterval = session.expiry_s
    properties.ReceiveMaximum = session.unacknowledged
    return properties


def _publish_properties(
    expiry_s: int | None, outside: Mapping[str, str] | None
) -> Properties | None:
    if expiry_s is None and not outside:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's own gap
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    if outside:
        properties.UserProperty = list(outside.items())
    return properties


def _outside(properties: Properties | None) -> dict[str, str]:
    return dict(getattr(properties, "UserProperty", []))
