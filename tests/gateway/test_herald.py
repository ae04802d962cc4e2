"""Events wait for a link, arrive in order and are bounded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.agent import Agent
from gateway.herald import MAX_UNTOLD, Herald
from gateway.keep.outbox import Outbox
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError
from kwartier.events import Event, EventKind, decode_event

TOPIC = "nec/v1/straat/gw-1/evt"


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


def test_an_agent_tells_an_event_at_once(
    bus: GateBus, heard: list[Message], tmp_path: Path
) -> None:
    clock = VirtualClock(0)
    outbox = Outbox(tmp_path / "outbox.db", "gw-1", clock)
    agent = Agent("straat", "gw-1", outbox, bus, clock)

    agent.tell_event(event(1))

    assert [decode_event(message.payload) for message in heard] == [event(1)]
    assert not heard[0].retained
    outbox.close()


def test_events_wait_for_the_link_and_keep_their_order(bus: GateBus, heard: list[Message]) -> None:
    herald = Herald(bus, "straat", "gw-1")
    bus.up = False
    for number in range(3):
        herald.tell(event(number))
    waited = herald.untold

    bus.up = True
    herald.tell_waiting()

    assert (waited, herald.untold) == (3, 0)
    assert [decode_event(message.payload).at_s for message in heard] == [0, 1, 2]


def test_of_too_many_the_oldest_are_given_up_and_counted(
    bus: GateBus, heard: list[Message]
) -> None:
    herald = Herald(bus, "straat", "gw-1")
    bus.up = False
    for number in range(MAX_UNTOLD + 5):
        herald.tell(event(number))

    bus.up = True
    herald.tell_waiting()

    assert herald.given_up == 5
    assert [decode_event(message.payload).at_s for message in heard] == [*range(5, MAX_UNTOLD + 5)]
