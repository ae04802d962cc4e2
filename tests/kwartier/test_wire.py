"""Payloads: what is encoded decodes the same; what else arrives is refused in a sentence."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kwartier.envelope import Envelope, read_envelope
from kwartier.errors import ContractError
from kwartier.packing import LAST_INSTANT_S, differences, sums
from kwartier.reading import AfterPlan, ClockSource, MeterBand, Reading, Schedule, Step
from kwartier.schedule import (
    MAX_LEASE_S,
    Outcome,
    Response,
    decode_response,
    decode_schedule,
    encode_response,
    encode_schedule,
)
from kwartier.wire import (
    MAX_PAYLOAD_BYTES,
    MAX_ROWS,
    Ack,
    Address,
    Block,
    GatewayState,
    Json,
    Lane,
    block_of,
    decode_ack,
    decode_block,
    decode_live,
    decode_state,
    encode_ack,
    encode_block,
    encode_live,
    encode_state,
)

DECODERS = [
    decode_block,
    decode_ack,
    decode_live,
    decode_schedule,
    decode_response,
    decode_state,
]

names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=("C", "Z")), max_size=40)
whole = st.integers(-(2**53), 2**53)
instants = st.integers(0, LAST_INSTANT_S)
series = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
edges = st.none() | st.integers(-(10**6), 10**6)
bands = (
    st.tuples(edges, edges)
    .filter(lambda both: both[0] is None or both[1] is None or both[0] <= both[1])
    .map(lambda both: MeterBand(*both))
)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    at_s = tuple(sorted(draw(st.sets(instants, min_size=1, max_size=20))))
    column = st.lists(st.one_of(st.none(), whole), min_size=len(at_s), max_size=len(at_s)).map(
        tuple
    )
    columns = draw(st.dictionaries(series, column, max_size=5))
    return Block(
        draw(names),
        draw(names),
        draw(st.integers(1, 2**40)),
        draw(names),
        draw(texts),
        draw(st.sampled_from(ClockSource)),
        at_s,
        columns,
        draw(st.integers(0, 10_000)),
    )


@given(blocks())
def test_a_block_decodes_as_it_was(block: Block) -> None:
    assert decode_block(encode_block(block)) == block


@given(blocks())
def test_a_block_gathered_from_its_own_readings_is_the_same_readings(block: Block) -> None:
    again = block_of(block.readings(), block.gateway, block.epoch, block.seq)

    assert again.readings() == block.readings()


@given(names, names, st.integers(0, 2**53), st.booleans(), st.integers(0, 1000))
def test_an_acknowledgement_decodes_as_it_was(
    store_gen: str, epoch: str, upto: int, gap: bool, rate_per_s: int
) -> None:
    ack = Ack(store_gen, epoch, upto, gap, rate_per_s)

    assert decode_ack(encode_ack(ack)) == ack


@given(names, instants, st.dictionaries(series, whole, max_size=10))
def test_a_live_reading_decodes_without_a_meter_and_feeds_no_register(
    device: str, at_s: int, values: dict[str, int]
) -> None:
    sent = Reading(device, "E0001", at_s, values, ClockSource.METER)

    assert decode_live(encode_live(sent)) == Reading(device, "", at_s, values, ClockSource.UNSURE)


@given(
    names,
    st.integers(1, 2**53),
    texts,
    st.lists(
        st.tuples(
            st.integers(1, 900),
            st.integers(-(10**6), 10**6),
            st.integers(1, MAX_LEASE_S),
            st.none() | st.integers(-(10**6), 10**6),
            st.none() | bands,
        ),
        max_size=96,
    ),
    st.sampled_from(AfterPlan),
)
def test_a_schedule_decodes_as_it_was(
    device: str,
    command: int,
    plan: str,
    rows: list[tuple[int, int, int, int | None, MeterBand | None]],
    after: AfterPlan,
) -> None:
    steps, at_s = [], 1_767_225_600
    for wait_s, power_w, lease_s, grid_w, band in rows:
        at_s += wait_s
        steps.append(Step(at_s, power_w, lease_s, grid_w, band))
    schedule = Schedule(device, command, plan, tuple(steps), after)

    assert decode_schedule(encode_schedule(schedule)) == schedule


def test_a_schedule_of_a_planner_that_knows_no_meter_still_decodes() -> None:
    payload = (
        b'{"v":1,"dev":"battery","cmd_seq":12,"plan":"p","steps":[[1767225600,-5000,900]],'
        b'"after":"neutral"}'
    )

    assert decode_schedule(payload).steps == (Step(1_767_225_600, -5000, 900, None),)


def read_before_bands(payload: bytes) -> list[Step]:
    """Return the steps of a schedule as gateways read it that know no bands."""
    body = json.loads(zlib.decompress(payload[1:]) if payload[:1] == b"z" else payload)
    assert body["v"] == 1
    for row in body["steps"]:
        assert len(row) in {3, 4}
        assert {type(value) for value in row} == {int}
    return [Step(*row) for row in body["steps"]]


def test_a_gateway_that_knows_no_bands_reads_the_rest_of_the_plan() -> None:
    at_s = 1_767_225_600
    steps = (
        Step(at_s, -500, 900, 0, MeterBand(None, 0)),
        Step(at_s + 900, 800, 900, None, MeterBand(0, 0)),
        Step(at_s + 1_800, 2_000, 900),
    )

    seen = read_before_bands(encode_schedule(Schedule("battery", 1, "p", steps)))

    # It follows the meter where it was told to, and else does what was planned.
    assert seen == [
        Step(at_s, -500, 900, 0),
        Step(at_s + 900, 800, 900),
        Step(at_s + 1_800, 2_000, 900),
    ]


def test_a_plan_without_bands_travels_as_it_always_did() -> None:
    steps = (Step(1_767_225_600, -500, 900, 0),)

    payload = encode_schedule(Schedule("battery", 13, "p-13", steps))

    assert json.loads(payload) == {
        "v": 1,
        "dev": "battery",
        "cmd_seq": 13,
        "plan": "p-13",
        "steps": [[1_767_225_600, -500, 900, 0]],
        "after": "neutral",
    }


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ('"0,0"', "must be a list of 1, one for each step"),
        ("[]", "must be a list of 1, one for each step"),
        ("[null,null]", "must be a list of 1, one for each step"),
        ("[[0]]", r"'bands\[0\]' must be \[least watts, most watts\] or null"),
        ("[0]", r"'bands\[0\]' must be \[least watts, most watts\] or null"),
        ("[[0,1.5]]", "must be a whole number"),
        ("[[true,null]]", "must be a whole number"),
        ("[[5,-5]]", "has its least above its most: 5 and -5 W"),
    ],
)
def test_a_band_that_makes_no_sense_is_refused_with_the_whole_plan(told: str, why: str) -> None:
    payload = (
        '{"v":1,"dev":"battery","cmd_seq":12,"plan":"p","steps":[[1767225600,-5000,900]],'
        f'"bands":{told},"after":"neutral"}}'
    )

    with pytest.raises(ContractError, match=why):
        decode_schedule(payload.encode())


@given(
    names,
    st.integers(1, 2**53),
    st.sampled_from(Outcome),
    texts,
    instants,
    st.one_of(st.none(), whole),
)
def test_a_response_decodes_as_it_was(
    device: str, command: int, outcome: Outcome, reason: str, at_s: int, setpoint_w: int | None
) -> None:
    response = Response(device, command, outcome, reason, at_s, setpoint_w)

    assert decode_response(encode_response(response)) == response


def test_a_reason_of_any_length_still_arrives() -> None:
    reason = "line one\nline two " + "x" * 1000

    arrived = decode_response(encode_response(Response("b", 1, Outcome.FAILED, reason, 0)))

    assert arrived.reason == ("line one line two " + "x" * 1000)[:200]


@given(names, st.booleans(), texts, instants, st.integers(0, 10**6), st.dictionaries(texts, whole))
def test_a_state_decodes_as_it_was(
    epoch: str, online: bool, version: str, at_s: int, owed: int, details: dict[str, int]
) -> None:
    state = GatewayState(epoch, online, version, at_s, owed, details)

    assert decode_state(encode_state(state)) == state


@given(names, st.integers(1, 10**15 - 1), st.integers(1, 10**15 - 1))
def test_an_envelope_reads_as_it_was_written(epoch: str, seq: int, oldest: int) -> None:
    envelope = Envelope(epoch.replace("-", "0"), max(seq, oldest), min(seq, oldest))

    assert read_envelope(envelope.properties()) == envelope


@given(st.dictionaries(st.sampled_from(["epoch", "seq", "oldest", "x"]), st.text(max_size=40)))
def test_an_envelope_is_whole_or_none(properties: dict[str, str]) -> None:
    envelope = read_envelope(properties)

    assert envelope is None or 1 <= envelope.oldest <= envelope.seq


@pytest.mark.parametrize("seq", ["0", "-1", "1.0", "٣", "1 ", "", "9" * 16, "1e3"])
def test_an_envelope_with_a_number_that_is_none_is_no_envelope(seq: str) -> None:
    assert read_envelope({"epoch": "e1", "seq": seq}) is None


@given(names, names, st.sampled_from(Lane), st.one_of(st.none(), names))
def test_a_topic_parses_as_it_was(coop: str, gateway: str, lane: Lane, device: str | None) -> None:
    whole_lane = lane in {Lane.CONFIG_DESIRED, Lane.CONFIG_REPORTED}
    address = Address(coop, gateway, lane, None if whole_lane else device)

    assert Address.parse(address.topic) == address


@given(st.text(max_size=60))
@example("nec/v1/a/b/cfg/other")
@example("nec/v1/a/b/blk/p1/x")
@example("nec/v1//b/blk/p1")
@example("nec/v1/a/b/")
@example("nec/v1/a/+/blk/#")
def test_any_other_topic_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        Address.parse(text)


def test_a_short_column_is_told_as_first_value_and_differences() -> None:
    assert differences((1000, None, 1003, 1003)) == [1000, None, 3, 0]
    assert sums("x", [1000, None, 3, 0], 10) == (1000, None, 1003, 1003)


def test_a_block_on_the_wire_reads_like_this() -> None:
    block = Block(
        "gw-1", "e1", 7, "p1", "E0001", ClockSource.METER, (100, 110), {"import_wh": (5, 9)}, 2
    )

    assert json.loads(encode_block(block)) == {
        "v": 1,
        "gw": "gw-1",
        "epoch": "e1",
        "seq": 7,
        "dev": "p1",
        "meter": "E0001",
        "clk": "meter",
        "t": [100, 10],
        "cols": {"import_wh": [5, 4]},
        "crc_fail": 2,
    }


GOOD: dict[str, Json] = {
    "v": 1,
    "gw": "gw-1",
    "epoch": "e1",
    "seq": 1,
    "dev": "p1",
    "meter": "E0001",
    "clk": "meter",
    "t": [0],
    "cols": {"import_wh": [1]},
}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("v", 2, "version"),
        ("v", None, "version"),
        ("gw", "GW", "gw"),
        ("gw", "gw/1", "gw"),
        ("epoch", "e\n1", "epoch"),
        ("epoch", "\ud800", "epoch"),
        ("epoch", "x" * 201, "epoch"),
        ("meter", 7, "meter"),
        ("meter", "a\x00b", "meter"),
        ("seq", 0, "seq"),
        ("seq", -1, "seq"),
        ("seq", 1.0, "seq"),
        ("seq", True, "seq"),
        ("seq", 2**64, "seq"),
        ("clk", "sundial", "clk"),
        ("t", [], "rows"),
        ("t", [None], "instant"),
        ("t", [-1], "rise"),
        ("t", [2**53], "1970 to 9999"),
        ("t", [5, 0], "rise"),
        ("t", [5, -1], "rise"),
        ("t", [0.5], "whole"),
        ("t", [True], "whole"),
        ("t", "0", "list"),
        ("t", [0] + [1] * MAX_ROWS, "at most"),
        ("cols", [], "object"),
        ("cols", {"import_wh": [1, 2]}, "2 rows where 't' has 1"),
        ("cols", {"import_wh": [2**53 + 1]}, "range"),
        ("cols", {"import_wh": [10**400]}, "range"),
        ("cols", {"import_wh": ["1"]}, "whole"),
        ("cols", {"import_wh": [[]]}, "whole"),
        ("cols", {"import_wh": None}, "list"),
        ("cols", {"": [1]}, "series"),
        ("cols", {"Import": [1]}, "series"),
        ("cols", {"x" * 41: [1]}, "series"),
        ("cols", {"\ud800": [1]}, "series"),
        ("cols", {f"c{number}": [1] for number in range(65)}, "at most 64"),
    ],
)
def test_a_block_with_a_wrong_part_is_refused_by_name(key: str, value: Json, message: str) -> None:
    payload = json.dumps({**GOOD, key: value}).encode()

    with pytest.raises(ContractError, match=message):
        decode_block(payload)


def test_the_good_block_of_these_tests_is_good() -> None:
    assert decode_block(json.dumps(GOOD).encode()).seq == 1


HOSTILE = {
    "nothing": b"",
    "not text": b"\xff\xfe\x00\x01",
    "half a surrogate": b'"\xed\xa0\x80"',
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"v":' * 12_000,
    "not a number": b'{"v":1,"t":[NaN],"upto":NaN}',
    "infinity": b'{"v":1,"t":[Infinity],"upto":1e999}',
    "a huge number": b'{"v":1,"upto":' + b"9" * 60_000 + b"}",
    "a long text": b'{"v":1,"epoch":"' + b"x" * 60_000 + b'"}',
    "too long": b" " * (MAX_PAYLOAD_BYTES + 1),
    "a bomb": b"z" + zlib.compress(b" " * 50_000_000, 9),
    "a bomb of lists": b"z" + zlib.compress(b"[" * 500_000, 9),
    "deflated cut off": b"z" + zlib.compress(b'{"v":1}' * 99)[:20],
    "deflated garbage": b"z" + b"\x00" * 100,
    "deflated nothing": b"z",
    "a list": b"[1]",
    "a number": b"1",
    "null": b"null",
    "another version": b'{"v":"1"}',
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("decode", DECODERS)
def test_a_hostile_payload_is_refused_in_a_short_sentence(decode: object, payload: bytes) -> None:
    assert callable(decode)

    with pytest.raises(ContractError) as refused:
        decode(payload)

    assert len(str(refused.value)) < 300


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)
KEYS = [
    "gw",
    "epoch",
    "seq",
    "dev",
    "meter",
    "clk",
    "t",
    "cols",
    "crc_fail",
    "store_gen",
    "upto",
    "gap",
    "rate_per_s",
    "values",
    "cmd_seq",
    "plan",
    "steps",
    "after",
    "outcome",
    "reason",
    "setpoint_w",
    "online",
    "version",
    "unacknowledged",
    "details",
]


@pytest.mark.parametrize("decode", DECODERS)
@given(body=st.dictionaries(st.sampled_from(KEYS), json_values))
def test_any_object_decodes_or_is_refused(decode: object, body: dict[str, Json]) -> None:
    assert callable(decode)

    with suppress(ContractError):
        decode(json.dumps({"v": 1, **body}).encode())


@pytest.mark.parametrize("decode", DECODERS)
@given(payload=st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(decode: object, payload: bytes) -> None:
    assert callable(decode)

    for sent in (payload, b"z" + payload, b"z" + zlib.compress(payload)):
        with pytest.raises(ContractError):
            decode(sent)


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Pacific/Kiritimati"])
def test_the_last_instant_that_is_taken_in_can_be_shown_on_every_clock(zone: str) -> None:
    assert datetime.fromtimestamp(LAST_INSTANT_S, ZoneInfo(zone)).year == 9999
