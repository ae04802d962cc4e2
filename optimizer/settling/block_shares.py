"""Some quarters shared out side by side and left unrounded, to be rounded once per period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from optimizer.balance import SelfRule
from optimizer.settlement import Rules, settle_quarter, shared_out
from optimizer.settling.filling import Amounts
from optimizer.settling.matrix import Flags, WhArray
from optimizer.settling.matrix_filling import Shares
from optimizer.settling.matrix_keys import ArrayKey, Pots, array_key
from optimizer.settling.quarter_block import Block, in_reach, pots_of, whose_export


@dataclass(frozen=True, slots=True)
class BlockShares:
    """A block shared out exactly.

    Attributes:
        rows: The quarters, as rows of the block, that were reckoned in arrays, ``(R,)``.
        bought: What each connection received in those, ``(R, N)``.
        sold: How much of its export neighbours used in those, ``(R, N)``.
        exact: Both for every other row, by connection [Wh].
    """

    rows: WhArray
    bought: Shares
    sold: Shares
    exact: Mapping[int, tuple[Amounts, Amounts]]


def share_block(block: Block, rules: Rules) -> BlockShares:
    """Share a block's quarters out without rounding.

    Source:
        Conventions C3 to C11 of docs/settlement.md, with rounding = period of C9.
    """
    key = array_key(rules.key, block.names)
    reach = in_reach(block, key, rules)
    near, far = np.flatnonzero(reach), np.flatnonzero(~reach)
    nothing = Shares.nothing(len(near), len(block.names))
    bought, sold = nothing, nothing
    if key is not None:
        bought, sold = _in_arrays(block.rows(near), key, rules.self_rule)
    return BlockShares(
        near, bought, sold, {row: _exactly(block, row, rules) for row in far.tolist()}
    )


def _in_arrays(block: Block, key: ArrayKey, self_rule: SelfRule) -> tuple[Shares, Shares]:
    pots = pots_of(block, self_rule)
    bought = key.share(pots)
    torn = _torn(pots, bought, self_rule)
    unit = np.where(torn, bought.denominator, 1)
    # Only parts that are left unused tear, and for the denominator of those there is room.
    assert (unit <= key.reach).all()
    finer = bought.denominator // bought.unit
    total = np.where(torn, bought.total * finer, bought.total // bought.unit)
    received = np.where(torn[:, None], bought.numerator, 0)
    return bought, whose_export(pots, received, total, unit, self_rule)


def _torn(pots: Pots, bought: Shares, self_rule: SelfRule) -> Flags:
    """Return in which quarters a part of a watt-hour bears on whose export is shared.

    It does where the total has a fraction, or where somebody's export is capped by a total less
    an own share that has one. Elsewhere every cap is whole.
    """
    torn: Flags = bought.total % bought.unit > 0
    if self_rule is not SelfRule.POOL:
        room = (bought.total // bought.unit)[:, None] - pots.exports
        capped = room * bought.denominator[:, None] < bought.numerator
        torn |= ((pots.exports > 0) & (bought.numerator > 0) & capped).any(axis=1)
    return torn


def _exactly(block: Block, row: int, rules: Rules) -> tuple[Amounts, Amounts]:
    settled = settle_quarter(block.readings(row), rules)
    return settled.exact, shared_out(settled.balance, settled.exact, rules)
