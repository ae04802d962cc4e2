"""Measured quarter-hours from a file, as the registers a meter would have shown.

A file has the columns ``utc, household, kwh_import`` and optionally ``kwh_export`` and ``kwh_pv``,
one row a household and quarter, stamped at its start. Energy is rounded once: when the sum so far
becomes a register in whole watt-hours, a half to the even one. Up to there it is counted exactly in
units of 1e-10 kWh, far below what any file tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from api.replay.columns import Columns, MeterFileError, read_columns
from kwartier.interval import QUARTER_S, day_of, instant_text, local_day
from kwartier.units import EpochS, Wh

MOST_KWH = 2_500.0
"""More than this in a quarter is no household: 10 MW."""
MOST_TOTAL_KWH = 100_000_000.0
"""More than this in all overflows the digits that a telegram is read with."""
_UNITS_PER_KWH = 10_000_000_000
_UNITS_PER_WH = _UNITS_PER_KWH // 1000


@dataclass(frozen=True, slots=True, eq=False)
class MeterHistory:
    """One household's registers at the end of each of its quarters that were measured whole.

    Attributes:
        start_s: The start of its first quarter, where the registers stand at zero [s].
        starts_s: The start of each quarter at whose end they are told, rising, shape ``(N,)`` [s].
        import_wh: The import register at its end, shape ``(N,)`` [Wh].
        export_wh: The export register at its end, shape ``(N,)`` [Wh].
        produced_wh: The inverter's register at its end, shape ``(N,)`` [Wh]; None where no roof
            was measured.
        produced_told: Whether the inverter tells it there, shape ``(N,)``; it is silent where its
            energy is missing.
    """

    start_s: EpochS
    starts_s: npt.NDArray[np.int64]
    import_wh: npt.NDArray[np.int64]
    export_wh: npt.NDArray[np.int64]
    produced_wh: npt.NDArray[np.int64] | None
    produced_told: npt.NDArray[np.bool_]

    @property
    def total_import_wh(self) -> Wh:
        """What it took in all [Wh]."""
        return int(self.import_wh[-1])

    @property
    def total_export_wh(self) -> Wh:
        """What it gave in all [Wh]."""
        return int(self.export_wh[-1])


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a file holds, as far as it was asked for.

    Attributes:
        meters: The households by their name in the file, in the order they first appear.
        start_s: The first quarter's start [s].
        end_s: The end of the last local day asked for, or of the last quarter [s].
        days: How many local days that touches.
    """

    meters: Mapping[str, MeterHistory]
    start_s: EpochS
    end_s: EpochS
    days: int


def read_meters(path: Path, *, days: int | None = None, limit: int | None = None) -> Measured:
    """Return the households of a file.

    Args:
        path: CSV, CSV.gz or Parquet.
        days: Only the first so many local days.
        limit: Only the first so many households.

    Raises:
        MeterFileError: It cannot be read or a value in it is wrong; file, place, value, remedy.
    """
    columns = read_columns(path)
    if not columns.starts_s.size:
        raise MeterFileError(f"{path}: holds no row: give one row a household and quarter-hour")
    _check(path, columns)
    rows_of = _rows_by_household(columns, limit)
    if not rows_of:
        raise MeterFileError(f"{path}: holds no energy: every row is empty, give kWh")
    start_s = min(int(columns.starts_s[rows[0]]) for rows in rows_of.values())
    end_s = max(int(columns.starts_s[rows[-1]]) for rows in rows_of.values()) + QUARTER_S
    if days is not None:
        end_s = _days_later(start_s, days, end_s)
    meters: dict[str, MeterHistory] = {}
    for name, all_rows in rows_of.items():
        rows = all_rows[columns.starts_s[all_rows] < end_s]
        if rows.size:
            meters[name] = _history(path, columns, name, rows)
    return Measured(meters, start_s, end_s, _days_between(start_s, end_s))


def _rows_by_household(columns: Columns, limit: int | None) -> dict[str, npt.NDArray[np.int64]]:
    """Return each household's rows that tell import or export, in order of time."""
    order = np.lexsort((columns.starts_s, columns.households))
    edges = np.searchsorted(columns.households[order], np.arange(len(columns.names) + 1))
    told = ~(np.isnan(columns.kwh_import) & np.isnan(columns.kwh_export))
    found: dict[str, npt.NDArray[np.int64]] = {}
    for number, name in enumerate(columns.names[:limit]):
        rows = order[edges[number] : edges[number + 1]]
        rows = rows[told[rows]]
        if rows.size:
            found[name] = rows
    return found


def _history(path: Path, columns: Columns, name: str, rows: npt.NDArray[np.int64]) -> MeterHistory:
    starts_s = columns.starts_s[rows]
    twice = np.flatnonzero(np.diff(starts_s) == 0)
    if twice.size:
        raise MeterFileError(
            f"{path} {columns.place(int(rows[twice[0] + 1]))}: household {name!r} has "
            f"{instant_text(int(starts_s[twice[0]]))} twice: keep one of the two"
        )
    sides = [columns.kwh_import[rows], columns.kwh_export[rows]]
    if any(np.nansum(side) > MOST_TOTAL_KWH for side in sides):
        raise MeterFileError(
            f"{path}: household {name!r} has more than {MOST_TOTAL_KWH:g} kWh in all: "
            "check whether the values are kWh"
        )
    whole = _told_at(sides)
    produced = np.full(rows.size, np.nan) if columns.kwh_pv is None else columns.kwh_pv[rows]
    has_roof = bool(np.nansum(produced))
    return MeterHistory(
        int(starts_s[0]),
        starts_s[whole],
        _register(sides[0])[whole],
        _register(sides[1])[whole],
        _register(produced)[whole] if has_roof else None,
        ~np.isnan(produced)[whole],
    )


def _told_at(sides: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.bool_]:
    """Return at the end of which rows both registers are told.

    A side that is empty throughout is a register that never moves, not a gap. Where only one side
    is known its energy waits for the next row that is whole, so that nothing is lost and no zero is
    made up; after the last whole row it is told where it ends.
    """
    whole: npt.NDArray[np.bool_] = np.ones(sides[0].size, dtype=np.bool_)
    for side in sides:
        whole &= ~np.isnan(side) | np.isnan(side).all()
    moved = np.nansum(sides, axis=0) > 0
    ends = np.flatnonzero(whole | moved)
    whole[ends[-1] if ends.size else -1] = True
    return whole


def _register(energy_kwh: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the sum so far in whole watt-hours; a value that is missing adds nothing to it."""
    units = np.rint(np.nan_to_num(energy_kwh, nan=0.0) * _UNITS_PER_KWH).astype(np.int64)
    whole_wh, rest = np.divmod(np.cumsum(units), _UNITS_PER_WH)
    half = _UNITS_PER_WH // 2
    total_wh: npt.NDArray[np.int64] = whole_wh + (
        (rest > half) | ((rest == half) & (whole_wh % 2 == 1))
    )
    return total_wh


def _check(path: Path, columns: Columns) -> None:
    """Refuse the first stamp or value that makes no sense."""
    off_grid = np.flatnonzero(columns.starts_s % QUARTER_S)
    if off_grid.size:
        row = int(off_grid[0])
        raise MeterFileError(
            f"{path} {columns.place(row)}: {instant_text(int(columns.starts_s[row]))} is not the "
            "start of a quarter-hour: use minute 00, 15, 30 or 45"
        )
    named = [("kwh_import", columns.kwh_import), ("kwh_export", columns.kwh_export)]
    if columns.kwh_pv is not None:
        named.append(("kwh_pv", columns.kwh_pv))
    for name, values in named:
        wrong = np.flatnonzero((values < 0) | (values > MOST_KWH))
        if wrong.size:
            row = int(wrong[0])
            raise MeterFileError(
                f"{path} {columns.place(row)}: {name} is {values[row]:g}: give kWh from 0 to "
                f"{MOST_KWH:g}, and leave it empty where it is missing"
            )


def _days_later(start_s: EpochS, days: int, end_s: EpochS) -> EpochS:
    """Return the end of so many local days, or the end of all of them."""
    if days >= _days_between(start_s, end_s):
        return end_s
    return local_day(day_of(start_s) + timedelta(days=days - 1))[1]


def _days_between(start_s: EpochS, end_s: EpochS) -> int:
    return (day_of(end_s - 1) - day_of(start_s)).days + 1
