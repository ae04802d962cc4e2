"""A home's battery on a real bus does its plan, and is free when that ends or is taken back."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from api.broker import BrokerProcess, mosquitto_program
from api.planner import Planner
from api.planning.leave import RELEASED
from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.steer.battery import SteeredBattery
from gateway.steer.limits import Limits
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from kwartier.bus import Message
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Schedule
from kwartier.schedule import Outcome, decode_schedule
from tests.api.home_batteries import (
    battery_at,
    lived,
    with_batteries,
    written,
)
from tests.api.planning import Scene


@dataclass(frozen=True, slots=True)
class AtHome:
    """A home's battery on a real Modbus server, at the end of a real broker.

    Attributes:
        planner: Plans for the street.
        file: The neighbourhood's.
        heard: What came to the gateway.
        battery: The gateway's half.
        twin: The battery itself.
    """

    planner: Planner
    file: Path
    heard: queue.Queue[Message]
    battery: SteeredBattery
    twin: BatteryTwin

    def take(self) -> Schedule:
        """Let the gateway take what it was sent, and return it."""
        told = decode_schedule(self.heard.get(timeout=60).payload)
        assert self.battery.accept(told).outcome is Outcome.ACCEPTED
        self.battery.turn()
        return told


@contextmanager
def at_home(street: Scene) -> Iterator[AtHome]:
    """Yield the battery of gw-02 with all that leads to it."""
    folder, file = street.folder, street.folder / "street.toml"
    heard: queue.Queue[Message] = queue.Queue()
    with ExitStack() as parts:
        broker = BrokerProcess.on_spare_port(folder)
        parts.callback(broker.stop)
        gateway = MqttBus(broker.broker, Session("gw-02"))
        parts.callback(gateway.close)
        gateway.subscribe("nec/v1/zonnehof/gw-02/cmd/battery", heard.put)
        bus = MqttBus(broker.broker, Session("planner"))
        parts.callback(bus.close)
        ready = threading.Event()
        gateway.subscribe("probe", lambda _: ready.set())  # what was subscribed before holds too
        assert bus.wait_until_up(60)
        assert any(_heard(bus, ready) for _ in range(600))
        twin = BatteryTwin(street.clock, CellLimits(10_000, 5_000, 5_000))
        server = ModbusServer([twin]).start()
        parts.callback(server.stop)
        link = ModbusLink(LinkSettings("127.0.0.1", server.port))
        parts.callback(link.close)
        battery = SteeredBattery(
            link.unit(1),
            "battery",
            Limits(5_000, 5_000, full_power_s=0),
            street.clock,
            folder / "battery.json",
            take=lambda _: None,
            tell=lambda _: None,
        )
        parts.callback(battery.stop)
        file.write_text(written(street.community))
        yield AtHome(street.planner(bus, street_file=file), file, heard, battery, twin)


@pytest.mark.broker
@pytest.mark.parametrize("how", ["taken back", "gone from the file"])
def test_over_a_broker_a_homes_battery_does_its_plan_and_is_let_go(
    how: str, tmp_path: Path
) -> None:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    community = with_batteries(battery_at(2))
    later = written(community, steered=False)
    if how == "gone from the file":
        later = written(replace(community, home_batteries={}))
    with lived(tmp_path, community) as street, at_home(street) as home:
        home.planner.plan_now()
        told = home.take()
        step = next(one for one in told.steps if one.power_w)
        street.clock.advance(max(0.0, step.start_s - street.clock.now_s()))
        home.battery.turn()
        obeyed_w = home.twin.power_w
        home.file.write_text(later)
        home.planner.plan_now()
        told = home.take()

        assert obeyed_w == step.power_w
        assert (told.plan, told.steps) == (RELEASED, ())
        assert home.twin.power_w == 0


@pytest.mark.broker
def test_over_a_broker_a_battery_that_hears_no_more_is_free_when_its_day_is_over(
    tmp_path: Path,
) -> None:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    with lived(tmp_path, with_batteries(battery_at(2))) as street, at_home(street) as home:
        home.planner.plan_now()
        steps = home.take().steps
        last = max(place for place, one in enumerate(steps) if one.power_w)
        street.clock.advance(max(0.0, steps[last].start_s + 1 - street.clock.now_s()))
        home.battery.turn()
        working_w = home.twin.power_w
        street.clock.advance(steps[-1].start_s + steps[-1].lease_s + 1 - street.clock.now_s())
        home.battery.turn()

        assert working_w == steps[last].power_w
        assert home.twin.power_w == 0
        assert home.heard.empty()


def _heard(bus: MqttBus, ready: threading.Event) -> bool:
    bus.publish("probe", b"?")
    return ready.wait(0.1)
