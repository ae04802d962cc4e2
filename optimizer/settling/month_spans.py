"""A month in columns: who owns which row from when to when, at what prices, on which days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, day_of, instant_text, local_day
from kwartier.units import EpochS
from optimizer.settling.matrix import Flags, ReadingMatrix
from optimizer.settling.period import Agreement
from optimizer.tariff import TariffVersion, Terms


@dataclass(frozen=True, slots=True)
class OwnedSpan:
    """Consecutive quarters in which one member owns one connection.

    Attributes:
        connection: Which.
        member: Whose.
        columns: Its quarters among the month's, never none.
    """

    connection: str
    member: str
    columns: range


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Consecutive quarters at one set of prices.

    A tariff of fixed prices makes one band; one whose price changes by the quarter would make a
    band of each stretch at one price, and nothing after this would need to know.

    Attributes:
        tariff: The version in force.
        terms: Its prices in these quarters.
        columns: The quarters among the month's, never none.
    """

    tariff: TariffVersion
    terms: Terms
    columns: range


@dataclass(frozen=True, slots=True)
class LocalDay:
    """One local day of a month.

    Attributes:
        day: Which.
        of_days: How many days its calendar month has.
        columns: Its 92, 96 or 100 quarters among the month's.
    """

    day: date
    of_days: int
    columns: range


def owned_spans(agreement: Agreement, readings: ReadingMatrix) -> list[OwnedSpan]:
    """Return who owns what from when to when, by connection and time.

    Without windows every connection is its own member wherever it stands in the readings.
    """
    if agreement.ownership is None:
        return [
            OwnedSpan(name, name, columns)
            for row, name in enumerate(readings.connections)
            for columns in runs_of(readings.listed[row])
        ]
    spans = []
    end = readings.quarters
    for window in agreement.ownership:
        first = _column_from(window.start_s, readings)
        last = end if window.end_s is None else _column_from(window.end_s, readings)
        if first < last:
            spans.append(OwnedSpan(window.connection, window.member, range(first, last)))
    return sorted(spans, key=lambda span: (span.connection, span.columns.start))


def price_bands(tariffs: Sequence[TariffVersion], readings: ReadingMatrix) -> list[PriceBand]:
    """Return at what prices each quarter is settled, in order of time.

    Raises:
        ContractError: Two versions begin at once or bear one name, or none is in force in the
            first quarter.
    """
    ordered = sorted(tariffs, key=lambda version: version.start_s)
    _refuse_same(ordered)
    if not ordered or ordered[0].start_s > readings.first.start_s:
        raise ContractError(
            f"tariffs: none is in force at {readings.first}: add one from then or before"
        )
    starts = [_column_from(version.start_s, readings) for version in ordered]
    ends = [*starts[1:], readings.quarters]
    return [
        PriceBand(version, version.terms, range(first, last))
        for version, first, last in zip(ordered, starts, ends, strict=True)
        if first < last
    ]


def local_days(readings: ReadingMatrix) -> Iterator[LocalDay]:
    """Yield the local days of a month whose bounds are local midnights."""
    day = day_of(readings.first.start_s)
    first = 0
    while first < readings.quarters:
        last = _column_from(local_day(day)[1], readings)
        yield LocalDay(day, _days_of_month(day), range(first, last))
        first, day = last, day + timedelta(days=1)


def runs_of(flags: Flags) -> list[range]:
    """Return the stretches in which some flags are set, shape ``(Q,)``."""
    columns = np.flatnonzero(flags)
    if not columns.size:
        return []
    runs = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    return [range(int(run[0]), int(run[-1]) + 1) for run in runs]


def overlap(one: range, other: range) -> range:
    """Return the columns that two stretches share."""
    return range(max(one.start, other.start), min(one.stop, other.stop))


def refuse_other_bounds(start_s: EpochS, end_s: EpochS, readings: ReadingMatrix) -> None:
    """Refuse readings that do not tile a month from local midnight to local midnight.

    Raises:
        ContractError: They do not; the message names the bound.
    """
    for name, at_s in (("begins", start_s), ("ends", end_s)):
        if local_day(day_of(at_s))[0] != at_s:
            raise ContractError(
                f"month {name} at {instant_text(at_s)}, which is no local midnight: "
                "take the first instant of a local day"
            )
    first_s, last_s = readings.first.start_s, readings.quarter(readings.quarters).start_s
    if (first_s, last_s) != (start_s, end_s):
        raise ContractError(
            f"readings: from {instant_text(first_s)} to {instant_text(last_s)}, the month is "
            f"from {instant_text(start_s)} to {instant_text(end_s)}: give all of its quarters"
        )


def _column_from(at_s: EpochS, readings: ReadingMatrix) -> int:
    """Return the first column that begins at or after an instant, within the month."""
    column = -((readings.first.start_s - at_s) // QUARTER_S)
    return min(max(column, 0), readings.quarters)


def _days_of_month(day: date) -> int:
    first = day.replace(day=1)
    next_month = first.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
    return (next_month - first).days


def _refuse_same(ordered: Sequence[TariffVersion]) -> None:
    names: set[str] = set()
    starts: set[EpochS] = set()
    for version in ordered:
        if version.start_s in starts:
            raise ContractError(
                f"tariffs: two are in force from {instant_text(version.start_s)}: keep one of them"
            )
        if version.id in names:
            raise ContractError(f"tariffs: {version.id!r} stands there twice: name each once")
        starts.add(version.start_s)
        names.add(version.id)
