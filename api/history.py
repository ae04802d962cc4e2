"""What the neighbourhood used and made, laid out as forecasts need it: one row a day back."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from collectors.queries import Period, Records
from kwartier.interval import QUARTER_S, Quarter, same_time_before
from kwartier.units import EpochS

DAYS_BACK = 28
"""How far back a forecast looks."""
_DAY_S = 86_400
_LATE_S = 6 * 3600
"""Quarters younger than this are read again each time: late readings may have come in [s]."""
_AFRESH_S = _DAY_S
"""All days are read again this often: a gateway may bring days when it comes back [s]."""
_GONE_S = 2 * _DAY_S
"""A home that said nothing for so long is no longer counted as one that is late [s]."""
_ENOUGH = 0.8
"""A quarter counts when so many of the homes are known in it."""


class History:
    """The sums over all homes per quarter; remembers what was read. For planning, not for pages."""

    def __init__(self, records: Records, days_back: int = DAYS_BACK) -> None:
        """Read from ``records``, so many days back."""
        self._records = records
        self._days_back = days_back
        self._lock = threading.Lock()
        self._known: dict[EpochS, tuple[float, float]] = {}
        self._heard: dict[str, tuple[EpochS, EpochS]] = {}
        self._read_until_s: EpochS | None = None
        self._afresh_s: EpochS = 0

    def before(
        self, start: Quarter, count: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return use and solar power on the days before, at the times of day of a horizon.

        Args:
            start: The horizon's first quarter.
            count: Its length in quarters, T.

        Returns:
            Use and solar power [kW], shape ``(28, T)`` each, yesterday first; NaN where it is
            not known, or not yet past.
        """
        with self._lock:
            self._catch_up(start.start_s)
            use = np.full((DAYS_BACK, count), np.nan)
            made = np.full((DAYS_BACK, count), np.nan)
            for place in range(count):
                at_s = start.start_s + place * QUARTER_S
                for back in range(1, DAYS_BACK + 1):
                    known = self._known.get(same_time_before(at_s, back))
                    if known is not None:
                        use[back - 1, place], made[back - 1, place] = known
            return use, made

    def series(
        self, start: Quarter
    ) -> tuple[EpochS, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return use and solar power of all quarters that are remembered, one after the other.

        Args:
            start: The first quarter that is not past.

        Returns:
            The start of the first quarter [s], and use and solar power up to ``start`` [kW], shape
            ``(N,)`` each; NaN where it is not known.
        """
        with self._lock:
            self._catch_up(start.start_s)
            first_s = min(self._known, default=start.start_s)
            count = max(0, start.start_s - first_s) // QUARTER_S
            use, made = np.full((2, count), np.nan)
            for at_s, (used, sun) in self._known.items():
                if at_s < start.start_s:
                    place = (at_s - first_s) // QUARTER_S
                    use[place], made[place] = used, sun
            return first_s, use, made

    def _catch_up(self, now_s: EpochS) -> None:
        first_s = now_s - (self._days_back + 2) * _DAY_S
        from_s = first_s
        if self._read_until_s is not None and self._afresh_s <= now_s < self._afresh_s + _AFRESH_S:
            from_s = max(first_s, self._read_until_s - _LATE_S)
        for day_s in range(from_s, now_s, _DAY_S):
            self._add(self._records.period(day_s, min(day_s + _DAY_S, now_s)))
        if from_s == first_s:
            self._afresh_s = now_s
        self._read_until_s = now_s
        for old in [at_s for at_s in self._known if at_s < first_s]:
            del self._known[old]
        for gone in [home for home, (_, last_s) in self._heard.items() if last_s < first_s]:
            del self._heard[gone]

    def _add(self, period: Period) -> None:
        """Keep the quarters of which nearly every home is known, scaled to all of them.

        A home counts from its first reading until it has been silent for two days. While its own
        battery is silent what it uses is not known: that quarter counts as silent.
        """
        for name, known in period.homes.items():
            if known:
                first_s, last_s = self._heard.get(name, (min(known), max(known)))
                self._heard[name] = min(first_s, *known), max(last_s, *known)
        for at_s in range(period.start_s, period.end_s, QUARTER_S):
            counted = [
                name
                for name, (first_s, last_s) in self._heard.items()
                if first_s <= at_s <= last_s + _GONE_S
            ]
            heard = [period.homes[n][at_s] for n in counted if at_s in period.homes[n]]
            told = [quarter for quarter in heard if quarter.is_use_known]
            if not told or len(told) < _ENOUGH * len(counted):
                continue
            scale = len(counted) / len(told) * 4 / 1000
            use = sum(home.use_wh for home in told) * scale
            made = sum(home.solar_wh for home in told) * scale
            self._known[at_s] = use, made
