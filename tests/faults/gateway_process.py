"""A gateway as a process: a real outbox and courier, fed by a meter that never tires.

Started by the fault harness as ``python -m tests.faults.gateway_process``; ends with code 0 once
every block is written and known to be in the record.
"""

from __future__ import annotations

import argparse
import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.keep.blocks import Draft
from gateway.keep.courier import Courier
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from kwartier.broker import Broker
from kwartier.bus import Message, Receive
from kwartier.clock import SystemClock
from kwartier.mqtt import MqttBus, Session
from kwartier.wire import Ack, encode_ack
from tests.faults.meters import readings

BLOCKS_AT_ONCE = 5
MOST_OWED = 200
PACE = Pace(resend_s=1.5, resend_most_s=6.0, spread_s=0.3)


class ForgetfulBus(MqttBus):
    """The mistake that the harness must catch: what the broker took counts as delivered."""

    def subscribe(
        self,
        topic_filter: str,  # noqa: ARG002 - the shape of a bus
        receive: Receive,
        *,
        by_hand: bool = False,  # noqa: ARG002
    ) -> None:
        """Listen to nobody: the broker's word is enough."""
        self._believe = receive
        self._sent: dict[int, tuple[str, int]] = {}

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
        """Remember which block a packet carries."""
        outside = properties or {}
        with self._lock:
            before = self._client._last_mid
            super().publish(
                topic, payload, qos=qos, retain=retain, expiry_s=expiry_s, properties=outside
            )
            self._sent[before % 65535 + 1] = outside["epoch"], int(outside["seq"])

    def _on_publish(
        self,
        client: Client,  # noqa: ARG002 - paho's shape
        userdata: object,  # noqa: ARG002
        mid: int,
        reason: ReasonCode,  # noqa: ARG002
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        epoch, seq = self._sent.get(mid, ("", 0))
        self._believe(Message("", encode_ack(Ack("broker", epoch, seq))))


def main() -> None:
    """Write and send the blocks of one meter."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("meter", type=int)
    parser.add_argument("blocks", type=int)
    parser.add_argument("--forget-on-puback", action="store_true")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    gateway = f"gw-{chosen.meter}"
    clock = SystemClock()
    outbox = Outbox(chosen.folder / "outbox.db", gateway, clock)
    kind = ForgetfulBus if chosen.forget_on_puback else MqttBus
    bus = kind(Broker("127.0.0.1", chosen.port), Session(gateway))
    courier = Courier(outbox, bus, "straat", gateway, clock, PACE)
    courier.start()
    rest = threading.Event()
    while (last := outbox.position.last) < chosen.blocks:
        if courier.unacknowledged < MOST_OWED:
            seqs = range(last + 1, min(last + BLOCKS_AT_ONCE, chosen.blocks) + 1)
            outbox.append([Draft(readings(chosen.meter, seq)) for seq in seqs])
            courier.wake()
        else:
            rest.wait(0.02)
    while courier.unacknowledged:
        rest.wait(0.02)
    courier.stop()
    bus.close()
    outbox.close()


if __name__ == "__main__":
    main()
