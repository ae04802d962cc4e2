"""What a message costs the broker, the shard that keeps its gateway, and one that does not."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from api.broker import BrokerProcess, mosquitto_program
from collectors.shard import owner_of
from kwartier.bus import Message
from kwartier.envelope import Envelope
from kwartier.identity import GatewayId
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import ClockSource
from kwartier.wire import Address, Block, Lane, decode_ack, encode_block
from tests.faults.harness import PROGRAM, ROOT

pytestmark = [
    pytest.mark.speed,
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed"),
]

BLOCKS = 10_000
WINDOW = 200
GATEWAYS = 20
T0 = 1_767_225_600
TICKS = os.sysconf("SC_CLK_TCK")


def minute(gateway: GatewayId, seq: int, random: Random) -> bytes:
    """Return a minute of a meter that speaks each second: registers, power, three voltages."""
    use_w = [random.randint(150, 900) for _ in range(60)]
    wh = [1_000_000 + 9 * seq + row // 7 for row in range(60)]
    columns: dict[str, tuple[int | None, ...]] = {
        "import_wh": tuple(wh),
        "export_wh": (5000,) * 60,
        "import_w": tuple(use_w),
        "export_w": (0,) * 60,
        "voltage_l1_dv": tuple(random.randint(2290, 2310) for _ in range(60)),
    }
    at_s = tuple(T0 + 60 * seq + row for row in range(60))
    return encode_block(Block(gateway, "one", seq, "p1", "E1", ClockSource.METER, at_s, columns))


@dataclass
class Talker:
    """Sends blocks as many gateways would, and hears how far the record reaches."""

    bus: MqttBus

    def __post_init__(self) -> None:
        self._upto: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._news = threading.Condition()
        self.bytes = 0
        self.bus.subscribe(f"nec/v1/straat/+/{Lane.ACK}", self._heard)

    def send(self, gateway: GatewayId, random: Random) -> None:
        seq = self._sent[gateway] = self._sent.get(gateway, 0) + 1
        payload = minute(gateway, seq, random)
        self.bytes += len(payload)
        topic = Address("straat", gateway, Lane.BLOCK, "p1").topic
        self.bus.publish(topic, payload, properties=Envelope("one", seq, 1).properties())

    def wait_for_the_collector(self, gateway: GatewayId, random: Random) -> None:
        """Send a first block again and again until a collector that starts has heard it."""
        for _ in range(120):
            self._sent[gateway] = 0
            self.send(gateway, random)
            with self._news:
                if self._news.wait_for(lambda: self._upto.get(gateway, 0) > 0, 0.5):
                    return
        raise AssertionError("the collector does not start")

    def settle(self, gateways: list[GatewayId]) -> None:
        """Wait until the record holds all that some gateways sent."""
        with self._news:
            there = self._news.wait_for(
                lambda: all(self._upto.get(name, 0) >= self._sent[name] for name in gateways), 60
            )
        assert there, "no acknowledgement came"

    def _heard(self, message: Message) -> None:
        gateway = Address.parse(message.topic).gateway
        with self._news:
            self._upto[gateway] = decode_ack(message.payload).upto
            self._news.notify()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[BrokerProcess, subprocess.Popen[bytes]]]:
    """A broker and shard 0 of 2 beside it."""
    with ExitStack() as ends:
        (tmp_path / "broker").mkdir()
        broker = BrokerProcess.on_spare_port(tmp_path / "broker")
        ends.callback(broker.kill)
        settings = tmp_path / "shard.toml"
        settings.write_text(
            f'coop = "straat"\n[broker]\nurl = "{broker.broker.url}"\n'
            '[store]\npath = "record.db"\n[shard]\nnumber = 0\nof = 2\n'
        )
        collector = subprocess.Popen(
            [*PROGRAM, "collect", "--config", str(settings)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        ends.callback(collector.wait)
        ends.callback(collector.terminate)
        yield broker, collector


def test_a_message_of_another_shard_costs_a_fraction_of_ones_own(
    place: tuple[BrokerProcess, subprocess.Popen[bytes]],
) -> None:
    broker, collector = place
    names = [f"gw-{number}" for number in range(200)]
    ours = [name for name in names if owner_of(name, 2) == 0][:GATEWAYS]
    others = [name for name in names if owner_of(name, 2) == 1][:GATEWAYS]
    random = Random(1)  # noqa: S311 - a run must be repeatable
    bus = MqttBus(broker.broker, Session("talker"))
    try:
        assert bus.wait_until_up(30)
        talker = Talker(bus)
        talker.wait_for_the_collector(ours[0], random)
        costs: list[tuple[float, float]] = []
        for gateways in (others, ours):
            before = _cpu_s(collector.pid), _cpu_s(broker.pid)
            for number in range(BLOCKS):
                talker.send(gateways[number % GATEWAYS], random)
                if number % WINDOW == WINDOW - 1:
                    talker.send(ours[0], random)
                    talker.settle(ours if gateways is ours else ours[:1])
            each = 1e6 / (BLOCKS + BLOCKS // WINDOW)
            costs.append(
                (
                    (_cpu_s(collector.pid) - before[0]) * each,
                    (_cpu_s(broker.pid) - before[1]) * each,
                )
            )
    finally:
        bus.close()

    (passed_us, broker_passed_us), (kept_us, broker_kept_us) = costs
    print(
        f"\nof another shard {passed_us:.0f} us of a processor, one's own {kept_us:.0f} us, "
        f"ratio {passed_us / kept_us:.2f}; broker {broker_passed_us:.0f} and "
        f"{broker_kept_us:.0f} us; {talker.bytes / (2 * BLOCKS):.0f} bytes a block"
    )
    assert passed_us < 0.4 * kept_us


def _cpu_s(pid: int | None) -> float:
    """Return the processor time a process has taken [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
