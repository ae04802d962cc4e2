"""Cheap schedules of many batteries in a window, each step in one direction, all at once.

What follows from a state of charge at least is told at the edges of equal cells of each battery's
band and is taken to be straight in between. So it is nearly exact, not a bound; that is
:mod:`optimizer.fleet.whole_steps`. The schedules are exact: each is walked forward from what it
begins with, in moves that the battery can make.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.fleet.windows import Window
from optimizer.linear.programme import IntArray
from optimizer.problem import FloatArray

_CELLS = 64
"""Of a battery's band: with 256 schedules of P3-100n cost 2e-4 less [measured]."""
_FAR = 1e9
"""What cannot be, in units of cost: large, and still a number between two edges."""
_ROUNDING = 1e-9


@dataclass(slots=True, eq=False)
class Scheduler:
    """Finds schedules in one window at any costs."""

    window: Window
    _edge: FloatArray = field(init=False)
    _wide: FloatArray = field(init=False)
    _outside: FloatArray = field(init=False)
    _most: FloatArray = field(init=False)
    _runs: FloatArray = field(init=False)
    _same: _Reach | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        window = self.window
        base = window.low.min(axis=0)
        self._wide = np.maximum((window.high.max(axis=0) - base) / _CELLS, _ROUNDING)
        self._edge = base + self._wide * np.arange(_CELLS + 1)[:, None]
        room = 0.5 * self._wide
        low, high = (window.low - room)[:, None, :], (window.high + room)[:, None, :]
        self._outside = np.where((self._edge < low) | (self._edge > high), _FAR, 0.0)
        most = np.concatenate([window.most[0] / self._wide, window.most[1] / self._wide], axis=1)
        most = np.minimum(most, float(_CELLS))
        longest = int(most.max() + _ROUNDING) if most.size else 0
        self._most = most
        self._runs = np.empty(((longest + 1).bit_length(), _CELLS + longest + 3, most.shape[1]))
        if (most == most[:1]).all():
            self._same = _reach(most[0], self._runs)

    def cheapest(self, moves: FloatArray, held: FloatArray) -> FloatArray:
        """Return what nearly the cheapest schedules store before each step, and after the last.

        Args:
            moves: What a unit put in or taken out costs, shape ``(2, n, b)``.
            held: What a unit stored costs, before each step and after the last,
                shape ``(n + 1, b)``.
        """
        later = self._backward(moves, held)
        window, columns = self.window, np.arange(self._wide.size)
        begun = self._edge[later[0].argmin(axis=0), columns]
        stored = np.empty_like(window.low)
        stored[0] = np.clip(begun, window.low[0], window.high[0])
        for step in range(moves.shape[1]):
            now, most = stored[step], window.most[:, step]
            after = self._next(later[step + 1], now, moves[:, step], most)
            stored[step + 1] = np.clip(after, window.low[step + 1], window.high[step + 1])
        return stored

    def least(self, moves: FloatArray, held: FloatArray) -> FloatArray:
        """Return nearly what the cheapest schedules cost, shape ``(b,)``; costs as above."""
        found: FloatArray = self._backward(moves, held)[0].min(axis=0)
        return found

    def _backward(self, moves: FloatArray, held: FloatArray) -> list[FloatArray]:
        """Return what follows at least from each edge before each step, and after the last.

        Shape ``(edges, b)`` each.
        """
        last = moves.shape[1]
        found = held[last] * self._edge + self._outside[last]
        later = [found]
        for step in range(last - 1, -1, -1):
            both = np.concatenate([found, found[::-1]], axis=1)
            per_cell = np.concatenate([moves[0, step], moves[1, step]])
            per_cell *= np.concatenate([self._wide, self._wide])
            both = self._reach(step).least(both, per_cell)
            up, down = np.split(both, 2, axis=1)
            found = np.minimum(up, down[::-1])
            found += held[step] * self._edge
            found += self._outside[step]
            later.append(found)
        later.reverse()
        return later

    def _reach(self, step: int) -> _Reach:
        """Return the reach of a step; where steps differ it is not kept, as it is large."""
        return self._same or _reach(self._most[step], self._runs)

    def _next(
        self, later: FloatArray, stored: FloatArray, moves: FloatArray, most: FloatArray
    ) -> FloatArray:
        """Return what is stored after a step, shape ``(b,)``."""
        columns: IntArray = np.arange(stored.size)
        gap = self._edge - stored
        costs = np.where(gap >= 0, moves[0], -moves[1]) * gap
        costs += later
        far = (gap > most[0] + _ROUNDING) | (gap < -most[1] - _ROUNDING)
        np.copyto(costs, _FAR, where=far)
        best = costs.argmin(axis=0)
        least: FloatArray = costs[best, columns]
        after: FloatArray = self._edge[best, columns]
        for aim, paid in (
            (stored, np.zeros_like(stored)),
            (stored + most[0], moves[0] * most[0]),
            (stored - most[1], moves[1] * most[1]),
        ):
            place = (aim - self._edge[0]) / self._wide
            inside = (place >= -_ROUNDING) & (place <= _CELLS + _ROUNDING)
            cell = np.clip(place.astype(np.intp), 0, _CELLS - 1)
            part = np.clip(place - cell, 0.0, 1.0)
            cost = paid + (1 - part) * later[cell, columns] + part * later[cell + 1, columns]
            better = inside & (cost < least - _ROUNDING)
            least, after = np.where(better, cost, least), np.where(better, aim, after)
        return after


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """How far one step goes from each edge, with room to work in.

    A run of edges is the least of two shorter ones, of 1, 2, 4 or more edges each: one that begins
    where it begins, and one that ends where it ends.

    Attributes:
        cells: How many cells, shape ``(b,)``.
        part: Of the last of them, shape ``(b,)``.
        first: Where the shorter run stands that begins the run, shape ``(edges, b)``.
        last: Where the one stands that ends it, shape ``(edges, b)``.
        end: Where the edge before the end of the move stands, shape ``(edges, b)``.
        runs: Room for the least of runs of 1, 2, 4 or more edges, with as many behind the last edge
            as the longest move passes, shape ``(k, edges and more, b)``.
    """

    cells: FloatArray
    part: FloatArray
    first: IntArray
    last: IntArray
    end: IntArray
    runs: FloatArray

    def least(self, after: FloatArray, per_cell: FloatArray) -> FloatArray:
        """Return the least of a move to an edge further on, or of the whole move.

        Args:
            after: What follows from each edge, shape ``(edges, b)``.
            per_cell: What a cell of the move costs, shape ``(b,)``.
        """
        edges, runs = after.shape[0], self.runs
        runs[0, :edges] = after
        runs[0, edges:] = _FAR
        between = self.part * (runs[0, 1:] - runs[0, :-1])
        between += runs[0, :-1]
        whole = between.reshape(-1).take(self.end)
        whole += self.cells * per_cell
        line = per_cell * np.arange(edges)[:, None]
        runs[0, :edges] += line
        for count in range(runs.shape[0] - 1):
            ahead = 1 << count
            now, then = runs[count], runs[count + 1]
            np.minimum(now[:-ahead], now[ahead:], out=then[:-ahead])
            then[-ahead:] = now[-ahead:]
        flat = runs.reshape(-1)
        found = np.minimum(flat.take(self.first), flat.take(self.last))
        found -= line
        return np.minimum(found, whole, out=found)


def _reach(cells: FloatArray, runs: FloatArray) -> _Reach:
    """Return the reach of steps that go so many cells, shape ``(b,)``, with room for its runs."""
    batteries = cells.size
    passed = np.floor(cells + _ROUNDING).astype(np.intp)
    doubled = np.floor(np.log2(passed + 1)).astype(np.intp)
    here = np.arange(_CELLS + 1)[:, None] * batteries + np.arange(batteries)
    first = here + runs[0].size * doubled
    return _Reach(
        cells,
        np.maximum(cells - passed, 0.0),
        first,
        first + (passed + 1 - (1 << doubled)) * batteries,
        here + passed * batteries,
        runs,
    )
