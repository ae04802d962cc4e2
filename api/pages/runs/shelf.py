"""What was reckoned in a run, summed by member: read once, for a computation never changes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select

from api.cooperative.database import Desk
from api.cooperative.runs.frozen import owners_of
from api.cooperative.runs.frozen_days import BATTERY_ROW, ESTIMATED, MISSING
from api.cooperative.runs.month import Month, RunName
from api.cooperative.runs.proposing import totals_of
from api.cooperative.runs.states import Run
from api.cooperative.runs.storing import Computation, computation_of
from api.cooperative.tables.runs import RunDayRow
from kwartier.interval import day_of
from kwartier.units import Wh
from optimizer.settling.period import Ownership

MOST_KEPT = 12
"""How many computations are kept at hand; each of 1,000 homes weighs about 1 MB."""


@dataclass(frozen=True, slots=True)
class MemberSum:
    """One member's month in a run.

    Attributes:
        member: Who.
        homes: Their connections in the month.
        use_wh: From the grid side of their meters [Wh].
        export_wh: To the grid side of their meters [Wh].
        shared_wh: Of what they used, what came from neighbours and battery [Wh].
        sold_wh: Of what they gave, what neighbours used [Wh].
        to_pay_cents: What they pay; below zero they receive it.
        missing: Quarters that nobody read.
        estimated: Quarters that were estimated.
    """

    member: str
    homes: tuple[str, ...]
    use_wh: Wh
    export_wh: Wh
    shared_wh: Wh
    sold_wh: Wh
    to_pay_cents: int
    missing: int
    estimated: int


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A computation, summed up.

    Attributes:
        number: Its place within the run, from 1.
        status: ``final`` or ``provisional``.
        input_hash: The hash of what was frozen.
        result_hash: The hash of what came of it.
        code_version: Which code reckoned.
        totals: The run's totals by name, such as ``to_pay_cents``.
        members: Every member, by name.
        adds_up: Whether the members' shared energy is that of the quarters.
    """

    number: int
    status: str
    input_hash: str
    result_hash: str
    code_version: str
    totals: Mapping[str, int]
    members: tuple[MemberSum, ...]
    adds_up: bool


@dataclass(frozen=True, slots=True)
class _Sum:
    """A day of a home, or its month: energy [Wh] and counts of quarters."""

    use_wh: Wh
    export_wh: Wh
    shared_wh: Wh
    sold_wh: Wh
    missing: int
    estimated: int


class Shelf:
    """Computations at hand; safe to share between threads."""

    def __init__(self) -> None:
        """Begin with nothing at hand."""
        self._lock = threading.Lock()
        self._kept: dict[int, Reckoned] = {}

    def reckoned(self, desk: Desk, run: Run) -> Reckoned | None:
        """Return what was reckoned in a run; None before its first computation.

        Raises:
            TamperedError: It was changed in the database.
        """
        if all(step.computation is None for step in run.steps):
            return None
        with self._lock:
            kept = self._kept.get(run.computation)
        if kept is None:
            kept = _summed(desk, computation_of(desk, run))
            with self._lock:
                while len(self._kept) >= MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[run.computation] = kept
        return kept


def _summed(desk: Desk, computation: Computation) -> Reckoned:
    owners: dict[str, list[Ownership]] = {}
    for each in owners_of(computation.inputs):
        owners.setdefault(each.member, []).append(each)
    month = RunName.parse(computation.run).month
    months, days = _by_home(desk, computation.id, _shared_homes(owners.values(), month))
    totals = totals_of(computation)
    members = tuple(
        _member(name, owners.get(name, []), (months, days), computation.invoices[name].to_pay)
        for name in sorted(computation.invoices)
    )
    shared_wh = sum(each.shared_wh for each in months.values())
    told_wh = sum(each.shared_wh for each in members)
    return Reckoned(
        computation.number,
        computation.status,
        computation.input_hash,
        computation.result_hash,
        computation.code_version,
        totals,
        members,
        shared_wh == told_wh == totals["bought_wh"],
    )


def _member(
    name: str,
    owned: list[Ownership],
    known: tuple[Mapping[str, _Sum], Mapping[str, Mapping[date, _Sum]]],
    to_pay_cents: int,
) -> MemberSum:
    months, days = known
    mine: list[_Sum] = []
    for window in owned:
        if window.connection in days:
            mine += _within(days[window.connection], window)
        elif window.connection in months:
            mine.append(months[window.connection])
    return MemberSum(
        name,
        tuple(sorted({window.connection for window in owned})),
        sum(each.use_wh for each in mine),
        sum(each.export_wh for each in mine),
        sum(each.shared_wh for each in mine),
        sum(each.sold_wh for each in mine),
        to_pay_cents,
        sum(each.missing for each in mine),
        sum(each.estimated for each in mine),
    )


def _within(days: Mapping[date, _Sum], window: Ownership) -> list[_Sum]:
    first = day_of(window.start_s)
    last = None if window.end_s is None else day_of(window.end_s - 1)
    return [told for day, told in days.items() if first <= day and (last is None or day <= last)]


def _shared_homes(owners: Iterable[list[Ownership]], month: Month) -> list[str]:
    """Return connections that nobody owned for the whole of a month: they count by day."""
    return sorted(
        {
            window.connection
            for owned in owners
            for window in owned
            if window.start_s > month.start_s
            or (window.end_s is not None and window.end_s < month.end_s)
        }
    )


def _by_home(
    desk: Desk, computation: int, by_day: Sequence[str]
) -> tuple[dict[str, _Sum], dict[str, dict[date, _Sum]]]:
    """Return every home's month, and of some homes each day.

    Of a quarter with both registers away the worse register of the day counts.
    """
    row = RunDayRow
    counted = []
    for letter in (MISSING, ESTIMATED):
        taken, given = (
            func.length(told) - func.length(func.replace(told, letter, ""))
            for told in (row.taken_quality, row.given_quality)
        )
        counted.append(case((taken > given, taken), else_=given))
    sums = (row.taken_wh, row.given_wh, row.bought_wh, row.sold_wh, *counted)
    mine = (row.computation == computation, row.connection != BATTERY_ROW)
    whole = select(row.connection, *(func.sum(each) for each in sums)).where(*mine)
    months = {
        name: _Sum(*map(int, told))
        for name, *told in desk.session.execute(whole.group_by(row.connection))
    }
    days: dict[str, dict[date, _Sum]] = {}
    asked = select(row.connection, row.day, *sums).where(*mine, row.connection.in_(by_day))
    for name, day, *told in desk.session.execute(asked):
        days.setdefault(name, {})[day] = _Sum(*told)
    return months, days
