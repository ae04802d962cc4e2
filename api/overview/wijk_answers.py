"""What the programs' interface answers about the neighbourhood's year, for the board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from api.overview.own import Standing
from api.overview.wijk import AreaSums, Peak, WijkReport
from kwartier.interval import HOME_ZONE
from kwartier.units import Watt, Wh


@dataclass(frozen=True, slots=True)
class PeakAnswer:
    """The most power in any quarter, and in which."""

    power_w: Watt
    start: datetime


@dataclass(frozen=True, slots=True)
class AreaAnswer:
    """The neighbourhood over some days; null is not known; parts are of 1, money excludes VAT."""

    first: date
    last: date
    standing: Standing
    quarters: int
    counted: int
    homes: int
    self_use: float | None
    self_sufficiency: float | None
    solar_wh: Wh | None
    use_wh: Wh | None
    shared_wh: Wh
    grid_in_wh: Wh | None
    grid_out_wh: Wh | None
    peak_in: PeakAnswer | None
    peak_out: PeakAnswer | None
    cycles: float | None
    efficiency: float | None
    saved_eur: Decimal
    fund_eur: Decimal


@dataclass(frozen=True, slots=True)
class WijkAnswer:
    """A year of the neighbourhood: its months and all of it, sums over at least five homes."""

    year: int
    months: tuple[AreaAnswer, ...]
    whole: AreaAnswer | None
    before: tuple[AreaAnswer, ...]
    silent: int
    homes: int


def wijk_answer(report: WijkReport) -> WijkAnswer:
    """Return a report as programs read it."""
    return WijkAnswer(
        report.year,
        tuple(_area(month) for month in report.months if month is not None),
        None if report.whole is None else _area(report.whole),
        tuple(_area(month) for month in report.before if month is not None),
        report.silent,
        report.homes,
    )


def _area(sums: AreaSums) -> AreaAnswer:
    measured = sums.counted > 0
    return AreaAnswer(
        sums.first,
        sums.end - timedelta(days=1),
        sums.standing,
        sums.quarters,
        sums.counted,
        sums.homes,
        _part(sums.self_use),
        _part(sums.self_sufficiency),
        sums.solar_wh if measured else None,
        sums.use_wh if measured else None,
        sums.shared_wh,
        sums.grid_in_wh if measured else None,
        sums.grid_out_wh if measured else None,
        _peak(sums.peak_in),
        _peak(sums.peak_out),
        _part(sums.cycles) if measured else None,
        _part(sums.efficiency),
        sums.saved_eur,
        sums.fund_eur,
    )


def _part(part: Fraction | None) -> float | None:
    return None if part is None else round(float(part), 4)


def _peak(peak: Peak | None) -> PeakAnswer | None:
    if peak is None:
        return None
    return PeakAnswer(peak.power_w, datetime.fromtimestamp(peak.start_s, HOME_ZONE))
