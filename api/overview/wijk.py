"""The board's report of the neighbourhood: how much of its own sun it uses, peaks, the battery.

All of it is sums over at least five homes: quarters with fewer are not in them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from api.house import House
from api.overview.day_file import DayFile
from api.overview.day_sums import AreaDay, BookedMonth, LineSum
from api.overview.keeper import Overview
from api.overview.own import Standing
from api.overview.periods import Period, Span
from collectors.disclosure import MIN_HOMES
from collectors.power import FRESH_S
from collectors.store import DeviceKey
from kwartier.interval import QUARTER_S, day_of
from kwartier.model import Tariff
from kwartier.units import EpochS, Watt, Wh, kwh


@dataclass(frozen=True, slots=True)
class Peak:
    """The most power in any quarter, and in which."""

    power_w: Watt
    start_s: EpochS


@dataclass(frozen=True, slots=True)
class AreaSums:
    """The neighbourhood over some days.

    Attributes:
        first: The first day.
        end: The day after the last one.
        quarters: How many quarters those days have, as far as they were looked at.
        counted: How many of them are in the sums.
        homes: The most homes in one of them.
        solar_wh: Made on all roofs [Wh].
        use_wh: Used by all homes [Wh].
        shared_wh: What neighbours and the battery gave to homes [Wh].
        grid_in_wh: Taken from the grid by all together, quarter by quarter [Wh].
        grid_out_wh: Given to the grid by all together, quarter by quarter [Wh].
        charged_wh: What the batteries took [Wh].
        discharged_wh: What the batteries gave [Wh].
        capacity_wh: What the batteries hold [Wh].
        peak_in: The most taken from the grid; None when nothing was.
        peak_out: The most given to it; None when nothing was.
        saved_eur: What sharing saved all homes together.
        fund_eur: What it brought to the fund.
        standing: How sure the shared energy and the money are.
    """

    first: date
    end: date
    quarters: int
    counted: int
    homes: int
    solar_wh: Wh
    use_wh: Wh
    shared_wh: Wh
    grid_in_wh: Wh
    grid_out_wh: Wh
    charged_wh: Wh
    discharged_wh: Wh
    capacity_wh: Wh
    peak_in: Peak | None
    peak_out: Peak | None
    saved_eur: Decimal
    fund_eur: Decimal
    standing: Standing

    @property
    def self_use(self) -> Fraction | None:
        """How much of its sun the neighbourhood used itself; None without sun."""
        return _part(self.solar_wh - self.grid_out_wh, self.solar_wh)

    @property
    def self_sufficiency(self) -> Fraction | None:
        """How much of its use did not come from the grid; None without use."""
        return _part(self.use_wh - self.grid_in_wh, self.use_wh)

    @property
    def cycles(self) -> Fraction | None:
        """How many times the batteries were emptied; None without batteries."""
        return Fraction(self.discharged_wh, self.capacity_wh) if self.capacity_wh else None

    @property
    def efficiency(self) -> Fraction | None:
        """What the batteries gave of what they took; None when they took nothing."""
        return _part(self.discharged_wh, self.charged_wh)


@dataclass(frozen=True, slots=True)
class WijkReport:
    """A year of the neighbourhood.

    Attributes:
        year: Which year.
        months: Its months, the first one first; None where nothing may be told.
        whole: All of it; None likewise.
        before: The same months of the year before; None likewise.
        silent: How many homes' gateways say nothing now.
        homes: How many homes there are.
    """

    year: int
    months: tuple[AreaSums | None, ...]
    whole: AreaSums | None
    before: tuple[AreaSums | None, ...]
    silent: int
    homes: int


def wijk_report(house: House, overview: Overview, year: int) -> WijkReport:
    """Return the report of a year.

    Raises:
        PeriodError: The year lies outside the years kept here.
        StoreBusyError: What is kept cannot be read now.
    """
    now = Period.of(Span.YEAR, date(year, 1, 1) if 1 <= year <= 9999 else date.min)
    return WijkReport(
        year,
        _months(house, overview.days, now),
        area_sums(house, overview.days, now),
        _months(house, overview.days, now.before),
        silent_homes(house),
        len(house.community.connections),
    )


def area_sums(house: House, file: DayFile, period: Period) -> AreaSums | None:
    """Return the neighbourhood over a period; None when nothing may be told of it."""
    return _sums(house, period, _read(file, period))


def silent_homes(house: House) -> int:
    """Return how many homes' meters said nothing for a quarter of an hour."""
    now_s, instants = house.clock.now_s(), house.live.instants()
    heard = [
        instants.newest_s({DeviceKey(home.gateway, home.meter)})
        for home in house.community.connections.values()
    ]
    return sum(at_s is None or now_s - at_s > FRESH_S for at_s in heard)


def savings_this_year(house: House) -> Decimal | None:
    """Return what sharing saved all homes together this year, in whole euros, for everybody.

    Only days that ended at least a day ago count, and only sums over at least five homes; None
    when there are none. Rounding down keeps one home's late readings from showing.
    """
    if house.overview is None:
        return None
    yesterday = day_of(house.clock.now_s() - 86_400)
    year = Period.of(Span.YEAR, yesterday)
    if yesterday == year.first:
        return None
    sums = area_sums(house, house.overview.days, Period(Span.CHOSEN, year.first, yesterday))
    return None if sums is None else sums.saved_eur.to_integral_value("ROUND_FLOOR")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of some days: the days, and what booked runs say of their months."""

    days: tuple[AreaDay, ...]
    booked: Mapping[str, BookedMonth]
    lines: tuple[LineSum, ...]

    def within(self, period: Period) -> _Kept:
        """Return what of it lies in a period."""
        booked = {month: one for month, one in self.booked.items() if _is_in(month, period)}
        return _Kept(
            tuple(day for day in self.days if period.first <= day.day < period.end),
            booked,
            tuple(line for line in self.lines if line.month in booked),
        )


def _read(file: DayFile, period: Period) -> _Kept:
    booked = {month: one for month, one in file.booked().items() if _is_in(month, period)}
    lines = tuple(file.lines(booked))
    if not _enough(lines):
        booked, lines = {}, ()
    return _Kept(tuple(file.area_days(period.first, period.end)), booked, lines)


def _months(house: House, file: DayFile, year: Period) -> tuple[AreaSums | None, ...]:
    kept = _read(file, year)
    months = [Period.of(Span.MONTH, step.first) for step in year.steps]
    return tuple(_sums(house, month, kept.within(month)) for month in months)


def _sums(house: House, period: Period, kept: _Kept) -> AreaSums | None:
    days = kept.days
    counted = sum(day.counted for day in days)
    if not counted and not kept.lines:
        return None
    open_days = [day for day in days if f"{day.day:%Y-%m}" not in kept.booked]
    saved, fund, shared_wh = _money(open_days, kept.lines, house.community.tariff)
    return AreaSums(
        period.first,
        period.end,
        sum(day.quarters for day in days),
        counted,
        max((day.homes for day in days), default=0),
        sum(day.solar_wh for day in days),
        sum(day.use_wh for day in days),
        shared_wh,
        sum(day.grid_in_wh for day in days),
        sum(day.grid_out_wh for day in days),
        sum(day.charged_wh for day in days),
        sum(day.discharged_wh for day in days),
        sum(one.capacity_wh for one in house.community.batteries.values()),
        _peak((day.peak_in_wh, day.peak_in_s) for day in days),
        _peak((day.peak_out_wh, day.peak_out_s) for day in days),
        saved,
        fund,
        _standing(open_days, kept.booked),
    )


def _is_in(month: str, period: Period) -> bool:
    whole = Period.of(Span.MONTH, date.fromisoformat(f"{month}-01"))
    return period.first <= whole.first and whole.end <= period.end


def _enough(lines: Collection[LineSum]) -> bool:
    return len({line.home for line in lines if line.home}) >= MIN_HOMES


def _money(
    days: Iterable[AreaDay], lines: Collection[LineSum], tariff: Tariff
) -> tuple[Decimal, Decimal, Wh]:
    """Return what was saved, what the fund got [EUR] and what was shared [Wh]."""
    told = [day for day in days if day.counted]
    saved = Decimal(sum(day.saved_ueur for day in told)).scaleb(-6)
    fund = Decimal(sum(day.levy_ueur for day in told)).scaleb(-6)
    shared_wh = sum(day.shared_wh for day in told)
    bought_wh = sum(line.energy_wh for line in lines if line.charge == "buy")
    levy = Decimal(sum(line.cents for line in lines if line.charge == "levy")) / 100
    buy = Decimal(sum(line.cents for line in lines if line.charge == "buy")) / 100
    saved += kwh(bought_wh) * tariff.reference_eur_per_kwh - buy - levy
    return saved, fund + levy, shared_wh + bought_wh


def _standing(days: Collection[AreaDay], booked: Mapping[str, BookedMonth]) -> Standing:
    if not booked or any(day.counted for day in days):
        return Standing.PROVISIONAL
    corrected = any(one.is_corrected for one in booked.values())
    return Standing.CORRECTED if corrected else Standing.FINAL


def _peak(found: Iterable[tuple[Wh, EpochS]]) -> Peak | None:
    most, at_s = max(found, default=(0, 0))
    return Peak(most * 3_600 // QUARTER_S, at_s) if most else None


def _part(part: int, whole: int) -> Fraction | None:
    return Fraction(max(0, part), whole) if whole else None
