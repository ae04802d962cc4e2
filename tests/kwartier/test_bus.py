"""What every bus promises, with a broker behind it or none."""

from __future__ import annotations

import queue
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from api.broker import mosquitto_program, running_broker
from collectors.ingest import Ingest
from collectors.store import DeviceKey
from gateway.keep.blocks import Draft
from gateway.keep.courier import Courier
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from kwartier.broker import Broker
from kwartier.bus import Bus, InProcessBus, Message, matches
from kwartier.clock import SystemClock
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading
from kwartier.wire import decode_ack
from tests.memory_store import MemoryStore

WAIT_S = 30.0

Inbox: TypeAlias = "queue.Queue[Message]"


@pytest.fixture(scope="module")
def mosquitto() -> Iterator[Broker]:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    with running_broker() as broker:
        yield broker


@pytest.fixture(params=["in process", pytest.param("mosquitto", marks=pytest.mark.broker)])
def new_bus(request: pytest.FixtureRequest) -> Iterator[Callable[[], Bus]]:
    """A maker of buses that meet each other."""
    with ExitStack() as open_buses:
        if request.param == "in process":
            shared = InProcessBus()
            yield lambda: shared
            return
        broker = request.getfixturevalue("mosquitto")

        def connected() -> Bus:
            bus = MqttBus(broker, Session(f"test-{secrets.token_hex(4)}"))
            open_buses.callback(bus.close)
            assert bus.wait_until_up(WAIT_S)
            return bus

        yield connected


@pytest.fixture
def topic() -> str:
    """A topic of this test's own: a broker remembers what others retained."""
    return f"test/{secrets.token_hex(4)}"


def inbox_of(bus: Bus, topic_filter: str) -> Inbox:
    """Return where messages of a filter arrive, once they do."""
    inbox: Inbox = queue.Queue()
    ready = f"{topic_filter.partition('/')[0]}/ready/{secrets.token_hex(4)}"
    bus.subscribe(topic_filter, inbox.put)
    heard: Inbox = queue.Queue()
    bus.subscribe(ready, heard.put)
    bus.publish(ready, b"?", retain=True)
    heard.get(timeout=WAIT_S)
    return inbox


def test_messages_arrive_in_order(new_bus: Callable[[], Bus], topic: str) -> None:
    inbox = inbox_of(new_bus(), topic)
    sender = new_bus()

    for number in range(200):
        sender.publish(topic, str(number).encode())

    assert [int(inbox.get(timeout=WAIT_S).payload) for _ in range(200)] == list(range(200))


def test_a_message_carries_topic_payload_and_properties(
    new_bus: Callable[[], Bus], topic: str
) -> None:
    inbox = inbox_of(new_bus(), f"{topic}/+")

    new_bus().publish(f"{topic}/p1", b"\x00\xff", properties={"epoch": "e1", "seq": "7"})

    message = inbox.get(timeout=WAIT_S)
    assert (message.topic, message.payload, message.retained) == (f"{topic}/p1", b"\x00\xff", False)
    assert message.properties == {"epoch": "e1", "seq": "7"}


def test_only_what_a_filter_means_arrives(new_bus: Callable[[], Bus], topic: str) -> None:
    inbox = inbox_of(new_bus(), f"{topic}/+/blk/#")
    sender = new_bus()

    for end in ("gw-1/live/p1", "gw-1/blk/p1", "blk/p1", "gw-2/blk/a/b", "gw-1/blk"):
        sender.publish(f"{topic}/{end}", b"")

    got = [inbox.get(timeout=WAIT_S).topic for _ in range(3)]
    assert got == [f"{topic}/gw-1/blk/p1", f"{topic}/gw-2/blk/a/b", f"{topic}/gw-1/blk"]


def test_the_newest_retained_message_waits_for_whoever_asks_later(
    new_bus: Callable[[], Bus], topic: str
) -> None:
    sender = new_bus()
    first = inbox_of(sender, topic)
    for payload in (b"old", b"new"):
        sender.publish(topic, payload, retain=True, properties={"seq": "2"})
        first.get(timeout=WAIT_S)

    late: Inbox = queue.Queue()
    new_bus().subscribe(topic, late.put)

    message = late.get(timeout=WAIT_S)
    assert (message.payload, message.retained) == (b"new", True)
    assert message.properties == {"seq": "2"}


def test_an_empty_retained_message_clears_the_topic(new_bus: Callable[[], Bus], topic: str) -> None:
    sender = new_bus()
    first = inbox_of(sender, f"{topic}/#")
    sender.publish(f"{topic}/a", b"old", retain=True)
    sender.publish(f"{topic}/a", b"", retain=True)
    sender.publish(f"{topic}/b", b"kept", retain=True)
    for _ in range(3):
        first.get(timeout=WAIT_S)

    late: Inbox = queue.Queue()
    new_bus().subscribe(f"{topic}/#", late.put)

    assert late.get(timeout=WAIT_S).topic == f"{topic}/b"


def test_who_watches_the_link_is_told_at_once_that_it_is_up(new_bus: Callable[[], Bus]) -> None:
    told: list[bool] = []

    new_bus().watch_link(told.append)

    assert told == [True]


def test_a_taker_may_publish_while_it_takes(new_bus: Callable[[], Bus], topic: str) -> None:
    answering = new_bus()
    answers = inbox_of(new_bus(), f"{topic}/answer")
    answering.subscribe(
        f"{topic}/question", lambda message: answering.publish(f"{topic}/answer", message.payload)
    )
    questions = inbox_of(answering, f"{topic}/question")

    new_bus().publish(f"{topic}/question", b"who?")

    assert questions.get(timeout=WAIT_S).payload == b"who?"
    assert answers.get(timeout=WAIT_S).payload == b"who?"


def test_blocks_travel_from_an_outbox_into_a_record(
    new_bus: Callable[[], Bus], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock, store, coop = SystemClock(), MemoryStore(), f"c-{secrets.token_hex(4)}"
    collecting, sending = new_bus(), new_bus()
    ingest = Ingest(store, collecting, coop, clock)
    ingest.start()
    inbox_of(collecting, f"{coop}/ready")
    acks = inbox_of(sending, f"nec/v1/{coop}/gw-1/ack")
    outbox = Outbox(tmp_path_factory.mktemp("gw") / "outbox.db", "gw-1", clock)
    courier = Courier(outbox, sending, coop, "gw-1", clock, Pace(window=10, resend_s=1.0))
    courier.start()
    readings = [
        Reading("p1", "E1", 1_767_225_600 + 10 * row, {"import_wh": row}) for row in range(500)
    ]

    for row in range(0, 500, 5):
        outbox.append([Draft(tuple(readings[row : row + 5]))])
        courier.wake()
    while decode_ack(acks.get(timeout=WAIT_S).payload).upto < 100:
        pass

    courier.stop()
    ingest.stop()
    points = store.points(DeviceKey("gw-1", "p1"), "import_wh", 0, 2**40)
    assert points == [(reading.at_s, reading.values["import_wh"]) for reading in readings]
    assert (store.counts().blocks, store.counts().readings) == (100, 500)
    outbox.close()


@pytest.mark.parametrize(
    ("topic_filter", "topic", "meant"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("+/b", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/d", False),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
    ],
)
def test_a_filter_means_topics_as_mqtt_says(topic_filter: str, topic: str, meant: bool) -> None:
    assert matches(topic_filter, topic) is meant
