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
from optimizer.fleet.ladder import STORED
from optimizer.fleet.shape import Fleet
from optimizer.fleet.turns import Turns
from optimizer.fleet.windows import Window, windows_of
from optimizer.problem import FloatArray

_CELLS_A_STEP = 128
_FINE_CELLS_A_STEP = 512
"""Cells that one step of full charge passes, of many batteries and of few; what is lost by cells
goes down as their number goes up: 128 lose 1e-3 of the cost of P3-100n [measured]."""
_FEW_MOVES = 5_000
"""Batteries times steps that are told in fine cells: about half a second [measured]."""
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
    found = [(block, windows_of(block, price)) for block in fleet.blocks]
    moves = sum(window.into.size for _, windows in found for window in windows)
    if moves > _MOST_MOVES:
        return 0.0
    cells = _FINE_CELLS_A_STEP if moves <= _FEW_MOVES else _CELLS_A_STEP
    added = (_added(block, price, window, cells) for block, windows in found for window in windows)
    return sum(added) * fleet.money


def _added(block: Batteries, price: FloatArray, window: Window, cells: int) -> float:
    """Return what whole steps of one window add over shared ones, for all batteries together."""
    turns = block.turns
    assert turns is not None
    first, steps = window.first, window.steps
    powers = block.powers.least(block.reduced(price))
    hull = powers[:, steps].sum(axis=(0, 1)) + _room(turns, window)
    if first:
        hull += powers[STORED, first - 1]
    moves, held = window.costs(block.reduced_alone(price))
    total = 0.0
    for one, battery in enumerate(window.members):
        path = _Path(
            window.most[:, :, one],
            moves[:, :, one],
            window.low[:, one],
            window.high[:, one],
            held[:, one],
        )
        least = path.least(cells)
        if np.isfinite(least):
            total += max(least - float(hull[battery]), 0.0)
    return total


def _room(turns: Turns, window: Window) -> FloatArray:
    """Return what sharing adds to the bound in a window, shape ``(b,)``."""
    inside = (turns.rows >= window.first) & (turns.rows < window.behind)
    found: FloatArray = (turns.room.least(turns.price) - turns.price)[inside].sum(axis=0)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """One battery in a window of n steps, in scaled units of stored energy.

    Attributes:
        most: What a step can put in and take out, shape ``(2, n)``.
        cost: Reduced cost of one unit put in or taken out, shape ``(2, n)``.
        low: Least stored before each step, and after the last, shape ``(n + 1,)``.
        high: Most stored before each step, and after the last, shape ``(n + 1,)``.
        stored_cost: Reduced cost of one unit stored before each step, and after the last,
            shape ``(n + 1,)``.
    """

    most: FloatArray
    cost: FloatArray
    low: FloatArray
    high: FloatArray
    stored_cost: FloatArray

    def least(self, cells: int) -> float:
        """Return what no path costs less than, each step in one direction.

        Args:
            cells: How many cells one step of full charge passes.
        """
        base, span = float(self.low.min()), float(self.high.max() - self.low.min())
        wide = max(float(self.most[0].max()) / cells, span / _MOST_CELLS)
        if wide <= 0:
            return -np.inf
        edge: FloatArray = np.arange(int(np.ceil(span / wide)) + 1, dtype=np.float64) * wide + base
        last = self.low.size - 1
        found = self._inside(self._held(edge, wide, last), edge, wide, last)
        for step in reversed(range(last)):
            into = _after_a_move(found, self.cost[0, step], self.most[0, step], wide)
            out_of = _after_a_move(found[::-1], self.cost[1, step], self.most[1, step], wide)[::-1]
            found = np.minimum(into, out_of) + self._held(edge, wide, step)
            found = self._inside(found, edge, wide, step)
        return float(found.min())

    def _held(self, edge: FloatArray, wide: float, place: int) -> FloatArray:
        held = self.stored_cost[place]
        found: FloatArray = np.minimum(held * edge, held * (edge + wide))
        return found

    def _inside(self, found: FloatArray, edge: FloatArray, wide: float, place: int) -> FloatArray:
        room = _ROUNDING * wide
        outside = (edge + wide < self.low[place] - room) | (edge > self.high[place] + room)
        return np.where(outside, np.inf, found)


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
