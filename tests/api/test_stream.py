"""Live values over a real port: told at once, told again when they change, and bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx

from kwartier.reading import Reading
from kwartier.wire import encode_live
from tests.api.conftest import log_in, served
from tests.api.street import LUNCH_S, Street, street


def events(reply: httpx.Response) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield each event of a stream with what it carries."""
    name = ""
    for line in reply.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def say(of: Street, gateway: str, device: str, **values: int) -> None:
    """Publish a live reading on the street's bus."""
    reading = Reading(device, "", LUNCH_S, values)
    topic = f"nec/v1/{of.house.community.coop}/{gateway}/live/{device}"
    of.bus.publish(topic, encode_live(reading), qos=0)


def test_a_live_value_reaches_an_open_stream(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as visitor:
        log_in(made, visitor, "huis-02")
        before = visitor.get("/api/v1/now").json()["use_w"]
        with visitor.stream("GET", "/api/v1/stream") as reply:
            told = (body for name, body in events(reply) if name == "power")
            first = next(told)
            say(made, "gw-01", "p1", import_w=9_000, export_w=0)
            second = next(told)

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert first["use_w"] == before
    assert second["at"] == "2026-07-01T13:05:00+02:00"
    assert isinstance(second["use_w"], int)
    assert second["use_w"] > before + 8_000


def test_the_stream_tells_a_resident_their_own_home_and_others_none(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as visitor:
        with visitor.stream("GET", "/api/v1/stream") as reply:
            public = next(body for name, body in events(reply) if name == "power")
        log_in(made, visitor, "huis-02")
        with visitor.stream("GET", "/api/v1/stream") as reply:
            own = next(body for name, body in events(reply) if name == "power")

    assert public["own"] is None
    assert isinstance(own["own"], dict)


def test_a_live_message_that_cannot_be_read_is_counted_and_harms_nothing(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as visitor:
        topic = f"nec/v1/{made.house.community.coop}/gw-01/live/p1"
        for payload in (b"", b"{", b"[]", b'{"v":1,"dev":"p1","t":1,"values":{"import_w":1.5}}'):
            made.bus.publish(topic, payload)
        reply = visitor.get("/api/v1/now")

    assert reply.status_code == 200
    assert made.house.live.refused == 4
