"""Windows of negative prices: what each battery of a block can do in one, and at what price.

In a window a battery has one direction a step; outside, a linear programme finds one by itself. So
a plan falls apart at given prices: what a battery does in a window costs the sum of reduced costs
there, and the window is joined to the rest only by what is stored before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from optimizer.fleet.batteries import Batteries
from optimizer.fleet.ladder import CHARGE, DISCHARGE, STORED
from optimizer.fleet.shape import Fleet
from optimizer.linear.programme import IntArray
from optimizer.problem import FloatArray

Steps: TypeAlias = "slice[int, int, None]"
"""A run of steps, without a stride."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The b batteries of a block in a window of n steps, in the units of the fleet's programme.

    Attributes:
        first: First step.
        behind: The step behind the last.
        into: Stored per charged kW and step, shape ``(n, b)``.
        out_of: Taken out per discharged kW and step, shape ``(n, b)``.
        most: What a step can put in and take out of what is stored, shape ``(2, n, b)``.
        low: Least stored before each step, and after the last, shape ``(n + 1, b)``.
        high: Most stored before each step, and after the last, shape ``(n + 1, b)``.
        members: Which batteries of the block they are, shape ``(b,)``.
    """

    first: int
    behind: int
    into: FloatArray
    out_of: FloatArray
    most: FloatArray
    low: FloatArray
    high: FloatArray
    members: IntArray

    @property
    def steps(self) -> Steps:
        """Its steps."""
        return slice(self.first, self.behind)

    def costs(self, reduced: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return what a unit put in or taken out, and a unit stored, cost.

        Args:
            reduced: Reduced costs without those of shared powers, shape ``(3, T, b)``.

        Returns:
            Shapes ``(2, n, b)`` and ``(n + 1, b)``; what is stored is told before each step and
            after the last.
        """
        charge, discharge, stored = reduced[:, self.steps, self.members]
        held = np.zeros_like(self.low)
        held[1:] = stored
        if self.first:
            held[0] = reduced[STORED, self.first - 1, self.members]
        return np.array([charge / self.into, discharge / self.out_of]), held

    def drawn(self, stored: FloatArray) -> FloatArray:
        """Return charge minus discharge of what is stored before each step and after the last."""
        more = np.diff(stored, axis=0)
        found: FloatArray = np.where(more > 0, more / self.into, more / self.out_of)
        return found

    def cost(self, stored: FloatArray, moves: FloatArray, held: FloatArray) -> FloatArray:
        """Return what such schedules cost, shape ``(b,)``; costs as from :meth:`costs`."""
        more = np.diff(stored, axis=0)
        found: FloatArray = np.where(more > 0, moves[0] * more, -moves[1] * more).sum(axis=0)
        found += (held * stored).sum(axis=0)
        return found


def moves_in(fleet: Fleet) -> int:
    """Return batteries times steps in all windows: what grows with it is time and memory."""
    price = fleet.connection.price
    return sum(one.into.size for block in fleet.blocks for one in windows_of(block, price))


def windows_of(block: Batteries, price: FloatArray) -> list[Window]:
    """Return the runs of steps with turns and a price below zero."""
    if block.turns is None:
        return []
    inside = np.zeros(price.size + 2, dtype=np.int8)
    inside[1 + block.turns.rows] = price[block.turns.rows] < 0
    edges = np.flatnonzero(np.diff(inside))
    return [_window(block, int(a), int(z)) for a, z in zip(edges[::2], edges[1::2], strict=True)]


def _window(block: Batteries, first: int, behind: int) -> Window:
    """Return a window of those that lose nothing by standing still, and can tell their steps."""
    steps, shape = slice(first, behind), block.price.shape
    into = np.broadcast_to(block.into, shape)[steps]
    out_of = np.broadcast_to(block.out_of, shape)[steps]
    later = slice(max(first, 1), behind)
    kept = np.broadcast_to(block.kept, shape)[later] == 1.0
    still = (kept & (block.begun[later] == 0.0)).all(axis=0)
    told = ((into > 0) & (out_of > 0)).all(axis=0)
    members = np.flatnonzero(still & told)
    into, out_of = into[:, members], out_of[:, members]
    width = block.powers.width[:, :, members]
    low = block.powers.low[STORED][:, members]
    high = low + width[STORED]
    start = block.begun[:1, members]
    return Window(
        first,
        behind,
        into,
        out_of,
        np.array([into * width[CHARGE, steps], out_of * width[DISCHARGE, steps]]),
        np.concatenate([low[first - 1 : first] if first else start, low[steps]]),
        np.concatenate([high[first - 1 : first] if first else start, high[steps]]),
        members,
    )
