"""A neighbourhood's counted quarters with another roof or another battery: whole watt-hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kwartier.errors import InputError
from kwartier.units import Wh
from optimizer.backtest.course import Course
from optimizer.problem import FloatArray
from optimizer.settling.matrix import (
    AllocationMatrix,
    Flags,
    ReadingMatrix,
    RegisterMatrix,
    WhArray,
)
from optimizer.settling.month_spans import OwnedSpan

_WH_PER_KW_QUARTER = 250


@dataclass(frozen=True, slots=True)
class Outside:
    """What a member takes from an own supplier and gives to it, after sharing [Wh]."""

    taken_wh: Wh
    given_wh: Wh


def laid_out(total_wh: Wh, shape: WhArray) -> WhArray:
    """Return an amount over quarters in proportion to a shape, to the watt-hour.

    Args:
        total_wh: What all quarters come to [Wh].
        shape: Never below zero and not nothing, shape ``(Q,)``.

    Raises:
        InputError: There is no shape to follow.
    """
    whole = int(shape.sum())
    if whole <= 0:
        raise InputError("a roof is laid out by the sun of these months, and there was none")
    # In Python's own integers: kWp times years times Wh outgrows 64 bits.
    risen = [total_wh * each // whole for each in np.cumsum(shape).tolist()]
    ends = np.array([0, *risen], np.int64)
    laid: WhArray = ends[1:] - ends[:-1]
    return laid


def with_roof(readings: ReadingMatrix, connection: str, made_wh: WhArray) -> ReadingMatrix:
    """Return what would have been read if a home had made so much more, shape ``(Q,)`` [Wh].

    What it makes first lowers what it takes in that quarter, and the rest is given. Where it is
    not known what the home took, nothing changes.
    """
    if connection not in readings.connections:
        return readings
    row = readings.connections.index(connection)
    knows = readings.listed[row] & ~readings.taken.missing[row]
    made = np.where(knows, made_wh, 0)
    used = np.minimum(readings.taken.energy_wh[row], made)
    return replace(
        readings,
        taken=_row_changed(readings.taken, row, readings.taken.energy_wh[row] - used),
        given=_row_changed(readings.given, row, readings.given.energy_wh[row] + made - used, knows),
    )


def with_battery(readings: ReadingMatrix, charged_wh: WhArray, given_wh: WhArray) -> ReadingMatrix:
    """Return the same quarters with a battery that did this, shape ``(Q,)`` each [Wh]."""
    nothing = np.zeros((1, readings.quarters), np.bool_)
    return replace(
        readings,
        charge=RegisterMatrix(charged_wh[None, :], nothing, nothing),
        discharge=RegisterMatrix(given_wh[None, :], nothing, nothing),
    )


def whole_wh(power_kw: FloatArray) -> WhArray:
    """Return the energy of quarters at a mean power, whole: what a meter would have counted."""
    energy: WhArray = np.rint(power_kw * _WH_PER_KW_QUARTER).astype(np.int64)
    return energy


def is_read(readings: ReadingMatrix) -> Flags:
    """Return in which quarters any home was read, shape ``(Q,)``."""
    known = readings.listed & ~readings.taken.missing
    anywhere: Flags = np.any(known, axis=0)
    return anywhere


def course_of(
    start_s: int,
    months: Mapping[int, ReadingMatrix],
    quarters: int,
    buy_eur_per_kwh: FloatArray,
    sell_eur_per_kwh: FloatArray,
) -> Course:
    """Return months of readings as something to steer by; what homes lack and have left over.

    Args:
        start_s: The first quarter [s].
        months: Readings by their first column among all quarters.
        quarters: How many there are in all; what no month covers is not known.
        buy_eur_per_kwh: What a kWh from outside costs, shape ``(quarters,)``.
        sell_eur_per_kwh: What a kWh to outside earns, shape ``(quarters,)``.
    """
    use, sun = np.full((2, quarters), np.nan)
    for first, readings in months.items():
        places = slice(first, first + readings.quarters)
        known = is_read(readings)
        taken, given = readings.taken.energy_wh, readings.given.energy_wh
        use[places] = np.where(known, taken.sum(axis=0) / _WH_PER_KW_QUARTER, np.nan)
        sun[places] = np.where(known, given.sum(axis=0) / _WH_PER_KW_QUARTER, np.nan)
    return Course(start_s, use, sun, buy_eur_per_kwh, sell_eur_per_kwh)


def outside_of(
    spans: Sequence[OwnedSpan], readings: ReadingMatrix, allocation: AllocationMatrix
) -> dict[str, Outside]:
    """Return what each member still takes from outside and gives to it, by name."""
    taken = np.maximum(readings.taken.energy_wh - allocation.bought_wh, 0)
    kept = allocation.sold_wh + allocation.to_battery_wh
    given = np.maximum(readings.given.energy_wh - kept, 0)
    sums: dict[str, Outside] = {}
    for span in spans:
        row = readings.connections.index(span.connection)
        columns = slice(span.columns.start, span.columns.stop)
        before = sums.get(span.member, Outside(0, 0))
        sums[span.member] = Outside(
            before.taken_wh + int(taken[row, columns].sum()),
            before.given_wh + int(given[row, columns].sum()),
        )
    return sums


def _row_changed(
    registers: RegisterMatrix, row: int, energy_wh: WhArray, read: Flags | None = None
) -> RegisterMatrix:
    changed, missing = registers.energy_wh.copy(), registers.missing.copy()
    changed[row] = energy_wh
    if read is not None:
        missing[row] &= ~read
    return RegisterMatrix(changed, missing, registers.estimated)
