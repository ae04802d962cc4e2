"""A7, first half: days that stand there twice, of two connections or of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.finding import Code, Finding, Severity
from kwartier.interval import QUARTER_S, day_of, local_day
from kwartier.units import Wh
from optimizer.settling.matrix import RegisterMatrix

_LEAST_VALUES = 12
"""A day with fewer different values may well look like another one."""
_HOUR = 4
"""Quarters that a clock is off by when it missed the change of summer time."""


@dataclass(frozen=True, slots=True)
class _Day:
    """One day of one connection's register: where it stands, and how much it counted."""

    row: int
    start: int
    end: int
    energy_wh: Wh


@dataclass(frozen=True, slots=True, order=True)
class _Pair:
    """What is alike: a later row and an earlier one."""

    kind: str
    row: int
    other: int


def series_twice(case: CheckCase) -> list[Finding]:
    """Return connections whose days are those of another one, or a day of their own again.

    A day counts when it is known whole and has twelve different values at least. A copy an hour
    off is one too. Effect: the energy of those days, at the price of its direction.
    """
    found = []
    for way, registers in (("import", case.readings.taken), ("export", case.readings.given)):
        alike = _alike(registers, list(_days(case, registers)))
        found += [_finding(case, way, pair, days) for pair, days in sorted(alike.items())]
    return found


def _alike(registers: RegisterMatrix, days: list[_Day]) -> dict[_Pair, list[_Day]]:
    first_of: dict[bytes, _Day] = {}
    alike: dict[_Pair, list[_Day]] = {}
    for day in days:
        held = first_of.setdefault(_print(registers, day, 0), day)
        if held is not day:
            kind = "repeated" if held.row == day.row else "twice"
            alike.setdefault(_Pair(kind, day.row, held.row), []).append(day)
    for day in days:
        for lag in (-_HOUR, _HOUR):
            held = first_of.get(_print(registers, day, lag), day)
            if held.row != day.row and held.start == day.start:
                pair = _Pair("hour_off", max(held.row, day.row), min(held.row, day.row))
                listed = alike.setdefault(pair, [])
                if day.start not in {each.start for each in listed}:
                    listed.append(day)
    return alike


def _days(case: CheckCase, registers: RegisterMatrix) -> Iterator[_Day]:
    """Yield every day whose values are known and many."""
    readings = case.readings
    bounds = list(_bounds(case))
    for row in range(len(readings.connections)):
        unknown = registers.missing[row] | registers.estimated[row] | ~readings.listed[row]
        for start, end in bounds:
            energy_wh = registers.energy_wh[row, start:end]
            if not unknown[start:end].any() and np.unique(energy_wh).size >= _LEAST_VALUES:
                yield _Day(row, start, end, int(energy_wh.sum()))


def _bounds(case: CheckCase) -> Iterator[tuple[int, int]]:
    """Yield the columns of every whole local day."""
    at_s = case.start_s
    while at_s < case.end_s:
        start_s, end_s = local_day(day_of(at_s))
        if start_s >= case.start_s and end_s <= case.end_s:
            yield (start_s - case.start_s) // QUARTER_S, (end_s - case.start_s) // QUARTER_S
        at_s = end_s


def _print(registers: RegisterMatrix, day: _Day, lag: int) -> bytes:
    """Return the hash of as many quarters as the day has, some quarters later."""
    start, end = day.start + lag, day.end + lag
    if start < 0 or end > registers.energy_wh.shape[1]:
        return b""
    energy_wh = np.ascontiguousarray(registers.energy_wh[day.row, start:end])
    return hashlib.blake2b(energy_wh.tobytes(), digest_size=16).digest()


def _finding(case: CheckCase, way: str, pair: _Pair, days: list[_Day]) -> Finding:
    names = case.readings.connections
    energy_wh = sum(day.energy_wh for day in days)
    worth = case.prices.bought_cents if way == "import" else case.prices.sold_cents
    return Finding(
        Code.LIKENESS,
        pair.kind,
        Severity.WARNING,
        names[pair.row],
        "",
        worth(energy_wh),
        {"direction": way, "other": names[pair.other], "days": len(days)},
        case.quarter(min(day.start for day in days)),
        case.quarter(max(day.end for day in days) - 1),
    )
