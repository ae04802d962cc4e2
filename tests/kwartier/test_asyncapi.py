"""docs/asyncapi.yaml and the wire say the same: topics, examples, limits and choices."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import pytest
import yaml

from gateway.commission.mirror import decode_mirror, encode_mirror
from gateway.commission.press import (
    PressOutcome,
    decode_press,
    decode_pressed,
    encode_press,
    encode_pressed,
)
from kwartier.configuration import decode_report, decode_wish, encode_report, encode_wish
from kwartier.envelope import Envelope, read_envelope
from kwartier.events import MAX_REASON, EventKind, decode_event, encode_event
from kwartier.moment import MOMENT_STATES, decode_moment, encode_moment
from kwartier.packing import LAST_INSTANT_S, MAX_TEXT, Json, packed
from kwartier.reading import AfterPlan, ClockSource
from kwartier.schedule import (
    MAX_STEPS,
    Outcome,
    decode_response,
    decode_schedule,
    encode_response,
    encode_schedule,
)
from kwartier.wire import (
    MAX_COLUMNS,
    MAX_ROWS,
    ROOT,
    Address,
    Lane,
    decode_ack,
    decode_block,
    decode_live,
    decode_state,
    encode_ack,
    encode_block,
    encode_live,
    encode_state,
)

FILE = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"
Object: TypeAlias = "dict[str, Json]"


def again(name: str, payload: bytes) -> bytes:
    """Return a payload decoded and encoded by the lane's own code."""
    match name:
        case "block":
            return encode_block(decode_block(payload))
        case "live":
            return encode_live(decode_live(payload))
        case "state":
            return encode_state(decode_state(payload))
        case "schedule":
            return encode_schedule(decode_schedule(payload))
        case "response":
            return encode_response(decode_response(payload))
        case "moment":
            return encode_moment(decode_moment(payload))
        case "event":
            return encode_event(decode_event(payload))
        case "ack":
            return encode_ack(decode_ack(payload))
        case "report":
            return encode_report(decode_report(payload))
        case "wish":
            return encode_wish(decode_wish(payload, _Anybody()), _Anybody())
        case _:
            raise AssertionError(f"no code for message {name!r}")


class _Anybody:
    """A key whose signature is 64 zeros: the shape is what matters here."""

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002 - the shape of a key
        return bytes(64)

    def verifies(self, signature: bytes, message: bytes) -> bool:  # noqa: ARG002
        return signature == bytes(64)


@pytest.fixture(scope="module")
def document() -> Object:
    loaded: Object = yaml.safe_load(FILE.read_text())
    return loaded


def at(thing: Json, *path: str | int) -> Json:
    """Return what stands at a path."""
    for word in path:
        if isinstance(word, int):
            assert isinstance(thing, list)
            thing = thing[word]
        else:
            assert isinstance(thing, dict)
            thing = thing[word]
    return thing


def table(thing: Json, *path: str | int) -> Object:
    """Return the table that stands at a path."""
    found = at(thing, *path)
    assert isinstance(found, dict)
    return found


def parts(document: Object, name: str) -> Object:
    """Return the schemas of the parts of a message."""
    return table(document, "components", "messages", name, "payload", "properties")


def test_it_is_an_asyncapi_3_document(document: Object) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert set(document) >= {"info", "servers", "channels", "operations", "components"}


def test_its_channels_are_the_lanes_of_the_wire(document: Object) -> None:
    addresses = {str(at(channel, "address")) for channel in table(document, "channels").values()}

    lanes = set()
    for address in addresses:
        assert address.startswith(f"{ROOT}/{{coop}}/{{gateway}}/")
        filled = address.format(coop="coop", gateway="gw", device="dev")
        lanes.add(Address.parse(filled).lane)

    assert lanes == set(Lane)
    assert len(addresses) == len(Lane)


def test_every_reference_leads_somewhere(document: Object) -> None:
    def check(thing: Json) -> int:
        if isinstance(thing, list):
            return sum(check(one) for one in thing)
        if not isinstance(thing, dict):
            return 0
        if isinstance(target := thing.get("$ref"), str):
            assert at(document, *target.removeprefix("#/").split("/"))
            return 1
        return sum(check(one) for one in thing.values())

    assert check(document) > 20


def test_every_message_is_used_by_a_channel(document: Object) -> None:
    used = {
        name
        for channel in table(document, "channels").values()
        for name in table(channel, "messages")
    }

    assert used == set(table(document, "components", "messages"))


@pytest.mark.parametrize(
    "name",
    ["block", "live", "state", "event", "schedule", "response", "ack", "moment", "wish", "report"],
)
def test_every_example_is_what_our_own_code_writes(document: Object, name: str) -> None:
    example = table(document, "components", "messages", name, "examples", 0, "payload")

    payload = packed(example)

    assert again(name, payload) == payload
    assert set(example) == set(parts(document, name))


def test_every_example_of_the_wizard_is_what_our_own_code_writes(document: Object) -> None:
    mirror, press, pressed = (
        packed(table(document, "components", "messages", name, "examples", 0, "payload"))
        for name in ("mirror", "press", "pressed")
    )

    assert encode_mirror(decode_mirror(mirror)) == mirror
    assert encode_press(decode_press(press)) == press
    assert encode_pressed(decode_pressed(pressed)) == pressed


def test_its_limits_are_those_of_the_wire(document: Object) -> None:
    assert at(parts(document, "block"), "t", "maxItems") == MAX_ROWS
    assert at(parts(document, "block"), "cols", "maxProperties") == MAX_COLUMNS
    assert at(parts(document, "live"), "values", "maxProperties") == MAX_COLUMNS
    assert at(parts(document, "schedule"), "steps", "maxItems") == MAX_STEPS
    assert at(parts(document, "event"), "reason", "maxLength") == MAX_REASON
    assert at(document, "components", "schemas", "text", "maxLength") == MAX_TEXT
    assert at(document, "components", "schemas", "instant", "maximum") == LAST_INSTANT_S


def test_its_choices_are_those_of_the_wire(document: Object) -> None:
    assert at(parts(document, "block"), "clk", "enum") == [str(clock) for clock in ClockSource]
    assert at(parts(document, "schedule"), "after", "enum") == [str(after) for after in AfterPlan]
    assert at(parts(document, "response"), "outcome", "enum") == [str(one) for one in Outcome]
    assert at(parts(document, "pressed"), "outcome", "enum") == [str(one) for one in PressOutcome]
    assert at(parts(document, "event"), "kind", "enum") == [str(kind) for kind in EventKind]
    assert at(parts(document, "moment"), "state", "enum") == list(MOMENT_STATES)


def test_its_headers_are_those_of_an_envelope(document: Object) -> None:
    described = table(document, "components", "messages", "block", "headers", "properties")
    written = Envelope("e1", 7, 3).properties()

    assert set(described) == set(written)
    assert read_envelope(written) == Envelope("e1", 7, 3)
