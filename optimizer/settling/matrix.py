"""A period's readings as arrays of whole watt-hours: one row a connection, one column a quarter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter
from optimizer.balance import QuarterReadings, Registers

WhArray: TypeAlias = NDArray[np.int64]
"""Whole watt-hours."""
Flags: TypeAlias = NDArray[np.bool_]
"""Yes or no."""


@dataclass(frozen=True, slots=True)
class RegisterMatrix:
    """What one direction of every connection counted; missing values hold 0 and are flagged.

    Attributes:
        energy_wh: Shape ``(N, Q)`` [Wh].
        missing: Shape ``(N, Q)``: not read.
        estimated: Shape ``(N, Q)``: takes part with an estimate.
    """

    energy_wh: WhArray
    missing: Flags
    estimated: Flags

    @classmethod
    def empty(cls, rows: int, quarters: int) -> RegisterMatrix:
        """Return registers that counted nothing."""
        shape = rows, quarters
        return cls(np.zeros(shape, np.int64), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_))


@dataclass(frozen=True, slots=True)
class ReadingMatrix:
    """All that was read of a run of consecutive quarters.

    Attributes:
        first: The first quarter; column ``q`` is ``first.next(q)``.
        connections: Names of the rows, in ascending order.
        listed: Shape ``(N, Q)``: the connection stands among the quarter's readings.
        taken: Import of each connection.
        given: Export of each connection.
        charge: What the battery took, shape ``(1, Q)``.
        discharge: What the battery gave, shape ``(1, Q)``.
    """

    first: Quarter
    connections: tuple[str, ...]
    listed: Flags
    taken: RegisterMatrix
    given: RegisterMatrix
    charge: RegisterMatrix
    discharge: RegisterMatrix

    def __post_init__(self) -> None:
        if list(self.connections) != sorted(set(self.connections)):
            raise ContractError("connections: name each once, in ascending order")
        for registers, rows in (
            (self.taken, len(self.connections)),
            (self.given, len(self.connections)),
            (self.charge, 1),
            (self.discharge, 1),
        ):
            assert registers.energy_wh.shape == (rows, self.quarters)
            assert registers.energy_wh.dtype == np.int64
            if (registers.energy_wh < 0).any():
                raise ContractError("energy below zero: a register only counts up")

    @property
    def quarters(self) -> int:
        """How many columns there are."""
        return int(self.listed.shape[1])

    def quarter(self, column: int) -> Quarter:
        """Return the quarter of a column."""
        return self.first.next(column)

    def column(self, column: int) -> QuarterReadings:
        """Return one quarter as the exact engine reads it."""
        connections = {
            name: _registers(self.taken, self.given, row, column)
            for row, name in enumerate(self.connections)
            if self.listed[row, column]
        }
        battery = _registers(self.charge, self.discharge, 0, column)
        return QuarterReadings(self.quarter(column), connections, battery)

    @classmethod
    def of(cls, quarters: Sequence[QuarterReadings]) -> ReadingMatrix:
        """Return consecutive quarters as arrays.

        Raises:
            ContractError: There are none, or one is skipped or stands there twice.
        """
        ordered = sorted(quarters, key=lambda readings: readings.quarter)
        if not ordered:
            raise ContractError("quarters: there are none")
        first = ordered[0].quarter
        names = tuple(sorted({name for readings in ordered for name in readings.connections}))
        shape = len(names), len(ordered)
        taken, given = RegisterMatrix.empty(*shape), RegisterMatrix.empty(*shape)
        charge = RegisterMatrix.empty(1, len(ordered))
        discharge = RegisterMatrix.empty(1, len(ordered))
        listed = np.zeros(shape, np.bool_)
        rows = {name: row for row, name in enumerate(names)}
        for column, readings in enumerate(ordered):
            if readings.quarter.start_s != first.start_s + column * QUARTER_S:
                raise ContractError(f"quarter {readings.quarter} does not follow the one before it")
            for name, registers in readings.connections.items():
                listed[rows[name], column] = True
                _put(taken, given, (rows[name], column), registers)
            _put(charge, discharge, (0, column), readings.battery)
        return cls(first, names, listed, taken, given, charge, discharge)


@dataclass(frozen=True, slots=True)
class AllocationMatrix:
    """A settled run of quarters, in the rows and columns of its readings; zeros where nothing is.

    Attributes:
        takes_part: Shape ``(N, Q)``: listed and owned, so settled.
        bought_wh: What each connection received from neighbours and battery, ``(N, Q)`` [Wh].
        sold_wh: How much of its export neighbours used, ``(N, Q)`` [Wh].
        to_battery_wh: How much of its left-over export charged the battery, ``(N, Q)`` [Wh].
        from_battery_wh: How much of the discharge members received, ``(Q,)`` [Wh].
        supply_wh: What there was to share, ``(Q,)`` [Wh].
    """

    takes_part: Flags
    bought_wh: WhArray
    sold_wh: WhArray
    to_battery_wh: WhArray
    from_battery_wh: WhArray
    supply_wh: WhArray


def _registers(taken: RegisterMatrix, given: RegisterMatrix, row: int, column: int) -> Registers:
    place = row, column
    return Registers(
        None if taken.missing[place] else int(taken.energy_wh[place]),
        None if given.missing[place] else int(given.energy_wh[place]),
        bool(taken.estimated[place]),
        bool(given.estimated[place]),
    )


def _put(
    taken: RegisterMatrix, given: RegisterMatrix, place: tuple[int, int], registers: Registers
) -> None:
    for matrix, energy_wh, estimated in (
        (taken, registers.import_wh, registers.import_estimated),
        (given, registers.export_wh, registers.export_estimated),
    ):
        matrix.energy_wh[place] = energy_wh or 0
        matrix.missing[place] = energy_wh is None
        matrix.estimated[place] = estimated
