"""Rows of one meter in one hour that follow each other: what a transaction gathers of it.

A gateway that catches up sends many blocks of the same hour. Put together they are one chunk, and
each of their quarters is looked at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from collectors.chunk import HOUR_S, SeriesId, Values
from collectors.quarters import Span
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS


@dataclass(slots=True)
class Stretch:
    """Rows in order of time, of one hour.

    Attributes:
        at_s: One instant a row [s], rising.
        columns: Values by series, one a row; None where it is silent.
    """

    at_s: list[EpochS] = field(default_factory=list)
    columns: dict[SeriesId, list[int | None]] = field(default_factory=dict)

    @property
    def hour(self) -> int:
        """The hour that the rows lie in, counted from 1970."""
        return self.at_s[0] // HOUR_S

    @property
    def offsets(self) -> list[int]:
        """The seconds into the hour of each row."""
        begin_s = self.hour * HOUR_S
        return [at - begin_s for at in self.at_s]

    def extend(self, at_s: Sequence[EpochS], columns: Mapping[SeriesId, Values]) -> None:
        """Put later rows of the hour behind; a series that one side lacks is silent there."""
        before = len(self.at_s)
        self.at_s += at_s
        for series, column in columns.items():
            held = self.columns.get(series)
            if held is None:
                held = self.columns[series] = [None] * before
            held += column
        for held in self.columns.values():
            held.extend(repeat(None, len(self.at_s) - len(held)))


def points_of(columns: Mapping[SeriesId, Values]) -> int:
    """Return how many values columns hold."""
    return sum(len(column) - column.count(None) for column in columns.values())


def runs(at_s: Sequence[EpochS], length_s: int) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of the rows in each period of a length [s], in order."""
    if at_s[0] // length_s == at_s[-1] // length_s:
        return [(0, len(at_s))]
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(at_s):
        end = bisect_left(at_s, (at_s[start] // length_s + 1) * length_s, lo=start)
        found.append((start, end))
        start = end
    return found


def newest(at_s: Sequence[EpochS], column: Values) -> tuple[EpochS, int] | None:
    """Return a column's last value and its instant [s]; None where it is silent throughout."""
    return next(_told(at_s, column, range(len(column) - 1, -1, -1)), None)


def spans(at_s: Sequence[EpochS], column: Values) -> Iterator[Span]:
    """Return the first and the last value in each quarter in which a column speaks."""
    for start, end in runs(at_s, QUARTER_S):
        first = next(_told(at_s, column, range(start, end)), None)
        last = next(_told(at_s, column, range(end - 1, start - 1, -1)), None)
        if first is not None and last is not None:
            yield Span(at_s[start] // QUARTER_S * QUARTER_S, *chain(first, last))


def _told(at_s: Sequence[EpochS], column: Values, rows: range) -> Iterator[tuple[EpochS, int]]:
    for row in rows:
        value = column[row]
        if value is not None:
            yield at_s[row], value
