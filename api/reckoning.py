"""What a neighbourhood makes of measured days: shares, books, and what a planned battery saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from api.retail import ENERGY_TAX_EUR_PER_KWH
from api.settled import quarter_readings
from collectors.prices.model import PriceSeries
from collectors.queries import Period, Records
from collectors.store import Store
from kwartier.clock import SystemClock
from kwartier.interval import QUARTER_S, day_of, local_day
from kwartier.model import Community
from kwartier.units import EpochS, Wh
from optimizer.dispatch import plan
from optimizer.problem import Battery, FloatArray, Home, problem_of
from optimizer.settlement import Rules, settle_day

BATTERY_KWH_PER_HOME = 5.0
"""The size of the battery that the plan tries, for each home [kWh]."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What sharing came to.

    Attributes:
        shared_wh: Energy that went from home to home [Wh].
        ledger_cents: The sum over all journal entries [cent]; 0, always.
        entries: How many journal entries there are.
    """

    shared_wh: Wh
    ledger_cents: int
    entries: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What a battery would have made of it, with prices known a day ahead.

    Attributes:
        cost_eur: Of energy and wear with the battery [EUR].
        without_eur: Of energy without it [EUR].
        days: Days planned; a day without all its prices is left out.
    """

    cost_eur: Decimal
    without_eur: Decimal
    days: int


def share(store: Store, community: Community, start_s: EpochS, end_s: EpochS) -> Shared:
    """Return what the homes shared between two instants, settled day by day."""
    shared_wh = cents = entries = 0
    for first_s, last_s in _days(start_s, end_s):
        period = Records(store, community, SystemClock()).period(first_s, last_s)
        readings = quarter_readings(period, has_battery=bool(community.batteries))
        day = settle_day(readings, Rules(), community.tariff)
        shared_wh += day.shared_wh
        cents += sum(line.amount for entry in day.entries for line in entry.lines)
        entries += len(day.entries)
    return Shared(shared_wh, cents, entries)


def battery_for(homes: int) -> Battery:
    """Return the battery that a plan tries where there is none."""
    size_kwh = BATTERY_KWH_PER_HOME * homes
    return Battery(
        id="battery",
        soc_min_kwh=0.05 * size_kwh,
        soc_max_kwh=0.95 * size_kwh,
        soc_start_kwh=size_kwh / 2,
        charge_max_kw=size_kwh / 2,
        discharge_max_kw=size_kwh / 2,
        charge_efficiency=0.96,
        discharge_efficiency=0.955,
        soc_end_kwh=size_kwh / 2,
        wear_eur_per_kwh=0.02,
    )


def plan_days(
    store: Store,
    community: Community,
    prices: PriceSeries,
    start_s: EpochS,
    end_s: EpochS,
    battery: Battery,
) -> Planned:
    """Return what a battery would have saved, planned day by day from start to same level."""
    cost = without = 0.0
    days = 0
    for first_s, last_s in _days(start_s, end_s):
        told = prices.over(first_s, last_s)
        known = [float(price) / 1000 for price in told if price is not None]
        if len(known) < len(told):
            continue
        period = Records(store, community, SystemClock()).period(first_s, last_s)
        load_kw, pv_kw = _power(period)
        sell = np.array(known)
        homes = [Home("homes", load_kw, pv_kw)]
        made = [
            plan(problem_of(0.25, sell + ENERGY_TAX_EUR_PER_KWH, sell, homes, batteries))
            for batteries in ([battery], [])
        ]
        cost += made[0].cost_eur
        without += made[1].cost_eur
        days += 1
    return Planned(_euro(cost), _euro(without), days)


def _power(period: Period) -> tuple[FloatArray, FloatArray]:
    """Return what all homes used and made together, shape ``(T,)`` each [kW]."""
    count = (period.end_s - period.start_s) // QUARTER_S
    load, made = np.zeros(count), np.zeros(count)
    for quarters in period.homes.values():
        for at_s, home in quarters.items():
            place = (at_s - period.start_s) // QUARTER_S
            load[place] += home.use_wh
            made[place] += home.solar_wh
    return load * 4 / 1000, made * 4 / 1000


def _days(start_s: EpochS, end_s: EpochS) -> Sequence[tuple[EpochS, EpochS]]:
    """Return the local days between two instants, the first and last cut to them."""
    days: list[tuple[EpochS, EpochS]] = []
    day: date = day_of(start_s)
    while (bounds := local_day(day))[0] < end_s:
        days.append((max(bounds[0], start_s), min(bounds[1], end_s)))
        day += timedelta(days=1)
    return days


def _euro(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(Decimal("0.01"))
