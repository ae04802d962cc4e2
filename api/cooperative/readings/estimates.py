"""Gaps that somebody wants estimated: by the register's difference, else by the weeks before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

import numpy as np

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.officers import CLERKS
from api.cooperative.readings.days import (
    ESTIMATED,
    MISSING,
    ORIGINS,
    DayValues,
    Direction,
    Source,
)
from api.cooperative.readings.gaps import columns_of, owned_columns, runs
from api.cooperative.readings.intake import take_in
from api.cooperative.readings.matrices import matrix
from api.cooperative.readings.record import newest_days
from api.cooperative.readings.rises import Node
from api.cooperative.readings.stood import register_nodes
from kwartier.errors import InputError
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS, Wh
from kwartier.wire import Json
from optimizer.settling.estimation import PROFILE_WEEKS, Method, estimate_gap
from optimizer.settling.matrix import Flags, ReadingMatrix, WhArray
from optimizer.settling.period import Ownership

_OWN = ORIGINS[Source.ESTIMATE]


@dataclass(frozen=True, slots=True)
class EstimatedGap:
    """Quarters that were missing, and what they are taken to be.

    Attributes:
        connection: Whose.
        direction: Which register.
        quarters: Their starts [s], in order of time; a register's difference may span several gaps.
        energy_wh: One for each [Wh].
        method: How it came about.
        difference_wh: What the register says of all of them [Wh]; None when it says nothing.
    """

    connection: str
    direction: Direction
    quarters: tuple[EpochS, ...]
    energy_wh: tuple[Wh, ...]
    method: Method
    difference_wh: Wh | None


@dataclass(frozen=True, slots=True)
class Estimates:
    """What could be estimated, and what a person must decide.

    Attributes:
        gaps: The estimates.
        undecided: A sentence for each register with gaps that a person must decide.
    """

    gaps: tuple[EstimatedGap, ...]
    undecided: tuple[str, ...]


def estimate(
    desk: Desk,
    connections: Sequence[str],
    first: date,
    last: date,
    *,
    ownership: Sequence[Ownership] | None = None,
    apply: bool = False,
) -> Estimates:
    """Estimate what is missing from ``first`` to ``last``, and keep it when asked to.

    Earlier estimates are made again, so that what has become known since takes part. Between two
    readings of a register the quarters add up to its difference exactly.

    Args:
        desk: The books; without ``apply`` a still picture is enough.
        connections: Whose, homes and batteries.
        first: The first local day.
        last: The last local day.
        ownership: Who owned what; a vacant connection needs no estimate. None for always owned.
        apply: Whether to keep the estimates.

    Source:
        Rule 3 for imperfect data of docs/settlement.md.
    """
    if apply:
        desk.officer.need(*CLERKS)
    found: list[EstimatedGap] = []
    undecided: list[str] = []
    for connection in connections:
        for gaps in _Gaps.of(desk, connection, first, last, ownership):
            refused: list[InputError] = []
            for group, difference_wh in gaps.groups():
                try:
                    found.append(gaps.estimated(group, difference_wh))
                except InputError as error:
                    refused.append(error)
            undecided += _told(gaps, refused)
    if apply:
        _keep(desk, found)
    return Estimates(tuple(found), tuple(undecided))


@dataclass(frozen=True, slots=True)
class _Gaps:
    """One register of one connection, with the weeks before the period.

    Attributes:
        connection: Whose.
        direction: Which register.
        first_s: The start of the first column [s].
        start: The column at which the period begins.
        energy_wh: Every column's energy [Wh].
        open: Columns that are to be estimated.
        measured: Columns that were measured.
        owned: Columns in which somebody owns the connection.
        nodes: What the register counted between its readings.
    """

    connection: str
    direction: Direction
    first_s: EpochS
    start: int
    energy_wh: WhArray
    open: Flags
    measured: Flags
    owned: Flags
    nodes: tuple[Node, ...]

    @classmethod
    def of(
        cls,
        desk: Desk,
        connection: str,
        first: date,
        last: date,
        ownership: Sequence[Ownership] | None,
    ) -> Iterator[_Gaps]:
        """Yield the registers of a connection in which something is to be estimated."""
        before = first - timedelta(weeks=PROFILE_WEEKS)
        start_s, end_s = local_day(first)[0], local_day(last)[1]
        readings, _ = matrix(
            desk, [connection], local_day(before)[0], end_s, batteries=[connection]
        )
        start, _ = columns_of(readings, start_s, end_s)
        for direction in Direction:
            energy_wh, missing, estimated = _register(readings, direction)
            if not missing.any() and not estimated.any():
                continue
            known = newest_days(desk, _days(connection, direction, before, last))
            nodes = register_nodes(desk, connection, direction, readings.first.start_s, end_s)
            if not known and not nodes:
                continue  # a register that nobody ever spoke of
            own = np.zeros(readings.quarters, np.bool_)
            for version in known.values():
                at, _ = columns_of(readings, local_day(version.values.day)[0], end_s)
                for place, origin in enumerate(version.values.origins):
                    own[at + place] = origin == _OWN
            wanted = missing | own
            if wanted[start:].any():
                yield cls(
                    connection,
                    direction,
                    readings.first.start_s,
                    start,
                    energy_wh,
                    wanted,
                    ~missing & ~estimated,
                    _owned(readings, connection, ownership),
                    tuple(nodes),
                )

    def groups(self) -> Iterator[tuple[list[int], Wh | None]]:
        """Yield columns that belong together, with what the register says of them."""
        rest = self.open.copy()
        for before, after in self._bracketed():
            inside = slice(before[0], after[0])
            columns = [before[0] + place for place in np.flatnonzero(self.open[inside]).tolist()]
            if not columns or columns[-1] < self.start:
                continue
            rest[inside] = False
            known_wh = int(self.energy_wh[inside][~self.open[inside]].sum())
            yield columns, after[1] - before[1] - known_wh
        rest[: self.start] = False
        rest &= self.owned
        for start, length in runs(rest):
            # Day by day, so that one hour that nothing is known of leaves the other days alone.
            for _, day in groupby(range(start, start + length), self._day):
                yield list(day), None

    def estimated(self, columns: list[int], difference_wh: Wh | None) -> EstimatedGap:
        """Return what the columns are taken to be.

        Raises:
            ContractError: Nothing is known of them, or the quarters around them are more already
                than the register rose.
        """
        if difference_wh is not None and difference_wh < 0:
            raise BooksError(
                f"gap from {self._quarter(columns[0])}: the quarters that are known are "
                f"{-difference_wh} Wh more than the register rose: correct one of them first"
            )
        quarters = [self._quarter(column) for column in columns]
        told = estimate_gap(quarters, self._measured_before(columns[-1]), difference_wh)
        return EstimatedGap(
            self.connection,
            self.direction,
            tuple(quarter.start_s for quarter in quarters),
            told.energy_wh,
            told.method,
            difference_wh,
        )

    def _bracketed(self) -> Iterator[tuple[tuple[int, Wh], tuple[int, Wh]]]:
        """Yield each two readings that follow each other, as column and count."""
        for before, after in pairwise(self.nodes):
            if before.chain == after.chain and before.at_s < after.at_s:
                yield (self._column(before.at_s), before.wh), (self._column(after.at_s), after.wh)

    def _measured_before(self, last: int) -> Mapping[EpochS, Wh]:
        columns = np.flatnonzero(self.measured[:last]).tolist()
        return {
            self.first_s + column * QUARTER_S: int(self.energy_wh[column]) for column in columns
        }

    def _quarter(self, column: int) -> Quarter:
        return Quarter(self.first_s + column * QUARTER_S)

    def _day(self, column: int) -> date:
        return day_of(self.first_s + column * QUARTER_S)

    def _column(self, at_s: EpochS) -> int:
        return (at_s - self.first_s) // QUARTER_S


def _told(gaps: _Gaps, refused: Sequence[InputError]) -> list[str]:
    """Return what a person must decide about one register, the first reason in full."""
    if not refused:
        return []
    more = f" ({len(refused)} days that nothing is known of)" if len(refused) > 1 else ""
    return [f"{gaps.connection} {gaps.direction}: {refused[0]}{more}"]


def _register(readings: ReadingMatrix, direction: Direction) -> tuple[WhArray, Flags, Flags]:
    registers = {
        Direction.IMPORT: readings.taken,
        Direction.EXPORT: readings.given,
        Direction.CHARGE: readings.charge,
        Direction.DISCHARGE: readings.discharge,
    }[direction]
    return registers.energy_wh[0], registers.missing[0], registers.estimated[0]


def _owned(
    readings: ReadingMatrix, connection: str, ownership: Sequence[Ownership] | None
) -> Flags:
    if ownership is None:
        return np.ones(readings.quarters, np.bool_)
    owned = owned_columns(readings, ownership)
    return owned.get(connection, np.zeros(readings.quarters, np.bool_))


def _days(
    connection: str, direction: Direction, first: date, last: date
) -> list[tuple[str, Direction, date]]:
    count = (last - first).days + 1
    return [(connection, direction, first + timedelta(days=place)) for place in range(count)]


def _keep(desk: Desk, gaps: Sequence[EstimatedGap]) -> None:
    """Write the estimates as versions of their days, and note each in the audit log."""
    days: dict[tuple[str, Direction, date], dict[EpochS, tuple[Wh, Method]]] = {}
    for gap in gaps:
        for at_s, energy_wh in zip(gap.quarters, gap.energy_wh, strict=True):
            place = gap.connection, gap.direction, day_of(at_s)
            days.setdefault(place, {})[at_s] = energy_wh, gap.method
    take_in(desk, [_day(*place, known) for place, known in days.items()], {})
    for gap in gaps:
        facts: dict[str, Json] = {
            "direction": gap.direction.value,
            "first": str(Quarter(gap.quarters[0])),
            "quarters": len(gap.quarters),
            "wh": sum(gap.energy_wh),
            "method": gap.method.value,
            "register_difference_wh": gap.difference_wh,
        }
        record(desk, "reading.estimate", gap.connection, facts)


def _day(
    connection: str, direction: Direction, day: date, known: Mapping[EpochS, tuple[Wh, Method]]
) -> DayValues:
    starts = range(*local_day(day), QUARTER_S)
    return DayValues(
        connection,
        direction,
        day,
        tuple(known[at_s][0] if at_s in known else None for at_s in starts),
        "".join(ESTIMATED if at_s in known else MISSING for at_s in starts),
        Source.ESTIMATE,
        "estimated gap",
        "+".join(sorted({method.value for _, method in known.values()})),
    )
