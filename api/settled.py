"""Days settled as far as they are known; reckoned again only when a reading has come in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from api.house import House
from collectors.home_quarters import HomeQuarter
from collectors.queries import BatteryQuarter, Period
from kwartier.interval import QUARTER_S, Quarter, local_day
from kwartier.units import EpochS
from optimizer.balance import QuarterReadings, Registers
from optimizer.settlement import DaySettlement

LOOKED_AGE_S = 15.0
"""How long a settlement is shown before its readings are looked at again [s]."""
_KEPT_DAYS = 8
_MISSING = Registers(None, None)


class SettledDays:
    """Settles local days on demand; safe to share between threads."""

    def __init__(self, house: House) -> None:
        """Settle from the records of a house."""
        self._house = house
        self._lock = threading.Lock()
        self._days: dict[date, tuple[float, list[QuarterReadings], DaySettlement]] = {}

    def of(self, day: date) -> DaySettlement:
        """Return a local day's settlement over the quarters that have ended."""
        asked_at = self._house.clock.monotonic_s()
        with self._lock:
            kept = self._days.get(day)
            if kept is not None and asked_at - kept[0] < LOOKED_AGE_S:
                return kept[2]
            readings = self._readings(day)
            unchanged = kept is not None and kept[1] == readings
            settled = kept[2] if kept and unchanged else self._house.settle(readings)
            self._days[day] = (asked_at, readings, settled)
            while len(self._days) > _KEPT_DAYS:
                del self._days[next(iter(self._days))]
            return settled

    def of_some(self, day: date, wanted: Callable[[EpochS], bool]) -> DaySettlement:
        """Return the settlement of some of a day's quarters, chosen by their start."""
        self.of(day)
        with self._lock:
            kept = self._days.get(day)
        readings = [] if kept is None else kept[1]
        return self._house.settle([one for one in readings if wanted(one.quarter.start_s)])

    def _readings(self, day: date) -> list[QuarterReadings]:
        start_s, end_s = local_day(day)
        ended_s = Quarter.containing(self._house.clock.now_s()).start_s
        period = self._house.records.period(start_s, end_s)
        has_battery = bool(self._house.community.batteries)
        return quarter_readings(
            replace(period, end_s=max(start_s, min(end_s, ended_s))), has_battery=has_battery
        )


def quarter_readings(period: Period, *, has_battery: bool) -> list[QuarterReadings]:
    """Return every quarter of a period as the settlement wants it; what is unknown is missing."""
    return [
        QuarterReadings(
            Quarter(at_s),
            {name: _home(known.get(at_s)) for name, known in period.homes.items()},
            _battery(period.batteries.get(at_s)) if has_battery else Registers(),
        )
        for at_s in _starts(period)
    ]


def _starts(period: Period) -> range:
    return range(period.start_s, period.end_s, QUARTER_S)


def _home(home: HomeQuarter | None) -> Registers:
    if home is None:
        return _MISSING
    return Registers(home.import_wh, home.export_wh, home.import_estimated, home.export_estimated)


def _battery(battery: BatteryQuarter | None) -> Registers:
    return _MISSING if battery is None else Registers(battery.charged_wh, battery.discharged_wh)
