"""The door to paho, against a real mosquitto: broken links, waiting messages, erring takers."""

from __future__ import annotations

import logging
import queue
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, TypeAlias

import pytest

from api.broker import BrokerProcess, BrokerStartError, mosquitto_program
from kwartier.broker import Broker, Tls
from kwartier.bus import Message
from kwartier.errors import LinkDownError, SettingsError
from kwartier.mqtt import MqttBus, Session, Will

WAIT_S = 30.0

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed"),
]

Inbox: TypeAlias = "queue.Queue[Message]"


class Connect(Protocol):
    """Makes a client that is connected."""

    def __call__(self, session: Session | None = None, will: Will | None = None) -> MqttBus: ...


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess.on_spare_port(tmp_path)
    yield process
    process.kill()


@pytest.fixture
def connect(broker: BrokerProcess) -> Iterator[Connect]:
    """Connect clients that are closed whatever happens."""
    with ExitStack() as clients:

        def connected(session: Session | None = None, will: Will | None = None) -> MqttBus:
            bus = MqttBus(broker.broker, session or Session(secrets.token_hex(4)), will)
            clients.callback(bus.close)
            assert bus.wait_until_up(WAIT_S)
            return bus

        yield connected


def listening(bus: MqttBus, topic: str, *, by_hand: bool = False) -> Inbox:
    """Return the inbox of a topic once the broker knows of it."""
    inbox: Inbox = queue.Queue()
    bus.subscribe(topic, inbox.put, by_hand=by_hand)
    known(bus)
    return inbox


def known(bus: MqttBus) -> None:
    """Return once the broker has done all that a client asked before."""
    heard: Inbox = queue.Queue()
    topic = f"known/{secrets.token_hex(4)}"
    bus.subscribe(topic, heard.put)
    bus.publish(topic, b"")
    heard.get(timeout=WAIT_S)


def link_of(bus: MqttBus) -> queue.Queue[bool]:
    changes: queue.Queue[bool] = queue.Queue()
    bus.watch_link(changes.put)
    return changes


def test_a_client_outlives_its_broker_and_asks_for_its_topics_again(
    broker: BrokerProcess, connect: Connect
) -> None:
    hearing, speaking = connect(), connect()
    inbox = listening(hearing, "a/b")
    links = [link_of(hearing), link_of(speaking)]
    assert [link.get(timeout=WAIT_S) for link in links] == [True, True]

    broker.kill()
    assert [link.get(timeout=WAIT_S) for link in links] == [False, False]
    broker.start()
    assert [link.get(timeout=WAIT_S) for link in links] == [True, True]
    known(hearing)
    speaking.publish("a/b", b"after")

    assert inbox.get(timeout=WAIT_S).payload == b"after"


def test_a_link_that_nobody_watches_is_said_once_to_be_gone_and_once_to_be_back(
    broker: BrokerProcess, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kwartier.mqtt")
    bus = connect(Session("nobody-watches"))

    def until_said(words: str, times: int) -> None:
        end_s = time.monotonic() + WAIT_S
        while said(words) < times:
            assert time.monotonic() < end_s, words
            time.sleep(0.01)

    def said(words: str) -> int:
        told = [one.getMessage() for one in caplog.records]
        return len([one for one in told if "nobody-watches" in one and words in one])

    until_said("link is up", 1)
    broker.kill()
    until_said("link is gone", 1)
    broker.start()
    until_said("link is up", 2)
    bus.close()

    assert (said("link is gone"), said("link is up")) == (1, 2)


def test_a_publish_without_a_link_is_refused(broker: BrokerProcess, connect: Connect) -> None:
    bus = connect()
    link = link_of(bus)
    link.get(timeout=WAIT_S)
    broker.kill()
    link.get(timeout=WAIT_S)

    with pytest.raises(LinkDownError, match="no link"):
        bus.publish("a/b", b"")


def test_a_broker_that_is_not_there_yet_is_waited_for(broker: BrokerProcess) -> None:
    broker.kill()
    bus = MqttBus(broker.broker, Session("early"))
    assert link_of(bus).get(timeout=WAIT_S) is False

    broker.start()

    assert bus.wait_until_up(WAIT_S)
    bus.close()


def test_a_taker_that_raises_does_not_end_the_thread(connect: Connect) -> None:
    bus = connect()

    def err(message: Message) -> None:
        raise ZeroDivisionError(message.topic)

    bus.subscribe("a/b", err)
    inbox = listening(bus, "a/b")

    bus.publish("a/b", b"1")
    bus.publish("a/b", b"2")

    assert [inbox.get(timeout=WAIT_S).payload for _ in range(2)] == [b"1", b"2"]
    assert bus.failed == 2


def test_what_was_not_acknowledged_comes_again_after_a_reconnect(
    broker: BrokerProcess, connect: Connect
) -> None:
    session = Session("keeper", expiry_s=3600)
    first = connect(session)
    inbox = listening(first, "a/b", by_hand=True)
    speaking = connect()
    for payload in (b"1", b"2", b"3"):
        speaking.publish("a/b", payload)
    arrived = [inbox.get(timeout=WAIT_S) for _ in range(3)]
    arrived[0].acknowledge()
    arrived[0].acknowledge()
    known(first)
    first.close()

    again: Inbox = queue.Queue()
    second = MqttBus(broker.broker, session, begin=False)
    second.subscribe("a/b", again.put, by_hand=True)
    second.begin()

    assert [again.get(timeout=WAIT_S).payload for _ in range(2)] == [b"2", b"3"]
    second.close()


def test_messages_wait_for_a_client_whose_session_is_kept(
    broker: BrokerProcess, connect: Connect
) -> None:
    session = Session("away", expiry_s=3600)
    first = connect(session)
    listening(first, "a/b")
    first.close()
    speaking = connect()
    speaking.publish("a/b", b"meanwhile")
    known(speaking)

    waiting: Inbox = queue.Queue()
    second = MqttBus(broker.broker, session, begin=False)
    second.subscribe("a/b", waiting.put)
    second.begin()

    assert waiting.get(timeout=WAIT_S).payload == b"meanwhile"
    second.close()


def test_a_bus_that_never_began_can_be_closed(broker: BrokerProcess) -> None:
    bus = MqttBus(broker.broker, Session("never"), begin=False)

    bus.close()

    assert not bus.wait_until_up(0)


def test_no_more_messages_arrive_than_may_be_unacknowledged(connect: Connect) -> None:
    hearing = connect(Session("slow", unacknowledged=2))
    inbox = listening(hearing, "a/b", by_hand=True)
    speaking = connect()
    for number in range(5):
        speaking.publish("a/b", str(number).encode())
    known(speaking)

    held = [inbox.get(timeout=WAIT_S) for _ in range(2)]
    with pytest.raises(queue.Empty):
        inbox.get(timeout=0.3)
    held[0].acknowledge()

    assert inbox.get(timeout=WAIT_S).payload == b"2"


def test_a_message_that_expired_does_not_arrive(connect: Connect, broker: BrokerProcess) -> None:
    session = Session("late", expiry_s=3600)
    first = connect(session)
    listening(first, "a/+")
    first.close()
    speaking = connect()
    speaking.publish("a/short", b"", expiry_s=1)
    speaking.publish("a/long", b"", expiry_s=3600)
    threading.Event().wait(2.5)  # the time that the message is given

    inbox: Inbox = queue.Queue()
    second = MqttBus(broker.broker, session, begin=False)
    second.subscribe("a/+", inbox.put)
    second.begin()  # only now: what waited comes with the connection

    assert inbox.get(timeout=WAIT_S).topic == "a/long"
    second.close()


def test_a_client_that_vanishes_leaves_its_will(connect: Connect) -> None:
    inbox = listening(connect(), "state")
    dying = connect(will=Will("state", b"offline"))

    sock = dying._client.socket()
    assert isinstance(sock, socket.socket)
    sock.shutdown(socket.SHUT_RDWR)

    assert inbox.get(timeout=WAIT_S).payload == b"offline"


def test_a_client_that_leaves_in_order_leaves_no_will(connect: Connect) -> None:
    hearing = connect()
    inbox = listening(hearing, "state")
    leaving = connect(will=Will("state", b"offline"))

    leaving.close()
    hearing.publish("state", b"next")

    assert inbox.get(timeout=WAIT_S).payload == b"next"


def test_nothing_is_delivered_after_close(connect: Connect) -> None:
    hearing, speaking = connect(), connect()
    inbox = listening(hearing, "a/b")

    hearing.close()
    speaking.publish("a/b", b"")
    known(speaking)

    assert inbox.empty()
    with pytest.raises(LinkDownError):
        hearing.publish("a/b", b"")


def test_last_words_arrive_and_no_will_is_said_for_one_that_closes_in_order(
    connect: Connect,
) -> None:
    """Each hears its own words, which are on their way while it closes."""
    inbox = listening(connect(), "state")

    for number in range(20):
        bus = connect(Session(f"gw-{number}", expiry_s=60), Will("state", b"gone"))
        bus.subscribe("state", lambda _: None)
        bus.publish("state", f"bye {number}".encode(), retain=True)
        bus.close()

    heard = [inbox.get(timeout=WAIT_S).payload for _ in range(20)]
    assert heard == [f"bye {number}".encode() for number in range(20)]
    assert inbox.empty()


def test_closing_does_not_wait_for_a_broker_that_stalls(
    broker: BrokerProcess, connect: Connect
) -> None:
    bus = connect()
    broker.stall()
    for number in range(50):
        bus.publish("a/b", str(number).encode())
    closed = threading.Event()

    def close() -> None:
        bus.close()
        closed.set()

    threading.Thread(target=close, daemon=True).start()

    assert closed.wait(WAIT_S)
    broker.resume()


def test_a_broker_that_stalls_makes_publishing_fail_before_memory_fills(
    broker: BrokerProcess, connect: Connect
) -> None:
    bus = connect()
    broker.stall()

    def flood() -> None:
        for _ in range(5000):
            bus.publish("a/b", b"x" * 500)

    with pytest.raises(LinkDownError):
        flood()

    broker.resume()


def test_a_tls_file_that_is_away_is_named() -> None:
    broker = Broker("localhost", 8883, Tls(ca_file=Path("/nowhere/ca.pem")))

    with pytest.raises(SettingsError, match=r"/nowhere/ca\.pem"):
        MqttBus(broker, Session("x"))


def test_a_port_that_is_taken_is_told(broker: BrokerProcess, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()

    second = BrokerProcess(tmp_path / "second", broker.broker.port)

    with pytest.raises(BrokerStartError, match=str(broker.broker.port)):
        second.start()
