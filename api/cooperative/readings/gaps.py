"""Completeness: what should have been read of each connection, and where nothing was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kwartier.interval import QUARTER_S, Quarter
from kwartier.units import EpochS
from optimizer.settling.matrix import Flags, ReadingMatrix
from optimizer.settling.period import Ownership


@dataclass(frozen=True, slots=True)
class Gap:
    """Quarters in a row in which a connection was not read.

    Attributes:
        first: The first of them.
        quarters: How many.
        import_missing: Whether the import was not read in at least one of them.
        export_missing: Whether the export was not read in at least one of them.
    """

    first: Quarter
    quarters: int
    import_missing: bool
    export_missing: bool

    @property
    def last(self) -> Quarter:
        """The last quarter of the gap."""
        return self.first.next(self.quarters - 1)


@dataclass(frozen=True, slots=True)
class Completeness:
    """What was read of one connection in the windows in which somebody owned it.

    Attributes:
        connection: Its name.
        expected: How many quarters: the windows' days of 92, 96 or 100.
        gaps: Where nothing was read, in order of time.
        estimated: In how many quarters a value was estimated.
    """

    connection: str
    expected: int
    gaps: tuple[Gap, ...]
    estimated: int

    @property
    def missing(self) -> int:
        """How many quarters are missing."""
        return sum(gap.quarters for gap in self.gaps)


def completeness(
    readings: ReadingMatrix, ownership: Sequence[Ownership]
) -> tuple[Completeness, ...]:
    """Return what was read of every connection that somebody owned, by name.

    Source:
        Rule 1 for imperfect data of docs/settlement.md.
    """
    rows = {name: row for row, name in enumerate(readings.connections)}
    owned = owned_columns(readings, ownership)
    return tuple(
        _of_connection(readings, name, rows.get(name), owned[name]) for name in sorted(owned)
    )


def owned_columns(readings: ReadingMatrix, ownership: Sequence[Ownership]) -> dict[str, Flags]:
    """Return in which quarters each connection has an owner, shape ``(Q,)``; never all False."""
    owned: dict[str, Flags] = {}
    for window in ownership:
        start, end = columns_of(readings, window.start_s, window.end_s)
        if start < end:
            flags = owned.setdefault(window.connection, np.zeros(readings.quarters, np.bool_))
            flags[start:end] = True
    return owned


def columns_of(readings: ReadingMatrix, start_s: EpochS, end_s: EpochS | None) -> tuple[int, int]:
    """Return the columns that begin in ``[start_s, end_s)``; the second is not below the first."""
    first_s = readings.first.start_s
    start = min(max(-(-(start_s - first_s) // QUARTER_S), 0), readings.quarters)
    if end_s is None:
        return start, readings.quarters
    end = min(max(-(-(end_s - first_s) // QUARTER_S), 0), readings.quarters)
    return start, max(start, end)


def runs(flags: Flags) -> Iterator[tuple[int, int]]:
    """Yield first column and length of each run of yes."""
    padded = np.concatenate(([False], flags, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield start, end - start


def _of_connection(
    readings: ReadingMatrix, name: str, row: int | None, owned: Flags
) -> Completeness:
    expected = int(owned.sum())
    if row is None:
        whole = tuple(_gap(readings, start, length, owned, owned) for start, length in runs(owned))
        return Completeness(name, expected, whole, 0)
    absent = ~readings.listed[row]
    taken = (readings.taken.missing[row] | absent) & owned
    given = (readings.given.missing[row] | absent) & owned
    estimated = (readings.taken.estimated[row] | readings.given.estimated[row]) & owned
    gaps = tuple(
        _gap(readings, start, length, taken, given) for start, length in runs(taken | given)
    )
    return Completeness(name, expected, gaps, int(estimated.sum()))


def _gap(readings: ReadingMatrix, start: int, length: int, taken: Flags, given: Flags) -> Gap:
    inside = slice(start, start + length)
    return Gap(
        readings.quarter(start), length, bool(taken[inside].any()), bool(given[inside].any())
    )
