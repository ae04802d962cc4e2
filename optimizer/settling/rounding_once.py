"""Whole watt-hours out of a period's sums, which are known within bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from optimizer.settling.filling import Exact
from optimizer.settling.long_sums import PLACES, FractionSums

AskExactly: TypeAlias = Callable[[Collection[int]], Mapping[int, Exact]]
"""Returns the exact sums at some places."""

_ONE = 1 << PLACES


def rounded_once(sums: FractionSums, order: Sequence[int], ask: AskExactly) -> dict[int, int]:
    """Return whole amounts that add up to the floor of the total, by place.

    Args:
        sums: The amounts.
        order: The places that take part, the first among equals first.
        ask: Gives the exact sum where the bounds of the sums leave more than one answer.

    Source:
        Convention C9 of docs/settlement.md; as :func:`optimizer.settling.rounding.whole_amounts`.
    """
    bounds = dict(enumerate(sums.bounds()))
    exact: dict[int, Exact] = {}

    def learn(places: Collection[int]) -> None:
        exact.update(ask(places) if places else {})
        for place in places:
            scaled = exact[place] * _ONE
            bounds[place] = math.floor(scaled), int(scaled.denominator > 1)

    learn([place for place in order if _floor_is_open(*bounds[place])])
    whole = {place: bounds[place][0] // _ONE for place in order}
    spare = math.floor(sums.total()) - sum(whole.values())
    assert 0 <= spare <= len(whole), spare
    low = {place: bounds[place][0] % _ONE for place in order}
    high = {place: low[place] + bounds[place][1] for place in order}
    # The sort is stable, so equal remainders stay in the order of the tie.
    ranked = sorted(order, key=low.__getitem__, reverse=True)
    first, others = ranked[:spare], ranked[spare:]
    if first and others:
        least = low[first[-1]]
        most = max(high[place] for place in others)
        close = {place for place in order if high[place] >= least and low[place] <= most}
        # Equal bounds leave no doubt: both are exact, or the lower one's sum is lower.
        if most > least:
            learn([place for place in order if place in close and place not in exact])
            sure = [place for place in first if place not in close]
            contest = [place for place in order if place in close]
            contest.sort(key=lambda place: exact[place] - whole[place], reverse=True)
            first = [*sure, *contest[: spare - len(sure)]]
    for place in first:
        whole[place] += 1
    return whole


def _floor_is_open(low: int, cut: int) -> bool:
    """Return whether amounts between the bounds have different floors."""
    return low // _ONE != (low + max(cut - 1, 0)) // _ONE
