"""The peak that is there anyway: the month's until now, and what the last weeks say of the rest.

Only what goes over it costs more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from api.retail import Retail, planned_battery
from collectors.queries import Period, Records
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.model import Battery
from kwartier.units import EpochS
from optimizer.problem import FloatArray
from optimizer.uncertain.peak_level import DAYS, PeakLevel, storage_of

_DAY_S = 86_400
_LATE_S = 6 * 3600
"""Quarters younger than this are read again each time: late readings may have come in [s]."""
_AFRESH_S = _DAY_S
"""All of it is read again this often: a gateway may bring days when it comes back [s]."""
_ENOUGH = 0.8
"""A quarter counts when so many of the homes are known in it, scaled to all of them."""


class MonthPeak:
    """The highest quarter of the month on the wall clock, so far and to come; for one thread."""

    def __init__(self, records: Records) -> None:
        """Read from ``records``; nothing is read yet."""
        self._records = records
        self._import_kw: dict[EpochS, float] = {}
        self._residual_kw: dict[EpochS, float] = {}
        self._level = PeakLevel()
        self._first_s: EpochS = 0
        self._read_until_s: EpochS = 0
        self._afresh_s: EpochS = 0

    def reckoned_kw(
        self, start: Quarter, retail: Retail, batteries: Sequence[Battery], market: FloatArray
    ) -> float:
        """Return the peak that a plan need not stay under [kW].

        It is the month's peak so far, or what the last weeks say is worth keeping to, if that is
        more (:mod:`optimizer.uncertain.peak_level`). Zero where the peak has no price.

        Args:
            start: The first quarter of the plan.
            retail: What a peak costs, and a kWh beside its market price.
            batteries: What is planned.
            market: Prices from ``start`` on [EUR/kWh].

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        if retail.peak_price_eur_per_kw <= 0:
            return 0.0
        so_far_kw = self.so_far_kw(start)
        level_kw = self._level.on(
            day_of(start.start_s).toordinal(),
            storage_of([planned_battery(one, 0.0) for one in batteries]),
            retail.peak_price_eur_per_kw,
            market + retail.buy_extra_eur_per_kwh,
            lambda: self._residual_since(start.start_s - DAYS * _DAY_S),
        )
        return max(so_far_kw, level_kw)

    def _residual_since(self, first_s: EpochS) -> FloatArray:
        """Return what homes took less what they gave, in order of time, batteries apart [kW]."""
        return np.array([kw for at_s, kw in sorted(self._residual_kw.items()) if at_s >= first_s])

    def so_far_kw(self, start: Quarter) -> float:
        """Return the highest mean import of a quarter of this month before ``start`` [kW].

        Zero where nothing is known. A quarter in which a battery is not known does not count.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        month_s = local_day(day_of(start.start_s).replace(day=1))[0]
        first_s = min(month_s, start.start_s - DAYS * _DAY_S)
        if not self._afresh_s <= start.start_s < self._afresh_s + _AFRESH_S:
            self._import_kw.clear()
            self._residual_kw.clear()
            self._first_s, self._read_until_s, self._afresh_s = first_s, first_s, start.start_s
        from_s = max(self._first_s, self._read_until_s - _LATE_S)
        for day_s in range(from_s, start.start_s, _DAY_S):
            self._add(self._records.read_once(day_s, min(day_s + _DAY_S, start.start_s)))
        self._read_until_s = start.start_s
        return max([0.0, *(kw for at_s, kw in self._import_kw.items() if at_s >= month_s)])

    def _add(self, period: Period) -> None:
        for at_s in range(period.start_s, period.end_s, QUARTER_S):
            homes = [known[at_s] for known in period.homes.values() if at_s in known]
            if not homes or len(homes) < _ENOUGH * len(period.homes):
                continue
            scale = len(period.homes) / len(homes) * 4 / 1000
            net_kw = scale * sum(home.import_wh - home.export_wh for home in homes)
            kept = [home.battery_wh for home in homes if home.battery_wh is not None]
            if len(kept) == len(homes):
                self._residual_kw[at_s] = net_kw - scale * sum(kept)
            battery = period.batteries.get(at_s)
            beside_wh = 0
            if battery is not None:
                if battery.charged_wh is None or battery.discharged_wh is None:
                    continue
                beside_wh = battery.charged_wh - battery.discharged_wh
            self._import_kw[at_s] = net_kw + beside_wh * 4 / 1000
