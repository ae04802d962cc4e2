"""Days settled as far as they are known, each reckoned at most once in half a minute."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date

from api.house import House
from collectors.queries import BatteryQuarter, HomeQuarter, Period
from kwartier.interval import QUARTER_S, Quarter, local_day
from kwartier.units import EpochS
from optimizer.balance import QuarterReadings, Registers
from optimizer.settlement import DaySettlement

RECKONED_AGE_S = 30.0
"""How old a settlement that is shown may be [s]."""
_KEPT_DAYS = 8
_MISSING = Registers(None, None)


class SettledDays:
    """Settles local days on demand; safe to share between threads."""

    def __init__(self, house: House) -> None:
        """Settle from the records of a house."""
        self._house = house
        self._lock = threading.Lock()
        self._days: dict[date, tuple[float, DaySettlement]] = {}

    def of(self, day: date) -> DaySettlement:
        """Return a local day's settlement over the quarters that have ended."""
        asked_at = self._house.clock.monotonic_s()
        with self._lock:
            kept = self._days.get(day)
            if kept is not None and asked_at - kept[0] < RECKONED_AGE_S:
                return kept[1]
            settled = self._house.settle(self._readings(day))
            self._days[day] = (asked_at, settled)
            while len(self._days) > _KEPT_DAYS:
                del self._days[next(iter(self._days))]
            return settled

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


def ended_quarters(day: date, now_s: float) -> list[EpochS]:
    """Return the starts of a local day's quarters that have ended."""
    start_s, end_s = local_day(day)
    return list(range(start_s, min(end_s, Quarter.containing(now_s).start_s), QUARTER_S))
