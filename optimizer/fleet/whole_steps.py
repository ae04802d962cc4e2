"""What one direction each costs beyond shared powers: steps are whole, and a window has few.

Shared powers let a battery charge and discharge at once, a part of its power each. With one
direction at a time it alternates, and as the number of steps in a window of negative prices is
whole, it nearly always loses a part of one. What a battery does in such a window costs at least
what the cheapest alternation costs at the prices of the connection and of stored energy; that is
found by going back through the window over everything that can be stored.

*Why it is a bound.* With ``r`` the reduced costs at any prices, a plan costs at least a constant
plus ``sum r x`` over its powers and stored energy, and each window of each battery may be put at
its own least. Stored energy is told in cells of width ``h``. Of a move ``y`` from one cell to the
``m``-th after it is only known that it lies between ``(m - 1) h`` and ``(m + 1) h``, and of a
place in a cell only that it is in it. Each step takes the cheaper edge of both, so every true path
is found at no more than what it costs. Where prices are good, reduced costs are near zero wherever
a battery has a choice, so that little is lost by cells.

Source:
    Lagrangian relaxation: A. M. Geoffrion, Lagrangean relaxation for integer programming,
    Mathematical Programming Study 2 (1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import minimum_filter1d

from optimizer.fleet.batteries import Batteries
from optimizer.fleet.ladder import CHARGE, DISCHARGE, STORED
from optimizer.fleet.shape import Fleet
from optimizer.fleet.turns import Turns
from optimizer.problem import BoolArray, FloatArray

_CELLS_A_STEP = 128
"""Cells that one step of full charge passes: with 512 the bound rises by 5e-4 of the cost."""
_MOST_CELLS = 8192
"""Of one battery: what charges slowly beside what it stores gets wider cells."""
_MOST_MOVES = 60_000
"""Batteries times steps that are gone through: about four seconds [measured]."""
_ROUNDING = 1e-9
"""Part of a cell that is rounding."""


def whole_step_eur(fleet: Fleet) -> float:
    """Return what whole steps add to the bound on shared powers, at the same prices [EUR].

    Args:
        fleet: The programme with shared powers, at prices of any kind.
    """
    price = fleet.connection.price
    found = [(block, _windows(block, price)) for block in fleet.blocks]
    moves = sum((z - a) * block.price.shape[1] for block, spans in found for a, z in spans)
    if moves > _MOST_MOVES:
        return 0.0
    return sum(_added(block, price, a, z) for block, spans in found for a, z in spans) * fleet.money


def _windows(block: Batteries, price: FloatArray) -> list[tuple[int, int]]:
    """Return the runs of steps, first and behind the last, with a price below zero and turns."""
    if block.turns is None:
        return []
    inside = np.zeros(price.size + 2, dtype=np.int8)
    inside[1 + block.turns.rows] = price[block.turns.rows] < 0
    edges = np.flatnonzero(np.diff(inside))
    return [(int(a), int(z)) for a, z in zip(edges[::2], edges[1::2], strict=True)]


def _added(block: Batteries, price: FloatArray, first: int, behind: int) -> float:
    """Return what whole steps of one window add over shared ones, for all batteries together."""
    turns = block.turns
    assert turns is not None
    shared, alone = block.reduced(price), block.reduced_alone(price)
    powers = block.powers.least(shared)
    before = max(first - 1, 0)
    hull = powers[:STORED, first:behind].sum(axis=(0, 1))
    hull += powers[STORED, before : behind - 1].sum(axis=0)
    hull += _room(turns, first, behind)
    total = 0.0
    for one in np.flatnonzero(_keeps_all(block, first, behind)):
        window = _window_of(block, alone, int(one), first, behind)
        least = window.least() if window is not None else -np.inf
        if np.isfinite(least):
            total += max(least - float(hull[one]), 0.0)
    return total


def _room(turns: Turns, first: int, behind: int) -> FloatArray:
    """Return what sharing adds to the bound in a window, shape ``(b,)``."""
    inside = (turns.rows >= first) & (turns.rows < behind)
    found: FloatArray = (turns.room.least(turns.price) - turns.price)[inside].sum(axis=0)
    return found


def _keeps_all(block: Batteries, first: int, behind: int) -> BoolArray:
    """Return which batteries lose nothing by standing still in a window, shape ``(b,)``."""
    steps = slice(max(first, 1), behind)
    shape = block.price.shape
    kept = np.broadcast_to(block.kept, shape)[steps] == 1.0
    found: BoolArray = (kept & (block.begun[steps] == 0.0)).all(axis=0)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """One battery in a window of n steps, in scaled units of stored energy.

    Attributes:
        most: What a step can put in and take out, shape ``(2, n)``.
        cost: Reduced cost of one unit put in or taken out, shape ``(2, n)``.
        low: Least stored before each step, and after the last, shape ``(n + 1,)``.
        high: Most stored before each step, and after the last, shape ``(n + 1,)``.
        stored_cost: Reduced cost of one unit stored before each step, shape ``(n,)``.
    """

    most: FloatArray
    cost: FloatArray
    low: FloatArray
    high: FloatArray
    stored_cost: FloatArray

    def least(self) -> float:
        """Return what no path costs less than, each step in one direction."""
        base, span = float(self.low.min()), float(self.high.max() - self.low.min())
        wide = max(float(self.most[0].max()) / _CELLS_A_STEP, span / _MOST_CELLS)
        if wide <= 0:
            return -np.inf
        edge: FloatArray = np.arange(int(np.ceil(span / wide)) + 1, dtype=np.float64) * wide + base
        found = self._inside(np.zeros(edge.size), edge, wide, self.low.size - 1)
        for step in reversed(range(self.low.size - 1)):
            into = _after_a_move(found, self.cost[0, step], self.most[0, step], wide)
            out_of = _after_a_move(found[::-1], self.cost[1, step], self.most[1, step], wide)[::-1]
            held = self.stored_cost[step]
            found = np.minimum(into, out_of) + np.minimum(held * edge, held * (edge + wide))
            found = self._inside(found, edge, wide, step)
        return float(found.min())

    def _inside(self, found: FloatArray, edge: FloatArray, wide: float, place: int) -> FloatArray:
        room = _ROUNDING * wide
        outside = (edge + wide < self.low[place] - room) | (edge > self.high[place] + room)
        return np.where(outside, np.inf, found)


def _window_of(
    block: Batteries, alone: FloatArray, one: int, first: int, behind: int
) -> _Window | None:
    """Return a battery in a window; None where a step cannot be told in stored energy."""
    steps, shape = slice(first, behind), block.price.shape
    into = np.broadcast_to(block.into, shape)[steps, one]
    out_of = np.broadcast_to(block.out_of, shape)[steps, one]
    if (into <= 0).any() or (out_of <= 0).any():
        return None
    width = block.powers.width[:, :, one]
    low = block.powers.low[STORED, :, one]
    high = low + width[STORED]
    at_start = block.begun[0, one]
    held = alone[STORED, :, one]
    return _Window(
        np.array([into * width[CHARGE, steps], out_of * width[DISCHARGE, steps]]),
        np.array([alone[CHARGE, steps, one] / into, alone[DISCHARGE, steps, one] / out_of]),
        np.append(low[first - 1] if first else at_start, low[steps]),
        np.append(high[first - 1] if first else at_start, high[steps]),
        np.append(held[first - 1] if first else 0.0, held[first : behind - 1]),
    )


def _after_a_move(after: FloatArray, cost: float, most: float, wide: float) -> FloatArray:
    """Return the least of a move to a cell further on and what comes after it, for each cell.

    Args:
        after: What follows from each cell at least.
        cost: Of one unit of the move.
        most: The longest move.
        wide: The width of a cell.
    """
    size = after.size
    far = min(int(np.ceil(most / wide - _ROUNDING)), size)
    if far <= 0:
        return after
    line = cost * wide * np.arange(size)
    if cost >= 0:  # the shortest move between two cells
        moved = _least_of_next(np.append((after + line)[1:], np.inf), far)
        return np.minimum(after, moved - line - cost * wide)
    whole = max(min(int(most / wide + _ROUNDING), size), 1)
    found = _least_of_next(after + line, whole) - line + cost * wide
    for cells in range(whole, min(far, size - 1) + 1):
        np.minimum(found[: size - cells], after[cells:] + cost * most, out=found[: size - cells])
    return np.minimum(found, after)


def _least_of_next(values: FloatArray, count: int) -> FloatArray:
    """Return the least of each value and those after it, ``count`` in all."""
    found: FloatArray = minimum_filter1d(
        values, count, mode="constant", cval=np.inf, origin=-(count // 2)
    )
    return found
