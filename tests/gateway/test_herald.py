"""Events wait for the record, on disk and in order, are bounded and are told until it has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.agent import Agent
from gateway.herald import AGAIN_S, MAX_UNTOLD, Herald
from gateway.keep.outbox import Outbox
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError
from kwartier.events import (
    Event,
    EventKind,
    decode_event,
    encode_event,
    encode_event_ack,
    mark_of,
)

TOPIC = "nec/v1/straat/gw-1/evt"
HELD = "nec/v1/straat/gw-1/evt-ack"


class GateBus(InProcessBus):
    """A bus whose link is up or down at will."""

    up = True

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
        if not self.up:
            raise LinkDownError("no link in this test")
        super().publish(
            topic, payload, qos=qos, retain=retain, expiry_s=expiry_s, properties=properties
        )


def event(number: int) -> Event:
    return Event(EventKind.METER_SWAPPED, "p1", number, f"swap {number}")


@pytest.fixture
def bus() -> GateBus:
    return GateBus()


@pytest.fixture
def heard(bus: GateBus) -> list[Message]:
    messages: list[Message] = []
    bus.subscribe(TOPIC, messages.append)
    return messages


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(0)


@pytest.fixture
def outbox(tmp_path: Path, clock: VirtualClock) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "outbox.db", "gw-1", clock)
    yield made
    made.close()


@pytest.fixture
def herald(bus: GateBus, outbox: Outbox, clock: VirtualClock) -> Herald:
    return Herald(bus, "straat", "gw-1", outbox, clock)


def told(heard: list[Message]) -> list[int]:
    return [decode_event(message.payload).at_s for message in heard]


def hold(bus: GateBus, *numbers: int) -> None:
    """Say as the record does that it holds some events."""
    bus.publish(HELD, encode_event_ack([mark_of(encode_event(event(one))) for one in numbers]))


def test_an_agent_tells_an_event_at_once(
    bus: GateBus, heard: list[Message], outbox: Outbox, clock: VirtualClock
) -> None:
    agent = Agent("straat", "gw-1", outbox, bus, clock)

    agent.tell_event(event(1))

    assert [decode_event(message.payload) for message in heard] == [event(1)]
    assert not heard[0].retained


def test_events_wait_for_the_link_and_keep_their_order(
    bus: GateBus, heard: list[Message], herald: Herald
) -> None:
    bus.up = False
    for number in range(3):
        herald.tell(event(number))
    waited = herald.untold

    bus.up = True
    herald.linked()
    hold(bus, 0, 1, 2)

    assert (waited, herald.untold) == (3, 0)
    assert told(heard) == [0, 1, 2]


def test_an_event_is_kept_once_it_is_on_disk_or_the_record_holds_it(
    bus: GateBus, herald: Herald
) -> None:
    herald.tell(event(1))
    before = herald.is_kept(event(1))
    herald.turn()
    after = herald.is_kept(event(1))

    hold(bus, 1)

    assert (before, after, herald.is_kept(event(1))) == (False, True, True)


def test_an_event_is_told_by_the_next_start_unless_the_record_holds_it(
    bus: GateBus, heard: list[Message], herald: Herald, outbox: Outbox, clock: VirtualClock
) -> None:
    bus.up = False
    for number in range(3):
        herald.tell(event(number))
    herald.turn()
    hold_two = encode_event_ack([mark_of(encode_event(event(1)))])

    bus.up = True
    bus.publish(HELD, hold_two)
    herald._keep()
    again = Herald(bus, "straat", "gw-1", outbox, clock)
    again.linked()

    assert told(heard) == [0, 2]
    assert outbox.events() == [encode_event(event(0)), encode_event(event(2))]


def test_what_nobody_acknowledges_is_told_again_after_a_reconnect_and_each_hour(
    bus: GateBus, heard: list[Message], herald: Herald, clock: VirtualClock
) -> None:
    herald.tell(event(1))
    herald.turn()
    at_first = told(heard)
    herald.linked()
    after_the_link = told(heard)
    clock.advance(AGAIN_S - 1)
    herald.turn()
    early = told(heard)
    clock.advance(1)
    herald.turn()

    assert (at_first, after_the_link, early) == ([1], [1, 1], [1, 1])
    assert told(heard) == [1, 1, 1]


def test_what_the_record_holds_is_gone_from_the_disk_and_told_no_more(
    bus: GateBus, heard: list[Message], herald: Herald, outbox: Outbox
) -> None:
    herald.tell(event(1))
    herald.turn()
    kept = outbox.events()

    hold(bus, 1)
    herald.turn()
    herald.linked()

    assert (kept, outbox.events()) == ([encode_event(event(1))], [])
    assert told(heard) == [1]


def test_of_too_many_the_oldest_are_given_up_and_counted(
    bus: GateBus, heard: list[Message], herald: Herald, outbox: Outbox
) -> None:
    bus.up = False
    for number in range(MAX_UNTOLD + 5):
        herald.tell(event(number))
        if number % 50 == 0:
            herald.turn()
    herald.turn()

    bus.up = True
    herald.linked()

    assert herald.given_up == 5
    assert told(heard) == [*range(5, MAX_UNTOLD + 5)]
    assert len(outbox.events()) == MAX_UNTOLD


def test_a_disk_that_takes_nothing_keeps_no_event_from_being_told(
    bus: GateBus, heard: list[Message], herald: Herald, outbox: Outbox
) -> None:
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(MAX_UNTOLD):
        herald.tell(event(number))
    herald.turn()
    kept_meanwhile = outbox.events()

    outbox._db.execute("PRAGMA max_page_count = 1000000")
    herald.turn()

    assert told(heard) == [*range(MAX_UNTOLD)]
    assert kept_meanwhile == []
    assert len(outbox.events()) == MAX_UNTOLD


@pytest.mark.parametrize("payload", [b"{", b'{"v":1,"marks":["x"]}', b'{"v":1,"marks":7}'])
def test_an_acknowledgement_that_cannot_be_read_lets_go_of_nothing(
    bus: GateBus, herald: Herald, payload: bytes
) -> None:
    herald.tell(event(1))

    bus.publish(HELD, payload)

    assert herald.untold == 1


def test_an_outbox_from_before_events_were_kept_is_read_on(
    tmp_path: Path, clock: VirtualClock
) -> None:
    older = Outbox(tmp_path / "older.db", "gw-1", clock)
    epoch = older.position.epoch
    older._db.execute("DROP TABLE event")
    older.close()

    now = Outbox(tmp_path / "older.db", "gw-1", clock)
    now.change_events([encode_event(event(1))], ())

    assert (now.position.epoch, now.damaged_files) == (epoch, 0)
    assert now.events() == [encode_event(event(1))]
    now.close()
