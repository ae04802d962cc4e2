"""A7, second half: a roof whose clouds pass earlier or later than over the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.finding import Code, Finding, Severity
from api.cooperative.checks.sun import Series, given_together, permille, weather, weeks

_FURTHEST = 8
"""How many quarters a series may be off to be recognised."""
_ALIKE = 600
"""How well the clouds must agree at the best place [1/1000]."""
_BETTER = 100
"""How much better they must agree there than where they should [1/1000]."""
_LEAST_WH = 5_000
"""Below this export a week says nothing [Wh]."""


@dataclass(frozen=True, slots=True)
class _Shift:
    """Weeks in a row that are off by as many quarters."""

    start: int
    end: int
    quarters: int


def shifted_series(case: CheckCase) -> list[Finding]:
    """Return roofs whose export is some quarters off the neighbourhood's, week by week.

    Four quarters are a clock that missed the change of summer time; others are a clock that is
    wrong. Effect: the export of those weeks at the selling price.
    """
    every = given_together(case.readings)
    found: list[Finding] = []
    for row, name in enumerate(case.readings.connections):
        given = case.readings.given.energy_wh[row].astype(np.float64)
        if given.any():
            shifts = _shifts(case, given, every - given)
            found += [_finding(case, row, name, shift) for shift in shifts]
    return found


def _shifts(case: CheckCase, given: Series, sun: Series) -> list[_Shift]:
    told: list[_Shift] = []
    for start, end in weeks(case.readings.quarters):
        if given[start:end].sum() < _LEAST_WH:
            continue
        quarters = _best_lag(
            weather(case.readings, given, start, end), weather(case.readings, sun, start, end)
        )
        if quarters and told and told[-1].end == start and told[-1].quarters == quarters:
            told.append(_Shift(told.pop().start, end, quarters))
        elif quarters:
            told.append(_Shift(start, end, quarters))
    return told


def _best_lag(given: Series, sun: Series) -> int:
    """Return by how many quarters a series comes late; 0 when nothing clearly says so."""
    at_once = permille(given, sun)
    if at_once is None:
        return 0
    best, highest = 0, at_once
    for lag in range(1, min(_FURTHEST, given.size // 2) + 1):
        for quarters, alike in (
            (lag, permille(given[lag:], sun[:-lag])),
            (-lag, permille(given[:-lag], sun[lag:])),
        ):
            if alike is not None and alike > highest:
                best, highest = quarters, alike
    return best if highest >= _ALIKE and highest - at_once >= _BETTER else 0


def _finding(case: CheckCase, row: int, name: str, shift: _Shift) -> Finding:
    energy_wh = int(case.readings.given.energy_wh[row, shift.start : shift.end].sum())
    return Finding(
        Code.LIKENESS,
        "shifted",
        Severity.WARNING,
        name,
        "",
        case.prices.sold_cents(energy_wh),
        {"minutes": shift.quarters * 15, "quarters_off": shift.quarters},
        case.quarter(shift.start),
        case.quarter(shift.end - 1),
    )
