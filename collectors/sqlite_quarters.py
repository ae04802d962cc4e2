"""The quarters in SQLite: kept with the readings, told with their gaps filled in."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from collectors.chunk import SeriesId
from collectors.quarters import (
    REACH,
    SURROUNDINGS,
    Known,
    Register,
    Span,
    known_of_device,
    steps_back,
)
from collectors.store import DeviceKey, Quality, QuarterEnergy
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS, Wh

_Row: TypeAlias = tuple[EpochS, EpochS, int, EpochS, int, "Wh | None", int, int]
_COLUMNS = "start_s, first_s, first, last_s, last, energy_wh, estimated, steps_back"
_QUALITY = (Quality.MEASURED, Quality.ESTIMATED)
_TOGETHER_S = 2 * SURROUNDINGS * QUARTER_S


def write_spans(
    connection: sqlite3.Connection, series: SeriesId, spans: Mapping[EpochS, Span]
) -> None:
    """Widen the quarters of one series, and reckon again the energies that follow from them."""
    starts = sorted(spans)
    begin = 0
    for end in range(1, len(starts) + 1):
        if end == len(starts) or starts[end] - starts[end - 1] > _TOGETHER_S:
            _write_near(connection, series, [spans[start_s] for start_s in starts[begin:end]])
            begin = end


def _write_near(connection: sqlite3.Connection, series: SeriesId, spans: Sequence[Span]) -> None:
    """Widen quarters that lie close together."""
    rows = _rows_around(connection, series, spans[0].start_s, spans[-1].start_s)
    written = {row[0]: row for row in rows}
    held = {row[0]: Span(*row[:5]) for row in rows}
    for span in spans:
        known = held.get(span.start_s)
        held[span.start_s] = span if known is None else known.widened(span)
    starts = sorted(held)
    ordered = [held[start_s] for start_s in starts]
    register = Register(ordered)
    first = max(0, starts.index(spans[0].start_s) - REACH - 2)
    last = starts.index(spans[-1].start_s) + REACH + 2
    changed: list[tuple[int | None, ...]] = []
    for place in range(first, min(last + 1, len(ordered))):
        row = _row_of(register, ordered[place - 1] if place else None, ordered[place])
        if row != written.get(row[0]):
            changed.append((series, *row))
    connection.executemany(
        "INSERT INTO q15 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(series, start_s) DO UPDATE SET first_s = excluded.first_s,"
        " first = excluded.first, last_s = excluded.last_s, last = excluded.last,"
        " energy_wh = excluded.energy_wh, estimated = excluded.estimated,"
        " steps_back = excluded.steps_back",
        changed,
    )


def _row_of(register: Register, before: Span | None, span: Span) -> _Row:
    known = register.known(span.start_s)
    return (
        span.start_s,
        span.first_s,
        span.first,
        span.last_s,
        span.last,
        None if known is None else known.energy_wh,
        int(known is not None and known.quality is Quality.ESTIMATED),
        steps_back(before, span),
    )


def _rows_around(
    connection: sqlite3.Connection, series: SeriesId, first_s: EpochS, last_s: EpochS
) -> list[_Row]:
    """Return the rows of ``[first_s, last_s]`` and those that surround them, in order."""
    execute = connection.execute
    before = execute(
        f"SELECT {_COLUMNS} FROM q15 WHERE series = ? AND start_s < ?"  # noqa: S608 - constant
        f" ORDER BY start_s DESC LIMIT {SURROUNDINGS}",
        (series, first_s),
    ).fetchall()
    inside = execute(
        f"SELECT {_COLUMNS} FROM q15 WHERE series = ? AND start_s BETWEEN ? AND ?"  # noqa: S608
        " ORDER BY start_s",
        (series, first_s, last_s),
    ).fetchall()
    after = execute(
        f"SELECT {_COLUMNS} FROM q15 WHERE series = ? AND start_s > ?"  # noqa: S608 - constant
        f" ORDER BY start_s LIMIT {SURROUNDINGS}",
        (series, last_s),
    ).fetchall()
    return [*reversed(before), *inside, *after]


@dataclass(frozen=True, slots=True)
class Told:
    """One series that quarters are asked of.

    Attributes:
        series: Its number.
        newest_s: The instant of its newest value [s].
    """

    series: SeriesId
    newest_s: EpochS


def quarters_of(
    connection: sqlite3.Connection,
    key: DeviceKey,
    name: str,
    meters: Sequence[Told],
    window: tuple[EpochS, EpochS],
) -> Iterator[QuarterEnergy]:
    """Yield the quarters known of one register of a device, in order of time."""
    if len(meters) == 1:
        yield from _of_one_meter(connection, key, name, meters[0], window)
        return
    for start_s, known in _of_meters(connection, meters, window):
        yield QuarterEnergy(key, name, start_s, known.energy_wh, known.quality)


def _of_one_meter(
    connection: sqlite3.Connection,
    key: DeviceKey,
    name: str,
    meter: Told,
    window: tuple[EpochS, EpochS],
) -> Iterator[QuarterEnergy]:
    """Yield what stands in the table, and reckon the quarters in which nothing was read."""
    start_s, end_s = window
    register: Register | None = None
    expected_s = start_s
    rows = connection.execute(
        "SELECT start_s, energy_wh, estimated FROM q15"
        " WHERE series = ? AND start_s >= ? AND start_s < ? ORDER BY start_s",
        (meter.series, start_s, end_s),
    ).fetchall()
    if meter.newest_s >= end_s:
        rows.append((end_s, None, 0))
    for at_s, energy_wh, estimated in rows:
        if at_s > expected_s:
            if register is None:
                spans = _spans_around(connection, meter.series, window)
                register = Register(spans)
                expected_s = max(expected_s, spans[0].start_s) if spans else at_s
            for hole_s in range(expected_s, at_s, QUARTER_S):
                known = register.known(hole_s)
                if known is not None:
                    yield QuarterEnergy(key, name, hole_s, known.energy_wh, known.quality)
        if energy_wh is not None:
            yield QuarterEnergy(key, name, at_s, energy_wh, _QUALITY[estimated])
        expected_s = at_s + QUARTER_S


def _of_meters(
    connection: sqlite3.Connection, meters: Sequence[Told], window: tuple[EpochS, EpochS]
) -> Iterator[tuple[EpochS, Known]]:
    """Yield the quarters of meters that followed each other on one device."""
    lives = {meter: life for meter in meters if (life := _life(connection, meter.series))}
    if not lives:
        return
    opening = min(lives, key=lambda meter: (lives[meter][0], meter.series))
    closing = max(lives, key=lambda meter: (lives[meter][1], meter.series))
    registers: list[Register] = []
    for meter, (opened_s, closed_s) in lives.items():
        spans = _spans_around(connection, meter.series, window)
        if not spans:
            continue
        registers.append(
            Register(
                spans,
                follows=meter is not opening and spans[0].first_s == opened_s,
                is_followed=meter is not closing and spans[-1].last_s == closed_s,
            )
        )
    first_s = max(window[0], min(opened for opened, _ in lives.values()) // QUARTER_S * QUARTER_S)
    end_s = min(window[1], max(closed for _, closed in lives.values()))
    for start_s in range(first_s, end_s, QUARTER_S):
        known = known_of_device(registers, start_s)
        if known is not None:
            yield start_s, known


def _life(connection: sqlite3.Connection, series: SeriesId) -> tuple[EpochS, EpochS] | None:
    """Return when a register was first and last read; None when it never was."""
    first = connection.execute(
        "SELECT first_s FROM q15 WHERE series = ? ORDER BY start_s LIMIT 1", (series,)
    ).fetchone()
    last = connection.execute(
        "SELECT last_s FROM q15 WHERE series = ? ORDER BY start_s DESC LIMIT 1", (series,)
    ).fetchone()
    return None if first is None else (first[0], last[0])


def _spans_around(
    connection: sqlite3.Connection, series: SeriesId, window: tuple[EpochS, EpochS]
) -> list[Span]:
    start_s, end_s = window
    return [Span(*row[:5]) for row in _rows_around(connection, series, start_s, end_s)]


def series_told(
    connection: sqlite3.Connection, names: Collection[str], keys: Collection[DeviceKey] | None
) -> dict[tuple[DeviceKey, str], list[Told]]:
    """Return the series of some names of some devices, or of all, in order of key and name."""
    select = (
        "SELECT gateway, device, name, series.id, at_s FROM source"
        " JOIN series ON series.source = source.id JOIN latest ON latest.series = series.id"
    )
    if keys is None:
        rows = connection.execute(select).fetchall()
    else:
        rows = [
            row
            for key in set(keys)
            for row in connection.execute(
                select + " WHERE gateway = ? AND device = ?", (key.gateway, key.device)
            )
        ]
    told: dict[tuple[DeviceKey, str], list[Told]] = {}
    for gateway, device, name, series, newest_s in sorted(rows):
        if name in names:
            told.setdefault((DeviceKey(gateway, device), name), []).append(Told(series, newest_s))
    return told
