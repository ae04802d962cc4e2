"""Some quarters side by side, settled in 64-bit whole numbers; exactly elsewhere.

The arrays have a row for each quarter and a column for each connection, ``(Q, N)``. Whatever could
leave 64 bits, and every key that has no reckoning in arrays, is the exact engine's
(:func:`optimizer.settlement.settle_quarter`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kwartier.interval import QUARTER_S, Quarter
from optimizer.balance import QuarterReadings, Registers, SelfRule
from optimizer.settlement import Rules, Source, settle_quarter
from optimizer.settling.matrix import Flags, WhArray
from optimizer.settling.matrix_filling import Shares, fill_rows
from optimizer.settling.matrix_keys import ArrayKey, Pots, array_key
from optimizer.settling.matrix_rounding import whole_rows

LIMIT = 2**62
"""No product or sum of a quarter that is reckoned in arrays reaches this."""

BLOCK_CELLS = 2**17
"""How many connection-quarters are reckoned at once; what they need is a few dozen MB."""


@dataclass(frozen=True, slots=True)
class Block:
    """What was read of some quarters, of those who take part; all else is zero.

    Attributes:
        numbers: Quarters since 1970-01-01T00:00Z, ``(Q,)``.
        names: The columns' connections, in ascending order.
        takes_part: ``(Q, N)``.
        taken: Import of each connection, ``(Q, N)`` [Wh].
        given: Export of each connection, ``(Q, N)`` [Wh].
        charge: What the battery took, ``(Q,)`` [Wh].
        discharge: What the battery gave, ``(Q,)`` [Wh].
        listed: Each quarter's columns in the order in which they were listed; None for ascending.
    """

    numbers: WhArray
    names: tuple[str, ...]
    takes_part: Flags
    taken: WhArray
    given: WhArray
    charge: WhArray
    discharge: WhArray
    listed: Sequence[WhArray] | None = None

    def rows(self, chosen: WhArray) -> Block:
        """Return some of the quarters."""
        listed = self.listed
        return Block(
            self.numbers[chosen],
            self.names,
            self.takes_part[chosen],
            self.taken[chosen],
            self.given[chosen],
            self.charge[chosen],
            self.discharge[chosen],
            None if listed is None else [listed[row] for row in chosen.tolist()],
        )

    def readings(self, row: int) -> QuarterReadings:
        """Return one quarter as the exact engine reads it."""
        columns = np.flatnonzero(self.takes_part[row])
        if self.listed is not None:
            listed = self.listed[row]
            columns = listed[self.takes_part[row, listed]]
        return QuarterReadings(
            Quarter(int(self.numbers[row]) * QUARTER_S),
            {
                self.names[column]: Registers(
                    int(self.taken[row, column]), int(self.given[row, column])
                )
                for column in columns.tolist()
            },
            Registers(int(self.charge[row]), int(self.discharge[row])),
        )


@dataclass(frozen=True, slots=True)
class BlockWh:
    """A block settled in whole watt-hours.

    Attributes:
        bought: What each connection received, ``(Q, N)`` [Wh].
        sold: How much of its export neighbours used, ``(Q, N)`` [Wh].
        left_over: How much of its export they did not, ``(Q, N)`` [Wh].
    """

    bought: WhArray
    sold: WhArray
    left_over: WhArray


def settle_block(block: Block, rules: Rules) -> BlockWh:
    """Settle a block's quarters, rounded per quarter.

    Source:
        Conventions C3 to C11 of docs/settlement.md.
    """
    key = array_key(rules.key, block.names)
    reach = in_reach(block, key, rules)
    bought, sold, left_over = (np.zeros(block.taken.shape, np.int64) for _ in range(3))
    rows = np.flatnonzero(reach)
    if key is not None and rows.size:
        near = _settle_in_arrays(block.rows(rows), key, rules)
        bought[rows], sold[rows], left_over[rows] = near.bought, near.sold, near.left_over
    for row in np.flatnonzero(~reach).tolist():
        exact = settle_quarter(block.readings(row), rules)
        for column in np.flatnonzero(block.takes_part[row]).tolist():
            name = block.names[column]
            bought[row, column] = exact.allocated_wh[name]
            sold[row, column] = exact.shared_out_wh[name]
            left_over[row, column] = exact.supplier_export_wh[name]
    return BlockWh(bought, sold, left_over)


def in_reach(block: Block, key: ArrayKey | None, rules: Rules) -> Flags:
    """Return the quarters that are reckoned in arrays, ``(Q,)``."""
    if key is None or rules.source is not Source.PROPORTIONAL:
        return np.zeros(len(block.numbers), np.bool_)
    return fits(block, key.reach)


def fits(block: Block, reach: int = 1) -> Flags:
    """Return the quarters of which every product and sum stays below the limit, ``(Q,)``.

    Args:
        block: The quarters.
        reach: By how much products exceed that of one register and the sum of all, at most.
    """
    most = np.maximum(block.charge, block.discharge)
    for energy_wh in (block.taken, block.given):
        most = np.maximum(most, energy_wh.max(axis=1, initial=0))
    # First the sum of all registers, then that sum times any one of them.
    summable = most <= LIMIT // (2 * len(block.names) + 2)
    together = block.taken.sum(axis=1) + block.given.sum(axis=1) + block.charge + block.discharge
    within: Flags = summable & (together <= LIMIT // reach // np.maximum(most, 1))
    return within


def pots_of(block: Block, self_rule: SelfRule) -> Pots:
    """Return supply, demand and caps of a block's quarters.

    Source:
        Conventions C3 to C5 of docs/settlement.md; as :func:`optimizer.balance.balance_of`.
    """
    imports, exports = block.taken, block.given
    if self_rule is SelfRule.NET:
        offset = np.minimum(imports, exports)
        imports, exports = imports - offset, exports - offset
    supply = exports.sum(axis=1) + block.discharge
    caps = imports
    if self_rule is not SelfRule.POOL:
        caps = np.minimum(imports, supply[:, None] - exports)
    return Pots(supply, imports, exports, np.where(block.takes_part, caps, 0))


def whose_export(
    pots: Pots, received: WhArray, total: WhArray, unit: WhArray, self_rule: SelfRule
) -> Shares:
    """Return whose export serves what was received; the battery does the rest.

    Args:
        pots: Supply and caps.
        received: What each connection received, over ``unit``, ``(Q, N)``.
        total: What all of them received, over ``unit``, ``(Q,)``.
        unit: ``(Q,)`` [1/Wh].
        self_rule: Whether one may be served by itself.

    Source:
        Convention C10 of docs/settlement.md; as :func:`optimizer.settlement.shared_out`.
    """
    caps = pots.exports * unit[:, None]
    if self_rule is not SelfRule.POOL:
        caps = np.minimum(caps, total[:, None] - received)
    return fill_rows(total, pots.exports, caps, unit)


def _settle_in_arrays(block: Block, key: ArrayKey, rules: Rules) -> BlockWh:
    pots = pots_of(block, rules.self_rule)
    bought = whole_rows(key.share(pots), block.takes_part, rules.tie, block.numbers)
    one = np.ones_like(block.numbers)
    shared_out = whose_export(pots, bought, bought.sum(axis=1), one, rules.self_rule)
    sold = whole_rows(shared_out, block.takes_part, rules.tie, block.numbers)
    return BlockWh(bought, sold, pots.exports - sold)
