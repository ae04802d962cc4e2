"""Rounding once a period, where the sums are known only within bounds."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.settling.filling import Exact
from optimizer.settling.long_sums import FractionSums, WholeSums
from optimizer.settling.matrix_filling import Shares
from optimizer.settling.rounding import whole_amounts
from optimizer.settling.rounding_once import rounded_once

PARTS = list[list[tuple[int, int]]]
"""For each place, what is added up: numerators and denominators."""


def summed(parts: PARTS) -> FractionSums:
    """Return sums to which every fraction was added in a row of its own."""
    sums = FractionSums(len(parts))
    for place, fractions in enumerate(parts):
        for numerator, denominator in fractions:
            one = np.array([numerator], np.int64)
            unit = np.array([denominator], np.int64)
            sums.add(np.array([[place]]), Shares(one[:, None], unit, one, unit))
    return sums


def exact_amounts(parts: PARTS) -> list[Fraction]:
    return [sum((Fraction(*each) for each in fractions), Fraction(0)) for fractions in parts]


def rounded(parts: PARTS) -> tuple[dict[int, int], list[int]]:
    """Return whole amounts in the order of the places, and which were asked for exactly."""
    asked: list[int] = []

    def ask(places: Collection[int]) -> dict[int, Exact]:
        asked.extend(places)
        exact = exact_amounts(parts)
        return {place: exact[place] for place in places}

    return rounded_once(summed(parts), range(len(parts)), ask), asked


def test_thirds_that_add_up_to_a_whole_are_asked_for() -> None:
    # The binary places of three thirds add up to just under 1.
    whole, asked = rounded([[(1, 3)] * 3, [(1, 2)]])

    assert (whole, asked) == ({0: 1, 1: 0}, [0])


def test_remainders_closer_than_the_binary_places_are_asked_for() -> None:
    # 1 - 1/d and 1 - 1/(d + 1) differ by less than 2**-79; their total is under 2.
    d = 2**40
    whole, asked = rounded([[(d - 1, d)], [(d, d + 1)]])

    assert whole == {0: 0, 1: 1}
    assert sorted(asked) == [0, 1]


def test_remainders_far_apart_are_not_asked_for() -> None:
    whole, asked = rounded([[(5, 7)], [(4, 7)], [(5, 7)] * 2])

    # Together 5/7 + 4/7 + 10/7 = 19/7, so 2; floors 0, 0, 1; the largest remainder is 5/7.
    assert (whole, asked) == ({0: 1, 1: 0, 2: 1}, [])


def test_equal_remainders_go_in_the_order_of_the_tie() -> None:
    thirds: PARTS = [[(1, 3)], [(2, 6)], [(3, 9)]]
    exact = dict(enumerate(exact_amounts(thirds)))

    whole = rounded_once(summed(thirds), [2, 0, 1], lambda places: {p: exact[p] for p in places})

    assert whole == {2: 1, 0: 0, 1: 0}


terms = st.one_of(
    st.tuples(st.integers(0, 40), st.integers(1, 12)),
    st.tuples(st.integers(0, 2**31 - 1), st.just(1)),
    st.builds(lambda d, n: (n % d, d), st.integers(2**40, 2**61), st.integers(0, 2**61)),
)


@settings(max_examples=300)
@given(parts=st.lists(st.lists(terms, max_size=6), min_size=1, max_size=6))
def test_rounding_within_bounds_is_rounding_exactly(parts: PARTS) -> None:
    exact: dict[str, Exact] = {
        f"{place}": amount for place, amount in enumerate(exact_amounts(parts))
    }

    whole, _ = rounded(parts)

    assert {f"{place}": wh for place, wh in whole.items()} == whole_amounts(exact, sorted(exact))


@pytest.mark.parametrize("energy_wh", [0, 1, 2**31, 2**62, 2**63 - 1])
def test_whole_sums_go_on_beyond_64_bits(energy_wh: int) -> None:
    sums = WholeSums(3)
    for _ in range(5):
        sums.add(np.array([0, 2, 2]), np.full(3, energy_wh, np.int64))

    assert sums.totals() == [5 * energy_wh, 0, 10 * energy_wh]
