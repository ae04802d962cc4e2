"""Whole units out of exact amounts: floors, and the rest to the largest remainders."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from optimizer.settling.filling import Exact

Name = TypeVar("Name", str, int, tuple[str, str])
"""Whose amount: a connection or member, a connection with its member, or the place of a line."""


class Tie(StrEnum):
    """Who comes first among equal remainders."""

    ID = "id"
    """Ids in ascending order, always."""
    ROTATE = "rotate"
    """The same order, begun one place later with every quarter."""


def tie_order(names: Iterable[Name], tie: Tie, quarter_number: int) -> list[Name]:
    """Return who comes first among equals in one quarter; everybody takes part.

    Args:
        names: The connections.
        tie: The rule.
        quarter_number: Quarters since 1970-01-01T00:00Z.
    """
    order = sorted(names)
    if tie is Tie.ROTATE and order:
        first = quarter_number % len(order)
        return order[first:] + order[:first]
    return order


def whole_amounts(
    exact: Mapping[Name, Exact], order: Sequence[Name], *, total: int | None = None
) -> dict[Name, int]:
    """Return whole amounts that add up: floors, plus one each for the largest remainders.

    Floors go toward minus infinity, so amounts below zero round by the same rule. A whole
    amount stays what it is.

    Args:
        exact: The amounts; of either sign.
        order: Every name, the first among equals first.
        total: What they must add up to, at most half a unit from their sum; the floor of
            their sum when it is None.

    Source:
        Conventions C9 and C12 of docs/settlement.md.
    """
    scale = math.lcm(*(amount.denominator for amount in exact.values()))
    floors: dict[Name, int] = {}
    remainders: dict[Name, int] = {}
    for name in order:
        amount = exact[name]
        floors[name], remainders[name] = divmod(
            amount.numerator * (scale // amount.denominator), scale
        )
    spare = sum(remainders.values()) // scale
    if total is not None:
        spare = total - sum(floors.values())
    assert 0 <= spare <= len(floors), (spare, total)
    # The sort is stable, so equal remainders stay in the order of the tie.
    for name in sorted(order, key=remainders.__getitem__, reverse=True)[:spare]:
        floors[name] += 1
    return floors


def half_away_from_zero(amount: Exact) -> int:
    """Return the nearest whole number; a half goes away from zero."""
    size = (2 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator)
    return size if amount.numerator >= 0 else -size
