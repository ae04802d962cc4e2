"""Months that can be computed now, and whether everything was read in them."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.readings.gaps import completeness
from api.cooperative.readings.matrices import latest_reading, matrix
from api.cooperative.registry import ownership_between
from api.cooperative.runs import Run, State
from api.cooperative.runs.month import Month
from api.cooperative.runs.states import booked, latest
from api.cooperative.tables.readings import DayRow
from kwartier.interval import day_of

MOST_MONTHS = 3
"""How many months that were never computed are told at once; the oldest first."""
_LOOK_BACK = 24
"""How far back a month may lie to be told [months]."""


@dataclass(frozen=True, slots=True)
class OpenMonth:
    """A month that is over and was not computed.

    Attributes:
        month: Which, such as ``2026-10``.
        homes: Connections that somebody owned in it.
        complete: How many of them were read in every quarter.
        missing: Quarters that were not read, of all connections.
        estimated: Quarters that were estimated, of all connections.
    """

    month: str
    homes: int
    complete: int
    missing: int
    estimated: int


class OpenMonths:
    """Tells which months can be computed; a month is looked at again when readings came in."""

    def __init__(self) -> None:
        """Begin without having looked."""
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, int, int], OpenMonth] = {}

    def months(self, desk: Desk) -> list[OpenMonth]:
        """Return the months that can be computed now, the oldest first."""
        this = _month_of(desk.at_s)
        found: list[OpenMonth] = []
        for back in range(_LOOK_BACK, 0, -1):
            month = this.plus(-back)
            if _is_open(desk, month) and _was_read(desk, month):
                told = self.told(desk, month)
                found += [told] if told.homes else []
            if len(found) == MOST_MONTHS:
                break
        return found

    def told(self, desk: Desk, month: Month) -> OpenMonth:
        """Return how complete the readings of a month are."""
        owners = ownership_between(desk, month.start_s, month.end_s)
        key = str(month), latest_reading(desk), hash(owners)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            return kept
        names = sorted({each.connection for each in owners})
        told = OpenMonth(str(month), 0, 0, 0, 0)
        if names:
            readings, _ = matrix(desk, names, month.start_s, month.end_s, batteries=())
            each_home = completeness(readings, owners)
            told = OpenMonth(
                str(month),
                len(each_home),
                sum(not one.missing for one in each_home),
                sum(one.missing for one in each_home),
                sum(one.estimated for one in each_home),
            )
        with self._lock:
            while len(self._kept) >= 4 * MOST_MONTHS:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = told
        return told


def can_compute(run: Run | None, *, in_books: bool) -> bool:
    """Return whether a month whose newest run is this one can be computed."""
    if run is None:
        return True
    if run.state is State.WITHDRAWN:
        return not in_books
    return run.state in (State.DRAFT, State.COMPUTED)


def _is_open(desk: Desk, month: Month) -> bool:
    run = latest(desk, str(month))
    if run is not None and run.state is not State.WITHDRAWN:
        return False
    return booked(desk, str(month)) is None


def _was_read(desk: Desk, month: Month) -> bool:
    asked = select(DayRow.id).where(DayRow.day.between(month.first, month.last)).limit(1)
    return desk.session.scalar(asked) is not None


def _month_of(at_s: int) -> Month:
    day = day_of(at_s)
    return Month(day.year, day.month)
