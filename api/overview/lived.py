"""A home's quarters, days and months as one visitor may read them: of the time they lived there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from api.overview.day_file import DayFile
from api.overview.day_sums import HomeDay, HomeQuarters, MicroEur, Origin
from api.overview.periods import Period, Step
from api.people.visitor import Visitor
from kwartier.interval import QUARTER_S, local_day
from kwartier.units import EpochS, Wh

_ON_THEIR_WAY = 2
"""So many of the last quarters are no gap: their readings are on their way."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Some days of a home, added up.

    Attributes:
        days: Of how many days anything is known.
        whole: Of how many everything is.
        quarters: How many quarters those days have and had ended.
        known: How many of them are known.
        estimated: How many of the known ones are estimated in part.
        use_wh: Used [Wh].
        import_wh: Taken from the grid, as the meter counted [Wh].
        export_wh: Given to the grid, as the meter counted [Wh].
        bought_wh: How much of the import is shared solar [Wh].
        given_wh: How much of the export neighbours and the battery took [Wh].
        paid: What the shared energy cost [millionths of EUR].
        earned: What the given energy earned [millionths of EUR].
        saved: What the shared energy cost less than a supplier's [millionths of EUR].
    """

    days: int = 0
    whole: int = 0
    quarters: int = 0
    known: int = 0
    estimated: int = 0
    use_wh: Wh = 0
    import_wh: Wh = 0
    export_wh: Wh = 0
    bought_wh: Wh = 0
    given_wh: Wh = 0
    paid: MicroEur = 0
    earned: MicroEur = 0
    saved: MicroEur = 0

    @property
    def roof_wh(self) -> Wh:
        """What the home used of its own roof [Wh]."""
        return max(0, self.use_wh - self.import_wh)

    @property
    def grid_wh(self) -> Wh:
        """What came from the grid beside the shared solar [Wh]."""
        return max(0, self.import_wh - self.bought_wh)

    @property
    def to_grid_wh(self) -> Wh:
        """What went to the grid beside what was shared [Wh]."""
        return max(0, self.export_wh - self.given_wh)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a quarter, a day or a month.

    Attributes:
        start_s: Its first instant [s].
        end_s: The first instant after it [s].
        sums: What it comes to; None when nothing is known.
        is_partial: Whether a part of what should be known by now is not.
    """

    start_s: EpochS
    end_s: EpochS
    sums: Sums | None
    is_partial: bool


def own_quarters(
    file: DayFile, visitor: Visitor, home: str, day: date, now_s: float
) -> tuple[Bar, ...]:
    """Return the 92, 96 or 100 quarters of a home's day; those of another's time are not known."""
    known = _quarters(file.quarters(home, day))
    start_s, end_s = local_day(day)
    late_s = now_s - (_ON_THEIR_WAY + 1) * QUARTER_S
    bars = []
    for place, at_s in enumerate(range(start_s, end_s, QUARTER_S)):
        theirs = visitor.lived_in(home, at_s)
        sums = known[place] if known and theirs else None
        bars.append(Bar(at_s, at_s + QUARTER_S, sums, sums is None and theirs and at_s < late_s))
    return tuple(bars)


def lived_days(file: DayFile, visitor: Visitor, home: str, period: Period) -> dict[date, HomeDay]:
    """Return the days of a home that are a visitor's, in order of time.

    What a run says goes before the record, but for the roof, of which a run knows nothing.
    """
    days: dict[date, HomeDay] = {}
    for one in file.home_days(home, period.first, period.end):
        if lived_on(visitor, home, one.day):
            kept = days.get(one.day)
            days[one.day] = one if kept is None else _with_roof(one, kept)
    return days


def lived_on(visitor: Visitor, home: str, day: date) -> bool:
    """Return whether a visitor lived in a home all through a day."""
    start_s, end_s = local_day(day)
    return visitor.lived_in(home, start_s) and visitor.lived_in(home, end_s - 1)


def sums_of(days: Iterable[HomeDay]) -> Sums:
    """Return some days added up."""
    total = Sums()
    for day in days:
        total = Sums(
            total.days + (day.known > 0),
            total.whole + day.is_whole,
            total.quarters + day.ended,
            total.known + day.known,
            total.estimated + day.estimated,
            total.use_wh + day.use_wh,
            total.import_wh + day.import_wh,
            total.export_wh + day.export_wh,
            total.bought_wh + day.bought_wh,
            total.given_wh + day.sold_wh + day.charged_wh,
            total.paid + day.paid_ueur,
            total.earned + day.earned_ueur,
            total.saved + day.saved_ueur,
        )
    return total


def bar_of(
    step: Step, days: Mapping[date, HomeDay], visitor: Visitor, home: str, today: date
) -> Bar:
    """Return the bar of some days; a day of theirs of which nothing is known is a gap."""
    inside = [day for date_, day in days.items() if step.first <= date_ < step.end]
    sums = sums_of(inside)
    gap = any(_lacks(day, today) for day in inside)
    asked = step.first
    while not gap and asked < min(step.end, today):
        gap = asked not in days and lived_on(visitor, home, asked)
        asked += timedelta(days=1)
    start_s, end_s = local_day(step.first)[0], local_day(step.end - timedelta(days=1))[1]
    return Bar(start_s, end_s, sums if sums.days else None, gap)


def _lacks(day: HomeDay, today: date) -> bool:
    """Return whether a part of a day is away; today's last quarters are only on their way."""
    return day.known < day.ended - (_ON_THEIR_WAY if day.day >= today else 0)


def _quarters(kept: Mapping[Origin, HomeQuarters]) -> list[Sums | None]:
    """Return the quarters of a day, a run's where there is one.

    Of a roof, and of a battery behind the meter, only the record knows.
    """
    best = kept.get(Origin.RUN) or kept.get(Origin.RECORD)
    if best is None:
        return []
    own_wh = best.use_wh - best.import_wh
    record = kept.get(Origin.RECORD)
    if record is not None:
        own_wh = np.where(record.kind > 0, record.use_wh - record.import_wh, own_wh)
    columns = (
        best.kind,
        np.maximum(0, best.import_wh + own_wh),
        best.import_wh,
        best.export_wh,
        best.bought_wh,
        best.sold_wh + best.charged_wh,
    )
    return [
        Sums(0, 0, 1, 1, int(kind > 1), *energies) if kind else None
        for kind, *energies in np.stack(columns).T.tolist()
    ]


def _with_roof(run: HomeDay, record: HomeDay) -> HomeDay:
    use_wh = max(0, run.import_wh + record.use_wh - record.import_wh)
    return replace(run, roof_wh=record.roof_wh, use_wh=use_wh)
