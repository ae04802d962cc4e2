"""Blocks as they may be told to InfluxDB: as the record holds them, and no older than it keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from collectors.store import DeviceKey
from kwartier.series import SERIES
from kwartier.units import EpochS
from kwartier.wire import Block, Column


class KeptPoints(Protocol):
    """Tells what the record holds of a series."""

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)``."""


def as_kept(block: Block, record: KeptPoints) -> Block:
    """Return a block whose values are those that the record holds of the same instants.

    What the record no longer holds, because single readings are kept for a while only, stays as
    it came. Where two meters told the same instant, what came stays where it is one of theirs.
    """
    key = DeviceKey(block.gateway, block.device)
    start_s, end_s = min(block.at_s), max(block.at_s) + 1
    columns: dict[str, Column] = {}
    for name, column in block.columns.items():
        if name not in SERIES:
            continue
        held: dict[EpochS, list[int]] = {}
        for at_s, value in record.points(key, name, start_s, end_s):
            held.setdefault(at_s, []).append(value)
        columns[name] = tuple(
            came if came is None or came in held.get(at_s, [came]) else held[at_s][0]
            for at_s, came in zip(block.at_s, column, strict=True)
        )
    return replace(block, columns=columns)


def still_kept(block: Block, since_s: EpochS) -> Block | None:
    """Return the rows of a block from an instant on, or None when there are none."""
    if min(block.at_s) >= since_s:
        return block
    rows = [row for row, at_s in enumerate(block.at_s) if at_s >= since_s]
    if not rows:
        return None
    return replace(
        block,
        at_s=tuple(block.at_s[row] for row in rows),
        columns={
            name: tuple(column[row] for row in rows) for name, column in block.columns.items()
        },
    )
