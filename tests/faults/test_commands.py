"""A million commands, most of them wrong: none reaches a register outside the local limits.

They take the road of every command: topic, bus, decoding, the gateway's agent, the battery's loop,
and the registers of model 704. The device on the other side keeps whatever is written and nothing
else, so that each write is judged by itself.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from gateway.agent import Agent, Manner
from gateway.keep.outbox import Outbox
from gateway.steer.battery import Rhythm, SteeredBattery
from gateway.steer.control import Limits
from gateway.steer.wish import FULL_POWER_S
from hardware.registers import HOLDING, RegistersRefusedError, Words, signed
from hardware.sunspec_models import models
from hardware.twins.sunspec_image import device_words, model_words
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.reading import ClockSource, MeterBand, Reading, Schedule, Step
from kwartier.schedule import Outcome, decode_response, encode_schedule
from kwartier.wire import Address, Lane

NOON_S = 1_782_900_000
COOP, GATEWAY, DEVICE = "straat", "gw-1", "battery"
LIMITS = Limits(4_000, 3_000, 100, 900, import_max_w=9_000, export_max_w=5_000, fuse_a=25)
FUSE_W = 5_750
MEASURED, CONTROL, STORE = 2, 2 + 155, 2 + 155 + 67
FAR = 2**53
MEMORY = Path("/dev/shm")


class Device:
    """Registers that keep what is written; every set-point that was ever in force is judged."""

    def __init__(self) -> None:
        self.words = device_words(
            [
                model_words(701, {"W": 0, "W_SF": 0}),
                model_words(
                    704, {"WSetEna": 0, "WSet": 0, "WSet_SF": 0, "WSetRvrtTms": 0, "WSetMod": 1}
                ),
                model_words(713, {"SoC": 500, "Pct_SF": -1}),
            ]
        )
        self.soc_permille = 500
        self.others_w = 0
        self.writes = 0
        self.outside: list[str] = []

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        del function_code
        found = self.words[address - 40_000 : address - 40_000 + count] if address >= 40_000 else []
        if len(found) != count:
            raise RegistersRefusedError("memory", address, count, "no such registers")
        return found

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        assert function_code == 16 or len(words) == 1
        self.writes += 1
        start = address - 40_000
        enable = CONTROL + models()[704].offset("WSetEna")
        if start != enable or len(words) not in {1, 11}:
            self.outside.append(f"register {address} was written")
        self.words[start : start + len(words)] = words
        if words[0] == 1:
            self._judge(words)
        self.show()

    def show(self) -> None:
        """Do what is told, and measure it."""
        group, store = models()[701], models()[713]
        at = MEASURED + group.offset("W")
        self.words[at] = -self.power_w % 65_536
        self.words[STORE + store.offset("SoC")] = self.soc_permille

    @property
    def power_w(self) -> int:
        group = models()[704]
        on = self.words[CONTROL + group.offset("WSetEna")] == 1
        at = CONTROL + group.offset("WSet")
        return -signed(self.words[at : at + 2]) if on else 0

    def _judge(self, words: Words) -> None:
        power_w, timer_s = -signed(words[2:4]), signed(words[9:11])
        meter_w = self.others_w + power_w
        wrong = {
            "not in watts": words[1] != 1,
            "no timer": timer_s != 90,
            "does not fall back": words[8] != 0,
            "beyond the battery": not -3_000 <= power_w <= 4_000,
            "emptied": self.soc_permille <= 100 and power_w < 0,
            "overfilled": self.soc_permille >= 900 and power_w > 0,
            # Where the others alone break a limit, the battery may help and never adds to it.
            "import": meter_w > 9_000 and power_w > 0,
            "export": meter_w < -5_000 and power_w < 0,
            "fuse": abs(self.others_w / 3 + power_w / 3) > FUSE_W + 1 and power_w * meter_w > 0,
        }
        self.outside += [f"{name}: {power_w} W" for name, is_so in wrong.items() if is_so]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Have no line kept of each command that is refused."""
    caplog.set_level(logging.CRITICAL)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory where there is one: what disks do to journals is tried elsewhere."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name)


class Street:
    """One gateway on a bus in this process, a device of registers, and a sender of anything."""

    def __init__(self, folder: Path, seed: int, full_power_s: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed that can be run again, not a secret
        self.clock = VirtualClock(NOON_S)
        self.bus = InProcessBus()
        self.device = Device()
        self.outbox = Outbox(folder / "outbox.db", GATEWAY, self.clock)
        self.agent = Agent(
            COOP, GATEWAY, self.outbox, self.bus, self.clock, Manner(live_every_s=0.0)
        )
        self.battery = SteeredBattery(
            self.device,
            DEVICE,
            replace(LIMITS, full_power_s=full_power_s),
            self.clock,
            folder / "battery.json",
            take=lambda _: None,
            tell=self.agent.tell,
            rhythm=Rhythm(poll_s=1.0, pause_s=5.0),
            synchronised=folder / "synchronised",
        )
        self.agent.steer(DEVICE, self.battery)
        self.outcomes: Counter[Outcome] = Counter()
        self.bus.subscribe(Address(COOP, GATEWAY, Lane.RESPONSE, DEVICE).topic, self._heard)
        self.topic = Address(COOP, GATEWAY, Lane.COMMAND, DEVICE).topic
        self.newest = 0
        self.replay: list[bytes] = [b"{}"]

    def run(self, commands: int) -> None:
        """Send so many; the home and the battery's charge change beneath."""
        for number in range(commands):
            if number % 4 == 0:
                self._live()
            self._send()
            if number % 4 == 2:
                self.battery.turn()

    def _live(self) -> None:
        self.clock.advance(1)
        draw = self.random.random()
        if draw < 0.1:
            self.device.soc_permille = self.random.choice([0, 100, 101, 500, 899, 900, 1000])
        if draw < 0.2:
            self.device.others_w = self.random.randrange(-12_000, 14_000)
        self.device.show()
        total = self.device.others_w + self.device.power_w
        values = {"import_w": max(0, total), "export_w": max(0, -total)}
        for phase in ("l1", "l2", "l3"):
            values[f"import_{phase}_w"] = max(0, total // 3)
            values[f"export_{phase}_w"] = max(0, -total // 3)
        at_s = int(self.clock.now_s())
        self.battery.see_grid(Reading("p1", "", at_s, values, ClockSource.METER))

    def _send(self) -> None:
        random = self.random
        kind = random.choices(
            ["right", "nonsense", "changed", "replay", "retained", "foreign", "device", "stale"],
            [20, 20, 20, 10, 5, 10, 5, 10],
        )[0]
        payload, topic, retain = self._right(), self.topic, False
        match kind:
            case "right":
                self.replay = [*self.replay[-20:], payload]
            case "nonsense":
                payload = random.choice([random.randbytes(random.randrange(64)), b"[" * 9_000])
            case "changed":
                payload = self._changed(payload)
            case "replay":
                payload = random.choice(self.replay)
            case "retained":
                retain = True
            case "foreign":
                topic = Address(COOP, f"gw-{random.randrange(2, 99)}", Lane.COMMAND, DEVICE).topic
            case "device":
                payload = self._right("inverter")
            case _:
                payload = self._right(start_s=NOON_S - random.randrange(10**4, 10**9))
        if retain:  # as a broker hands over what it kept
            self.agent._commanded(Message(topic, payload, retained=True))
        else:
            self.bus.publish(topic, payload)

    def _right(self, device: str = DEVICE, start_s: int | None = None) -> bytes:
        self.newest += 1
        random = self.random
        at_s = int(self.clock.now_s()) - random.randrange(60) if start_s is None else start_s
        steps = []
        for place in range(random.randrange(1, 4)):
            grid_w = random.choice([None, None, self._watts()])
            band = random.choice([None, self._band()])
            steps.append(Step(at_s + 900 * place, self._watts(), 900, grid_w, band))
        return encode_schedule(Schedule(device, self.newest, "p", tuple(steps)))

    def _band(self) -> MeterBand:
        low_w, high_w = sorted([self._watts(), self._watts()])
        whole = MeterBand(low_w, high_w)
        return self.random.choice([whole, MeterBand(low_w, None), MeterBand(None, high_w)])

    def _watts(self) -> int:
        random = self.random
        return random.choice(
            [
                random.randrange(-5_000, 5_000),
                random.randrange(-100_000, 100_000),
                *[
                    sign * edge
                    for edge in (3_000, 4_000, 4_001, 32_767, 65_536)
                    for sign in (1, -1)
                ],
                *[sign * edge for edge in (2**31, 2**32, FAR - 1) for sign in (1, -1)],
                0,
            ]
        )

    def _changed(self, payload: bytes) -> bytes:
        """Return a command with one value of another kind, sign, unit or size."""
        told = json.loads(payload) if payload[:1] == b"{" else {"v": 1}
        odd: object = self.random.choice(
            [float("nan"), float("inf"), -1, 1.5, "5 kW", None, [], {}, True, 10**400, -(2**63)]
        )
        name = self.random.choice([*told, "mode", "steps"])
        steps = told.get("steps")
        if name == "steps" and isinstance(steps, list) and isinstance(steps[0], list):
            steps[0][self.random.randrange(len(steps[0]))] = odd
        else:
            told[name] = odd
        return json.dumps(told).encode()

    def _heard(self, message: Message) -> None:
        self.outcomes[decode_response(message.payload).outcome] += 1


def judge(street: Street, commands: int) -> None:
    assert street.device.outside == []
    assert street.outcomes[Outcome.ACCEPTED] > commands // 20
    assert street.outcomes[Outcome.APPLIED] > commands // 100
    assert street.outcomes[Outcome.REFUSED] > commands // 50
    assert street.device.writes > commands // 100


AT_ONCE_OR_NOT = pytest.mark.parametrize("full_power_s", [0, FULL_POWER_S])
"""What travels slowly seldom meets a limit; so half of the commands come true at once."""


@AT_ONCE_OR_NOT
def test_of_many_commands_none_reaches_a_register_outside_the_limits(
    folder: Path, full_power_s: int
) -> None:
    street = Street(folder, 1, full_power_s)

    street.run(1_500)
    street.outbox.close()

    judge(street, 1_500)


@pytest.mark.nightly
@AT_ONCE_OR_NOT
def test_of_a_million_commands_none_reaches_a_register_outside_the_limits(
    folder: Path, full_power_s: int
) -> None:
    street = Street(folder, 2, full_power_s)

    street.run(500_000)
    street.outbox.close()

    judge(street, 500_000)
