"""Random neighbourhoods and keys, for the laws that every settlement obeys."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from kwartier.interval import QUARTER_S, Quarter
from optimizer.balance import QuarterReadings, Registers, SelfRule
from optimizer.settlement import Rules, Source
from optimizer.settling.rounding import Tie
from optimizer.sharing import (
    Cascade,
    Equal,
    Hybrid,
    Proportional,
    Rounds,
    SecondStage,
    SharingKey,
    Solidarity,
    Static,
    Within,
)

HOMES = ("A", "B", "C", "D", "E")
"""The homes that a random key may name; not all of them take part in each quarter."""

energies_wh = st.one_of(st.just(0), st.integers(0, 7), st.integers(0, 4000))
known_registers = st.builds(Registers, energies_wh, energies_wh)
any_registers = st.builds(
    Registers,
    st.none() | energies_wh,
    st.none() | energies_wh,
    st.booleans(),
    st.booleans(),
)


def quarters(registers: st.SearchStrategy[Registers]) -> st.SearchStrategy[QuarterReadings]:
    """Return random quarters whose connections read ``registers``."""
    return st.builds(
        QuarterReadings,
        st.integers(0, 3_000_000).map(lambda number: Quarter(number * QUARTER_S)),
        st.dictionaries(st.sampled_from(HOMES), registers, min_size=1),
        registers,
    )


@st.composite
def shares(draw: st.DrawFn) -> dict[str, Fraction]:
    """Return parts of a whole that together are at most 1."""
    weights = draw(st.dictionaries(st.sampled_from(HOMES), st.integers(0, 9), min_size=1))
    whole = sum(weights.values()) + draw(st.integers(0, 9))
    return {name: Fraction(weight, max(whole, 1)) for name, weight in weights.items()}


@st.composite
def tiers(draw: st.DrawFn) -> tuple[tuple[str, ...], ...]:
    """Return some homes, once each, in one to three tiers."""
    homes = draw(st.permutations(HOMES))
    first, second = sorted(draw(st.tuples(st.integers(0, 5), st.integers(0, 5))))
    return tuple(homes[:first]), tuple(homes[first:second])


some_homes = st.lists(st.sampled_from(HOMES), min_size=1, unique=True).map(tuple)
steady_keys: st.SearchStrategy[SharingKey] = st.one_of(
    st.just(Proportional()),
    st.builds(Equal, some_homes, st.sampled_from(Rounds)),
    st.builds(Static, shares(), st.sampled_from(Rounds)),
    st.builds(Cascade, tiers(), st.sampled_from(Within)),
)
"""Keys under which more supply never lowers anybody's share."""
plain_keys: st.SearchStrategy[SharingKey] = st.one_of(
    steady_keys, st.builds(Hybrid, shares(), st.sampled_from(SecondStage))
)
parts = st.fractions(min_value=0, max_value=1, max_denominator=20)
keys: st.SearchStrategy[SharingKey] = st.recursive(
    plain_keys, lambda base: st.builds(Solidarity, parts, some_homes, base), max_leaves=2
)
rules = st.builds(
    Rules, keys, st.sampled_from(SelfRule), st.sampled_from(Tie), st.sampled_from(Source)
)
