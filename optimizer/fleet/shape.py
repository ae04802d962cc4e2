"""A problem as blocks of batteries and one connection, in units in which numbers are near one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.fleet.batteries import Batteries
from optimizer.fleet.boxes import Boxes
from optimizer.fleet.connection import Connection
from optimizer.problem import FloatArray, Problem
from optimizer.programme import IntArray, exchange_range_kw

_BLOCK_CELLS = 16_384
"""Batteries times steps of one block: what stays in a processor's cache [measured]."""


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The programme of a fleet.

    Attributes:
        blocks: The batteries, each in one block.
        members: Which batteries of the problem each block holds.
        connection: What joins them.
        power: kW, or kWh, of one unit.
        money: EUR of one unit of cost.
    """

    blocks: tuple[Batteries, ...]
    members: tuple[IntArray, ...]
    connection: Connection
    power: float
    money: float

    @property
    def boxes(self) -> Iterator[Boxes]:
        """Every group of quantities."""
        for block in self.blocks:
            yield block.powers
        yield self.connection.flows
        if self.connection.has_peak:
            yield self.connection.peak


def fleet_of(problem: Problem) -> Fleet | None:
    """Return the programme, or None where a range is empty or selling pays more than buying.

    The batteries stand in an order of their own numbers, so that the order in which a problem
    names them changes nothing.
    """
    if not _is_plain(problem):
        return None
    low, high = _band(problem)
    least, most = exchange_range_kw(problem)
    if (low > high).any() or (problem.sell_eur_per_kwh > problem.buy_eur_per_kwh).any():
        return None
    power = _scale(np.concatenate([problem.charge_max_kw, problem.discharge_max_kw]).ravel())
    money = _scale(_prices(problem))
    order = _order(problem)
    width = max(_BLOCK_CELLS // problem.steps, 1)
    members = tuple(order[first : first + width] for first in range(0, order.size, width))
    connection = _connection(problem, np.maximum(-least, 0), np.maximum(most, 0), power, money)
    if connection is None:
        return None
    blocks = tuple(_block(problem, rows, low, high, power, money) for rows in members)
    return Fleet(blocks, members, connection, power, money * power)


def _is_plain(problem: Problem) -> bool:
    """Return whether there is nothing in the problem that this method does not know."""
    return (
        problem.is_one_connection
        and problem.is_even
        and problem.keeps_all
        and not problem.charge_min_kw.any()
        and not problem.reserve_kwh.any()
        and problem.peak_so_far_kw == 0
    )


def _order(problem: Problem) -> IntArray:
    order: IntArray = np.lexsort(
        (
            problem.discharge_max_kw.sum(axis=1),
            problem.charge_max_kw.sum(axis=1),
            problem.soc_min_kwh.sum(axis=1),
            problem.soc_max_kwh.sum(axis=1),
            problem.soc_end_kwh,
            problem.end_value_eur_per_kwh,
            problem.wear_eur_per_kwh,
            problem.charge_efficiency,
            problem.discharge_efficiency,
            problem.soc_start_kwh,
        )
    )
    return order


def _band(problem: Problem) -> tuple[FloatArray, FloatArray]:
    low, high = problem.soc_min_kwh.copy(), problem.soc_max_kwh.copy()
    fixed = problem.end_is_fixed
    low[fixed, -1] = np.maximum(low[fixed, -1], problem.soc_end_kwh[fixed])
    high[fixed, -1] = np.minimum(high[fixed, -1], problem.soc_end_kwh[fixed])
    return low, high


def _block(
    problem: Problem,
    rows: IntArray,
    low: FloatArray,
    high: FloatArray,
    power: float,
    money: float,
) -> Batteries:
    shape = (3, problem.steps, rows.size)
    cost, lowest, width = np.zeros(shape), np.zeros(shape), np.empty(shape)
    cost[1] = problem.interval_h * problem.wear_eur_per_kwh[rows] / money
    free = ~problem.end_is_fixed[rows]
    cost[2, -1, free] = -problem.end_value_eur_per_kwh[rows[free]] / money
    width[0] = problem.charge_max_kw[rows].T / power
    width[1] = problem.discharge_max_kw[rows].T / power
    lowest[2] = low[rows].T / power
    width[2] = high[rows].T / power - lowest[2]
    return Batteries(
        Boxes(cost, lowest, width),
        problem.soc_start_kwh[rows] / power,
        problem.interval_h * problem.charge_efficiency[rows],
        problem.interval_h / problem.discharge_efficiency[rows],
        np.zeros(shape[1:]),
    )


def _connection(
    problem: Problem, most_export: FloatArray, most_import: FloatArray, power: float, money: float
) -> Connection | None:
    """Return the connection; its flows are bounded by what homes and batteries can exchange.

    That loses nothing: where buying costs at least what selling pays, flows both ways at once may
    be netted.
    """
    steps, weight = problem.steps, float(max(len(problem.battery_ids), 1))
    room = 1.0 + max(float(most_import.max()), float(most_export.max())) / power
    cost, width = np.zeros((4, steps)), np.empty((4, steps))
    cost[0] = problem.interval_h * problem.buy_eur_per_kwh / money
    cost[1] = -problem.interval_h * problem.sell_eur_per_kwh / money
    width[0] = np.minimum(problem.import_limit_kw, most_import) / power
    width[1] = np.minimum(problem.export_limit_kw, most_export) / power
    width[2] = problem.curtailable_kw / power
    has_peak = problem.peak_price_eur_per_kw > 0
    width[3] = room if has_peak else 0.0
    peak = np.full(1, problem.peak_price_eur_per_kw / money)
    return Connection(
        Boxes(cost, np.zeros((4, steps)), width, weight),
        Boxes(peak, np.zeros(1), np.full(1, room), weight),
        problem.residual_kw / power,
        np.zeros(steps),
        np.zeros(steps),
        has_peak,
    )


def _prices(problem: Problem) -> FloatArray:
    per_kwh = np.concatenate(
        [problem.buy_eur_per_kwh, problem.sell_eur_per_kwh, problem.wear_eur_per_kwh]
    )
    return problem.interval_h * per_kwh


def _scale(sizes: FloatArray) -> float:
    """Return the mean of the numbers that are not zero, or 1."""
    there = np.abs(sizes[sizes != 0])
    return float(there.mean()) if there.size else 1.0
