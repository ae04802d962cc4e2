"""The same reckoning by another road: slow, plain, and sharing no code with the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

Numbers = Mapping[str, int | Fraction]


def searched_fill(amount: int | Fraction, weights: Numbers, caps: Numbers) -> dict[str, Fraction]:
    """Return the progressive filling by a search: between which two breaks is the level?"""

    def at(level: Fraction) -> dict[str, Fraction]:
        return {
            name: min(Fraction(caps[name]), level * weight) if weight else Fraction(0)
            for name, weight in weights.items()
        }

    breaks = sorted({Fraction(caps[name]) / weight for name, weight in weights.items() if weight})
    low = Fraction(0)
    for high in breaks:
        spent, more = sum(at(low).values()), sum(at(high).values())
        if more > amount:
            return at(low + (high - low) * (amount - spent) / (more - spent))
        low = high
    return at(low)


def rounded(exact: Numbers, order: Sequence[str]) -> dict[str, int]:
    """Return floors, and one more for the largest remainder until the floor of the sum is out."""
    whole = {name: int(amount // 1) for name, amount in exact.items()}
    waiting = list(order)
    while sum(whole.values()) < sum(exact.values()) // 1:
        first = max(waiting, key=lambda name: (exact[name] % 1, -order.index(name)))
        waiting.remove(first)
        whole[first] += 1
    return whole


def caps_by_rule(rule: str, imports: Numbers, exports: Numbers, discharge: int) -> Numbers:
    """Return the most that each home may receive; ``net`` is offset before this is asked."""
    if rule == "pool":
        return dict(imports)
    others = {
        name: sum(wh for other, wh in exports.items() if other != name) + discharge
        for name in exports
    }
    return {name: min(imports[name], others[name]) for name in imports}


def whose_export(
    allocated: Mapping[str, int], exports: Mapping[str, int], order: Sequence[str], *, pool: bool
) -> dict[str, int]:
    """Return whose export was shared: filled by export, each leaving room for its own share."""
    total = sum(allocated.values())
    room = {name: wh if pool else min(wh, total - allocated[name]) for name, wh in exports.items()}
    return rounded(searched_fill(total, exports, room), order)
