"""Days of quarters as a run froze them: what was read of a connection, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS, Wh
from optimizer.settling.matrix import (
    AllocationMatrix,
    Flags,
    ReadingMatrix,
    RegisterMatrix,
    WhArray,
)

BATTERY_ROW = ":battery"
"""How the battery's rows are named; no connection can have that name."""
MEASURED, ESTIMATED, MISSING, UNLISTED = "m", "e", "-", "."


@dataclass(frozen=True, slots=True)
class FrozenDay:
    """One local day of one connection, or of the battery, in a run; every list is by quarter.

    Attributes:
        connection: Whose; ``:battery`` for the battery.
        day: The local day.
        taken: Import, or what the battery took [Wh]; None where it was not read.
        given: Export, or what the battery gave [Wh]; None where it was not read.
        taken_quality: ``m`` measured, ``e`` estimated, ``-`` missing, ``.`` not listed.
        given_quality: Likewise.
        bought: What neighbours and battery gave it, or members gave the battery [Wh].
        sold: How much of its export, or of the discharge, members received [Wh].
        to_battery: How much of its left-over export charged the battery [Wh].
    """

    connection: str
    day: date
    taken: Sequence[Wh | None]
    given: Sequence[Wh | None]
    taken_quality: str
    given_quality: str
    bought: Sequence[Wh]
    sold: Sequence[Wh]
    to_battery: Sequence[Wh]


def days_between(start_s: EpochS, end_s: EpochS) -> list[tuple[date, int, int]]:
    """Return each local day with its first column and the column after its last."""
    days, day = [], day_of(start_s)
    while (first_s := local_day(day)[0]) < end_s:
        next_s = local_day(day)[1]
        days.append((day, (first_s - start_s) // QUARTER_S, (next_s - start_s) // QUARTER_S))
        day += timedelta(days=1)
    return days


def days_of(readings: ReadingMatrix, allocation: AllocationMatrix) -> Iterator[FrozenDay]:
    """Yield a month's days, connection by connection, the battery last.

    A day on which a connection stands in no quarter's readings is left out.
    """
    start_s = readings.first.start_s
    days = days_between(start_s, start_s + readings.quarters * QUARTER_S)
    for row, name in enumerate(readings.connections):
        results = (allocation.bought_wh, allocation.sold_wh, allocation.to_battery_wh)
        registers = (readings.taken, readings.given)
        for day, first, after in days:
            if readings.listed[row, first:after].any():
                yield _day((name, day), registers, readings.listed[row], results, row, first, after)
    charged = allocation.to_battery_wh.sum(axis=0, keepdims=True, dtype=np.int64)
    given = allocation.from_battery_wh[np.newaxis, :]
    results = (charged, given, np.zeros_like(charged))
    everywhere = np.ones(readings.quarters, np.bool_)
    for day, first, after in days:
        registers = (readings.charge, readings.discharge)
        yield _day((BATTERY_ROW, day), registers, everywhere, results, 0, first, after)


def readings_of(days: Iterable[FrozenDay], start_s: EpochS, end_s: EpochS) -> ReadingMatrix:
    """Return the readings that were frozen as days.

    Raises:
        ContractError: A day is not in the month, stands there twice, or has a wrong length.
    """
    columns = {day: (first, after) for day, first, after in days_between(start_s, end_s)}
    held = list(days)
    names = tuple(sorted({each.connection for each in held} - {BATTERY_ROW}))
    shape = len(names), (end_s - start_s) // QUARTER_S
    taken, given = RegisterMatrix.empty(*shape), RegisterMatrix.empty(*shape)
    charge, discharge = (RegisterMatrix.empty(1, shape[1]) for _ in range(2))
    listed = np.zeros(shape, np.bool_)
    rows = {name: row for row, name in enumerate(names)}
    seen: set[tuple[str, date]] = set()
    for each in held:
        place = f"{each.connection} {each.day}"
        if each.day not in columns or (each.connection, each.day) in seen:
            raise ContractError(f"{place}: stands there twice, or is not in the month")
        seen.add((each.connection, each.day))
        first, after = columns[each.day]
        if each.connection == BATTERY_ROW:
            _put(charge, 0, first, after, each.taken, each.taken_quality, place)
            _put(discharge, 0, first, after, each.given, each.given_quality, place)
            continue
        row = rows[each.connection]
        _put(taken, row, first, after, each.taken, each.taken_quality, place)
        _put(given, row, first, after, each.given, each.given_quality, place)
        listed[row, first:after] = [letter != UNLISTED for letter in each.taken_quality]
    return ReadingMatrix(Quarter(start_s), names, listed, taken, given, charge, discharge)


def readings_hash(readings: ReadingMatrix) -> str:
    """Return the SHA-256 of all readings: names, then registers as 8-byte numbers and flags."""
    parts: list[WhArray | Flags] = [readings.listed]
    for registers in (readings.taken, readings.given, readings.charge, readings.discharge):
        parts += [registers.energy_wh, registers.missing, registers.estimated]
    return _hash(f"{readings.first} {' '.join(readings.connections)}", parts)


def allocation_hash(allocation: AllocationMatrix) -> str:
    """Return the SHA-256 of what was shared: arrays as 8-byte numbers and flags, in order."""
    return _hash(
        "allocation",
        [
            allocation.takes_part,
            allocation.bought_wh,
            allocation.sold_wh,
            allocation.to_battery_wh,
            allocation.from_battery_wh,
            allocation.supply_wh,
        ],
    )


def _hash(title: str, parts: Iterable[WhArray | Flags]) -> str:
    total = hashlib.sha256(title.encode())
    for part in parts:
        total.update(f"\n{part.shape}\n".encode())
        total.update(part.astype(">i8" if part.dtype != np.bool_ else "?").tobytes())
    return total.hexdigest()


def _day(
    named: tuple[str, date],
    registers: tuple[RegisterMatrix, RegisterMatrix],
    listed: Flags,
    results: tuple[WhArray, WhArray, WhArray],
    row: int,
    first: int,
    after: int,
) -> FrozenDay:
    qualities = [_quality(each, listed, row, first, after) for each in registers]
    taken, given = (
        _read(each.energy_wh[row, first:after].tolist(), quality)
        for each, quality in zip(registers, qualities, strict=True)
    )
    taken_quality, given_quality = qualities
    bought, sold, to_battery = (each[row, first:after].tolist() for each in results)
    return FrozenDay(*named, taken, given, taken_quality, given_quality, bought, sold, to_battery)


def _read(energy_wh: list[Wh], quality: str) -> Sequence[Wh | None]:
    """Return the values of a day without those that were not read."""
    if MISSING not in quality and UNLISTED not in quality:
        return energy_wh
    return [
        None if letter in (MISSING, UNLISTED) else value
        for value, letter in zip(energy_wh, quality, strict=True)
    ]


def _quality(registers: RegisterMatrix, listed: Flags, row: int, first: int, after: int) -> str:
    letters = np.full(after - first, ord(MEASURED), np.uint8)
    letters[registers.estimated[row, first:after]] = ord(ESTIMATED)
    letters[registers.missing[row, first:after]] = ord(MISSING)
    letters[~listed[first:after]] = ord(UNLISTED)
    return letters.tobytes().decode()


def _put(
    registers: RegisterMatrix,
    row: int,
    first: int,
    after: int,
    energy_wh: Sequence[Wh | None],
    quality: str,
    place: str,
) -> None:
    if len(energy_wh) != after - first or len(quality) != after - first:
        raise ContractError(f"{place}: {len(energy_wh)} values; the day has {after - first}")
    if not all(value is None or type(value) is int for value in energy_wh):
        raise ContractError(f"{place}: energy is whole Wh, or null where it was not read")
    registers.energy_wh[row, first:after] = [value or 0 for value in energy_wh]
    registers.missing[row, first:after] = [letter == MISSING for letter in quality]
    registers.estimated[row, first:after] = [letter == ESTIMATED for letter in quality]
