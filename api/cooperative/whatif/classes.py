"""Effects in bars for a drawing, and in classes so large that nobody is found in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_MEMBERS = 5
"""A class that residents see holds at least so many members."""
MOST_BARS = 14
"""About how many bars a drawing has on both sides of nothing."""
_STEPS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many members have an effect of a size.

    Attributes:
        low: Where it begins [cents]; for those who pay more this itself is not in it.
        high: Where it ends [cents]; for those who pay less this itself is not in it.
        members: How many.
    """

    low: int
    high: int
    members: int


@dataclass(frozen=True, slots=True)
class Group:
    """Members with effects of about a size.

    Attributes:
        low: Where it begins [cents]; None where it has no end on that side.
        high: Where it ends [cents]; None likewise.
        members: How many; never fewer than five.
    """

    low: int | None
    high: int | None
    members: int


def bars_of(differences: Sequence[int]) -> list[Bar]:
    """Return bars of one width in whole euros, from the lowest effect to the highest.

    Who has no effect at all stands in a bar of its own from 0 to 0.
    """
    if not differences:
        return []
    step = _step(differences)
    counts: dict[int, int] = {}
    for each in differences:
        place = (each > 0) * -(-each // step) - (each < 0) * -(each // step)
        counts[place] = counts.get(place, 0) + 1
    places = range(min(counts), max(counts) + 1)
    return [_bar(place, step, counts.get(place, 0)) for place in places if place or counts.get(0)]


def groups_of(differences: Sequence[int]) -> list[Group]:
    """Return classes of at least five members; none at all where there are fewer than five.

    The first and the last are open: their ends would tell the effect of one home.
    """
    if len(differences) < LEAST_MEMBERS:
        return []
    groups: list[tuple[int, int, int]] = []
    low, members = None, 0
    for bar in bars_of(differences):
        low = bar.low if low is None else low
        members += bar.members
        if members >= LEAST_MEMBERS:
            groups.append((low, bar.high, members))
            low, members = None, 0
    if members:
        first, _, before = groups.pop()
        groups.append((first, max(differences), before + members))
    last = len(groups) - 1
    return [
        Group(None if place == 0 else low, None if place == last else high, members)
        for place, (low, high, members) in enumerate(groups)
    ]


def _step(differences: Sequence[int]) -> int:
    reach = max(differences) - min(differences)
    widest = max(reach, *(abs(each) for each in differences)) if len(differences) > 1 else reach
    for step in _STEPS:
        if widest <= step * MOST_BARS:
            return step
    return -(-widest // (MOST_BARS * 100_000)) * 100_000


def _bar(place: int, step: int, members: int) -> Bar:
    if place == 0:
        return Bar(0, 0, members)
    if place > 0:
        return Bar((place - 1) * step, place * step, members)
    return Bar(place * step, (place + 1) * step, members)
