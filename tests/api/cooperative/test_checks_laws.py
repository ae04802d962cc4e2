"""Laws of the checks: silent where nothing is wrong, and every planted fault is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cooperative.checks import CheckCase, Code, Severity, Window, check_all
from kwartier.interval import QUARTER_S
from optimizer.settling.period import Ownership
from tests.api.cooperative.check_cases import (
    DAYS,
    HOMES,
    QUARTERS,
    ROOFS,
    START_S,
    clean_case,
    settled,
    with_bought,
    with_export,
    with_gap,
    with_import,
)

Planted = Callable[[CheckCase, np.random.Generator], CheckCase]

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds)
@settings(max_examples=200)
def test_a_neighbourhood_without_a_fault_has_no_blocker_and_no_warning(seed: int) -> None:
    assert check_all(clean_case(seed)) == []


def gap(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    row, start = chance.integers(len(HOMES)), chance.integers(QUARTERS - 32)
    return replace(case, readings=with_gap(case.readings, int(row), int(start), 32))


def register_back(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    row = int(chance.integers(len(HOMES)))
    meter = case.meters[row]
    points = list(meter.points)
    points[1] = replace(points[1], wh=points[0].wh - int(chance.integers(1, 10_000)))
    wrong = replace(meter, points=tuple(points))
    return replace(case, meters=(*case.meters[:row], wrong, *case.meters[row + 1 :]))


def overload(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    row = int(chance.integers(len(HOMES)))
    energy_wh = case.readings.taken.energy_wh[row].copy()
    energy_wh[chance.integers(QUARTERS)] += 4_313
    return replace(case, readings=with_import(case.readings, row, energy_wh))


def lost_on_paper(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    assert case.members is not None
    name = str(chance.choice(list(case.members)))
    total = case.members[name]
    wrong = replace(total, bought_wh=total.bought_wh + int(chance.integers(1, 1000)))
    return replace(case, members={**case.members, name: wrong})


def too_much(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    row, column = int(chance.integers(len(HOMES))), int(chance.integers(QUARTERS))
    return with_bought(case, row, column, int(case.readings.taken.energy_wh[row, column]) + 1)


def swapped(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    row, readings = int(chance.integers(len(ROOFS))), case.readings
    taken, given_wh = readings.taken.energy_wh[row], readings.given.energy_wh[row]
    return settled(with_export(with_import(readings, row, given_wh), row, taken))


def copied(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    one, other = chance.choice(len(HOMES), 2, replace=False)
    energy_wh = case.readings.taken.energy_wh[int(other)].copy()
    start = int(chance.integers(DAYS)) * 96
    one_wh = case.readings.taken.energy_wh[int(one)].copy()
    one_wh[start : start + 96] = energy_wh[start : start + 96]
    return settled(with_import(case.readings, int(one), one_wh))


def hour_late(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    row, lag = int(chance.integers(len(ROOFS))), int(chance.choice([-4, 4]))
    readings = case.readings
    taken = np.roll(readings.taken.energy_wh[row], lag)
    given_wh = np.roll(readings.given.energy_wh[row], lag)
    return settled(with_export(with_import(readings, row, taken), row, given_wh))


def no_tariff(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    ends_s = START_S + int(chance.integers(QUARTERS)) * QUARTER_S
    return replace(case, tariffs=(Window("tarief-1", 0, ends_s),))


def move(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    at_s = START_S + int(chance.integers(1, DAYS)) * 96 * QUARTER_S
    windows = list(case.ownership)
    first = windows.pop(int(chance.integers(len(windows))))
    ended = replace(first, end_s=at_s)
    return replace(case, ownership=(*windows, ended, Ownership(first.connection, "nieuw", at_s)))


def far_more(case: CheckCase, chance: np.random.Generator) -> CheckCase:
    row = int(chance.integers(len(HOMES)))
    energy_wh = case.readings.taken.energy_wh[row] * 4 + 60
    return replace(case, readings=with_import(case.readings, row, energy_wh))


FAULTS: dict[Planted, tuple[Code, Severity]] = {
    gap: (Code.MISSING, Severity.BLOCKER),
    register_back: (Code.REGISTER, Severity.BLOCKER),
    overload: (Code.LIMIT, Severity.WARNING),
    lost_on_paper: (Code.SUM, Severity.BLOCKER),
    too_much: (Code.ALLOCATION, Severity.BLOCKER),
    swapped: (Code.SIGN, Severity.WARNING),
    copied: (Code.LIKENESS, Severity.WARNING),
    hour_late: (Code.LIKENESS, Severity.WARNING),
    no_tariff: (Code.IN_FORCE, Severity.BLOCKER),
    move: (Code.MOVE, Severity.WARNING),
    far_more: (Code.HISTORY, Severity.WARNING),
}


@given(seed=seeds, planted=st.sampled_from(list(FAULTS)))
@settings(max_examples=400)
def test_every_planted_fault_is_found(seed: int, planted: Planted) -> None:
    case = planted(clean_case(seed), np.random.default_rng(seed))

    found = check_all(case)

    assert FAULTS[planted] in {(finding.code, finding.severity) for finding in found}
    assert all(finding.effect_cents >= 0 for finding in found)
    assert len({finding.key for finding in found}) == len(found)
