"""Progressive filling: everybody rises with the same level until full, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

Exact: TypeAlias = int | Fraction
"""An amount without error; never divide two of them with ``/``, which makes floats of ints."""
Amounts: TypeAlias = Mapping[str, Exact]
"""An amount by connection."""


def fill(amount: Exact, weights: Amounts, caps: Amounts) -> dict[str, Exact]:
    """Return ``min(cap, level * weight)`` with the one level that spends the amount.

    Where the caps together are less than the amount, everybody is at the cap. Weight zero
    receives nothing.

    Args:
        amount: What there is to give [Wh].
        weights: How fast each one rises, none below zero.
        caps: Where each one is full [Wh], none below zero; for every name in ``weights``.

    Returns:
        What each name in ``weights`` receives [Wh].

    Source:
        Convention C8 of docs/settlement.md.
    """
    given: dict[str, Exact] = dict.fromkeys(weights, 0)
    rising = {name: weight for name, weight in weights.items() if weight and caps[name]}
    rest = amount
    while rising and rest > 0:
        total = sum(rising.values())
        full = [name for name, weight in rising.items() if caps[name] * total <= rest * weight]
        if not full:
            # Nobody is stopped any more: the level is the rest over the weights still rising.
            for name, weight in rising.items():
                given[name] = Fraction(rest * weight, total)
            break
        for name in full:
            given[name] = caps[name]
            rest -= caps[name]
            del rising[name]
    return given


def exact_sum(amounts: Sequence[Exact]) -> Exact:
    """Return the sum, halves first: the long denominators of many fractions meet only once."""
    if len(amounts) <= 2:
        return sum(amounts)
    middle = len(amounts) // 2
    return exact_sum(amounts[:middle]) + exact_sum(amounts[middle:])
