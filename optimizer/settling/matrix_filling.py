"""Progressive filling of many quarters at once, exact in whole numbers.

Every array has a row for each quarter and a column for each connection, ``(Q, N)``; an array of
one value a quarter is ``(Q,)``. Products fit 64 bits because the caller refused quarters in which
they might not: see :mod:`optimizer.settling.quarter_block`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.settling.matrix import Flags, WhArray


@dataclass(frozen=True, slots=True)
class Shares:
    """Exact amounts as fractions with one denominator a quarter.

    Attributes:
        numerator: What each connection gets, over ``denominator``, ``(Q, N)``.
        denominator: ``(Q,)`` [1/Wh], above zero.
        total: What a quarter's connections get together, over ``unit``, ``(Q,)``.
        unit: ``(Q,)`` [1/Wh], above zero; divides the denominator.
    """

    numerator: WhArray
    denominator: WhArray
    total: WhArray
    unit: WhArray

    @classmethod
    def nothing(cls, quarters: int, connections: int) -> Shares:
        """Return the shares of quarters in which nobody gets anything."""
        one, zero = np.ones(quarters, np.int64), np.zeros(quarters, np.int64)
        return cls(np.zeros((quarters, connections), np.int64), one, zero, one)


def fill_rows(amount: WhArray, weights: WhArray, caps: WhArray, unit: WhArray) -> Shares:
    """Return ``min(cap, level * weight)`` with the level of each quarter that spends its amount.

    Args:
        amount: What there is to give in each quarter, over ``unit``, ``(Q,)``.
        weights: How fast each connection rises, ``(Q, N)``.
        caps: Where each connection is full, over ``unit``, ``(Q, N)``.
        unit: What amounts and caps are counted in, ``(Q,)`` [1/Wh].

    Source:
        Convention C8 of docs/settlement.md; the same steps as
        :func:`optimizer.settling.filling.fill`.
    """
    able = (weights > 0) & (caps > 0)
    rising = able.copy()
    rest, level = amount.copy(), row_sums(weights, rising)
    open_rows = np.arange(len(amount))
    while open_rows.size:
        cap, weight = caps[open_rows], weights[open_rows]
        reached = cap * level[open_rows, None] <= rest[open_rows, None] * weight
        full = rising[open_rows] & reached
        # A quarter in which nobody became full has found its level and is done.
        moved = full.any(axis=1)
        open_rows, full = open_rows[moved], full[moved]
        rest[open_rows] -= row_sums(cap[moved], full)
        level[open_rows] -= row_sums(weight[moved], full)
        rising[open_rows] &= ~full
    divisor = np.where(level > 0, level, 1)
    numerator = np.where(
        rising, rest[:, None] * weights, caps * divisor[:, None] * (able & ~rising)
    )
    total = np.where(level > 0, amount, amount - rest)
    return Shares(numerator, divisor * unit, total, unit)


def fixed_rows(parts: WhArray, whole: int, supply: WhArray, caps: WhArray) -> Shares:
    """Return fixed parts of each quarter's supply, each up to its cap.

    Args:
        parts: Each connection's part, over ``whole``, ``(N,)``.
        whole: What the parts are parts of.
        supply: What there is to share, ``(Q,)`` [Wh].
        caps: The most that each may receive, ``(Q, N)`` [Wh].

    Source:
        Section 3.4 of docs/settlement.md.
    """
    numerator = np.minimum(caps * whole, parts * supply[:, None])
    denominator = np.full(len(supply), whole, np.int64)
    return Shares(numerator, denominator, numerator.sum(axis=1), denominator)


def row_sums(values: WhArray, chosen: Flags) -> WhArray:
    """Return each row's sum of the values that are chosen."""
    sums: WhArray = (values * chosen).sum(axis=1)
    return sums
