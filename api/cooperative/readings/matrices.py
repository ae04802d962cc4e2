"""A period of days as arrays for the engine, and the fingerprint of exactly what stands in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
from sqlalchemy import Select, func, select

from api.cooperative.database import Desk
from api.cooperative.readings.days import Direction
from api.cooperative.tables.readings import DayRow
from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS
from optimizer.settling.matrix import Flags, ReadingMatrix, RegisterMatrix, WhArray

NAMES_AT_ONCE = 500
"""How many connections one question to the database names."""
_FULL = 2**53
"""Beyond every row number."""

_Place: TypeAlias = tuple[str, Direction]


@dataclass(frozen=True, slots=True)
class _Stored:
    """One day as it is stored."""

    connection: str
    direction: Direction
    day: date
    version: int
    wh: str
    quality: str
    hash: str


def latest_reading(desk: Desk) -> int:
    """Return the number of the newest version of any day: what a run notes to be read again."""
    return desk.session.scalar(select(func.coalesce(func.max(DayRow.id), 0))) or 0


def matrix(
    desk: Desk,
    connections: Sequence[str],
    start_s: EpochS,
    end_s: EpochS,
    as_of_version: int | None = None,
    *,
    batteries: Sequence[str] | None = None,
) -> tuple[ReadingMatrix, str]:
    """Return the readings of a period, and the fingerprint of the versions they came from.

    A register that was never recorded up to the period's end is one that the connection does not
    have, as long as its other register was: it counted 0. Every other quarter that is not known
    is missing.

    Args:
        desk: The books.
        connections: The members' connections.
        start_s: The first instant, a local midnight [s].
        end_s: The first instant after it, a local midnight [s].
        as_of_version: What `latest_reading` told when the run was computed; None for all.
        batteries: The batteries' connections; None for every one that ever charged or discharged.

    Raises:
        ContractError: A bound is no local midnight, or there is no day between them.
    """
    days = _days(start_s, end_s)
    newest = _FULL if as_of_version is None else as_of_version
    if batteries is None:
        batteries = _batteries(desk, days[-1], newest)
    homes = sorted(set(connections))
    stored = list(_stored(desk, [*homes, *batteries], days, newest))
    placed = _Placed.of(stored, days)
    shape = len(homes), placed.quarters
    taken, given = RegisterMatrix.empty(*shape), RegisterMatrix.empty(*shape)
    charge, discharge = (RegisterMatrix.empty(1, placed.quarters) for _ in range(2))
    absent = _Absent(desk, days[0], newest)
    for row, name in enumerate(homes):
        for registers, way, other in (
            (taken, Direction.IMPORT, Direction.EXPORT),
            (given, Direction.EXPORT, Direction.IMPORT),
        ):
            has_other = (name, other) in placed.days or absent.was_recorded(name, other)
            if placed.fill(registers, row, (name, way)) or not has_other:
                continue
            if not absent.was_recorded(name, way):
                registers.missing[row] = False
    for name in batteries:
        placed.add(charge, (name, Direction.CHARGE))
        placed.add(discharge, (name, Direction.DISCHARGE))
    listed = np.ones(shape, np.bool_)
    readings = ReadingMatrix(
        Quarter(start_s), tuple(homes), listed, taken, given, charge, discharge
    )
    return readings, _fingerprint(stored)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Stored days by register, and where each local day begins among the columns."""

    days: dict[_Place, list[_Stored]]
    columns: dict[date, tuple[int, int]]
    quarters: int

    @classmethod
    def of(cls, stored: Sequence[_Stored], days: Sequence[date]) -> _Placed:
        """Sort what is stored into registers."""
        by_register: dict[_Place, list[_Stored]] = {}
        for each in stored:
            by_register.setdefault((each.connection, each.direction), []).append(each)
        columns: dict[date, tuple[int, int]] = {}
        end = 0
        for day in days:
            start_s, end_s = local_day(day)
            start, end = end, end + (end_s - start_s) // QUARTER_S
            columns[day] = start, end
        return cls(by_register, columns, end)

    def fill(self, registers: RegisterMatrix, row: int, place: _Place) -> bool:
        """Write a register's days into a row; what is not among them is missing."""
        registers.missing[row] = True
        for each in self.days.get(place, ()):
            start, end = self.columns[each.day]
            values, missing, estimated = _parsed(each)
            registers.energy_wh[row, start:end] = values
            registers.missing[row, start:end] = missing
            registers.estimated[row, start:end] = estimated
        return place in self.days

    def add(self, registers: RegisterMatrix, place: _Place) -> None:
        """Add a battery's register; missing or estimated in one is so in the sum."""
        one = RegisterMatrix.empty(1, self.quarters)
        self.fill(one, 0, place)
        registers.energy_wh[:] += one.energy_wh
        registers.missing[:] |= one.missing
        registers.estimated[:] |= one.estimated
        registers.energy_wh[registers.missing] = 0


class _Absent:
    """Whether a register was ever recorded before the period."""

    def __init__(self, desk: Desk, first: date, newest: int) -> None:
        self._desk = desk
        self._first = first
        self._newest = newest
        self._known: dict[_Place, bool] = {}

    def was_recorded(self, connection: str, direction: Direction) -> bool:
        """Return whether there is a version of a day before the period."""
        place = connection, direction
        if place not in self._known:
            found = self._desk.session.scalar(
                select(DayRow.id)
                .where(
                    DayRow.connection == connection,
                    DayRow.direction == direction.value,
                    DayRow.day < self._first,
                    DayRow.id <= self._newest,
                )
                .limit(1)
            )
            self._known[place] = found is not None
        return self._known[place]


def _days(start_s: EpochS, end_s: EpochS) -> list[date]:
    first, after = day_of(start_s), day_of(end_s)
    if local_day(first)[0] != start_s or local_day(after)[0] != end_s or first >= after:
        raise ContractError(
            f"{start_s} to {end_s} are not the first instants of two local days in order"
        )
    return [first + timedelta(days=count) for count in range((after - first).days)]


def _batteries(desk: Desk, last: date, newest: int) -> list[str]:
    """Return every connection that charged or discharged up to a day."""
    ways = [Direction.CHARGE.value, Direction.DISCHARGE.value]
    return list(
        desk.session.scalars(
            select(DayRow.connection)
            .where(DayRow.direction.in_(ways), DayRow.day <= last, DayRow.id <= newest)
            .distinct()
            .order_by(DayRow.connection)
        )
    )


def _stored(
    desk: Desk, names: Sequence[str], days: Sequence[date], newest: int
) -> Iterator[_Stored]:
    """Yield the newest version of each day of a period that is not newer than the run."""
    for start in range(0, len(names), NAMES_AT_ONCE):
        held: dict[tuple[str, str, date], _Stored] = {}
        asked = _question(names[start : start + NAMES_AT_ONCE], days, newest)
        for name, way, day, version, wh, quality, day_hash in desk.session.execute(asked):
            held[name, way, day] = _Stored(
                name, Direction(way), day, version, wh, quality, day_hash
            )
        yield from held.values()


def _question(
    names: Sequence[str], days: Sequence[date], newest: int
) -> Select[str, str, date, int, str, str, str]:
    # Versions come in order, so that the last one of a day stays in the dictionary.
    return (
        select(
            DayRow.connection,
            DayRow.direction,
            DayRow.day,
            DayRow.version,
            DayRow.wh,
            DayRow.quality,
            DayRow.hash,
        )
        .where(
            DayRow.connection.in_(names),
            DayRow.day.between(days[0], days[-1]),
            DayRow.id <= newest,
        )
        .order_by(DayRow.connection, DayRow.direction, DayRow.day, DayRow.version)
    )


def _parsed(stored: _Stored) -> tuple[WhArray, Flags, Flags]:
    letters = np.frombuffer(stored.quality.encode(), np.uint8)
    missing, estimated = letters == ord("-"), letters == ord("e")
    # A missing value is null in the list and 0 in the array; a JSON parser takes thrice as long.
    numbers = stored.wh.strip("[]").replace("null", "0")
    return np.fromstring(numbers, np.int64, sep=","), missing, estimated


def _fingerprint(stored: Sequence[_Stored]) -> str:
    """Return the hash of the sorted set of what was used."""
    parts = sorted(
        f"{each.connection} {each.direction} {each.day} {each.version} {each.hash}"
        for each in stored
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
