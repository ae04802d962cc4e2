"""A month reckoned quarter by quarter with plain dictionaries, to judge the month by.

It settles with the exact engine of a quarter and shares no code with the month's own spans,
bands, lines or cents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction

from kwartier.interval import QUARTER_S, Quarter, day_of, local_day, quarters_between
from optimizer.balance import QuarterReadings
from optimizer.month import MonthCase
from optimizer.settlement import settle_quarter
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.rounding import Tie
from optimizer.tariff import TariffVersion
from tests.optimizer.second_opinion import rounded, searched_fill


@dataclass
class NaiveMonth:
    """What came together: exact euros by charge and member, energy by line, and flags."""

    exact_eur: dict[str, dict[str, Fraction]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Fraction))
    )
    energy_wh: dict[tuple[str, str, str, str], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    orphan_wh: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    members: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    estimated: set[str] = field(default_factory=set)

    def cents(self, charge: str) -> dict[str, int]:
        """Return each member's cents of a charge (C12)."""
        return plain_cents({member: 100 * eur for member, eur in self.exact_eur[charge].items()})


def plain_cents(exact: Mapping[str, Fraction]) -> dict[str, int]:
    """Return whole cents that add up to the rounded total, ties by name (C12)."""
    low = {member: amount // 1 for member, amount in exact.items()}
    spare = half_away(sum(exact.values(), Fraction())) - sum(low.values())
    first = sorted(exact, key=lambda member: (-(exact[member] % 1), member))
    return {member: low[member] + (member in first[:spare]) for member in low}


def half_away(amount: Fraction) -> int:
    """Return the nearest whole number, a half away from zero."""
    below = amount // 1
    rest = amount - below
    if rest == Fraction(1, 2):
        return below if amount < 0 else below + 1
    return below + (rest > Fraction(1, 2))


def naive_month(case: MonthCase) -> NaiveMonth:
    """Return the month, without what the battery's owners are paid at discharge."""
    month = NaiveMonth()
    for column in range(case.readings.quarters):
        readings = case.readings.column(column)
        owners = _owners(case, readings)
        month.members |= set(owners.values())
        _flags(month, readings, owners)
        if any(read.import_wh or read.export_wh for read in readings.connections.values()):
            _energy(month, case, readings, owners)
    _fees(month, case)
    return month


def tariff_at(case: MonthCase, at_s: int) -> TariffVersion:
    """Return the version in force."""
    return max(
        (version for version in case.tariffs if version.start_s <= at_s),
        key=lambda version: version.start_s,
    )


def _owners(case: MonthCase, readings: QuarterReadings) -> dict[str, str]:
    if case.agreement.ownership is None:
        return {name: name for name in readings.connections}
    return {
        window.connection: window.member
        for window in case.agreement.ownership
        if window.holds(readings.quarter.start_s)
    }


def _energy(
    month: NaiveMonth, case: MonthCase, readings: QuarterReadings, owners: Mapping[str, str]
) -> None:
    for name, read in readings.connections.items():
        if name not in owners:
            month.orphan_wh[name] += (read.import_wh or 0) + (read.export_wh or 0)
    part = {name: read for name, read in readings.connections.items() if name in owners}
    rules = case.agreement.rules_at(readings.quarter)
    settled = settle_quarter(replace(readings, connections=part), rules)
    version = tariff_at(case, readings.quarter.start_s)
    amounts = [
        ("buy", version.terms.buy_eur_per_kwh, settled.allocated_wh),
        ("levy", version.terms.levy_eur_per_kwh, settled.allocated_wh),
        ("sell", version.terms.sell_eur_per_kwh, settled.shared_out_wh),
    ]
    if case.battery is not None and case.battery.model is BatteryModel.COOP_BUYS:
        order = sorted(part)
        if rules.tie is Tie.ROTATE and order:
            turn = readings.quarter.number % len(order)
            order = order[turn:] + order[:turn]
        left = settled.supplier_export_wh
        from_members = min(settled.balance.charge_wh, sum(left.values()))
        charged = rounded(searched_fill(from_members, left, left), order)
        amounts.append(("battery", version.terms.sell_eur_per_kwh, charged))
    for charge, price, by_name in amounts:
        for name, energy_wh in by_name.items():
            if energy_wh:
                month.exact_eur[charge][owners[name]] += energy_wh * price / 1000
                month.energy_wh[owners[name], charge, name, version.id] += energy_wh


def _fees(month: NaiveMonth, case: MonthCase) -> None:
    day = day_of(case.start_s)
    while local_day(day)[0] < case.end_s:
        start_s, end_s = local_day(day)
        later = day.replace(day=28) + timedelta(days=4)
        fee = tariff_at(case, start_s).terms.fee_eur / (later - timedelta(days=later.day)).day
        for member in _members_on(case, start_s, end_s):
            month.exact_eur["fee"][member] += fee
        day += timedelta(days=1)


def _members_on(case: MonthCase, start_s: int, end_s: int) -> set[str]:
    members = set()
    for quarter in quarters_between(start_s, end_s):
        column = (quarter.start_s - case.start_s) // QUARTER_S
        members |= set(_owners(case, case.readings.column(column)).values())
    return members


def _flags(month: NaiveMonth, readings: QuarterReadings, owners: Mapping[str, str]) -> None:
    part = {name: read for name, read in readings.connections.items() if name in owners}
    seen = replace(readings, connections=part)
    absent = [name for name in owners if name not in part]
    month.missing |= {_flag(readings.quarter, flag) for flag in (*seen.missing(), *absent)}
    month.estimated |= {_flag(readings.quarter, flag) for flag in seen.estimated()}


def _flag(quarter: Quarter, register: str) -> str:
    return f"{quarter} {register}"
