"""The moment on the bus: the same object as on the pages, retained, and ending by itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from api.broker import running_broker
from api.moment_voice import EXPIRES_S, MomentVoice
from kwartier.bus import Bus, InProcessBus, Message
from kwartier.errors import ContractError
from kwartier.moment import MomentSaid, decode_moment, encode_moment
from kwartier.mqtt import MqttBus, Session
from kwartier.packing import unpacked
from tests.api.conftest import served
from tests.api.street import LUNCH_S, Street, street

TOPIC = "nec/v1/zonnehof/wijk/moment"


def voice_of(made: Street, bus: Bus) -> MomentVoice:
    return MomentVoice(made.house.signals, bus, "zonnehof", made.clock)


def test_the_bus_says_what_the_address_says(tmp_path: Path) -> None:
    heard: list[Message] = []
    with street(tmp_path) as made, served(made) as visitor:
        made.bus.subscribe(TOPIC, heard.append)
        assert voice_of(made, made.bus).say()
        told = visitor.get("/api/v1/moment").json()

    body = unpacked(heard[0].payload)
    assert {name: body[name] for name in told} == told
    assert decode_moment(heard[0].payload).expires_s == LUNCH_S + EXPIRES_S


def test_it_is_said_at_a_change_and_every_quarter_and_not_in_between(tmp_path: Path) -> None:
    bus = InProcessBus()
    with street(tmp_path) as made:
        voice = voice_of(made, bus)
        said = [voice.say()]
        for _ in range(4):
            made.clock.advance(300)
            said.append(voice.say())

    # 13.05 is the first time; 13.15 begins a quarter-hour.
    assert said == [True, False, True, False, False]


def test_a_lamp_that_comes_later_hears_it_and_an_orderly_end_unsays_it(tmp_path: Path) -> None:
    bus = InProcessBus()
    states: list[str] = []
    with street(tmp_path) as made:
        voice = voice_of(made, bus)
        voice.say()
        bus.subscribe(TOPIC, lambda message: states.append(decode_moment(message.payload).state))
        voice.stop()

    assert states == ["good", "unknown"]


@pytest.mark.broker
def test_a_dead_server_does_not_go_on_saying_good() -> None:
    said = MomentSaid("good", LUNCH_S, None, None, None, 0.9, "solar_surplus", LUNCH_S + 1)
    with running_broker() as broker:
        server = MqttBus(broker, Session("server"))
        assert server.wait_until_up(10)
        server.publish(TOPIC, encode_moment(said), retain=True, expiry_s=1)
        server.close()
        time.sleep(2.5)
        heard: list[Message] = []
        lamp = MqttBus(broker, Session("lamp"))
        assert lamp.wait_until_up(10)
        lamp.subscribe(TOPIC, heard.append)
        time.sleep(0.5)
        lamp.close()

    assert heard == []


@pytest.mark.parametrize(
    ("part", "value"),
    [("state", "best"), ("confidence", 2), ("confidence", True), ("from", None), ("until", "now")],
)
def test_a_moment_that_cannot_be_read_is_refused(part: str, value: object) -> None:
    said = MomentSaid("later", LUNCH_S, None, None, None, 0.5, "surplus_later", LUNCH_S)
    body = json.loads(encode_moment(said)) | {part: value}

    with pytest.raises(ContractError):
        decode_moment(json.dumps(body).encode())


def test_the_page_the_address_and_the_screen_say_the_same(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as visitor:
        state = visitor.get("/api/v1/moment").json()["state"]
        pages = [visitor.get("/").text, visitor.get("/wijk").text]

    assert state == "good"
    assert all(f'data-state="{state}"' in page for page in pages)
