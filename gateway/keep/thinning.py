"""Detail given up when the outbox is full: one second, then ten, then a minute, then a quarter.

The register at a quarter-hour is never given up, nor is a block or its number.
"""

from __future__ import annotations

from dataclasses import replace

from kwartier.interval import QUARTER_S
from kwartier.wire import Block

STEPS_S = (10, 60, QUARTER_S)
"""The distance between readings that are kept [s], in order of sacrifice."""


def thinned(block: Block, step_s: int) -> Block:
    """Return a block with its last reading and the first of each step of ``step_s`` seconds.

    The step divides a quarter-hour, so the first reading of each quarter stays, and with it the
    register on which the quarter is settled; the last stays because the next block may start late.
    """
    assert QUARTER_S % step_s == 0, step_s
    last = len(block.at_s) - 1
    rows = [
        row
        for row, at_s in enumerate(block.at_s)
        if row in {0, last} or at_s // step_s != block.at_s[row - 1] // step_s
    ]
    return replace(
        block,
        at_s=tuple(block.at_s[row] for row in rows),
        columns={
            name: tuple(column[row] for row in rows) for name, column in block.columns.items()
        },
    )
