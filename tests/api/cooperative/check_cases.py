"""A neighbourhood without a fault, to plant faults in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from api.cooperative.checks import (
    CheckCase,
    CommunityTotal,
    MemberTotal,
    MeterCase,
    PastMonth,
    RegisterPoint,
    Window,
)
from kwartier.interval import QUARTER_S, Quarter, local_day
from optimizer.settlement import Rules
from optimizer.settling.matrix import AllocationMatrix, ReadingMatrix, RegisterMatrix
from optimizer.settling.matrix_settlement import settle_matrix
from optimizer.settling.period import Agreement, KeyVersion, Ownership
from optimizer.sharing import Proportional

FIRST = date(2026, 7, 1)
START_S = local_day(FIRST)[0]
DAYS = 14
QUARTERS = DAYS * 96
HOMES = tuple(f"huis-{number:02d}" for number in range(1, 7))
ROOFS = HOMES[:3]
"""The homes that have a roof full of panels."""

Energies = NDArray[np.int64]


def clean_case(seed: int = 1) -> CheckCase:
    """Return two weeks of six homes, three with a roof, and a battery; nothing is wrong."""
    return settled(clean_readings(seed))


def clean_readings(seed: int = 1) -> ReadingMatrix:
    """Return what was read of them."""
    chance = np.random.default_rng(seed)
    time = np.arange(QUARTERS)
    clouds = np.clip(
        np.repeat(chance.uniform(0.2, 1.0, DAYS), 96) + chance.normal(0, 0.25, QUARTERS), 0, 1
    )
    # 1 July begins at 22:00 UTC; the sun stands highest at 13:40 on the clock, quarter 55.
    height = np.clip(np.sin((time % 96 - 27) / 56 * np.pi), 0, None)
    height[(time % 96 < 27) | (time % 96 > 83)] = 0
    taken, given = _empty(), _empty()
    for row, name in enumerate(HOMES):
        use = chance.gamma(2.0, 40.0, QUARTERS) + chance.uniform(20, 60)
        size = chance.uniform(500, 1200) if name in ROOFS else 0.0
        turned = int(chance.integers(-8, 9))
        sun = size * np.roll(height, turned) * clouds
        net = np.rint(use - sun).astype(np.int64)
        taken.energy_wh[row] = np.maximum(net, 0)
        given.energy_wh[row] = np.maximum(-net, 0)
    charge, discharge = (RegisterMatrix.empty(1, QUARTERS) for _ in range(2))
    left = given.energy_wh.sum(axis=0) - taken.energy_wh.sum(axis=0)
    charge.energy_wh[0] = np.clip(left, 0, 1250)
    discharge.energy_wh[0] = np.where(time % 96 > 84, 500, 0)
    listed = np.ones((len(HOMES), QUARTERS), np.bool_)
    return ReadingMatrix(Quarter(START_S), HOMES, listed, taken, given, charge, discharge)


def settled(readings: ReadingMatrix) -> CheckCase:
    """Return the case of readings that were shared in proportion, with statements that agree."""
    ownership = tuple(Ownership(name, f"lid-{name}", 0) for name in readings.connections)
    agreement = Agreement((KeyVersion(0, Proportional()),), Rules(), ownership)
    allocation = settle_matrix(readings, agreement)
    return CheckCase(
        readings,
        ownership,
        allocation,
        _members(readings, allocation),
        CommunityTotal(
            int(allocation.bought_wh.sum()),
            int(allocation.sold_wh.sum()),
            int(allocation.to_battery_wh.sum()),
            int(allocation.from_battery_wh.sum()),
        ),
        dict.fromkeys(readings.connections, 17_250),
        (Window("tarief-1", 0),),
        (Window("sleutel-1", 0),),
        {name: (Window("leverancier", 0),) for name in readings.connections},
        {
            name: (
                PastMonth(
                    "2026-06",
                    readings.quarters,
                    int(readings.taken.energy_wh[row].sum()),
                    int(readings.given.energy_wh[row].sum()),
                ),
            )
            for row, name in enumerate(readings.connections)
        },
        tuple(meter(readings, row, name, START_S) for row, name in enumerate(readings.connections)),
    )


def meter(readings: ReadingMatrix, row: int, name: str, installed_s: int) -> MeterCase:
    """Return the meter of a home, read at the beginning, in the middle and at the end."""
    points = []
    for register, energy_wh in (
        ("import", readings.taken.energy_wh[row]),
        ("export", readings.given.energy_wh[row]),
    ):
        for column in (0, QUARTERS // 2, QUARTERS):
            stood_wh = 4_000_000 + int(energy_wh[:column].sum())
            points.append(RegisterPoint(register, START_S + column * QUARTER_S, stood_wh))
    return MeterCase(name, "…6724", installed_s, None, None, tuple(points))


def with_import(readings: ReadingMatrix, row: int, energy_wh: Energies) -> ReadingMatrix:
    """Return the readings with another import of one home."""
    every = readings.taken.energy_wh.copy()
    every[row] = energy_wh
    return replace(readings, taken=replace(readings.taken, energy_wh=every))


def with_export(readings: ReadingMatrix, row: int, energy_wh: Energies) -> ReadingMatrix:
    """Return the readings with another export of one home."""
    every = readings.given.energy_wh.copy()
    every[row] = energy_wh
    return replace(readings, given=replace(readings.given, energy_wh=every))


def with_gap(readings: ReadingMatrix, row: int, start: int, quarters: int) -> ReadingMatrix:
    """Return the readings without some quarters of one home, both registers."""
    inside = slice(start, start + quarters)
    gaps = []
    for registers in (readings.taken, readings.given):
        energy_wh, missing = registers.energy_wh.copy(), registers.missing.copy()
        energy_wh[row, inside] = 0
        missing[row, inside] = True
        gaps.append(replace(registers, energy_wh=energy_wh, missing=missing))
    return replace(readings, taken=gaps[0], given=gaps[1])


def with_bought(case: CheckCase, row: int, column: int, extra_wh: int) -> CheckCase:
    """Return the case with more allocated to a home in one quarter."""
    assert case.allocation is not None
    bought_wh = case.allocation.bought_wh.copy()
    bought_wh[row, column] += extra_wh
    return replace(case, allocation=replace(case.allocation, bought_wh=bought_wh))


def _members(readings: ReadingMatrix, allocation: AllocationMatrix) -> dict[str, MemberTotal]:
    told = {}
    for row, name in enumerate(readings.connections):
        bought_wh = int(allocation.bought_wh[row].sum())
        sold_wh = int(allocation.sold_wh[row].sum())
        to_battery_wh = int(allocation.to_battery_wh[row].sum())
        cents = Fraction(bought_wh * 18 - sold_wh * 12, 1000)
        told[f"lid-{name}"] = MemberTotal(bought_wh, sold_wh, to_battery_wh, round(cents))
    return told


def _empty() -> RegisterMatrix:
    return RegisterMatrix.empty(len(HOMES), QUARTERS)
