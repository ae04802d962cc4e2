"""How high the neighbourhood's import has been this month: only what goes over that costs more."""

from __future__ import annotations

from datetime import date

from collectors.queries import Period, Records
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS

_DAY_S = 86_400
_LATE_S = 6 * 3600
"""Quarters younger than this are read again each time: late readings may have come in [s]."""
_AFRESH_S = _DAY_S
"""The whole month is read again this often: a gateway may bring days when it comes back [s]."""
_ENOUGH = 0.8
"""A quarter counts when so many of the homes are known in it, scaled to all of them."""


class MonthPeak:
    """The highest quarter since the first of the month on the wall clock; for one thread."""

    def __init__(self, records: Records) -> None:
        """Read from ``records``; nothing is read yet."""
        self._records = records
        self._known: dict[EpochS, float] = {}
        self._month: date | None = None
        self._read_until_s: EpochS = 0
        self._afresh_s: EpochS = 0

    def so_far_kw(self, start: Quarter) -> float:
        """Return the highest mean import of a quarter of this month before ``start`` [kW].

        Zero where nothing is known. A quarter in which a battery is not known does not count.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        month = day_of(start.start_s).replace(day=1)
        first_s = local_day(month)[0]
        old = not self._afresh_s <= start.start_s < self._afresh_s + _AFRESH_S
        if month != self._month or old:
            self._known.clear()
            self._month, self._read_until_s, self._afresh_s = month, first_s, start.start_s
        from_s = max(first_s, self._read_until_s - _LATE_S)
        for day_s in range(from_s, start.start_s, _DAY_S):
            self._add(self._records.period(day_s, min(day_s + _DAY_S, start.start_s)))
        self._read_until_s = start.start_s
        return max([0.0, *self._known.values()])

    def _add(self, period: Period) -> None:
        for at_s in range(period.start_s, period.end_s, QUARTER_S):
            homes = [known[at_s] for known in period.homes.values() if at_s in known]
            if not homes or len(homes) < _ENOUGH * len(period.homes):
                continue
            battery = period.batteries.get(at_s)
            beside_wh = 0
            if battery is not None:
                if battery.charged_wh is None or battery.discharged_wh is None:
                    continue
                beside_wh = battery.charged_wh - battery.discharged_wh
            net_wh = sum(home.import_wh - home.export_wh for home in homes)
            scaled_wh = net_wh * len(period.homes) / len(homes) + beside_wh
            self._known[at_s] = scaled_wh * 4 / 1000
