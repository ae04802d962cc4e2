"""The live test passes when the server acknowledged, and everything came after an outage too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from api.broker import BrokerProcess
from gateway.agent import Manner
from gateway.commission.link_watch import LinkSeen
from gateway.commission.uplink import Uplink
from gateway.enrol.identity import Enrolled, Identity
from gateway.keep.delivery import Pace
from gateway.keep.namesake import Caution
from kwartier.bus import Message
from kwartier.clock import VirtualClock
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading
from kwartier.wire import Ack, Address, Lane, decode_block, encode_ack

pytestmark = pytest.mark.broker

T0 = 1_781_431_980
PATIENCE_S = 60.0


@dataclass
class Far:
    """The server's side: it acknowledges every block, and counts the readings."""

    broker: BrokerProcess
    parts: ExitStack
    at_s: set[int] = field(default_factory=set)
    buses: list[MqttBus] = field(default_factory=list)

    def listen(self) -> None:
        bus = MqttBus(self.broker.broker, Session("record", expiry_s=3600))
        self.parts.callback(bus.close)
        self.buses.append(bus)
        bus.subscribe(Address("zonnehof", "gw-014", Lane.BLOCK, "p1").topic, self._took)

    def _took(self, message: Message) -> None:
        block = decode_block(message.payload)
        self.at_s.update(reading.at_s for reading in block.readings())
        ack = encode_ack(Ack("g1", block.epoch, block.seq))
        topic = Address("zonnehof", "gw-014", Lane.ACK).topic
        self.buses[-1].publish(topic, ack, retain=True)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    with ExitStack() as parts:
        (tmp_path / "broker").mkdir()
        broker = BrokerProcess.on_spare_port(tmp_path / "broker")
        parts.callback(broker.stop)
        made = Far(broker, parts)
        made.listen()
        yield made


def test_a_sample_is_acknowledged_and_two_minutes_without_a_line_leave_no_gap(
    far: Far, tmp_path: Path
) -> None:
    clock = VirtualClock(T0)
    url = far.broker.broker.url
    enrolled = Enrolled("gw-014", "zonnehof", url, "Zonlaan 14", "h14", "", True, "")
    manner = Manner(pace=Pace(spread_s=0.05, resend_s=0.5), caution=Caution(quiet_s=0.1))
    uplink = Uplink(enrolled, Identity(tmp_path), tmp_path, clock, manner)
    far.parts.callback(uplink.close)
    taken = 0

    def until(seen: str) -> LinkSeen:
        nonlocal taken
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            link = uplink.look()
            if {
                "acknowledged": link.acknowledged_after_s is not None,
                "down": not link.up and link.away_s > 0,
                "passed": link.passed,
            }[seen]:
                return link
            clock.advance(1)
            taken += 1
            uplink.take(Reading("p1", "E1", T0 + taken, {"import_wh": taken}))
            time.sleep(0.02)
        raise AssertionError(f"it was never {seen}")

    first = until("acknowledged")
    far.broker.stop()
    down = until("down")
    clock.advance(121)
    far.broker.start()
    passed = until("passed")

    assert first.outage_s is None
    assert not down.passed
    assert passed.outage_s is not None
    assert passed.outage_s >= 120
    assert len(far.at_s) >= taken - 15
