"""A home's values in the resident's own Home Assistant: announced, at most every ten seconds."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from api.broker import BrokerProcess
from gateway.home_assistant import (
    HomeAssistant,
    HomeAssistantSettings,
    discovery_of,
    discovery_topic,
    read_home_assistant,
    shown,
)
from kwartier.broker import Broker
from kwartier.bus import Message
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading
from kwartier.series import SERIES
from kwartier.settings import Table

T0 = 1_767_225_600
TEXT = {"type": "string", "minLength": 1}
UNITS = {
    "energy": ["Wh", "kWh", "MWh", "MJ", "GJ"],
    "power": ["W", "kW"],
    "voltage": ["V", "mV"],
    "current": ["A", "mA"],
    "battery": ["%"],
    "gas": ["m³", "ft³", "L"],
    "water": ["m³", "L", "gal", "ft³"],
}
"""Which units Home Assistant takes for a class of sensors."""
ONLY_COUNTING = ["energy", "gas", "water"]
"""Classes for which it refuses the state class ``measurement``."""
PUBLISHED = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["device", "origin", "components"],
        "properties": {
            "device": {
                "type": "object",
                "additionalProperties": False,
                "required": ["identifiers", "name"],
                "properties": {
                    "identifiers": {"type": "array", "minItems": 1, "items": TEXT},
                    "name": TEXT,
                    "manufacturer": TEXT,
                    "sw_version": TEXT,
                },
            },
            "origin": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {"name": TEXT, "sw_version": TEXT, "support_url": TEXT},
            },
            "availability_topic": TEXT,
            "qos": {"enum": [0, 1, 2]},
            "components": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["platform", "unique_id", "state_topic", "device_class"],
                    "properties": {
                        "platform": {"const": "sensor"},
                        "unique_id": TEXT,
                        "name": TEXT,
                        "device_class": {"enum": list(UNITS)},
                        "state_class": {"enum": ["measurement", "total", "total_increasing"]},
                        "unit_of_measurement": TEXT,
                        "state_topic": TEXT,
                        "expire_after": {"type": "integer", "minimum": 1},
                    },
                },
            },
        },
    }
)
"""The part of Home Assistant's published device discovery that a gateway may use: no commands."""


def reading(at_s: int, device: str = "p1", **values: int) -> Reading:
    return Reading(device, "E0001", at_s, values)


@dataclass
class Resident:
    """The resident's broker, and everything that was said there."""

    broker: BrokerProcess
    bus: MqttBus
    clock: VirtualClock
    shown: HomeAssistant
    heard: list[Message] = field(default_factory=list)

    def on(self, topic: str) -> list[bytes]:
        return [one.payload for one in self.heard if one.topic == topic]

    def wait_for(self, topic: str, payload: bytes) -> None:
        wait_until(lambda: payload in self.on(topic))


def wait_until(reached: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 60.0
    while not reached():
        assert time.monotonic() < until_s, "nothing came for a minute"
        time.sleep(0.01)


@pytest.fixture
def resident(tmp_path: Path) -> Iterator[Resident]:
    broker = BrokerProcess.on_spare_port(tmp_path)
    bus = MqttBus(broker.broker, Session("resident"))
    clock = VirtualClock(T0)
    made = Resident(
        broker, bus, clock, HomeAssistant(HomeAssistantSettings(broker.broker), "gw-1", clock)
    )
    bus.subscribe("#", made.heard.append)
    made.wait_for("kwartier/gw-1/availability", b"online")
    yield made
    made.shown.close()
    bus.close()
    broker.stop()


@pytest.mark.parametrize("name", sorted(set(SERIES) - {"tariff", "revert_s"}))
def test_each_series_is_announced_in_the_published_shape(name: str) -> None:
    body = json.loads(discovery_of("gw-1", "p1", frozenset({name})))

    assert [error.message for error in PUBLISHED.iter_errors(body)] == []
    sensor = body["components"][name]
    assert sensor["unit_of_measurement"] in UNITS[sensor["device_class"]]
    counts = sensor["device_class"] in ONLY_COUNTING
    assert sensor["state_class"] == ("total_increasing" if counts else "measurement")


def test_a_meter_panels_and_a_battery_are_named_as_what_they_are() -> None:
    said = [frozenset({"import_wh"}), frozenset({"solar_w"}), frozenset({"soc_permille"})]

    bodies = [json.loads(discovery_of("gw-1", "x", names)) for names in said]

    assert [body["device"]["name"] for body in bodies] == [
        "Meter (x)",
        "Solar panels (x)",
        "Battery (x)",
    ]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("import_wh", 4_512_345, b"4512345"),
        ("voltage_l1_dv", 2_301, b"230.1"),
        ("current_l1_ma", 1_500, b"1.500"),
        ("soc_permille", 995, b"99.5"),
        ("gas_dm3", 1_234_567, b"1234.567"),
        ("battery_w", -3_000, b"-3000"),
        ("heat_kj", 9_000_000, b"9.000000"),
    ],
)
def test_a_value_is_shown_in_the_unit_that_was_announced(
    name: str, value: int, text: bytes
) -> None:
    assert shown(name, value) == text


def test_values_arrive_at_most_every_ten_seconds_and_only_those_that_were_said(
    resident: Resident,
) -> None:
    for second in range(21):
        resident.shown.take(reading(T0 + second, import_w=100 + second, tariff=1))
        resident.clock.advance(1.0)
    resident.wait_for("kwartier/gw-1/p1/import_w", b"120")

    assert resident.on("kwartier/gw-1/p1/import_w") == [b"100", b"110", b"120"]
    assert {one.topic for one in resident.heard} == {
        "kwartier/gw-1/availability",
        "kwartier/gw-1/p1/import_w",
        discovery_topic("homeassistant", "gw-1", "p1"),
    }


def test_a_device_that_says_more_announces_itself_again_and_the_newest_stays(
    resident: Resident,
) -> None:
    resident.shown.take(reading(T0, import_w=1))
    resident.clock.advance(10.0)
    resident.shown.take(reading(T0 + 10, export_w=2))
    resident.wait_for("kwartier/gw-1/p1/export_w", b"2")

    late: list[Message] = []
    resident.bus.subscribe("homeassistant/device/+/config", late.append)
    wait_until(lambda: bool(late))

    assert late[0].retained
    assert sorted(json.loads(late[0].payload)["components"]) == ["export_w", "import_w"]


def test_a_gateway_that_vanishes_is_shown_as_offline(resident: Resident) -> None:
    client = resident.shown._bus._client
    link = client.socket()
    client.loop_stop()

    assert isinstance(link, socket.socket)
    link.shutdown(socket.SHUT_RDWR)

    resident.wait_for("kwartier/gw-1/availability", b"offline")


def test_while_the_broker_is_away_readings_are_taken_and_afterwards_all_is_told_again(
    resident: Resident,
) -> None:
    topic = discovery_topic("homeassistant", "gw-1", "p1")
    resident.shown.take(reading(T0, import_w=1))
    resident.wait_for("kwartier/gw-1/p1/import_w", b"1")
    announced = len(resident.on(topic))
    resident.broker.kill()
    wait_until(lambda: not resident.shown._bus.wait_until_up(0.0))

    resident.clock.advance(10.0)
    resident.shown.take(reading(T0 + 10, import_w=2))
    resident.broker.start()
    wait_until(lambda: len(resident.on(topic)) > announced)

    assert resident.on("kwartier/gw-1/p1/import_w") == [b"1"]


def test_nothing_is_taken_from_the_resident_s_broker(resident: Resident) -> None:
    assert resident.shown._bus._takers == []


def settings_of(values: dict[str, object]) -> HomeAssistantSettings | None:
    return read_home_assistant(Table(values, "home_assistant."), Path())


def test_without_a_broker_nothing_is_shown_anywhere() -> None:
    assert settings_of({}) is None


def test_a_broker_is_named_by_its_address() -> None:
    assert settings_of({"broker": "mqtt://homeassistant.local", "prefix": "ha"}) == (
        HomeAssistantSettings(Broker("homeassistant.local", 1883), "ha")
    )


def test_an_address_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(SettingsError, match=r"home_assistant\.broker: broker 'http://x'"):
        settings_of({"broker": "http://x"})
