"""Topics and payloads: how words travel between gateway and collector, version 1.

A block is the unit that is never lost: up to some hundreds of readings of one device, as columns
of differences, in JSON, deflated when that helps. docs/asyncapi.yaml describes every topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from operator import ge

from kwartier.errors import ContractError
from kwartier.identity import CoopId, DeviceId, GatewayId, MeterId, checked_name
from kwartier.packing import (
    LAST_INSTANT_S,
    VERSION,
    choice,
    differences,
    instant,
    integer,
    is_complete,
    packed,
    plain,
    positive,
    series_name,
    sums,
    text,
    unpacked,
    whole,
)
from kwartier.packing import MAX_PAYLOAD_BYTES as MAX_PAYLOAD_BYTES  # noqa: PLC0414 - also a word of the wire
from kwartier.packing import Column as Column  # noqa: PLC0414 - also a word of the wire
from kwartier.packing import Json as Json  # noqa: PLC0414 - also a word of the wire
from kwartier.reading import ClockSource, Reading
from kwartier.units import EpochS

ROOT = f"nec/v{VERSION}"
MAX_ROWS = 3600
MAX_COLUMNS = 64


class Lane(StrEnum):
    """The last part of a topic: what travels there and who sends it."""

    BLOCK = "blk"
    LIVE = "live"
    STATE = "state"
    EVENT = "evt"
    EVENT_ACK = "evt-ack"
    COMMAND = "cmd"
    RESPONSE = "rsp"
    ACK = "ack"
    MOMENT = "moment"
    WIZARD = "wizard"
    PRESS = "press"
    PRESSED = "pressed"
    CONFIG_DESIRED = "cfg/desired"
    CONFIG_REPORTED = "cfg/reported"


EVERYBODY: GatewayId = "wijk"
"""Stands where a gateway stands, in what the server says to the whole neighbourhood."""
_LANES = {lane.value: lane for lane in Lane}
_CLOCKS = {clock.value: clock for clock in ClockSource}


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
    return packed(
        {
            "v": VERSION,
            "gw": block.gateway,
            "epoch": block.epoch,
            "seq": block.seq,
            "dev": block.device,
            "meter": block.meter,
            "clk": block.clock.value,
            "t": differences(block.at_s),
            "cols": {name: differences(column) for name, column in block.columns.items()},
            "crc_fail": block.crc_failures,
        }
    )


def decode_block(payload: bytes) -> Block:
    """Return the block of a payload; ``decode(encode(block)) == block``.

    Raises:
        ContractError: It is too large, no JSON, of another version, or a part is wrong.
    """
    body = unpacked(payload)
    at_s = _rising(sums("t", body.get("t"), MAX_ROWS))
    raw = body.get("cols")
    if not isinstance(raw, dict) or len(raw) > MAX_COLUMNS:
        raise ContractError(f"block 'cols' must be an object of at most {MAX_COLUMNS} columns")
    columns = {
        series_name(name): sums(f"cols.{name}", column, MAX_ROWS) for name, column in raw.items()
    }
    for name, column in columns.items():
        if len(column) != len(at_s):
            raise ContractError(
                f"block 'cols.{name}' has {len(column)} rows where 't' has {len(at_s)}"
            )
    return Block(
        checked_name(text(body, "gw"), "block 'gw'"),
        text(body, "epoch"),
        positive(body, "seq"),
        checked_name(text(body, "dev"), "block 'dev'"),
        text(body, "meter"),
        _CLOCKS[choice(body, "clk", list(_CLOCKS))],
        at_s,
        columns,
        integer(body, "crc_fail", default=0),
    )


def _rising(at_s: Column) -> tuple[EpochS, ...]:
    """Return instants that rise from row to row, or refuse them."""
    if not at_s:
        raise ContractError(f"block 't' has 0 rows: 1 to {MAX_ROWS} are allowed")
    if not is_complete(at_s):
        raise ContractError("block 't' has a row without an instant")
    if at_s[0] < 0 or at_s[-1] > LAST_INSTANT_S or any(map(ge, at_s, at_s[1:])):
        raise ContractError("block 't' must rise from row to row, from 1970 to 9999")
    return at_s


def encode_ack(ack: Ack) -> bytes:
    """Return the payload of an acknowledgement."""
    return plain(
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
    body = unpacked(payload)
    upto, rate_per_s = integer(body, "upto"), integer(body, "rate_per_s", default=0)
    if upto < 0 or rate_per_s < 0:
        raise ContractError("ack 'upto' and 'rate_per_s' must be 0 or more")
    gap = body.get("gap") is True
    return Ack(text(body, "store_gen"), text(body, "epoch"), upto, gap, rate_per_s)


def encode_live(reading: Reading) -> bytes:
    """Return the payload of a live reading."""
    return plain(
        {
            "v": VERSION,
            "dev": reading.device,
            "t": reading.at_s,
            "values": dict(reading.values),
        }
    )


def decode_live(payload: bytes) -> Reading:
    """Return the reading of a live payload; it names no meter, so it feeds no register."""
    body = unpacked(payload)
    raw = body.get("values")
    if not isinstance(raw, dict) or len(raw) > MAX_COLUMNS:
        raise ContractError("live 'values' must be an object")
    values: dict[str, int] = {}
    for name, value in raw.items():
        values[series_name(name)] = whole(value, f"live 'values.{name}'")
    device = checked_name(text(body, "dev"), "live 'dev'")
    return Reading(device, "", instant(body, "t"), values, ClockSource.UNSURE)


def encode_state(state: GatewayState) -> bytes:
    """Return the payload of a gateway's state."""
    return plain(
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
    body = unpacked(payload)
    details = body.get("details")
    if not isinstance(details, dict):
        raise ContractError("state 'details' must be an object")
    return GatewayState(
        text(body, "epoch"),
        body.get("online") is True,
        text(body, "version"),
        instant(body, "t"),
        integer(body, "unacknowledged", default=0),
        {name: value for name, value in details.items() if type(value) is int},
    )
