"""Measured quarter-hours from a file, as the registers a meter would have shown.

A file has the columns ``utc, household, kwh_import`` and optionally ``kwh_export`` and ``kwh_pv``,
one row a household and quarter, stamped at its start. Energy is rounded once: when the sum so far
becomes a register in whole watt-hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from api.replay.columns import Columns, MeterFileError, read_columns
from kwartier.interval import QUARTER_S, day_of, instant_text, local_day
from kwartier.units import EpochS, Wh

MOST_KWH = 2_500.0
"""More than this in a quarter is no household: 10 MW."""


@dataclass(frozen=True, slots=True, eq=False)
class MeterHistory:
    """One household's registers, standing at the end of each of its quarters.

    Attributes:
        starts_s: The start of each quarter that was measured, rising, shape ``(N,)`` [s].
        import_wh: The import register at its end, shape ``(N,)`` [Wh].
        export_wh: The export register at its end, shape ``(N,)`` [Wh].
        produced_wh: The inverter's register at its end [Wh]; None where no roof was measured.
    """

    starts_s: npt.NDArray[np.int64]
    import_wh: npt.NDArray[np.int64]
    export_wh: npt.NDArray[np.int64]
    produced_wh: npt.NDArray[np.int64] | None

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
    start_s = int(columns.starts_s.min())
    end_s = int(columns.starts_s.max()) + QUARTER_S
    if days is not None:
        end_s = min(end_s, _days_later(start_s, days))
    names = columns.names if limit is None else columns.names[:limit]
    meters: dict[str, MeterHistory] = {}
    order = np.lexsort((columns.starts_s, columns.households))
    edges = np.searchsorted(columns.households[order], np.arange(len(columns.names) + 1))
    for number, name in enumerate(names):
        rows = order[edges[number] : edges[number + 1]]
        told = ~np.isnan(columns.kwh_import[rows] + columns.kwh_export[rows])
        rows = rows[(columns.starts_s[rows] < end_s) & told]
        if rows.size:
            meters[name] = _history(path, columns, name, rows)
    return Measured(meters, start_s, end_s, _days_between(start_s, end_s))


def _history(path: Path, columns: Columns, name: str, rows: npt.NDArray[np.int64]) -> MeterHistory:
    starts_s = columns.starts_s[rows]
    twice = np.flatnonzero(np.diff(starts_s) == 0)
    if twice.size:
        raise MeterFileError(
            f"{path} {columns.place(int(rows[twice[0] + 1]))}: household {name!r} has "
            f"{instant_text(int(starts_s[twice[0]]))} twice: keep one of the two"
        )
    produced = None if columns.kwh_pv is None else columns.kwh_pv[rows]
    return MeterHistory(
        starts_s,
        _register(columns.kwh_import[rows]),
        _register(columns.kwh_export[rows]),
        None if produced is None or not np.nansum(produced) else _register(produced),
    )


def _register(energy_kwh: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the sum so far in whole watt-hours; a value that is missing adds nothing to it."""
    total_wh: npt.NDArray[np.int64] = np.rint(
        np.cumsum(np.nan_to_num(energy_kwh, nan=0.0)) * 1000
    ).astype(np.int64)
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


def _days_later(start_s: EpochS, days: int) -> EpochS:
    end_s = start_s
    for _ in range(days):
        end_s = local_day(day_of(end_s))[1]
    return end_s


def _days_between(start_s: EpochS, end_s: EpochS) -> int:
    return (day_of(end_s - 1) - day_of(start_s)).days + 1
