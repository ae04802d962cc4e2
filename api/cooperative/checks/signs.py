"""A6: import and export look swapped, for the use goes up with the sun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.finding import Code, Finding, Severity
from api.cooperative.checks.sun import Series, given_together, permille, weeks

_TURNED = 300
"""From this correlation on the use goes up with the sun [1/1000]."""
_WAS_RIGHT = -200
"""Up to this correlation a connection gave with the sun before [1/1000]."""
_LEAST_WH = 1_000
"""Below this export a week says nothing [Wh]."""
_DARK = 0.02
"""Up to this part of the highest sun it is dark."""


@dataclass(frozen=True, slots=True)
class _Weeks:
    """Weeks in a row that look turned."""

    start: int
    end: int
    highest: int


def turned_signs(case: CheckCase) -> list[Finding]:
    """Return connections whose net use rises with the neighbourhood's sun and should fall.

    That is a connection that gives most of its export in the dark, or that went against the sun in
    its earlier months. Every week is judged by itself. Effect: all import and export of those
    weeks, each at the price of the other direction.
    """
    every = given_together(case.readings)
    found: list[Finding] = []
    for row, name in enumerate(case.readings.connections):
        sun = every - case.readings.given.energy_wh[row]
        weeks_turned = _turned_weeks(case, row, name, sun)
        found += [_finding(case, row, name, turned) for turned in weeks_turned]
    return found


def _turned_weeks(case: CheckCase, row: int, name: str, sun: Series) -> list[_Weeks]:
    gave_before = any(
        month.solar_permille is not None and month.solar_permille <= _WAS_RIGHT
        for month in case.history.get(name, ())
    )
    told: list[_Weeks] = []
    for start, end in weeks(case.readings.quarters):
        with_sun = _with_sun(case, row, sun, (start, end), gave_before=gave_before)
        if with_sun is None:
            continue
        if told and told[-1].end == start:
            earlier = told.pop()
            told.append(_Weeks(earlier.start, end, max(earlier.highest, with_sun)))
        else:
            told.append(_Weeks(start, end, with_sun))
    return told


def _with_sun(
    case: CheckCase, row: int, sun: Series, columns: tuple[int, int], *, gave_before: bool
) -> int | None:
    """Return the correlation of a week that looks turned; None of one that does not."""
    inside = slice(*columns)
    given = case.readings.given.energy_wh[row, inside].astype(np.float64)
    taken = case.readings.taken.energy_wh[row, inside].astype(np.float64)
    shine = sun[inside]
    with_sun = permille(taken - given, shine)
    if with_sun is None or with_sun < _TURNED:
        return None
    in_the_dark = float(given[shine <= _DARK * shine.max()].sum())
    gives_in_the_dark = given.sum() >= _LEAST_WH and in_the_dark * 2 > given.sum()
    return with_sun if gave_before or gives_in_the_dark else None


def _finding(case: CheckCase, row: int, name: str, turned: _Weeks) -> Finding:
    inside = slice(turned.start, turned.end)
    taken_wh = int(case.readings.taken.energy_wh[row, inside].sum())
    given_wh = int(case.readings.given.energy_wh[row, inside].sum())
    return Finding(
        Code.SIGN,
        "turned",
        Severity.WARNING,
        name,
        "",
        case.prices.sold_cents(taken_wh) + case.prices.bought_cents(given_wh),
        {"import_wh": taken_wh, "export_wh": given_wh, "with_sun_permille": turned.highest},
        case.quarter(turned.start),
        case.quarter(turned.end - 1),
    )
