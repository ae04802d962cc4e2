"""Events: what is encoded decodes the same, tells no id, and anything else is refused."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kwartier.errors import ContractError
from kwartier.events import Event, EventKind, decode_event, encode_event
from kwartier.packing import LAST_INSTANT_S, Json

GOOD: dict[str, Json] = {
    "v": 1,
    "kind": "meter-swapped",
    "dev": "p1",
    "t": 1_767_225_600,
    "reason": "another meter stands on this line",
}

sentences = st.text(st.characters(exclude_categories=("C", "Z", "N")), max_size=180)


@given(
    st.sampled_from(EventKind),
    st.one_of(st.none(), st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)),
    st.integers(0, LAST_INSTANT_S),
    sentences,
)
def test_an_event_decodes_as_it_was(
    kind: EventKind, device: str | None, at_s: int, reason: str
) -> None:
    event = Event(kind, device, at_s, reason)

    assert decode_event(encode_event(event)) == event


def test_a_whole_id_in_a_sentence_never_leaves() -> None:
    reason = "E0047000123456789 gave way to 4530303437303030, EAN 871687120000000017, after 1234 s"

    told = decode_event(encode_event(Event(EventKind.METER_SWAPPED, "p1", 0, reason)))

    assert told.reason == "[id] gave way to [id], EAN [id], after 1234 s"


def test_a_long_sentence_is_cut_and_still_arrives() -> None:
    event = Event(EventKind.UPDATE_REFUSED, None, 0, "line one\n" + "x" * 1000)

    assert decode_event(encode_event(event)).reason == "line one " + "x" * 171


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("kind", "meter-sold", "one of meter-swapped"),
        ("kind", None, "kind"),
        ("dev", "P 1", "dev"),
        ("dev", 7, "dev"),
        ("t", -1, "1970 to 9999"),
        ("t", 1.5, "whole"),
        ("reason", "x" * 181, "181 characters"),
        ("reason", "a\nb", "printable"),
        ("import_wh", 4, "exactly"),
        ("v", 2, "version"),
    ],
)
def test_an_event_with_a_wrong_part_is_refused_by_name(key: str, value: Json, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        decode_event(json.dumps({**GOOD, key: value}).encode())


@pytest.mark.parametrize("missing", GOOD)
def test_an_event_that_lacks_a_part_is_refused(missing: str) -> None:
    body = {key: value for key, value in GOOD.items() if key != missing}

    with pytest.raises(ContractError):
        decode_event(json.dumps(body).encode())


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(payload: bytes) -> None:
    with suppress(ContractError):
        decode_event(payload)
