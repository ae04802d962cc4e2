"""What the programs' interface answers about one's own days: times with offset, energy in Wh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from api.overview.lived import Bar, Sums
from api.overview.own import Comparison, OwnPeriod, Standing
from api.overview.page import known_of
from api.overview.periods import Span
from kwartier.interval import HOME_ZONE
from kwartier.units import Wh


@dataclass(frozen=True, slots=True)
class OwnSumsAnswer:
    """Energy of one's own home [Wh]; the parts of use are roof, shared and grid."""

    use_wh: Wh
    roof_wh: Wh
    shared_wh: Wh
    grid_wh: Wh
    given_wh: Wh
    to_grid_wh: Wh
    quarters: int
    known: int
    estimated: int


@dataclass(frozen=True, slots=True)
class OwnBarAnswer:
    """One quarter, day or month; ``sums`` is null when nothing is known."""

    start: datetime
    end: datetime
    known: str
    sums: OwnSumsAnswer | None


@dataclass(frozen=True, slots=True)
class ComparedAnswer:
    """Use beside another period, over days that are whole in both."""

    first: date
    last: date
    days: int
    use_wh: Wh
    other_wh: Wh


@dataclass(frozen=True, slots=True)
class OverviewAnswer:
    """A home in a period; money is exact, as text, excluding VAT."""

    home: str
    period: Span
    first: date
    last: date
    standing: Standing
    sums: OwnSumsAnswer | None
    paid_eur: Decimal
    earned_eur: Decimal
    saved_eur: Decimal
    before: ComparedAnswer | None
    year_before: ComparedAnswer | None
    bars: tuple[OwnBarAnswer, ...]


def overview_answer(own: OwnPeriod) -> OverviewAnswer:
    """Return a period of one's own as programs read it."""
    return OverviewAnswer(
        own.home,
        own.period.span,
        own.period.first,
        own.period.last,
        own.standing,
        None if own.sums is None else _sums(own.sums),
        own.paid_eur,
        own.earned_eur,
        own.saved_eur,
        _compared(own.before),
        _compared(own.year_before),
        tuple(map(_bar, own.bars)),
    )


def _bar(bar: Bar) -> OwnBarAnswer:
    return OwnBarAnswer(
        datetime.fromtimestamp(bar.start_s, HOME_ZONE),
        datetime.fromtimestamp(bar.end_s, HOME_ZONE),
        known_of(bar),
        None if bar.sums is None else _sums(bar.sums),
    )


def _sums(sums: Sums) -> OwnSumsAnswer:
    return OwnSumsAnswer(
        sums.use_wh,
        sums.roof_wh,
        sums.bought_wh,
        sums.grid_wh,
        sums.given_wh,
        sums.to_grid_wh,
        sums.quarters,
        sums.known,
        sums.estimated,
    )


def _compared(beside: Comparison | None) -> ComparedAnswer | None:
    if beside is None:
        return None
    return ComparedAnswer(
        beside.period.first, beside.period.last, beside.days, beside.use_wh, beside.other_wh
    )
