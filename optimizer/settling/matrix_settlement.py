"""A run of quarters settled at once, watt-hour for watt-hour as the exact engine settles them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter
from optimizer.settling.filling import fill
from optimizer.settling.matrix import AllocationMatrix, ReadingMatrix, RegisterMatrix, WhArray
from optimizer.settling.matrix_filling import fill_rows
from optimizer.settling.matrix_rounding import whole_rows
from optimizer.settling.owner_windows import OwnerWindows
from optimizer.settling.period import Agreement, Rounding
from optimizer.settling.quarter_block import BLOCK_CELLS, Block, BlockWh, fits, settle_block
from optimizer.settling.rounding import Tie, tie_order, whole_amounts


def settle_matrix(matrix: ReadingMatrix, agreement: Agreement) -> AllocationMatrix:
    """Settle every quarter of a matrix, rounded per quarter.

    A connection takes part in a quarter in which it is listed and has an owner. What is missing
    counts 0. Under ``source = sequential`` export is drawn on in the order of the rows.

    Args:
        matrix: What was read.
        agreement: Keys and owners as they were in force.

    Raises:
        ContractError: No key is in force in a quarter, amounts are to be rounded per period, or
            the supply of a quarter is more than 64 bits hold.

    Source:
        Conventions C3 to C11 of docs/settlement.md.
    """
    if agreement.rounding is not Rounding.QUARTER:
        raise ContractError(
            "rounding: 'period' leaves no whole watt-hours in a quarter: settle the period instead"
        )
    shape = matrix.listed.shape
    settled = AllocationMatrix(
        np.zeros(shape, np.bool_),
        *(np.zeros(shape, np.int64) for _ in range(3)),
        *(np.zeros(matrix.quarters, np.int64) for _ in range(2)),
    )
    windows = OwnerWindows(agreement, matrix.connections)
    for run in _runs(matrix, agreement):
        block = _block(matrix, run, windows)
        rules = agreement.rules_at(matrix.quarter(run.start))
        _keep(settled, run, block, settle_block(block, rules), rules.tie)
    return settled


def _runs(matrix: ReadingMatrix, agreement: Agreement) -> Iterator[range]:
    """Yield runs of quarters in which one key is in force, few enough to be reckoned at once."""
    length = max(1, BLOCK_CELLS // max(1, len(matrix.connections)))
    first_s, quarters = matrix.first.start_s, matrix.quarters
    # A version that begins within a quarter is in force from the next one on.
    changes = {-((first_s - version.start_s) // QUARTER_S) for version in agreement.keys}
    bounds = [0, *sorted(change for change in changes if 0 < change < quarters), quarters]
    for first, end in pairwise(bounds):
        for start in range(first, end, length):
            yield range(start, min(start + length, end))


def _block(matrix: ReadingMatrix, run: range, windows: OwnerWindows) -> Block:
    numbers = matrix.first.number + np.arange(run.start, run.stop, dtype=np.int64)
    owned = windows.of(numbers, matrix.connections) >= 0
    takes_part = matrix.listed[:, run.start : run.stop].T & owned
    return Block(
        numbers,
        matrix.connections,
        takes_part,
        _read(matrix.taken, run) * takes_part,
        _read(matrix.given, run) * takes_part,
        _read(matrix.charge, run)[:, 0],
        _read(matrix.discharge, run)[:, 0],
    )


def _read(registers: RegisterMatrix, run: range) -> WhArray:
    """Return what was counted with a row for each quarter; what is missing counts 0."""
    columns = slice(run.start, run.stop)
    return np.where(registers.missing[:, columns], 0, registers.energy_wh[:, columns]).T


def _keep(settled: AllocationMatrix, run: range, block: Block, wh: BlockWh, tie: Tie) -> None:
    columns = slice(run.start, run.stop)
    settled.takes_part[:, columns] = block.takes_part.T
    settled.bought_wh[:, columns] = wh.bought.T
    settled.sold_wh[:, columns] = wh.sold.T
    settled.to_battery_wh[:, columns] = _to_battery(block, wh.left_over, tie).T
    # What was sold and bought differs by at most the discharge, also where their sums wrap.
    settled.from_battery_wh[columns] = (wh.bought - wh.sold).sum(axis=1)
    settled.supply_wh[columns] = _supply(block, wh)


def _to_battery(block: Block, left_over: WhArray, tie: Tie) -> WhArray:
    """Return how much of each one's left-over export charged the battery, ``(Q, N)`` [Wh]."""
    charged = np.zeros_like(left_over)
    charging = block.charge > 0
    rows = np.flatnonzero(charging & fits(block))
    left, one = left_over[rows], np.ones(len(rows), np.int64)
    charged[rows] = whole_rows(
        fill_rows(block.charge[rows], left, left, one),
        block.takes_part[rows],
        tie,
        block.numbers[rows],
    )
    for row in np.flatnonzero(charging & ~fits(block)).tolist():
        columns = np.flatnonzero(block.takes_part[row]).tolist()
        names = [block.names[column] for column in columns]
        amounts = dict(zip(names, left_over[row, columns].tolist(), strict=True))
        whole = whole_amounts(
            fill(int(block.charge[row]), amounts, amounts),
            tie_order(names, tie, int(block.numbers[row])),
        )
        charged[row, columns] = [whole[name] for name in names]
    return charged


def _supply(block: Block, wh: BlockWh) -> WhArray:
    exports = wh.sold + wh.left_over
    supply: WhArray = exports.sum(axis=1) + block.discharge
    for row in np.flatnonzero(~fits(block)).tolist():
        exact = sum(exports[row].tolist()) + int(block.discharge[row])
        if exact != int(supply[row]):
            quarter = Quarter(int(block.numbers[row]) * QUARTER_S)
            raise ContractError(f"supply of {quarter}: {exact} Wh is more than 64 bits hold")
    return supply
