"""Random months: a day or two, some of them short or long, with moves, gaps and new prices.

Hypothesis draws how much there is of everything and one number; a generator that starts from that
number fills in the rest. So a month costs a millisecond, and a failing one still grows small.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from random import Random

import numpy as np
from hypothesis import strategies as st

from kwartier.interval import QUARTER_S, Quarter, local_day
from kwartier.units import EpochS
from optimizer.balance import SelfRule
from optimizer.month import MonthCase, TariffVersion
from optimizer.settlement import Rules
from optimizer.settling.battery_models import BatteryAgreement, BatteryModel
from optimizer.settling.matrix import ReadingMatrix, RegisterMatrix
from optimizer.settling.period import Agreement, KeyVersion, Ownership
from optimizer.settling.rounding import Tie
from optimizer.sharing import (
    Cascade,
    Equal,
    Hybrid,
    Proportional,
    Rounds,
    SharingKey,
    Solidarity,
    Static,
)
from optimizer.tariff import Terms

DAYS = (
    (date(2026, 7, 1), date(2026, 7, 1)),
    (date(2027, 2, 28), date(2027, 3, 1)),
    (date(2026, 3, 29), date(2026, 3, 29)),
    (date(2026, 10, 25), date(2026, 10, 25)),
    (date(2026, 12, 31), date(2027, 1, 1)),
)
"""Days that a random month may have: around a change of the clock, of the month, of the year."""
HOMES = ("A", "B", "C", "D", "E")
MEMBERS = ("ann", "bob", "cor")
RATES = (Fraction(), Fraction(9, 100), Fraction(21, 100), Fraction(1))


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of everything in a random month.

    Attributes:
        homes: How many connections.
        busy: How many quarters in which something happens.
        tariffs: How many versions of the tariff.
        keys: How many versions of the key.
        moves: How many windows of ownership a connection has at most; 0 for no ownership.
        flags: In how many of ten registers something is missing or estimated.
    """

    homes: int
    busy: int
    tariffs: int
    keys: int
    moves: int
    flags: int


sizes = st.builds(
    Size,
    st.integers(1, 5),
    st.integers(0, 8),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 3),
    st.integers(0, 3),
)
seeds = st.integers(0, 2**32)


def random_month(size: Size, seed: int) -> MonthCase:
    """Return the month of a size that a number stands for."""
    random = Random(seed)  # noqa: S311 - it makes up examples, no secrets
    days = random.choice(DAYS)
    start_s, end_s = local_day(days[0])[0], local_day(days[1])[1]
    starts = random.sample(range(start_s, end_s, QUARTER_S), 3)
    versions = [
        TariffVersion(f"t{place}", starts[place] if place else 0, random_terms(random))
        for place in range(size.tariffs)
    ]
    random.shuffle(versions)
    keys = [
        KeyVersion(starts[2 - place] if place else 0, _key(random)) for place in range(size.keys)
    ]
    rules = Rules(Proportional(), random.choice(tuple(SelfRule)), random.choice(tuple(Tie)))
    return MonthCase(
        start_s,
        end_s,
        random_readings((start_s, end_s), size, random),
        Agreement(tuple(keys), rules, _windows(start_s, end_s, size, random)),
        tuple(versions),
        _battery(random),
        {name: random.choice(RATES) for name in (*MEMBERS, *HOMES) if random.random() < 0.5},
    )


def random_terms(random: Random) -> Terms:
    """Return prices of either sign, some of them nothing."""
    buy, sell, levy, fee, grid = (
        Fraction(random.choice((0, random.randint(-900, 900))), random.choice((100, 1000, 7)))
        for _ in range(5)
    )
    return Terms(buy, sell, levy, fee, random.choice(RATES), grid_sell_eur_per_kwh=grid)


def random_readings(bounds: tuple[EpochS, EpochS], size: Size, random: Random) -> ReadingMatrix:
    """Return silent quarters but for some busy ones."""
    count = (bounds[1] - bounds[0]) // QUARTER_S
    shape = size.homes, count
    taken, given = RegisterMatrix.empty(*shape), RegisterMatrix.empty(*shape)
    charge, discharge = RegisterMatrix.empty(1, count), RegisterMatrix.empty(1, count)
    listed = np.ones(shape, np.bool_)
    for column in random.sample(range(count), min(size.busy, count)):
        for row in range(size.homes):
            listed[row, column] = random.random() < 0.95 or not size.flags
            if listed[row, column]:
                _read(taken, (row, column), size, random)
                _read(given, (row, column), size, random)
        _read(charge, (0, column), size, random)
        _read(discharge, (0, column), size, random)
    first = Quarter(bounds[0])
    return ReadingMatrix(first, HOMES[: size.homes], listed, taken, given, charge, discharge)


months = st.builds(random_month, sizes, seeds)
"""Months of every kind."""


def _read(registers: RegisterMatrix, place: tuple[int, int], size: Size, random: Random) -> None:
    registers.energy_wh[place] = random.choice((0, random.randint(0, 9), random.randint(0, 4000)))
    if random.random() * 10 < size.flags:
        if random.random() < 0.5:
            registers.energy_wh[place] = 0
            registers.missing[place] = True
        else:
            registers.estimated[place] = True


def _battery(random: Random) -> BatteryAgreement:
    return BatteryAgreement(
        random.choice(tuple(BatteryModel)),
        Fraction(random.randint(10, 20), 20),
        {
            owner: random.randint(0, 2 * 10**6)
            for owner in (*MEMBERS, "A", "left", "coop")
            if random.random() < 0.3
        },
        random.choice((None, random.randint(0, 5000))),
    )


def _key(random: Random) -> SharingKey:
    weights = [random.randint(0, 9) for _ in range(len(HOMES) + 1)]
    whole = max(sum(weights), 1)
    shares = {name: Fraction(weights[place], whole) for place, name in enumerate(HOMES)}
    some = tuple(random.sample(HOMES, random.randint(1, 5)))
    rounds = random.choice(tuple(Rounds))
    plain: tuple[SharingKey, ...] = (
        Proportional(),
        Equal(some, rounds),
        Static(shares, rounds),
        Hybrid(shares),
        Cascade((some[:2], some[2:])),
    )
    every = (*plain, *plain[:3], Solidarity(Fraction(1, 3), some, random.choice(plain)))
    return random.choice(every)


def _windows(
    start_s: EpochS, end_s: EpochS, size: Size, random: Random
) -> tuple[Ownership, ...] | None:
    if not size.moves:
        return None
    windows = []
    for name in (*HOMES, "never read"):
        moments = sorted(random.sample(range(start_s - 900, end_s, QUARTER_S), 2 * size.moves))
        for place in range(random.randint(0, size.moves)):
            first_s, last_s = moments[2 * place : 2 * place + 2]
            last = random.choice((moments[-1], None)) if place == size.moves - 1 else last_s
            windows.append(Ownership(name, random.choice(MEMBERS), first_s, last))
    random.shuffle(windows)
    return tuple(windows)
