"""Whatever is killed and whenever: the battery is neutral in time.

Every part is a process of its own. The battery's time stands still until a test moves it, so what
its own timer does and what the gateway does are told apart.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from api.broker import mosquitto_program
from kwartier.errors import LinkDownError
from kwartier.reading import Schedule, Step
from kwartier.wire import Address, Lane, encode_schedule
from tests.journeys.services import ALL_DEVICES, COOP, GATEWAY, PATIENCE_S, Street

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed"),
]
KILLS = 200
REVERT_S = 90
LEASE_S = 6
CYCLE_S = 10.0
"""A turn of the battery's loop is a second; so much more for a busy machine."""
VICTIMS = ["gateway", "gateway", "collector", "broker"]
SETTINGS = ALL_DEVICES.replace("every_s = 1\n", "every_s = 5\n")


class Killed:
    """A street whose processes are killed and started again."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed that can be run again, not a secret
        self.street = Street(folder)
        self.collector = self.street.start_collector()
        self.gateway = self.street.start_gateway(SETTINGS)
        self.number = 0
        self.struck: Counter[str] = Counter()
        self.late: list[str] = []

    def close(self) -> None:
        self.street.close()

    def strike(self) -> None:
        """Steer the battery, kill something at a random moment, and see it become neutral."""
        victim = self.random.choice(VICTIMS)
        ends_s = self._command()
        threading.Event().wait(self.random.uniform(0.0, 2.5))
        was_w = self.street.battery.power_w
        self.struck[f"{victim} {'steering' if was_w else 'before'}"] += 1
        if victim == "gateway":
            self._gateway_dies()
        else:
            self._other_dies(victim, ends_s)

    def _command(self) -> float:
        """Publish a plan of a few seconds and return when its lease ends, monotonic [s]."""
        street = self.street
        street.until(lambda: street.ear.online and street.ear.online[-1], "the gateway is online")
        self.number += 1
        power_w = self.random.choice([-4_000, -1_500, 800, 5_000])
        step = Step(int(time.time()), power_w, LEASE_S)
        schedule = Schedule("battery", self.number, f"plan-{self.number}", (step,))
        ends_s = time.monotonic() + LEASE_S
        topic = Address(COOP, GATEWAY, Lane.COMMAND, "battery").topic
        street.until(lambda: _published(street, topic, schedule), "a link to send on")
        return ends_s

    def _gateway_dies(self) -> None:
        street = self.street
        street.end(self.gateway, signal.SIGKILL)
        street.clock.advance(REVERT_S)
        if street.battery.power_w != 0:
            self.late.append(f"{street.battery.power_w} W {REVERT_S} s after the gateway's death")
        street.until(lambda: not street.ear.online[-1], "the broker tells that it is gone")
        self.gateway = street.start_gateway(SETTINGS)

    def _other_dies(self, victim: str, ends_s: float) -> None:
        street = self.street
        if victim == "collector":
            street.end(self.collector, signal.SIGKILL)
        else:
            street.broker.kill()
        # A command that has not come through before its end is not obeyed any more.
        look = threading.Event()
        while time.monotonic() < ends_s + CYCLE_S and (
            time.monotonic() < ends_s or street.battery.power_w != 0
        ):
            look.wait(0.05)
        if street.battery.power_w != 0:
            self.late.append(f"{street.battery.power_w} W after its lease, {victim} killed")
        if victim == "collector":
            self.collector = street.start_collector()
        else:
            street.broker.start()
            assert street.ear.bus.wait_until_up(PATIENCE_S)


def _published(street: Street, topic: str, schedule: Schedule) -> bool:
    try:
        street.ear.bus.publish(topic, encode_schedule(schedule))
    except LinkDownError:
        return False
    return True


@pytest.mark.timeout(7200)
def test_two_hundred_kills_leave_the_battery_neutral_in_time(tmp_path: Path) -> None:
    killed = Killed(tmp_path, seed=1)
    try:
        for _ in range(KILLS):
            killed.strike()
    finally:
        killed.close()

    print(sorted(killed.struck.items()))  # noqa: T201 - the count of a nightly run
    assert killed.late == []
    assert sum(killed.struck.values()) == KILLS
    assert killed.struck["gateway steering"] > KILLS // 10
    assert isinstance(killed.gateway, subprocess.Popen)
