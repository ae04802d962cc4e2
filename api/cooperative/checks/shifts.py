"""A7, second half: a roof whose clouds pass earlier or later than over the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.finding import Code, Finding, Severity
from api.cooperative.checks.sun import Series, permille, weather, weeks

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
    """Weeks in a row in which one roof is off by as many quarters."""

    row: int
    start: int
    end: int
    quarters: int


def shifted_series(case: CheckCase) -> list[Finding]:
    """Return roofs whose export is some quarters off the neighbourhood's, week by week.

    Every roof counts alike, however large it is. The one that is furthest off is told first and
    then left out, for the others would be off against it. Four quarters are a clock that missed
    the change of summer time; others are a clock that is wrong. Effect: the export of those weeks
    at the selling price.
    """
    told: dict[int, list[_Shift]] = {}
    for start, end in weeks(case.readings.quarters):
        for row, quarters in sorted(_off(_roofs(case, start, end)).items()):
            shifts = told.setdefault(row, [])
            if shifts and shifts[-1].end == start and shifts[-1].quarters == quarters:
                shifts.append(_Shift(row, shifts.pop().start, end, quarters))
            else:
                shifts.append(_Shift(row, start, end, quarters))
    return [_finding(case, shift) for row in sorted(told) for shift in told[row]]


def _roofs(case: CheckCase, start: int, end: int) -> dict[int, Series]:
    """Return what the clouds made of each roof's export, scaled alike; small ones left out."""
    readings, roofs = case.readings, {}
    for row in np.flatnonzero(
        readings.given.energy_wh[:, start:end].sum(axis=1) >= _LEAST_WH
    ).tolist():
        clouds = weather(readings, readings.given.energy_wh[row].astype(np.float64), start, end)
        if clouds.std():
            roofs[row] = clouds / clouds.std()
    return roofs


def _off(roofs: dict[int, Series]) -> dict[int, int]:
    """Return by how many quarters each roof comes late that clearly does."""
    late: dict[int, int] = {}
    trusted = dict(roofs)
    while len(trusted) > 1:
        every = np.sum(list(trusted.values()), axis=0)
        lags = {row: _best_lag(clouds, every - clouds) for row, clouds in trusted.items()}
        worst = max(lags, key=lambda row: lags[row].gain)
        if not lags[worst].quarters:
            break
        late[worst] = lags[worst].quarters
        del trusted[worst]
    return late


@dataclass(frozen=True, slots=True)
class _Lag:
    """By how many quarters a series comes late, and how much better it agrees there [1/1000]."""

    quarters: int = 0
    gain: int = 0


def _best_lag(given: Series, sun: Series) -> _Lag:
    """Return where a series agrees best; nowhere else when nothing clearly says so."""
    at_once = permille(given, sun)
    if at_once is None:
        return _Lag()
    best, highest = 0, at_once
    for lag in range(1, min(_FURTHEST, given.size // 2) + 1):
        for quarters, alike in (
            (lag, permille(given[lag:], sun[:-lag])),
            (-lag, permille(given[:-lag], sun[lag:])),
        ):
            if alike is not None and alike > highest:
                best, highest = quarters, alike
    clear = highest >= _ALIKE and highest - at_once >= _BETTER
    return _Lag(best, highest - at_once) if clear else _Lag()


def _finding(case: CheckCase, shift: _Shift) -> Finding:
    given = case.readings.given.energy_wh[shift.row, shift.start : shift.end]
    return Finding(
        Code.LIKENESS,
        "shifted",
        Severity.WARNING,
        case.readings.connections[shift.row],
        "",
        case.prices.sold_cents(int(given.sum())),
        {
            "minutes": abs(shift.quarters) * 15,
            "side": "behind" if shift.quarters > 0 else "ahead",
            "quarters_off": shift.quarters,
        },
        case.quarter(shift.start),
        case.quarter(shift.end - 1),
    )
