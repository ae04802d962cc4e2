"""Ingest: the next block is taken in, everything else is answered, and nothing stops a gateway."""

from __future__ import annotations

import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from api.enrolment.broker_files import BrokerPlan, settings_text
from collectors.event_intake import WAITING
from collectors.ingest import Ingest, Limits
from collectors.store import DeviceKey
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.envelope import Envelope
from kwartier.errors import KwartierError, StoreBusyError
from kwartier.reading import ClockSource
from kwartier.wire import Ack, Block, decode_ack, encode_block
from tests.memory_store import MemoryIntake, MemoryStore

T0 = 1_767_225_600
GW = DeviceKey("gw-1", "p1")
ACK_TOPIC = "nec/v1/straat/gw-1/ack"


def block(seq: int, *, epoch: str = "e1", gateway: str = "gw-1", name: str = "import_wh") -> Block:
    at_s = (T0 + 60 * seq, T0 + 60 * seq + 10)
    columns = {name: (1000 + seq, 1001 + seq)}
    return Block(gateway, epoch, seq, "p1", "E0001", ClockSource.METER, at_s, columns)


def sent(
    block: Block, *, payload: bytes | None = None, oldest: int = 1, topic: str = ""
) -> Message:
    return Message(
        topic or f"nec/v1/straat/{block.gateway}/blk/{block.device}",
        encode_block(block) if payload is None else payload,
        properties=Envelope(block.epoch, block.seq, oldest).properties(),
    )


@dataclass
class Desk:
    """An ingest without its thread, and what it said."""

    store: MemoryStore = field(default_factory=MemoryStore)
    acks: list[Ack] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bus = InProcessBus()
        self.bus.subscribe("nec/v1/straat/+/ack", self._heard)
        self.ingest = Ingest(self.store, self.bus, "straat", VirtualClock(T0))

    def _heard(self, message: Message) -> None:
        self.acks.append(decode_ack(message.payload))

    def take(self, *messages: Message) -> Ack:
        self.ingest.work_off(messages)
        return self.acks[-1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_blocks_in_order_are_taken_in_and_acknowledged_once_together(desk: Desk) -> None:
    ack = desk.take(sent(block(1)), sent(block(2)), sent(block(3)))

    assert ack == Ack(desk.store.generation, "e1", upto=3, gap=False)
    assert len(desk.acks) == 1
    assert desk.store.points(GW, "import_wh", T0, T0 + 900) == [
        (T0 + 60, 1001), (T0 + 70, 1002),
        (T0 + 120, 1002), (T0 + 130, 1003),
        (T0 + 180, 1003), (T0 + 190, 1004),
    ]  # fmt: skip


def test_a_block_that_comes_again_is_acknowledged_and_not_counted(desk: Desk) -> None:
    desk.take(sent(block(1)), sent(block(2)))

    ack = desk.take(sent(block(1)), sent(block(1)), sent(block(2)))

    assert (ack.upto, ack.gap) == (2, False)
    assert desk.store.counts().blocks == 2
    assert desk.ingest.totals.again == 3


def test_a_block_that_comes_too_early_is_left_and_the_gap_reported(desk: Desk) -> None:
    ack = desk.take(sent(block(1)), sent(block(3)))
    healed = desk.take(sent(block(2)), sent(block(3)))

    assert (ack.upto, ack.gap) == (1, True)
    assert (healed.upto, healed.gap) == (3, False)
    assert desk.store.counts().blocks == 3


def test_a_gap_closed_within_one_transaction_is_not_reported(desk: Desk) -> None:
    ack = desk.take(sent(block(2)), sent(block(1)), sent(block(2)))

    assert (ack.upto, ack.gap) == (2, False)


def test_each_epoch_counts_for_itself(desk: Desk) -> None:
    desk.take(sent(block(1)), sent(block(2)))

    ack = desk.take(sent(block(1, epoch="e2", name="export_wh")))

    assert (ack.epoch, ack.upto) == ("e2", 1)
    assert desk.store.counts().blocks == 3


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00\xff\xfe",
        b"{",
        b"z\x78\x9c broken",
        b'{"v":1}',
        b'{"v":2,"gw":"gw-1"}',
        b"[" * 60_000,
        b'{"v":1,"gw":NaN}',
        b"x" * 100_000,
    ],
    ids=[
        "empty",
        "binary",
        "cut off",
        "bad deflate",
        "no fields",
        "version",
        "deep",
        "nan",
        "long",
    ],
)
def test_a_payload_that_cannot_be_read_is_set_aside_and_counts(desk: Desk, payload: bytes) -> None:
    ack = desk.take(sent(block(1)), sent(block(2), payload=payload), sent(block(3)))

    assert (ack.upto, ack.gap) == (3, False)
    (letter,) = desk.store.dead_letters()
    assert (letter.gateway, letter.epoch, letter.seq) == ("gw-1", "e1", 2)
    assert letter.payload == payload[: 64 * 1024]
    assert letter.reason
    assert desk.store.counts().blocks == 2


def test_a_block_that_says_another_gateway_than_its_topic_is_set_aside(desk: Desk) -> None:
    forged = encode_block(block(1, gateway="gw-2"))

    desk.take(sent(block(1), payload=forged))

    (letter,) = desk.store.dead_letters()
    assert letter.gateway == "gw-1"
    assert letter.reason == "block says gateway 'gw-2', its topic 'gw-1'"
    assert desk.store.counts().points == 0


def test_a_block_that_says_another_number_than_its_envelope_is_set_aside(desk: Desk) -> None:
    ack = desk.take(sent(block(1), payload=encode_block(block(7))))

    assert ack.upto == 1
    assert desk.store.dead_letters()[0].reason == "block says e1/7, its envelope e1/1"


def test_a_block_that_the_store_refuses_is_set_aside_alone(desk: Desk) -> None:
    ack = desk.take(sent(block(1)), sent(block(2, name="poison_w")), sent(block(3)))

    assert ack.upto == 3
    assert desk.store.counts().blocks == 2
    (letter,) = desk.store.dead_letters()
    assert letter.seq == 2
    assert letter.reason == "cannot be stored: ValueError: a value that no database takes"


def test_a_readable_block_needs_no_envelope(desk: Desk) -> None:
    ack = desk.take(replace(sent(block(1)), properties={}))

    assert ack.upto == 1


def test_an_unreadable_block_without_envelope_is_kept_but_not_acknowledged(desk: Desk) -> None:
    message = replace(sent(block(1), payload=b"?"), properties={"epoch": "e1", "seq": "-1"})

    desk.ingest.work_off([message])

    assert desk.acks == []
    assert desk.store.dead_letters()[0].payload == b"?"


def test_blocks_that_a_gateway_no_longer_has_are_skipped_and_counted(desk: Desk) -> None:
    ack = desk.take(sent(block(41), oldest=41), sent(block(42), oldest=41))

    assert (ack.upto, ack.gap) == (42, False)
    assert desk.ingest.totals.skipped == 40


def test_a_block_after_the_oldest_one_waits_for_it(desk: Desk) -> None:
    ack = desk.take(sent(block(43), oldest=41))

    assert (ack.upto, ack.gap) == (0, True)


def test_a_topic_that_names_no_gateway_is_let_go_of(desk: Desk) -> None:
    desk.ingest.work_off([sent(block(1), topic="nec/v1/straat/GW_1/blk/p1")])

    assert desk.ingest.totals.foreign == 1
    assert desk.store.counts().dead_letters == 0


class FullStore(MemoryStore):
    """A record that takes nothing for a number of tries."""

    def __init__(self, tries: int) -> None:
        super().__init__()
        self.tries = tries

    @contextmanager
    def intake(self) -> Iterator[MemoryIntake]:
        if self.tries:
            self.tries -= 1
            raise StoreBusyError("the disk is full")
        with super().intake() as intake:
            yield intake


def test_a_full_store_acknowledges_nothing_and_takes_all_when_there_is_room() -> None:
    desk = Desk(FullStore(1))
    told: list[str] = []
    message = replace(sent(block(1)), acknowledge=lambda: told.append("broker"))

    with pytest.raises(StoreBusyError):
        desk.take(message)
    assert (told, desk.acks) == ([], [])

    assert desk.take(message).upto == 1
    assert told == ["broker"]


class BrokenError(KwartierError):
    """Nothing helps."""


class BrokenStore(MemoryStore):
    """A record that fails for good."""

    @contextmanager
    def intake(self) -> Iterator[MemoryIntake]:
        if self.generation:
            raise BrokenError("the file is damaged")
        yield MemoryIntake(self.held)


def live(store: MemoryStore, limits: Limits | None = None) -> tuple[Ingest, InProcessBus]:
    bus = InProcessBus()
    ingest = Ingest(store, bus, "straat", VirtualClock(T0), limits)
    ingest.start()
    return ingest, bus


def test_its_thread_takes_what_arrives_and_waits_out_a_full_store() -> None:
    acks: queue.Queue[Ack] = queue.Queue()
    store = FullStore(3)
    ingest, bus = live(store, Limits(retry_s=(0.001, 0.001)))
    bus.subscribe(ACK_TOPIC, lambda message: acks.put(decode_ack(message.payload)))

    message = sent(block(1))
    bus.publish(message.topic, message.payload, properties=message.properties)

    assert acks.get(timeout=30).upto == 1
    ingest.stop()
    assert store.tries == 0


def test_a_damaged_store_ends_it_with_the_reason() -> None:
    ingest, bus = live(BrokenStore())

    message = sent(block(1))
    bus.publish(message.topic, message.payload, properties=message.properties)

    assert ingest.wait(30)
    assert str(ingest.failure) == "the file is damaged"


def test_its_inbox_is_bounded_and_what_overflows_may_come_again() -> None:
    told: list[int] = []
    ingest = Ingest(MemoryStore(), InProcessBus(), "straat", VirtualClock(T0), Limits(inbox=2))

    for seq in (1, 2, 3):
        ingest.receive(replace(sent(block(seq)), acknowledge=partial(told.append, seq)))

    assert told == [3]
    assert ingest.totals.overflowed == 1


def test_all_that_a_broker_keeps_for_a_collector_fits_into_its_inbox(tmp_path: Path) -> None:
    told = settings_text(BrokerPlan("straat", tmp_path))
    (kept,) = re.findall(r"^max_queued_messages (\d+)$", told, re.MULTILINE)

    assert Limits().inbox >= int(kept)
    assert int(kept) <= WAITING


def test_a_crowded_inbox_grants_gateways_a_rate() -> None:
    desk = Desk()
    desk.ingest = Ingest(desk.store, desk.bus, "straat", VirtualClock(T0), Limits(inbox=2))
    for seq in (2, 3):
        desk.ingest.receive(sent(block(seq)))

    assert desk.take(sent(block(1))).rate_per_s == 20


def test_a_retained_block_is_not_taken() -> None:
    told: list[str] = []
    desk = Desk()

    desk.ingest.receive(
        replace(sent(block(1)), retained=True, acknowledge=lambda: told.append("broker"))
    )

    assert told == ["broker"]
    assert desk.ingest._batch() == []
