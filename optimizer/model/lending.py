"""Who in a group used more than its share of the contract, and whose room that was.

Each member brought part of the import limit. In a step in which one takes more than its share,
members that take less have room over; the group's limit only asks for the sum. What is over is
lent by all who have room, in proportion to it, and borrowed by all who are over, in proportion to
that. What no member has room for was carried by the group's batteries, or is over the limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.model.neighbourhood import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Lending:
    """What M members lent each other.

    Attributes:
        over_kw: What each took beyond its share, shape ``(M, T)`` [kW].
        borrowed_kw: The part of that which others had room for, shape ``(M, T)`` [kW].
        lent_kw: Room that each gave to others, shape ``(M, T)`` [kW].
        between_kwh: From the member of the row to that of the column, shape ``(M, M)`` [kWh].
    """

    over_kw: FloatArray
    borrowed_kw: FloatArray
    lent_kw: FloatArray
    between_kwh: FloatArray


def lending_of(taken_kw: FloatArray, share_kw: FloatArray, step_h: FloatArray) -> Lending:
    """Return who lent what to whom.

    Args:
        taken_kw: What each member takes, negative where it gives, shape ``(M, T)`` [kW].
        share_kw: What each brought, shape ``(M,)`` [kW].
        step_h: Length of each step, shape ``(T,)`` [h].
    """
    use = np.maximum(taken_kw, 0.0)
    over = np.maximum(use - share_kw[:, None], 0.0)
    room = np.maximum(share_kw[:, None] - use, 0.0)
    moved = np.minimum(over.sum(axis=0), room.sum(axis=0))
    borrowed, lent = over * _part(moved, over), room * _part(moved, room)
    each = step_h * np.divide(1.0, moved, out=np.zeros_like(moved), where=moved > 0)
    return Lending(over, borrowed, lent, (lent * each) @ borrowed.T)


def _part(moved: FloatArray, powers: FloatArray) -> FloatArray:
    whole: FloatArray = powers.sum(axis=0)
    return np.divide(moved, whole, out=np.zeros_like(moved), where=whole > 0)
