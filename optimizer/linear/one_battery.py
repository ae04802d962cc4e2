"""The directions of a single battery, and a bound on its cost, by going back through its steps.

A search over whole numbers is slow where prices below zero are flat: every order of charging and
discharging costs the same. For one battery behind one connection no search is needed. What follows
from a state of charge at least is a broken line over all that can be stored. A step back, it is the
least of the lines that the moves of the step give, and every break of those is known: so it is
exact, not told in cells. Breaks that matter less than rounding are left out to keep lines short;
how far that lifts a line is measured, added up and taken off the bound.

Source:
    R. Bellman, Dynamic Programming, Princeton University Press (1957).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.linear.programme import Programme
from optimizer.problem import BoolArray, FloatArray, Problem

_APART_KWH = 1e-9
"""Breaks nearer to each other than this are one."""
_FINEST_EUR = 1e-11
_COARSEST_EUR = 1e-3
_MOST_BREAKS = 600
"""Of one line; where there are more, breaks that matter a little are left out as well."""
_TIE_EUR = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What one battery does best.

    Attributes:
        forward: Where it charges, if anything, shape ``(T,)``.
        bound: No plan in which it has one direction at a time costs less [EUR].
    """

    forward: BoolArray
    bound: float


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A broken line: values [EUR] at places [kWh] that rise."""

    at: FloatArray
    value: FloatArray

    def read(self, at: FloatArray) -> FloatArray:
        """Return its values; infinite where it is not."""
        found: FloatArray = np.interp(at, self.at, self.value)
        outside = (at < self.at[0] - _APART_KWH) | (at > self.at[-1] + _APART_KWH)
        return np.where(outside, np.inf, found)


def best_course(problem: Problem, programme: Programme) -> Course | None:
    """Return the best course of a single battery; None where there is something else to decide.

    Args:
        problem: What is to be planned.
        programme: Its programme, with all limits.
    """
    if not is_one_battery(problem, programme):
        return None
    low, high = programme.low[programme.layout.stored], programme.high[programme.layout.stored]
    if (low > high).any():
        return None
    last = _apart(np.array([low[-1], high[-1]]))
    lines = [_Line(last, programme.cost[programme.layout.stored][-1] * last)]
    steps = [_moves_of(problem, step) for step in range(problem.steps)]
    if any(moves is None for moves in steps):
        return None
    moves_by_step = [moves for moves in steps if moves is not None]
    start = float(problem.soc_start_kwh[0])
    lifted = 0.0
    for step in reversed(range(problem.steps)):
        edges = (float(low[step - 1]), float(high[step - 1])) if step else (start, start)
        line = _before(lines[-1], moves_by_step[step], edges)
        if line is None:
            return None
        line, more = _shortened(line)
        lifted += more
        lines.append(line)
    lines.reverse()
    lifted += _APART_KWH * problem.steps * _steepest(problem)
    forward = _walked(lines, moves_by_step, start)
    return Course(forward, float(lines[0].value[0]) - lifted)


def is_one_battery(problem: Problem, programme: Programme) -> bool:
    """Return whether all there is to decide is the course of one battery."""
    return (
        len(problem.battery_ids) == 1
        and problem.is_one_connection
        and problem.keeps_all
        and problem.peak_price_eur_per_kw == 0
        and bool((problem.gain > 0).all())
        and not problem.runs
        and not problem.charge_min_kw.any()
        and not problem.priced_reserve_cells.size
        and not programme.has_whole
        and programme.cost.size == programme.layout.columns
        and not bool((problem.sell_eur_per_kwh > problem.buy_eur_per_kwh).any())
    )


def _moves_of(problem: Problem, step: int) -> _Line | None:
    """Return what a step costs by what it adds to the stored energy; None where nothing is left."""
    rest, cut = float(problem.residual_kw[step]), float(problem.curtailable_kw[step])
    most_in = float(problem.import_limit_kw[step])
    most_out = float(problem.export_limit_kw[step])
    least = max(rest - float(problem.discharge_max_kw[0, step]), -most_out - cut)
    most = min(rest + float(problem.charge_max_kw[0, step]), most_in)
    if least > most:
        return None
    kinks = [least, most, rest, 0.0, -cut, -most_out, most_in - cut]
    drawn = _apart(np.unique([kink for kink in kinks if least <= kink <= most]))
    low, high = np.maximum(drawn, -most_out), np.minimum(drawn + cut, most_in)
    buy, sell = float(problem.buy_eur_per_kwh[step]), float(problem.sell_eur_per_kwh[step])
    nets = np.array([low, high, np.clip(0.0, low, high)])
    energy = np.where(nets > 0, buy * nets, sell * nets).min(axis=0)
    hours, more = float(problem.step_h[step]), drawn - rest
    into = hours * float(problem.gain[0, step])
    out_of = hours / float(problem.discharge_efficiency[0])
    wear = float(problem.wear_eur_per_kwh[0]) * np.maximum(-more, 0.0)
    moved = np.where(more > 0, into * more, out_of * more)
    kept = np.append(np.diff(moved) > _APART_KWH, True)
    return _Line(moved[kept], hours * (energy + wear)[kept])


def _steepest(problem: Problem) -> float:
    """Return what a kWh in store can be worth at most [EUR]."""
    prices = np.abs(np.concatenate([problem.buy_eur_per_kwh, problem.sell_eur_per_kwh])).max()
    most = float(prices + problem.wear_eur_per_kwh[0])
    lossy = min(float(problem.gain.min()), float(problem.discharge_efficiency[0]))
    return most / lossy + abs(float(problem.end_value_eur_per_kwh[0]))


def _before(after: _Line, moves: _Line, edges: tuple[float, float]) -> _Line | None:
    """Return what follows at least from each state before a step; None where none is possible."""
    low = max(edges[0], float(after.at[0] - moves.at[-1]))
    high = min(edges[1], float(after.at[-1] - moves.at[0]))
    if low > high + _APART_KWH:
        return None
    high = max(low, high)
    breaks = (after.at[:, None] - moves.at).ravel()
    inside = breaks[(breaks > low) & (breaks < high)]
    at = _apart(np.sort(np.concatenate([[low], inside, [high]])))
    if at.size == 1:
        tried = np.concatenate([at + moves.at, after.at])
        return _Line(at, (after.read(tried) + moves.read(tried - at)).min(keepdims=True))
    left, right = _ways_through(after, moves, at)
    first, last = left.argmin(axis=0), right.argmin(axis=0)
    gaps = np.arange(at.size - 1)
    value = np.append(left[first, gaps], np.inf)
    value[1:] = np.minimum(value[1:], right[last, gaps])
    crossed = np.flatnonzero((first != last) & np.isfinite(left[last, gaps] + right[first, gaps]))
    left, right = left[:, crossed], right[:, crossed]
    columns = np.arange(crossed.size)
    begins, ends = (first[crossed], columns), (last[crossed], columns)
    ahead, behind = left[ends] - left[begins], right[begins] - right[ends]
    both = ahead + behind
    part = np.divide(ahead, both, out=np.full(both.shape, 0.5), where=both > 0)
    there = np.isfinite(left) & np.isfinite(right)
    sloped = np.subtract(right, left, out=np.zeros_like(left), where=there)
    lowest = np.where(there, left + part * sloped, np.inf).min(axis=0)
    new = at[crossed] + part * (at[crossed + 1] - at[crossed])
    at, value = np.insert(at, crossed + 1, new), np.insert(value, crossed + 1, lowest)
    kept = _are_apart(at)
    return _Line(at[kept], value[kept])


def _ways_through(after: _Line, moves: _Line, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what each way through a step costs at the left and the right of each gap.

    A way is a move of a certain length, or moves to a break of what comes after that is in reach
    from all of the gap; in a gap each is straight. Shape ``(ways, gaps)``.
    """
    length = after.read(at + moves.at[:, None]) + moves.value[:, None]
    slopes = np.diff(moves.value) / np.diff(moves.at)
    edges = (at[:-1] + at[1:]) / 2 + moves.at[:, None]
    place = np.searchsorted(after.at, edges)
    least = np.full((slopes.size, at.size - 1), np.inf)
    for piece, slope in enumerate(slopes):
        paid = np.append(after.value + slope * after.at, np.inf)
        ranges = place[piece : piece + 2]
        found = np.minimum.reduceat(paid, ranges.T.ravel())[::2]
        found += moves.value[piece] - slope * moves.at[piece]
        np.copyto(least[piece], found, where=ranges[1] > ranges[0])
    sloped = slopes[:, None] * at
    return (
        np.concatenate([length[:, :-1], least - sloped[:, :-1]]),
        np.concatenate([length[:, 1:], least - sloped[:, 1:]]),
    )


def _are_apart(at: FloatArray) -> BoolArray:
    """Return which places are further than hardly from the one before."""
    kept = np.ones(at.size, dtype=np.bool_)
    kept[1:] = np.diff(at) > _APART_KWH
    return kept


def _apart(at: FloatArray) -> FloatArray:
    """Return places without those that are hardly further than the one before."""
    return at[_are_apart(at)]


def _shortened(line: _Line) -> tuple[_Line, float]:
    """Return a line without breaks that hardly matter, and how far that lifts it at most [EUR]."""
    short, fine = line, _FINEST_EUR
    while True:
        short = _without_breaks(short, fine)
        if short.at.size <= _MOST_BREAKS or fine >= _COARSEST_EUR:
            break
        fine *= 4
    lifted = float((short.read(line.at) - line.value).max())
    return short, max(lifted, 0.0)


def _without_breaks(line: _Line, fine: float) -> _Line:
    """Return a line without every second break that is so near to its neighbours' chord [EUR]."""
    at, value = line.at, line.value
    for parity in (1, 0, 1, 0):
        if at.size < 3:
            break
        part = (at[1:-1] - at[:-2]) / (at[2:] - at[:-2])
        off = np.abs(value[:-2] + part * (value[2:] - value[:-2]) - value[1:-1])
        dropped = np.zeros(at.size, dtype=np.bool_)
        dropped[1:-1] = (off <= fine) & (np.arange(1, at.size - 1) % 2 == parity)
        at, value = at[~dropped], value[~dropped]
    return _Line(at, value)


def _walked(lines: list[_Line], moves_by_step: list[_Line], start: float) -> BoolArray:
    """Return where the best course charges, shape ``(T,)``; of equal ones, the sooner charge."""
    forward = np.ones(len(moves_by_step), dtype=np.bool_)
    stored = start
    for step, moves in enumerate(moves_by_step):
        after = lines[step + 1]
        breaks = after.at - stored
        breaks = breaks[(breaks >= moves.at[0]) & (breaks <= moves.at[-1])]
        tried = np.sort(np.concatenate([breaks, moves.at]))[::-1]
        costs = after.read(stored + tried) + moves.read(tried)
        move = float(tried[np.flatnonzero(costs <= costs.min() + _TIE_EUR)[0]])
        forward[step] = move >= 0
        stored = float(np.clip(stored + move, after.at[0], after.at[-1]))
    return forward
