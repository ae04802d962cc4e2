"""The bytes of a block in the outbox: written, checked, renamed, and made shorter."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import replace

from gateway.keep.blocks import Draft
from gateway.keep.thinning import thinned
from kwartier.errors import ContractError
from kwartier.identity import DeviceId, GatewayId
from kwartier.wire import MAX_PAYLOAD_BYTES, block_of, decode_block, encode_block

_log = logging.getLogger(__name__)

_DAMAGED = b"!"


def payloads_of(
    draft: Draft, gateway: GatewayId, epoch: str, seq: int
) -> Iterator[tuple[DeviceId, bytes]]:
    """Yield the payload of a draft, or of its halves where one would be too large."""
    readings = list(draft.readings)
    block = block_of(readings, gateway, epoch, seq, draft.crc_failures)
    payload = encode_block(block)
    if len(payload) <= MAX_PAYLOAD_BYTES or len(readings) == 1:
        yield block.device, payload
        return
    middle = len(readings) // 2
    for part in (
        Draft(tuple(readings[:middle]), draft.crc_failures),
        Draft(tuple(readings[middle:])),
    ):
        for piece in payloads_of(part, gateway, epoch, seq):
            yield piece
            seq += 1


def whole(payload: bytes, crc: int) -> bytes:
    """Return a payload as written, or marked so that nobody takes it for readings.

    The collector sets a marked one aside with its bytes, and it counts as delivered.
    """
    if zlib.crc32(payload) == crc or payload.startswith(_DAMAGED):
        return payload
    _log.error("a block in the outbox has changed on the disk: it is sent for the record only")
    return (_DAMAGED + payload)[:MAX_PAYLOAD_BYTES]


def renamed(payload: bytes, epoch: str, seq: int) -> bytes:
    """Return a payload under another number; one that cannot be read stays as it is."""
    try:
        return encode_block(replace(decode_block(payload), epoch=epoch, seq=seq))
    except ContractError:
        return payload


def with_less_detail(payload: bytes, step_s: int) -> bytes:
    """Return a payload with a reading each ``step_s`` seconds; one that cannot be read as it is."""
    try:
        return min(payload, encode_block(thinned(decode_block(payload), step_s)), key=len)
    except ContractError:
        return payload
