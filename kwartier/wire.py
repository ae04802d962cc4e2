"""Topics and payloads: how words travel between gateway and collector, version 1.

A block is the unit that is never lost: up to some hundreds of readings of one device, as columns
of differences, in JSON, deflated when that helps. docs/asyncapi.yaml describes every topic.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

from kwartier.errors import ContractError
from kwartier.identity import CoopId, DeviceId, GatewayId, MeterId, checked_name
from kwartier.reading import AfterPlan, ClockSource, Reading, Schedule, Step
from kwartier.units import EpochS

VERSION = 1
ROOT = "nec/v1"
MAX_PAYLOAD_BYTES = 64 * 1024
MAX_JSON_BYTES = 512 * 1024
MAX_ROWS = 3600
MAX_COLUMNS = 64
MAX_STEPS = 200
MAX_LEASE_S = 900
_MAX_INTEGER = 2**53
_DEFLATE_ABOVE_BYTES = 256
_DEFLATED = b"z"

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Column: TypeAlias = tuple[int | None, ...]


class Lane(StrEnum):
    """The last part of a topic: what travels there and who sends it."""

    BLOCK = "blk"
    LIVE = "live"
    STATE = "state"
    EVENT = "evt"
    COMMAND = "cmd"
    RESPONSE = "rsp"
    ACK = "ack"
    CONFIG_DESIRED = "cfg/desired"
    CONFIG_REPORTED = "cfg/reported"


_LANES = {lane.value: lane for lane in Lane}


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a topic ``nec/v1/{coop}/{gateway}/{lane}[/{device}]``."""

    coop: CoopId
    gateway: GatewayId
    lane: Lane
    device: DeviceId | None = None

    @property
    def topic(self) -> str:
        """The topic as text."""
        tail = f"/{self.device}" if self.device is not None else ""
        return f"{ROOT}/{self.coop}/{self.gateway}/{self.lane}{tail}"

    @classmethod
    def parse(cls, topic: str) -> Address:
        """Return the parts of a topic, or refuse it."""
        if len(topic) > 200 or not topic.startswith(ROOT + "/"):
            raise ContractError(f"topic {topic[:80]!r} does not start with {ROOT}/")
        coop, _, rest = topic[len(ROOT) + 1 :].partition("/")
        gateway, _, rest = rest.partition("/")
        if rest in {Lane.CONFIG_DESIRED, Lane.CONFIG_REPORTED}:
            lane, device = rest, None
        else:
            lane, _, tail = rest.partition("/")
            device = checked_name(tail, "device in topic") if tail else None
        if lane not in _LANES:
            raise ContractError(f"topic {topic[:80]!r} ends in no lane known here")
        return cls(
            checked_name(coop, "cooperative in topic"),
            checked_name(gateway, "gateway in topic"),
            _LANES[lane],
            device,
        )


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of one device and one meter, in order of time; the unit of delivery.

    Attributes:
        gateway: Who sends it.
        epoch: The life of the gateway's outbox; a new one starts when the outbox is lost.
        seq: 1, 2, 3 … without gaps within an epoch, over all devices together.
        device: The device's name on the gateway.
        meter: Its equipment id; empty when it has none.
        clock: Whose time ``at_s`` is.
        at_s: One instant a row [s], rising.
        columns: Whole numbers by series name, one a row; None where the device said nothing.
        crc_failures: Telegrams dropped since the block before.
    """

    gateway: GatewayId
    epoch: str
    seq: int
    device: DeviceId
    meter: MeterId
    clock: ClockSource
    at_s: tuple[EpochS, ...]
    columns: Mapping[str, Column]
    crc_failures: int = 0

    def readings(self) -> list[Reading]:
        """Return the rows as readings."""
        return [
            Reading(
                self.device,
                self.meter,
                at_s,
                {
                    name: value
                    for name, column in self.columns.items()
                    if (value := column[row]) is not None
                },
                self.clock,
            )
            for row, at_s in enumerate(self.at_s)
        ]


@dataclass(frozen=True, slots=True)
class Ack:
    """What the record holds for good: every block of the epoch up to ``upto``.

    Attributes:
        store_gen: The life of the store; a new one may hold less than the old one did.
        epoch: The outbox epoch it speaks of.
        upto: The last block committed, with all before it; 0 for none.
        gap: True when a later block arrived and ``upto + 1`` is wanted first.
        rate_per_s: Blocks the gateway may send a second; 0 for no limit.
    """

    store_gen: str
    epoch: str
    upto: int
    gap: bool = False
    rate_per_s: int = 0


class Outcome(StrEnum):
    """What a gateway did with a command."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    APPLIED = "applied"
    NEUTRAL = "neutral"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Response:
    """A gateway's answer to a command, or news of what it did with it."""

    device: DeviceId
    command: int
    outcome: Outcome
    reason: str
    at_s: EpochS
    setpoint_w: int | None = None


@dataclass(frozen=True, slots=True)
class GatewayState:
    """A gateway's birth, health and last will; the newest is retained."""

    epoch: str
    online: bool
    version: str
    at_s: EpochS
    unacknowledged: int = 0
    details: Mapping[str, int] = field(default_factory=dict)


def block_of(
    readings: list[Reading], gateway: GatewayId, epoch: str, seq: int, crc_failures: int = 0
) -> Block:
    """Return the block of one or more readings of one device, meter and clock."""
    first = readings[0]
    names = sorted({name for reading in readings for name in reading.values})
    return Block(
        gateway,
        epoch,
        seq,
        first.device,
        first.meter,
        first.clock,
        tuple(reading.at_s for reading in readings),
        {name: tuple(reading.values.get(name) for reading in readings) for name in names},
        crc_failures,
    )


def encode_block(block: Block) -> bytes:
    """Return the payload of a block."""
    return _packed(
        {
            "v": VERSION,
            "gw": block.gateway,
            "epoch": block.epoch,
            "seq": block.seq,
            "dev": block.device,
            "meter": block.meter,
            "clk": block.clock.value,
            "t": _differences(block.at_s),
            "cols": {name: _differences(column) for name, column in block.columns.items()},
            "crc_fail": block.crc_failures,
        }
    )


def decode_block(payload: bytes) -> Block:
    """Return the block of a payload; ``decode(encode(block)) == block``.

    Raises:
        ContractError: It is too large, no JSON, of another version, or a part is wrong.
    """
    body = _unpacked(payload)
    at_s = _sums("t", body.get("t"))
    if not 1 <= len(at_s) <= MAX_ROWS:
        raise ContractError(f"block 't' has {len(at_s)} rows: 1 to {MAX_ROWS} are allowed")
    whole = tuple(at for at in at_s if at is not None)
    if len(whole) != len(at_s):
        raise ContractError("block 't' has a row without an instant")
    raw = body.get("cols")
    if not isinstance(raw, dict) or len(raw) > MAX_COLUMNS:
        raise ContractError(f"block 'cols' must be an object of at most {MAX_COLUMNS} columns")
    columns = {name: _sums(f"cols.{name}", column) for name, column in raw.items()}
    for name, column in columns.items():
        if len(column) != len(whole):
            raise ContractError(
                f"block 'cols.{name}' has {len(column)} rows where 't' has {len(whole)}"
            )
    return Block(
        checked_name(_text(body, "gw"), "block 'gw'"),
        _text(body, "epoch"),
        _positive(body, "seq"),
        checked_name(_text(body, "dev"), "block 'dev'"),
        _text(body, "meter"),
        ClockSource(_choice(body, "clk", [clock.value for clock in ClockSource])),
        whole,
        columns,
        _integer(body, "crc_fail", default=0),
    )


def encode_ack(ack: Ack) -> bytes:
    """Return the payload of an acknowledgement."""
    return _plain(
        {
            "v": VERSION,
            "store_gen": ack.store_gen,
            "epoch": ack.epoch,
            "upto": ack.upto,
            "gap": ack.gap,
            "rate_per_s": ack.rate_per_s,
        }
    )


def decode_ack(payload: bytes) -> Ack:
    """Return the acknowledgement of a payload."""
    body = _unpacked(payload)
    upto, rate_per_s = _integer(body, "upto"), _integer(body, "rate_per_s", default=0)
    if upto < 0 or rate_per_s < 0:
        raise ContractError("ack 'upto' and 'rate_per_s' must be 0 or more")
    gap = body.get("gap") is True
    return Ack(_text(body, "store_gen"), _text(body, "epoch"), upto, gap, rate_per_s)


def encode_live(reading: Reading) -> bytes:
    """Return the payload of a live reading."""
    return _plain(
        {
            "v": VERSION,
            "dev": reading.device,
            "t": reading.at_s,
            "values": dict(reading.values),
        }
    )


def decode_live(payload: bytes) -> Reading:
    """Return the reading of a live payload; it names no meter, so it feeds no register."""
    body = _unpacked(payload)
    raw = body.get("values")
    if not isinstance(raw, dict) or len(raw) > MAX_COLUMNS:
        raise ContractError("live 'values' must be an object")
    values: dict[str, int] = {}
    for name, value in raw.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise ContractError(f"live 'values.{name}' must be a whole number")
        values[name] = value
    device = checked_name(_text(body, "dev"), "live 'dev'")
    return Reading(device, "", _integer(body, "t"), values, ClockSource.UNSURE)


def encode_schedule(schedule: Schedule) -> bytes:
    """Return the payload of a schedule."""
    return _packed(
        {
            "v": VERSION,
            "dev": schedule.device,
            "cmd_seq": schedule.command,
            "plan": schedule.plan,
            "steps": [[step.start_s, step.power_w, step.lease_s] for step in schedule.steps],
            "after": schedule.after.value,
        }
    )


def decode_schedule(payload: bytes) -> Schedule:
    """Return the schedule of a payload; every step's lease is at most 900 s."""
    body = _unpacked(payload)
    raw = body.get("steps")
    if not isinstance(raw, list) or len(raw) > MAX_STEPS:
        raise ContractError(f"schedule 'steps' must be a list of at most {MAX_STEPS}")
    steps = tuple(_step(place, row) for place, row in enumerate(raw))
    if any(later.start_s <= step.start_s for step, later in pairwise(steps)):
        raise ContractError("schedule 'steps' are not in order of time")
    after = AfterPlan(_choice(body, "after", [choice.value for choice in AfterPlan]))
    device = checked_name(_text(body, "dev"), "schedule 'dev'")
    return Schedule(device, _positive(body, "cmd_seq"), _text(body, "plan"), steps, after)


def encode_response(response: Response) -> bytes:
    """Return the payload of a response."""
    return _plain(
        {
            "v": VERSION,
            "dev": response.device,
            "cmd_seq": response.command,
            "outcome": response.outcome.value,
            "reason": response.reason,
            "t": response.at_s,
            "setpoint_w": response.setpoint_w,
        }
    )


def decode_response(payload: bytes) -> Response:
    """Return the response of a payload."""
    body = _unpacked(payload)
    setpoint = body.get("setpoint_w")
    return Response(
        checked_name(_text(body, "dev"), "response 'dev'"),
        _integer(body, "cmd_seq"),
        Outcome(_choice(body, "outcome", [outcome.value for outcome in Outcome])),
        _text(body, "reason"),
        _integer(body, "t"),
        None if setpoint is None else _integer(body, "setpoint_w"),
    )


def encode_state(state: GatewayState) -> bytes:
    """Return the payload of a gateway's state."""
    return _plain(
        {
            "v": VERSION,
            "epoch": state.epoch,
            "online": state.online,
            "version": state.version,
            "t": state.at_s,
            "unacknowledged": state.unacknowledged,
            "details": dict(state.details),
        }
    )


def decode_state(payload: bytes) -> GatewayState:
    """Return the gateway's state of a payload."""
    body = _unpacked(payload)
    details = body.get("details")
    if not isinstance(details, dict):
        raise ContractError("state 'details' must be an object")
    return GatewayState(
        _text(body, "epoch"),
        body.get("online") is True,
        _text(body, "version"),
        _integer(body, "t"),
        _integer(body, "unacknowledged", default=0),
        {name: value for name, value in details.items() if isinstance(value, int)},
    )


def _step(place: int, row: Json) -> Step:
    if not isinstance(row, list) or len(row) != 3:
        raise ContractError(f"schedule 'steps[{place}]' must be [start, watts, lease seconds]")
    start_s, power_w, lease_s = (_whole(value, f"schedule 'steps[{place}]'") for value in row)
    if not 0 < lease_s <= MAX_LEASE_S:
        raise ContractError(
            f"schedule 'steps[{place}]' asks a lease of {lease_s} s: 1 to {MAX_LEASE_S} is allowed"
        )
    return Step(start_s, power_w, lease_s)


def _plain(body: Mapping[str, Json]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _packed(body: Mapping[str, Json]) -> bytes:
    plain = _plain(body)
    if len(plain) <= _DEFLATE_ABOVE_BYTES:
        return plain
    return _DEFLATED + zlib.compress(plain, 6)


def _unpacked(payload: bytes) -> dict[str, Json]:
    """Return the JSON object of a payload, whatever its size claims to be."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ContractError(f"payload of {len(payload)} bytes: at most {MAX_PAYLOAD_BYTES}")
    try:
        if payload[:1] == _DEFLATED:
            inflater = zlib.decompressobj()
            payload = inflater.decompress(payload[1:], MAX_JSON_BYTES)
            if inflater.unconsumed_tail or not inflater.eof:
                raise ContractError(f"payload inflates past {MAX_JSON_BYTES} bytes or is cut off")
        body = json.loads(payload)
    except (ValueError, zlib.error, RecursionError) as error:
        raise ContractError(f"payload is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise ContractError("payload is no JSON object")
    if body.get("v") != VERSION:
        raise ContractError(f"payload version {body.get('v')!r}: {VERSION} is known here")
    return body


def _differences(column: Column) -> list[Json]:
    """Return a column as its first value and the difference from row to row."""
    told: list[Json] = []
    before = 0
    for value in column:
        if value is None:
            told.append(None)
        else:
            told.append(value - before)
            before = value
    return told


def _sums(name: str, column: Json) -> Column:
    if not isinstance(column, list) or len(column) > MAX_ROWS:
        raise ContractError(f"block {name!r} must be a list of at most {MAX_ROWS} numbers")
    told: list[int | None] = []
    total = 0
    for value in column:
        if value is None:
            told.append(None)
            continue
        if type(value) is not int:
            raise ContractError(f"block {name!r} holds {value!r}: whole numbers only")
        total += value
        if not -_MAX_INTEGER <= total <= _MAX_INTEGER:
            raise ContractError(f"block {name!r} leaves the range of whole numbers")
        told.append(total)
    return tuple(told)


def _whole(value: Json, name: str) -> int:
    if type(value) is not int or not -_MAX_INTEGER <= value <= _MAX_INTEGER:
        raise ContractError(f"{name} must be a whole number, not {value!r}")
    return value


def _integer(body: Mapping[str, Json], name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    return _whole(value, repr(name))


def _positive(body: Mapping[str, Json], name: str) -> int:
    value = _integer(body, name)
    if value < 1:
        raise ContractError(f"{name!r} must be 1 or more, not {value}")
    return value


def _text(body: Mapping[str, Json], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > 200:
        raise ContractError(f"{name!r} must be a text of at most 200 characters")
    return value


def _choice(body: Mapping[str, Json], name: str, choices: list[str]) -> str:
    value = _text(body, name)
    if value not in choices:
        raise ContractError(f"{name!r} is {value!r}: one of {', '.join(choices)} is known here")
    return value
