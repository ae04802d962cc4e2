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
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from optimizer.fleet.batteries import Batteries
from optimizer.fleet.ladder import STORED
from optimizer.fleet.shape import Fleet
from optimizer.fleet.turns import Turns
from optimizer.fleet.windows import Window, windows_of
from optimizer.problem import FloatArray

SinglesArray: TypeAlias = npt.NDArray[np.float32]
"""Numbers of seven digits: twice as many at a time."""

_CELLS_A_STEP = 128
_MANY_CELLS_A_STEP = 4096
"""Cells that one step of full charge passes at least and at most; what is lost by cells goes down
as their number goes up: 128 lose 1e-3 of the cost of P3-100n, 2048 less than 1e-4 [measured]."""
_CELLS = 3_000_000
_FINE_CELLS = 12_000_000
"""Cells of a full charge, of all batteries and steps: a seventh of a second, and a third of one
[measured]."""
_MOST_CELLS = 65_536
"""Of one battery: what charges slowly beside what it stores gets wider cells."""
_MOST_MOVES = 60_000
"""Batteries times steps that are gone through: about four seconds [measured]."""
_SUMS = 7
"""Sums in a step, each of which is off by half of its last digit."""
_ROUNDING = 1e-9
"""Part of a cell that is rounding."""


def whole_step_eur(fleet: Fleet, *, fine: bool = False) -> float:
    """Return what whole steps add to the bound on shared powers, at the same prices [EUR].

    Args:
        fleet: The programme with shared powers, at prices of any kind.
        fine: Whether cells are so small that next to nothing is lost by them.
    """
    price = fleet.connection.price
    found = [(block, windows_of(block, price)) for block in fleet.blocks]
    moves = sum(window.into.size for _, windows in found for window in windows)
    if moves > _MOST_MOVES:
        return 0.0
    cells = (_FINE_CELLS if fine else _CELLS) // max(moves, 1)
    cells = min(max(cells, _CELLS_A_STEP), _MANY_CELLS_A_STEP)
    cells = 1 << (cells.bit_length() - 1)  # runs of cells are doubled
    added = (_added(block, price, window, cells) for block, windows in found for window in windows)
    return sum(added) * fleet.money


def shared_cost(block: Batteries, price: FloatArray, window: Window) -> FloatArray:
    """Return what the bound on shared powers counts for a window, a battery, shape ``(b,)``.

    Args:
        block: Batteries with turns.
        price: Of the connection.
        window: One of the block.
    """
    assert block.turns is not None
    powers = block.powers.least(block.reduced(price))
    found = powers[:, window.steps].sum(axis=(0, 1)) + _room(block.turns, window)
    if window.first:
        found += powers[STORED, window.first - 1]
    own: FloatArray = found[window.members]
    return own


def _added(block: Batteries, price: FloatArray, window: Window, cells: int) -> float:
    """Return what whole steps of one window add over shared ones, for all batteries together."""
    shared = shared_cost(block, price, window)
    moves, held = window.costs(block.reduced_alone(price))
    total = 0.0
    for one, counted in enumerate(shared):
        path = _Path(
            window.most[:, :, one],
            moves[:, :, one],
            window.low[:, one],
            window.high[:, one],
            held[:, one],
        )
        least = path.least(cells)
        if np.isfinite(least):
            total += max(least - float(counted), 0.0)
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
        size, last = int(np.ceil(span / wide)) + 1, self.low.size - 1
        place = np.arange(size, dtype=np.float32)
        found = np.zeros(size, np.float32)
        for step in range(last, -1, -1):
            if step < last:
                into = _after_a_move(found, self.cost[0, step], self.most[0, step], wide, up=True)
                out_of = _after_a_move(
                    found, self.cost[1, step], self.most[1, step], wide, up=False
                )
                np.minimum(into, out_of, out=found)
            held = float(self.stored_cost[step])
            found += np.float32(held * wide) * place
            found += np.float32(min(held * wide, 0.0))
            room = _ROUNDING * wide
            first = int(np.ceil((self.low[step] - base - room) / wide)) - 1
            behind = int(np.floor((self.high[step] - base + room) / wide)) + 1
            found[: max(first, 0)] = np.inf
            found[max(behind, 0) :] = np.inf
        return float(found.min()) + base * float(self.stored_cost.sum()) - self._off(span + wide)

    def _off(self, span: float) -> float:
        """Return more than what seven digits of each number can be off by in the end.

        What follows from a cell is no more than all moves and all that is held can cost; to that a
        step adds what it costs to cross the band, and takes it off again.
        """
        moves = np.abs(self.cost) * self.most
        most = float(moves.max(axis=0).sum()) + float(np.abs(self.stored_cost).sum()) * span
        across = float(np.abs(self.cost).max()) * span
        half = float(np.finfo(np.float32).eps) / 2
        return _SUMS * self.low.size * half * (most + across)


def _after_a_move(
    after: SinglesArray, cost: float, most: float, wide: float, *, up: bool
) -> SinglesArray:
    """Return the least of a move to another cell and what comes after it, for each cell.

    Args:
        after: What follows from each cell at least.
        cost: Of one unit of the move.
        most: The longest move.
        wide: The width of a cell.
        up: Whether it goes to cells with more in them.
    """
    size = after.size
    far = min(int(np.ceil(most / wide - _ROUNDING)), size)
    if far <= 0:
        return after.copy()
    if cost == 0:
        found = _least_of_next(after, far, up=up)
        found = found[1:] if up else found[:-1]
        return np.minimum(after, found, out=found)
    line = np.float32((cost if up else -cost) * wide) * np.arange(size, dtype=np.float32)
    if cost > 0:  # the shortest move between two cells
        found = _least_of_next(after + line, far, up=up)
        found = found[1:] if up else found[:-1]
        found -= line
        found -= np.float32(cost * wide)
        return np.minimum(after, found, out=found)
    whole = max(min(int(most / wide + _ROUNDING), size), 1)
    found = _least_of_next(after + line, whole, up=up)
    found = found[:-1] if up else found[1:]
    found -= line
    found += np.float32(cost * wide)
    paid = np.float32(cost * most)
    for cells in range(whole, min(far, size - 1) + 1):
        here, there = slice(size - cells), slice(cells, None)
        if not up:
            here, there = there, here
        np.minimum(found[here], after[there] + paid, out=found[here])
    return found


def _least_of_next(values: SinglesArray, count: int, *, up: bool) -> SinglesArray:
    """Return the least of runs of values, ``count`` each, shape ``(size + 1,)``.

    Upward the first begins at the first value and the last behind the last one; downward the
    first ends before the first value and the last at the last one.
    """
    size, done = values.size + count, 1
    now, then = np.empty(size, np.float32), np.empty(size, np.float32)
    beside, inside = (values.size, 0) if up else (0, count)
    now[beside : beside + count] = np.inf
    now[inside : inside + values.size] = values
    while done < count:
        ahead = min(done, count - done)
        size -= ahead
        np.minimum(now[:size], now[ahead : ahead + size], out=then[:size])
        now, then, done = then, now, done + ahead
    return now[:size]
