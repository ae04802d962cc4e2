"""Whole watt-hours of many quarters at once: floors, and the rest to the largest remainders."""

from __future__ import annotations

import numpy as np

from optimizer.settling.matrix import Flags, WhArray
from optimizer.settling.matrix_filling import Shares
from optimizer.settling.rounding import Tie


def whole_rows(shares: Shares, takes_part: Flags, tie: Tie, numbers: WhArray) -> WhArray:
    """Return whole watt-hours that add up to the floor of each quarter's total, ``(Q, N)``.

    Args:
        shares: The exact amounts; zero for whoever takes no part.
        takes_part: Among whom ties take turns, ``(Q, N)``; columns in order of id.
        tie: Who comes first among equal remainders.
        numbers: Quarters since 1970-01-01T00:00Z, ``(Q,)``.

    Source:
        Convention C9 of docs/settlement.md; as :func:`optimizer.settling.rounding.whole_amounts`.
    """
    floors, remainders = np.divmod(shares.numerator, shares.denominator[:, None])
    spare = shares.total // shares.unit - floors.sum(axis=1)
    rows = np.flatnonzero(spare)
    if rows.size:
        turn = _turns(takes_part[rows], tie, numbers[rows])
        floors[rows] += _largest(remainders[rows], spare[rows], turn)
    return floors


def _largest(remainders: WhArray, spare: WhArray, turn: WhArray) -> Flags:
    """Return who has one of the ``spare`` largest remainders of its row."""
    columns = remainders.shape[1]
    last = np.sort(remainders, axis=1)[np.arange(len(spare)), columns - spare]
    above: Flags = remainders > last[:, None]
    equal: Flags = remainders == last[:, None]
    left = spare - above.sum(axis=1)
    waiting = equal.sum(axis=1)
    tied = np.flatnonzero(waiting > left)
    # Who has to wait is decided only where more are equal than there is to give.
    if tied.size:
        places = np.where(equal[tied], turn[tied], columns)
        latest = np.sort(places, axis=1)[np.arange(len(tied)), left[tied] - 1]
        equal[tied] &= places <= latest[:, None]
    return above | equal


def _turns(takes_part: Flags, tie: Tie, numbers: WhArray) -> WhArray:
    """Return each participant's place in the order of its quarter, from 0."""
    turn = takes_part.cumsum(axis=1) - 1
    if tie is Tie.ROTATE:
        count = np.maximum(takes_part.sum(axis=1), 1)
        turn = (turn - (numbers % count)[:, None]) % count[:, None]
    return turn
