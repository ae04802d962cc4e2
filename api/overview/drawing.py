"""The bars as parts of a drawing: one path a colour, hatched gaps, marks beside and below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from kwartier.units import Wh

HEIGHT = 1000
"""How many parts the plot is high."""
COLUMN = 10
"""How many parts a bar and the room beside it are wide."""
_HEADROOM = 1.06
_LEAST_TOP_WH = 100


@dataclass(frozen=True, slots=True)
class Stack:
    """What is drawn in one place, from the bottom up.

    Attributes:
        parts_wh: The parts on top of each other [Wh]; None when nothing is known.
        is_partial: Whether something is missing.
        label: What stands under it; empty for nothing.
    """

    parts_wh: tuple[Wh, ...] | None
    is_partial: bool
    label: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on an axis, at a part of its length [%]."""

    at: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which something is missing [%]."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Everything that a drawing of bars needs.

    Attributes:
        width: How many parts the plot is wide.
        layers: One path a layer, from the bottom up.
        gaps: Where something is missing.
        labels: Marks under the plot.
        energies: Marks beside it, with their energy [Wh].
        top_wh: The energy at the upper edge [Wh].
    """

    width: int
    layers: tuple[str, ...]
    gaps: tuple[Gap, ...]
    labels: tuple[Mark, ...]
    energies: tuple[tuple[float, Wh], ...]
    top_wh: float


def bars_of(stacks: Sequence[Stack], layers: int, *, room: int = 2) -> Bars:
    """Return the drawing of some stacks.

    Args:
        stacks: From left to right; there is at least one.
        layers: How many parts each has.
        room: How much of a bar's width stays free, in tenths.
    """
    totals = [sum(one.parts_wh) for one in stacks if one.parts_wh is not None]
    top_wh = max(_LEAST_TOP_WH, max(totals, default=0)) * _HEADROOM
    each = 100 / len(stacks)
    return Bars(
        len(stacks) * COLUMN,
        tuple(_path(stacks, layer, top_wh, room) for layer in range(layers)),
        tuple(
            Gap(round(place * each, 2), round(each, 2))
            for place, one in enumerate(stacks)
            if one.is_partial
        ),
        tuple(
            Mark(round((place + 0.5) * each, 2), one.label)
            for place, one in enumerate(stacks)
            if one.label
        ),
        _energies(top_wh),
        top_wh,
    )


def _path(stacks: Sequence[Stack], layer: int, top_wh: float, room: int) -> str:
    drawn = []
    for place, one in enumerate(stacks):
        if one.parts_wh is None or not one.parts_wh[layer]:
            continue
        below = sum(one.parts_wh[:layer])
        low = round(HEIGHT * (1 - below / top_wh))
        high = round(HEIGHT * (1 - (below + one.parts_wh[layer]) / top_wh))
        left, wide = place * COLUMN + room / 2, COLUMN - room
        drawn.append(f"M{left:g} {low}V{high}h{wide:g}V{low}z")
    return "".join(drawn)


def _energies(top_wh: float) -> tuple[tuple[float, Wh], ...]:
    """Return two to four round energies that fit under the upper edge, and where [%]."""
    wanted = max(1.0, top_wh / 2.2)
    power = 10.0 ** floor(log10(wanted))
    step = int(max(count for count in (1, 2, 5) if count * power <= wanted) * power)
    return tuple(
        (round(100 * (1 - step * count / top_wh), 2), step * count)
        for count in (1, 2, 3, 4)
        if step * count < top_wh * 0.98
    )
