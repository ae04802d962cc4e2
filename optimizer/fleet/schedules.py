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
    _reaches: list[_Reach] = field(init=False)

    def __post_init__(self) -> None:
        window = self.window
        base = window.low.min(axis=0)
        self._wide = np.maximum((window.high.max(axis=0) - base) / _CELLS, _ROUNDING)
        self._edge = base[:, None] + self._wide[:, None] * np.arange(_CELLS + 1)
        room = 0.5 * self._wide
        low, high = (window.low - room)[:, :, None], (window.high + room)[:, :, None]
        self._outside = np.where((self._edge < low) | (self._edge > high), _FAR, 0.0)
        most = np.concatenate([window.most[0] / self._wide, window.most[1] / self._wide], axis=1)
        if (most == most[:1]).all():
            self._reaches = [_reach(most[0])] * most.shape[0]
        else:
            self._reaches = [_reach(row) for row in most]

    def cheapest(self, moves: FloatArray, held: FloatArray) -> FloatArray:
        """Return what nearly the cheapest schedules store before each step, and after the last.

        Args:
            moves: What a unit put in or taken out costs, shape ``(2, n, b)``.
            held: What a unit stored costs, before each step and after the last,
                shape ``(n + 1, b)``.
        """
        later = self._backward(moves, held)
        window, rows = self.window, np.arange(self._wide.size)
        begun = self._edge[rows, later[0].argmin(axis=1)]
        stored = np.empty_like(window.low)
        stored[0] = np.clip(begun, window.low[0], window.high[0])
        for step in range(moves.shape[1]):
            now, most = stored[step], window.most[:, step]
            after = self._next(later[step + 1], now, moves[:, step], most)
            stored[step + 1] = np.clip(after, window.low[step + 1], window.high[step + 1])
        return stored

    def _backward(self, moves: FloatArray, held: FloatArray) -> list[FloatArray]:
        """Return what follows at least from each edge before each step, and after the last."""
        last = moves.shape[1]
        found = held[last][:, None] * self._edge + self._outside[last]
        later = [found]
        for step in range(last - 1, -1, -1):
            both = np.concatenate([found, found[:, ::-1]])
            per_cell = np.concatenate([moves[0, step], moves[1, step]])
            per_cell *= np.concatenate([self._wide, self._wide])
            both = self._reaches[step].least(both, per_cell[:, None])
            up, down = np.split(both, 2)
            found = np.minimum(up, down[:, ::-1])
            found += held[step][:, None] * self._edge
            found += self._outside[step]
            later.append(found)
        later.reverse()
        return later

    def _next(
        self, later: FloatArray, stored: FloatArray, moves: FloatArray, most: FloatArray
    ) -> FloatArray:
        """Return what is stored after a step, shape ``(b,)``."""
        rows: IntArray = np.arange(stored.size)
        gap = self._edge - stored[:, None]
        costs = np.where(gap >= 0, moves[0][:, None] * gap, -moves[1][:, None] * gap) + later
        costs[(gap > most[0][:, None] + _ROUNDING) | (-gap > most[1][:, None] + _ROUNDING)] = _FAR
        best = costs.argmin(axis=1)
        least: FloatArray = costs[rows, best]
        after: FloatArray = self._edge[rows, best]
        for aim, paid in (
            (stored, np.zeros_like(stored)),
            (stored + most[0], moves[0] * most[0]),
            (stored - most[1], moves[1] * most[1]),
        ):
            place = (aim - self._edge[:, 0]) / self._wide
            inside = (place >= -_ROUNDING) & (place <= _CELLS + _ROUNDING)
            cell = np.clip(place.astype(np.intp), 0, _CELLS - 1)
            part = np.clip(place - cell, 0.0, 1.0)
            cost = paid + (1 - part) * later[rows, cell] + part * later[rows, cell + 1]
            better = inside & (cost < least - _ROUNDING)
            least, after = np.where(better, cost, least), np.where(better, aim, after)
        return after


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """How far one step goes from each edge, shape ``(b, 1)`` or as ``(b, edges)`` are read.

    Attributes:
        cells: How many cells, shape ``(b, 1)``.
        part: Of the last of them, shape ``(b, 1)``.
        width: Of a row that has room for the longest move behind the last edge.
        doublings: The most times a run of edges is doubled.
        near: Where the least of the first part of the run stands.
        far: Where the least of its last part stands.
        end: Where the edge before the end of the move stands.
    """

    cells: FloatArray
    part: FloatArray
    width: int
    doublings: int
    near: IntArray
    far: IntArray
    end: IntArray

    def least(self, after: FloatArray, per_cell: FloatArray) -> FloatArray:
        """Return the least of a move to an edge further on, or of the whole move.

        Args:
            after: What follows from each edge, shape ``(b, edges)``.
            per_cell: What a cell of the move costs, shape ``(b, 1)``.
        """
        batteries, edges = after.shape
        runs = np.empty((self.doublings + 1, batteries, self.width))
        runs[0, :, :edges] = after
        runs[0, :, edges:] = _FAR
        flat = runs.reshape(-1)
        whole = (1 - self.part) * flat.take(self.end) + self.part * flat.take(self.end + 1)
        whole += self.cells * per_cell
        line = per_cell * np.arange(edges)
        runs[0, :, :edges] += line
        for count in range(self.doublings):
            ahead = 1 << count
            now, then = runs[count], runs[count + 1]
            np.minimum(now[:, :-ahead], now[:, ahead:], out=then[:, :-ahead])
            then[:, -ahead:] = now[:, -ahead:]
        found = np.minimum(flat.take(self.near), flat.take(self.far))
        found -= line
        return np.minimum(found, whole)


def _reach(cells: FloatArray) -> _Reach:
    """Return the reach of steps that go so many cells, shape ``(b,)``."""
    edges = _CELLS + 1
    cells = np.minimum(cells, edges - 1.0)
    passed = np.floor(cells + _ROUNDING).astype(np.intp)
    doubled = np.floor(np.log2(passed + 1)).astype(np.intp)
    width = edges + int(passed.max()) + 2
    here = width * np.arange(cells.size)[:, None] + np.arange(edges)
    near = here + width * cells.size * doubled[:, None]
    return _Reach(
        cells[:, None],
        np.maximum(cells - passed, 0.0)[:, None],
        width,
        int(doubled.max()),
        near,
        near + (passed + 1 - (1 << doubled))[:, None],
        here + passed[:, None],
    )
