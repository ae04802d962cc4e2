"""Blocks for the tests of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.store import DeviceKey, Store
from kwartier.reading import ClockSource
from kwartier.wire import Block, encode_block

NOON_S = 1_751_364_000
"""2025-07-01T10:00:00Z, noon in Amsterdam; the start of a quarter and of an hour."""
HOME = DeviceKey("gw-1", "p1")
RECEIVED_S = NOON_S + 86_400


def block(
    seq: int,
    at_s: Sequence[int],
    columns: Mapping[str, Sequence[int | None]],
    *,
    key: DeviceKey = HOME,
    meter: str = "E0001",
    epoch: str = "one",
    clock: ClockSource = ClockSource.METER,
) -> Block:
    """Return a block of one device."""
    told = {name: tuple(column) for name, column in columns.items()}
    return Block(key.gateway, epoch, seq, key.device, meter, clock, tuple(at_s), told)


def registers(
    seq: int, *points: tuple[int, int], meter: str = "E0001", epoch: str = "one"
) -> Block:
    """Return a block of import registers at seconds after noon."""
    at_s = [NOON_S + after_s for after_s, _ in points]
    return block(seq, at_s, {"import_wh": [wh for _, wh in points]}, meter=meter, epoch=epoch)


def take_in(store: Store, *blocks: Block) -> None:
    """Take blocks in, in one transaction, as the collector does."""
    with store.intake() as intake:
        for one in blocks:
            intake.add(one, encode_block(one), RECEIVED_S)
            if one.seq == intake.watermark(one.gateway, one.epoch) + 1:
                intake.advance(one.gateway, one.epoch, one.seq)
