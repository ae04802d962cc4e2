"""What each home used and its roof made, quarter by quarter, for as long as forecasts look back.

About 45 kB a home. It is read in pieces of six hours, so that a plan never waits long for it, and
nobody but forecasts is handed it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from collectors.home_quarters import HomeQuarter
from collectors.queries import Period, Records
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS
from optimizer.forecasting.days import Sky
from optimizer.forecasting.history import History
from optimizer.problem import FloatArray

_DAY_S = 86_400
_PIECE_S = 6 * 3600
_LATE_S = 4 * _DAY_S
"""So much is read again each night: gateways bring days when they come back [s]."""
_USE, _MADE = 0, 1
_LIGHT_W_PER_M2 = 20.0
"""With more sunlight than this a silent inverter is no dark roof but an unknown one."""


class SeenHomes:
    """The series of every home; for one thread."""

    def __init__(
        self, records: Records, homes: Sequence[str], days_back: int, sky: Sky | None = None
    ) -> None:
        """Remember nothing yet.

        Args:
            records: What is on record.
            homes: Which homes.
            days_back: How many days are remembered.
            sky: Sunlight without clouds, to tell a dark roof from a silent one.
        """
        self._records = records
        self._homes = list(homes)
        self._days_back = days_back
        self._sky = sky
        self._start_s: EpochS = 0
        self._read_s: EpochS = 0
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    def read_until(self, end_s: EpochS, goes_on: Callable[[], bool]) -> bool:
        """Read what is on record until an instant, and forget what is too old.

        Args:
            end_s: Until when; the start of a day [s].
            goes_on: Asked between pieces; where it says no the rest is read the next time.

        Returns:
            Whether everything was read.

        Raises:
            StoreBusyError: The record cannot be reached now; what was read stays.
        """
        self._move(end_s)
        while self._read_s < end_s:
            if not goes_on():
                return False
            until_s = min(self._read_s + _PIECE_S, end_s)
            self._read(self._read_s, until_s)
            self._read_s = until_s
        return True

    def use(self, home: str, since_s: EpochS = 0) -> History:
        """Return what a home used [kW]; NaN where it is not known, and before ``since_s``."""
        return History(self._start_s, self._row(home, _USE, since_s))

    def made(self, home: str, since_s: EpochS = 0) -> History:
        """Return what its roof made [kW]; NaN where it is not known, and before ``since_s``."""
        return History(self._start_s, self._row(home, _MADE, since_s))

    def _move(self, end_s: EpochS) -> None:
        """Make room until ``end_s``, and read again what may have come late."""
        start_s = end_s - self._days_back * _DAY_S
        shift = (start_s - self._start_s) // QUARTER_S
        size = self._days_back * _DAY_S // QUARTER_S
        if not 0 <= shift < size:
            self._known, self._read_s = {}, start_s
        elif shift:
            for home, old in self._known.items():
                fresh = np.full((2, size), np.nan, dtype=np.float32)
                fresh[:, : size - shift] = old[:, shift:]
                self._known[home] = fresh
            self._read_s = max(start_s, self._read_s - _LATE_S)
        self._start_s = start_s

    def _read(self, from_s: EpochS, until_s: EpochS) -> None:
        size = self._days_back * _DAY_S // QUARTER_S
        first, end = ((at_s - self._start_s) // QUARTER_S for at_s in (from_s, until_s))
        # Weeks of all homes are read: nobody else asks for the same pieces, so none is kept.
        period = self._records.read_once(from_s, until_s)
        for home, values in _rows(period, self._homes, self._sky).items():
            if home not in self._known:
                self._known[home] = np.full((2, size), np.nan, dtype=np.float32)
            self._known[home][:, first:end] = values

    def _row(self, home: str, row: int, since_s: EpochS) -> FloatArray:
        known = self._known.get(home)
        if known is None:
            return np.full(self._days_back * _DAY_S // QUARTER_S, np.nan)
        series: FloatArray = known[row].astype(np.float64)
        series[: max(0, (since_s - self._start_s) // QUARTER_S)] = np.nan
        return series


def homes_between(
    records: Records,
    homes: Sequence[str],
    start_s: EpochS,
    end_s: EpochS,
    sky: Sky | None = None,
) -> dict[str, FloatArray]:
    """Return use and sun of some homes as they stand on record now, shape ``(2, N)`` each [kW].

    Args:
        records: What is on record.
        homes: Which homes.
        start_s: The first quarter's start [s].
        end_s: The last one's end [s].
        sky: Sunlight without clouds; where it is given a silent inverter is unknown by day.

    Raises:
        StoreBusyError: The record cannot be reached now.
    """
    return _rows(records.period(start_s, end_s), homes, sky)


def _rows(period: Period, homes: Sequence[str], sky: Sky | None) -> dict[str, FloatArray]:
    count = (period.end_s - period.start_s) // QUARTER_S
    light = np.zeros(count) if sky is None else sky(period.start_s, count)
    found = {}
    for home in homes:
        into = found[home] = np.full((2, count), np.nan)
        for at_s, quarter in period.homes.get(home, {}).items():
            place = (at_s - period.start_s) // QUARTER_S
            into[:, place] = _kw(quarter, is_light=bool(light[place] > _LIGHT_W_PER_M2))
    return found


def _kw(quarter: HomeQuarter, *, is_light: bool) -> tuple[float, float]:
    """Return use and sun [kW]; NaN for what is a guess."""
    if is_light and quarter.solar_estimated:
        return float("nan"), float("nan")
    use_kw = quarter.use_wh * 4 / 1000 if quarter.is_use_known else float("nan")
    return use_kw, quarter.solar_wh * 4 / 1000
