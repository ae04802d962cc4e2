"""What was reckoned in a run, summed by member: read once, for a computation never changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select

from api.cooperative.database import Desk
from api.cooperative.runs.frozen import owners_of
from api.cooperative.runs.frozen_days import BATTERY_ROW
from api.cooperative.runs.proposing import totals_of
from api.cooperative.runs.states import Run
from api.cooperative.runs.storing import Computation, computation_of
from api.cooperative.tables.runs import RunDayRow
from kwartier.interval import day_of
from kwartier.units import Wh
from optimizer.period import Ownership

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
class _Day:
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
    days = _days(desk, computation.id)
    totals = totals_of(computation)
    members = tuple(
        _member(name, owners.get(name, []), days, computation.invoices[name].to_pay)
        for name in sorted(computation.invoices)
    )
    shared_wh = sum(day.shared_wh for of_home in days.values() for day in of_home.values())
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
    name: str, owned: list[Ownership], days: Mapping[str, Mapping[date, _Day]], to_pay_cents: int
) -> MemberSum:
    mine: list[_Day] = []
    for window in owned:
        first = day_of(window.start_s)
        last = None if window.end_s is None else day_of(window.end_s - 1)
        mine += [
            told
            for day, told in days.get(window.connection, {}).items()
            if first <= day and (last is None or day <= last)
        ]
    return MemberSum(
        name,
        tuple(sorted({window.connection for window in owned})),
        sum(day.use_wh for day in mine),
        sum(day.export_wh for day in mine),
        sum(day.shared_wh for day in mine),
        sum(day.sold_wh for day in mine),
        to_pay_cents,
        sum(day.missing for day in mine),
        sum(day.estimated for day in mine),
    )


def _days(desk: Desk, computation: int) -> dict[str, dict[date, _Day]]:
    """Return every home's days; of a quarter with both registers away the worse one counts."""
    row = RunDayRow
    counted = []
    for letter in ("-", "e"):
        taken, given = (
            func.length(told) - func.length(func.replace(told, letter, ""))
            for told in (row.taken_quality, row.given_quality)
        )
        counted.append(case((taken > given, taken), else_=given))
    found: dict[str, dict[date, _Day]] = {}
    for name, day, *sums in desk.session.execute(
        select(
            row.connection, row.day, row.taken_wh, row.given_wh, row.bought_wh, row.sold_wh,
            *counted,
        ).where(row.computation == computation, row.connection != BATTERY_ROW)
    ):  # fmt: skip
        found.setdefault(name, {})[day] = _Day(*sums)
    return found
