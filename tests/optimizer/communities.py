"""Random communities over some quarters: prosumers, twins, a huge roof, gaps, moves, new keys."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from kwartier.interval import QUARTER_S, Quarter
from optimizer.balance import QuarterReadings, Registers, SelfRule
from optimizer.settlement import Rules, Source
from optimizer.settling.period import Agreement, KeyVersion, Ownership, Rounding
from optimizer.settling.rounding import Tie
from optimizer.sharing import (
    Cascade,
    Equal,
    Hybrid,
    Proportional,
    Rounds,
    SecondStage,
    SharingKey,
    Static,
    Within,
)
from tests.optimizer.cases import HOMES, keys, shares, some_homes, tiers

FIRST = 1_980_996
"""The first quarter of every random period; three or five homes come round in step with it."""
MEMBERS = ("m1", "m2", "m3")

array_keys: st.SearchStrategy[SharingKey] = st.one_of(
    st.just(Proportional()),
    st.builds(Equal, some_homes, st.sampled_from(Rounds)),
    st.builds(Static, shares(), st.sampled_from(Rounds)),
    st.builds(Hybrid, shares(), st.sampled_from(SecondStage)),
    st.builds(Cascade, tiers(), st.sampled_from(Within)),
)
"""Keys that are reckoned in arrays."""
any_keys = st.one_of(st.just(Proportional()), array_keys, array_keys, keys)

moments_s = st.one_of(st.sampled_from([0, 900, 1800, 2700]), st.integers(-900, 6300))
"""Moments of change after the first quarter begins [s], on the grid and off it."""
few_wh = st.integers(0, 7)
home_wh = st.one_of(st.just(0), few_wh, st.integers(0, 4000), st.sampled_from([100, 100, 250]))
huge_wh = st.one_of(
    home_wh,
    st.integers(10**5, 10**7),
    st.sampled_from([2**30, 2**31 - 1, 2**31, 2**31 + 1]),
    st.integers(2**20, 2**49),
)
"""Up to the 12 digits of kWh that a file may hold."""


def registers(energies: st.SearchStrategy[int]) -> st.SearchStrategy[Registers]:
    """Return registers of a home: mostly both are read, at times one is away or estimated."""
    read = st.builds(Registers, energies, energies)
    consumer = st.builds(Registers, energies, st.just(0))
    known = st.none() | energies
    return st.one_of(
        read, consumer, st.builds(Registers, known, known, st.booleans(), st.booleans())
    )


@st.composite
def periods(
    draw: st.DrawFn, energies: st.SearchStrategy[int] = home_wh, *, gaps: bool = False
) -> list[QuarterReadings]:
    """Return the readings of 1 to 6 quarters, in any order.

    Args:
        draw: Given by hypothesis.
        energies: What a register may count.
        gaps: Whether quarters may be left out.
    """
    count = draw(st.integers(1, 6))
    numbers = [FIRST + place for place in range(count)]
    if gaps:
        numbers = draw(st.lists(st.integers(FIRST, FIRST + 9), max_size=6, unique=True))
    homes = draw(st.lists(st.sampled_from(HOMES), min_size=1, unique=True))
    alike = draw(st.booleans())
    quarters = []
    for number in numbers:
        if alike:
            same = draw(registers(energies))
            listed = dict.fromkeys(homes, same)
            listed["E"] = Registers(0, draw(energies))
        else:
            listed = draw(st.dictionaries(st.sampled_from(HOMES), registers(energies), min_size=0))
        battery = draw(st.one_of(st.just(Registers()), registers(energies)))
        quarters.append(QuarterReadings(Quarter(number * QUARTER_S), listed, battery))
    return quarters


@st.composite
def agreements(
    draw: st.DrawFn,
    key: st.SearchStrategy[SharingKey] = any_keys,
    sources: Sequence[Source] = (Source.PROPORTIONAL,),
    roundings: Sequence[Rounding] = (Rounding.QUARTER,),
) -> Agreement:
    """Return an agreement whose keys and owners may change inside the quarters of ``periods``."""
    changes = draw(st.lists(moments_s, max_size=2, unique=True))
    later = [KeyVersion(FIRST * QUARTER_S + change, draw(key)) for change in changes]
    rules = Rules(
        Proportional(),
        draw(st.sampled_from(SelfRule)),
        draw(st.sampled_from(Tie)),
        draw(st.sampled_from(sources)),
    )
    ownership = draw(st.none() | _windows())
    return Agreement(
        (KeyVersion(0, draw(key)), *later), rules, ownership, draw(st.sampled_from(roundings))
    )


@st.composite
def _windows(draw: st.DrawFn) -> tuple[Ownership, ...]:
    windows = []
    for name in (*HOMES, "never read"):
        moments = draw(st.lists(moments_s, max_size=4, unique=True).map(sorted))
        starts = moments[::2]
        ends: list[int | None] = [*moments[1::2]]
        ends += [None] * (len(starts) - len(ends))
        for start, end in zip(starts, ends, strict=True):
            windows.append(
                Ownership(
                    name,
                    draw(st.sampled_from(MEMBERS)),
                    FIRST * QUARTER_S + start,
                    None if end is None else FIRST * QUARTER_S + end,
                )
            )
    return tuple(draw(st.permutations(windows)))
