"""A problem as blocks of batteries and one connection, in units in which numbers are near one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.fleet.alike import Kinds, kinds_of
from optimizer.fleet.batteries import Batteries
from optimizer.fleet.boxes import Boxes, rough
from optimizer.fleet.connection import Connection
from optimizer.fleet.ladder import CHARGE, DISCHARGE
from optimizer.fleet.turns import Turns
from optimizer.linear.programme import IntArray, exchange_range_kw
from optimizer.problem import BoolArray, FloatArray, Problem

_BLOCK_CELLS = 131_072
"""Batteries times steps of one block: what stays in a processor's cache [measured]."""
_MANY_CELLS = 48_000
"""Batteries times steps from which the way begins in numbers of half the bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The programme of a fleet.

    Attributes:
        blocks: The batteries, those that are alike as one, each in one block.
        kinds: Which batteries are alike.
        members: Which kinds each block holds.
        connection: What joins them.
        power: kW, or kWh, of one unit.
        money: EUR of one unit of cost.
    """

    blocks: tuple[Batteries, ...]
    kinds: Kinds
    members: tuple[IntArray, ...]
    connection: Connection
    power: float
    money: float

    @property
    def is_rough(self) -> bool:
        """Whether the numbers of batteries have half the bytes."""
        return any(block.is_rough for block in self.blocks)

    def go_roughly(self) -> None:
        """Give the batteries, none of which shares a power, numbers of half the bytes."""
        widest = max((block.powers.width for block in self.blocks), key=np.size, default=None)
        if widest is None:
            return
        scratch = (rough(np.zeros(widest.shape)), rough(np.zeros(widest.shape)))
        for block in self.blocks:
            block.go_roughly(scratch)

    def go_exactly(self) -> bool:
        """Give the batteries exact numbers; return whether rough ones have led anywhere."""
        sound = bool(np.isfinite(self.connection.price).all())
        sound = sound and all(block.is_sound for block in self.blocks)
        for block in self.blocks:
            block.go_exactly(onward=sound)
        return sound

    @property
    def boxes(self) -> Iterator[Boxes]:
        """Every group of quantities."""
        for block in self.blocks:
            yield from block.boxes
        yield from self.connection.boxes


def fleet_of(problem: Problem, shared: BoolArray | None = None) -> Fleet | None:
    """Return the programme, or None where a range is empty or selling pays more than buying.

    The batteries stand in an order of their own numbers, so that the order in which a problem
    names them changes nothing.

    Args:
        problem: What is to be planned.
        shared: Where charge and discharge share one power, shape ``(B, T)``; None for nowhere.
    """
    if not _is_plain(problem):
        return None
    low, high = _band(problem)
    least, most = exchange_range_kw(problem)
    if (low > high).any() or (problem.sell_eur_per_kwh > problem.buy_eur_per_kwh).any():
        return None
    power = _scale(np.concatenate([problem.charge_max_kw, problem.discharge_max_kw]).ravel())
    money = _scale(_prices(problem))
    kinds = kinds_of(problem, shared)
    width = max(_BLOCK_CELLS // problem.steps, 1)
    all_kinds = np.arange(kinds.first.size)
    members = tuple(all_kinds[first : first + width] for first in range(0, all_kinds.size, width))
    connection = _connection(problem, np.maximum(-least, 0), np.maximum(most, 0), power, money)
    if connection is None:
        return None
    shape = (3, problem.steps, members[0].size if members else 0)
    scratch = (np.empty(shape), np.empty(shape))
    units = kinds.count / power
    blocks = tuple(
        _block(problem, (low, high), kinds.first[one], units[one], kinds.count[one], money, scratch)
        for one in members
    )
    if shared is not None:
        for one, block in zip(members, blocks, strict=True):
            block.turns = _turns(block, shared[kinds.first[one]].T)
    fleet = Fleet(blocks, kinds, members, connection, power, money * power)
    if shared is None and kinds.first.size * problem.steps >= _MANY_CELLS:
        fleet.go_roughly()
    return fleet


def _is_plain(problem: Problem) -> bool:
    """Return whether there is nothing in the problem that this method does not know."""
    return (
        problem.is_one_connection
        and not problem.charge_min_kw.any()
        and not problem.priced_reserve_cells.size
    )


def _band(problem: Problem) -> tuple[FloatArray, FloatArray]:
    low, high = problem.floor_kwh.copy(), problem.soc_max_kwh.copy()
    fixed = problem.end_is_fixed
    low[fixed, -1] = np.maximum(low[fixed, -1], problem.soc_end_kwh[fixed])
    high[fixed, -1] = np.minimum(high[fixed, -1], problem.soc_end_kwh[fixed])
    return low, high


def _block(
    problem: Problem,
    band: tuple[FloatArray, FloatArray],
    rows: IntArray,
    units: FloatArray,
    count: FloatArray,
    money: float,
    scratch: tuple[FloatArray, FloatArray],
) -> Batteries:
    """Return some kinds as a block.

    Args:
        problem: What is to be planned.
        band: What is stored at least and at most, shape ``(B, T)`` [kWh].
        rows: A battery of each kind, shape ``(b,)``.
        units: How many of them there are, per unit of power, shape ``(b,)``.
        count: How many of them there are, shape ``(b,)``.
        money: EUR of one unit of cost.
        scratch: Arrays for all blocks.
    """
    shape = (3, problem.steps, rows.size)
    cost, lowest, width = np.zeros(shape), np.zeros(shape), np.empty(shape)
    cost[1] = np.outer(problem.step_h, problem.wear_eur_per_kwh[rows]) / money
    free = ~problem.end_is_fixed[rows]
    cost[2, -1, free] = -problem.end_value_eur_per_kwh[rows[free]] / money
    width[0] = problem.charge_max_kw[rows].T * units
    width[1] = problem.discharge_max_kw[rows].T * units
    lowest[2] = band[0][rows].T * units
    width[2] = band[1][rows].T * units - lowest[2]
    kept = problem.retention[rows].T
    begun = -(problem.step_h * problem.drain_kw[rows]).T * units
    begun[0] += kept[0] * problem.soc_start_kwh[rows] * units
    taken = problem.step_h[:, None] / problem.discharge_efficiency[rows]
    return Batteries(
        Boxes(cost, lowest, width, count if (count > 1).any() else 1.0, scratch),
        begun,
        _once((problem.step_h * problem.gain[rows]).T),
        _once(taken),
        _once(kept),
        np.zeros(shape[1:]),
    )


def _once(rows: FloatArray) -> FloatArray:
    """Return one row where all are the same, or all as they are."""
    return np.ascontiguousarray(rows[:1] if (rows == rows[:1]).all() else rows)


def _turns(block: Batteries, shared: BoolArray) -> Turns | None:
    """Return the steps at which powers of a block are shared, shape ``(T, b)``, or None.

    What shares a power begins with a third of it each way.
    """
    rows = np.flatnonzero(shared.any(axis=1))
    if not rows.size:
        return None
    width = block.powers.width
    both = shared[rows] & (width[CHARGE][rows] > 0) & (width[DISCHARGE][rows] > 0)
    charge, discharge = (
        np.divide(1.0, width[kind][rows], out=np.zeros(both.shape), where=both)
        for kind in (CHARGE, DISCHARGE)
    )
    values = block.powers.low + block.powers.width / 2
    for kind in (CHARGE, DISCHARGE):
        values[kind][rows] = np.where(both, width[kind][rows] / 3, values[kind][rows])
    block.powers.begin_at(values)
    room = Boxes(
        np.zeros(both.shape), np.zeros(both.shape), np.full(both.shape, 2.0), block.powers.weight
    )
    room.begin_at(np.where(both, 1.0 / 3.0, 1.0))
    return Turns(rows, charge, discharge, room, np.zeros(both.shape))


def _connection(
    problem: Problem, most_export: FloatArray, most_import: FloatArray, power: float, money: float
) -> Connection | None:
    """Return the connection; its flows are bounded by what homes and batteries can exchange.

    That loses nothing: where buying costs at least what selling pays, flows both ways at once may
    be netted.
    """
    steps, weight = problem.steps, float(max(len(problem.battery_ids), 1))
    so_far = problem.peak_so_far_kw / power
    room = 1.0 + so_far + max(float(most_import.max()), float(most_export.max())) / power
    cost, width = np.zeros((4, steps)), np.empty((4, steps))
    cost[0] = problem.step_h * problem.buy_eur_per_kwh / money
    cost[1] = -problem.step_h * problem.sell_eur_per_kwh / money
    width[0] = np.minimum(problem.import_limit_kw, most_import) / power
    width[1] = np.minimum(problem.export_limit_kw, most_export) / power
    width[2] = problem.curtailable_kw / power
    has_peak = problem.peak_price_eur_per_kw > 0
    width[3] = room if has_peak else 0.0
    peak = np.full(1, problem.peak_price_eur_per_kw / money)
    return Connection(
        Boxes(cost, np.zeros((4, steps)), width, weight),
        Boxes(peak, np.full(1, so_far), np.full(1, room), weight),
        problem.residual_kw / power,
        np.zeros(steps),
        np.zeros(steps),
        has_peak,
    )


def _prices(problem: Problem) -> FloatArray:
    per_kwh = np.concatenate(
        [problem.buy_eur_per_kwh, problem.sell_eur_per_kwh, problem.wear_eur_per_kwh]
    )
    return float(problem.step_h.mean()) * per_kwh


def _scale(sizes: FloatArray) -> float:
    """Return the mean of the numbers that are not zero, or 1."""
    there = np.abs(sizes[sizes != 0])
    return float(there.mean()) if there.size else 1.0
