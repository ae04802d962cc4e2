"""Whatever is killed and whenever: the battery is neutral in time.

Every part is a process of its own. The battery's time stands still until a test moves it, so what
its own timer does and what the gateway does are told apart. A server plans beside it: its plan,
always the same power here, goes on without it within its leases, until a newer command comes.
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
from kwartier.schedule import Outcome, encode_schedule
from kwartier.units import Watt
from kwartier.wire import Address, Lane
from tests.journeys.services import ALL_DEVICES, COOP, GATEWAY, PATIENCE_S, Street
from tests.journeys.wijk import CHARGE_W, Wijk

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
VICTIMS = ["gateway", "gateway", "collector", "planner", "broker"]
PLAN = "of-the-test"
POWERS_W: list[Watt] = [-4_000, -1_500, 800, 5_000]
"""None is what the planner tells."""
SETTINGS = ALL_DEVICES.replace("every_s = 1\n", "every_s = 5\n")


class Killed:
    """A street whose processes are killed and started again."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed that can be run again, not a secret
        self.wijk = Wijk(folder)
        self.street = self.wijk.street
        self.gateway = self.wijk.begin()
        self.collector = self.wijk.collector
        self.planner = self.wijk.start_server()
        self._silence = threading.Event()
        self._meter = threading.Thread(target=self._tell_registers, name="meter")
        self._meter.start()
        self.struck: Counter[str] = Counter()
        self.late: list[str] = []

    def close(self) -> None:
        self._silence.set()
        self._meter.join()
        self.wijk.close()

    @property
    def plans(self) -> int:
        """How many plans of the planner were heard."""
        return sum(one.plan != PLAN for one in self.wijk.ordered)

    def strike(self) -> None:
        """Steer the battery, kill something at a random moment, and see it become neutral."""
        victim = self.random.choice(VICTIMS)
        number, ends_s = self._command()
        threading.Event().wait(self.random.uniform(0.0, 4.0))
        was_w = self.street.battery.power_w
        when = {0: "before", CHARGE_W: "following a plan"}.get(was_w, "steering")
        self.struck[f"{victim} {when}"] += 1
        if victim == "gateway":
            self._gateway_dies()
        else:
            self._other_dies(victim, number, ends_s)

    def _command(self) -> tuple[int, float]:
        """Publish a schedule of a few seconds; return its number and its end, monotonic [s]."""
        street = self.street
        street.until(lambda: street.ear.online and street.ear.online[-1], "the gateway is online")
        newest = max((one.command for one in self.wijk.ordered), default=0)
        number = max(int(time.time()), newest) + 1
        step = Step(int(time.time()), self.random.choice(POWERS_W), LEASE_S)
        schedule = Schedule("battery", number, PLAN, (step,))
        ends_s = time.monotonic() + LEASE_S
        topic = Address(COOP, GATEWAY, Lane.COMMAND, "battery").topic
        street.until(lambda: _published(street, topic, schedule), "a link to send on")
        return number, ends_s

    def _tell_registers(self) -> None:
        """Tell the gateway what flows, each second: a silent meter would end what it steers by."""
        meter, port = self.street.meter, self.street.p1
        port.run(lambda: meter.telegram(int(time.time())), self._silence)

    def _gateway_dies(self) -> None:
        street = self.street
        street.end(self.gateway, signal.SIGKILL)
        street.clock.advance(REVERT_S)
        if street.battery.power_w != 0:
            self.late.append(f"{street.battery.power_w} W {REVERT_S} s after the gateway's death")
        street.until(lambda: not street.ear.online[-1], "the broker tells that it is gone")
        self.gateway = street.start_gateway(SETTINGS)

    def _other_dies(self, victim: str, number: int, ends_s: float) -> None:
        street = self.street
        match victim:
            case "collector":
                street.end(self.collector, signal.SIGKILL)
            case "planner":
                street.end(self.planner, signal.SIGKILL)
            case _:
                street.broker.kill()
        # A command that has not come through before its end is not obeyed any more.
        look = threading.Event()
        while time.monotonic() < ends_s + CYCLE_S and (
            time.monotonic() < ends_s or not self._is_right(victim, number)
        ):
            look.wait(0.05)
        if not self._is_right(victim, number):
            self.late.append(f"{street.battery.power_w} W after its lease, {victim} killed")
        match victim:
            case "collector":
                self.collector = street.start_collector()
            case "planner":
                self.planner = self.wijk.start_server()
            case _:
                street.broker.start()
                assert street.ear.bus.wait_until_up(PATIENCE_S)

    def _is_right(self, victim: str, number: int) -> bool:
        """Whether the battery is neutral, or follows a plan that a short command did not end."""
        power_w = self.street.battery.power_w
        if power_w != CHARGE_W:
            return power_w == 0
        accepted = [
            one.command for one in self.street.ear.responses if one.outcome is Outcome.ACCEPTED
        ]
        ended = number in accepted and max(accepted) == number
        return self.plans > 0 and (victim == "broker" or not ended)


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
        print(sorted(killed.struck.items()), killed.plans)  # noqa: T201 - the count of a night
        killed.close()

    assert killed.late == []
    assert sum(killed.struck.values()) == KILLS
    assert killed.struck["gateway steering"] > KILLS // 10
    assert killed.plans > KILLS // 20
    assert isinstance(killed.gateway, subprocess.Popen)
