"""What the neighbourhood used and made, laid out as forecasts need it: one row a day back."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from collectors.queries import Period, Records
from kwartier.interval import HOME_ZONE, QUARTER_S, Quarter
from kwartier.units import EpochS

DAYS_BACK = 28
"""How far back a forecast looks."""
_DAY_S = 86_400
_LATE_S = 6 * 3600
"""Quarters younger than this are read again: late readings may have come in [s]."""


class History:
    """The sums over all homes per quarter; remembers what was read. For planning, not for pages."""

    def __init__(self, records: Records) -> None:
        """Read from ``records``."""
        self._records = records
        self._lock = threading.Lock()
        self._known: dict[EpochS, tuple[float, float]] = {}
        self._read_until_s: EpochS | None = None

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
                    known = self._known.get(_days_before(at_s, back))
                    if known is not None:
                        use[back - 1, place], made[back - 1, place] = known
            return use, made

    def _catch_up(self, now_s: EpochS) -> None:
        first_s = now_s - (DAYS_BACK + 2) * _DAY_S
        from_s = first_s if self._read_until_s is None else self._read_until_s - _LATE_S
        for day_s in range(from_s, now_s, _DAY_S):
            self._add(self._records.period(day_s, min(day_s + _DAY_S, now_s)))
        self._read_until_s = now_s
        for old in [at_s for at_s in self._known if at_s < first_s]:
            del self._known[old]

    def _add(self, period: Period) -> None:
        """Keep the quarters of which nearly every home is known, scaled to all of them."""
        homes = [home for home in period.homes.values() if home]
        for at_s in range(period.start_s, period.end_s, QUARTER_S):
            told = [home[at_s] for home in homes if at_s in home]
            if not told or len(told) < 0.8 * len(homes):
                continue
            scale = len(homes) / len(told) * 4 / 1000
            use = sum(home.use_wh for home in told) * scale
            made = sum(home.solar_wh for home in told) * scale
            self._known[at_s] = use, made


def _days_before(at_s: EpochS, days: int) -> EpochS:
    """Return the same time on the clock some days earlier."""
    local = datetime.fromtimestamp(at_s, HOME_ZONE)
    earlier = (local.replace(tzinfo=None) - timedelta(days=days)).replace(tzinfo=HOME_ZONE)
    return int(earlier.astimezone(UTC).timestamp())
