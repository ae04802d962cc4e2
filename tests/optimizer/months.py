"""Months put together by hand: a few busy quarter-hours, the rest of the days silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from kwartier.interval import local_day, quarters_between
from kwartier.units import EpochS
from optimizer.balance import QuarterReadings, Registers
from optimizer.month import MonthCase, TariffVersion
from optimizer.settlement import Rules
from optimizer.settling.battery_models import BatteryAgreement
from optimizer.settling.matrix import ReadingMatrix
from optimizer.settling.period import Agreement, KeyVersion, Ownership
from optimizer.tariff import Terms

JULY = date(2026, 7, 1), date(2026, 7, 31)
"""A month of 31 days of 96 quarters."""
SILENT = Registers()


def midnight(day: date) -> EpochS:
    """Return the first instant of a local day [s]."""
    return local_day(day)[0]


def quarter_at(day: date, hour: int, minute: int = 0) -> EpochS:
    """Return a quarter of a day without a change of the clock, by its local time [s]."""
    return midnight(day) + 3600 * hour + 60 * minute


def readings_of(
    days: tuple[date, date],
    busy: Mapping[EpochS, Mapping[str, Registers]],
    battery: Mapping[EpochS, Registers] | None = None,
    names: Sequence[str] = ("A", "B", "P"),
) -> ReadingMatrix:
    """Return the readings of some local days; what is not told counted 0.

    Args:
        days: The first and the last.
        busy: What the connections counted, by quarter.
        battery: What the battery took and gave, by quarter.
        names: The connections.
    """
    quiet = dict.fromkeys(names, SILENT)
    return ReadingMatrix.of(
        [
            QuarterReadings(
                quarter,
                {**quiet, **busy.get(quarter.start_s, {})},
                (battery or {}).get(quarter.start_s, SILENT),
            )
            for quarter in quarters_between(midnight(days[0]), local_day(days[1])[1])
        ]
    )


def month_of(
    readings: ReadingMatrix,
    tariffs: Sequence[TariffVersion],
    *,
    ownership: Sequence[Ownership] | None = None,
    rules: Rules | None = None,
    battery: BatteryAgreement | None = None,
    sell_vat: Mapping[str, Fraction] | None = None,
) -> MonthCase:
    """Return the case of all the readings, shared in proportion unless told otherwise."""
    rules = rules or Rules()
    owners = None if ownership is None else tuple(ownership)
    return MonthCase(
        readings.first.start_s,
        readings.quarter(readings.quarters).start_s,
        readings,
        Agreement((KeyVersion(0, rules.key),), rules, owners),
        tuple(tariffs),
        battery,
        sell_vat or {},
    )


def tariff(
    buy: str = "0.18",
    sell: str = "0.12",
    *,
    levy: str = "0",
    fee: str = "0",
    vat: str = "0",
    grid: str = "0",
    name: str = "t1",
    start_s: EpochS = 0,
) -> TariffVersion:
    """Return a tariff version with its prices written as text."""
    terms = Terms(
        Fraction(buy),
        Fraction(sell),
        Fraction(levy),
        Fraction(fee),
        Fraction(vat),
        grid_sell_eur_per_kwh=Fraction(grid),
    )
    return TariffVersion(name, start_s, terms)


def own(connection: str, member: str, first: date, last: date | None = None) -> Ownership:
    """Return who owns a connection from the first day to the last one."""
    return Ownership(
        connection, member, midnight(first), None if last is None else local_day(last)[1]
    )
