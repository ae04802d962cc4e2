"""What holds for progressive filling and rounding, whatever the figures."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from optimizer.settling.filling import fill
from optimizer.settling.rounding import Tie, half_away_from_zero, tie_order, whole_amounts
from tests.optimizer.second_opinion import rounded, searched_fill

amounts = st.one_of(
    st.integers(0, 5000), st.fractions(min_value=0, max_value=5000, max_denominator=60)
)
rows = st.dictionaries(st.sampled_from("ABCDEF"), st.tuples(amounts, amounts), min_size=1)
signed = st.dictionaries(
    st.sampled_from("ABCDEF"),
    st.fractions(min_value=-99, max_value=99, max_denominator=12),
    min_size=1,
)


@given(amount=amounts, rows=rows)
def test_filling_finds_the_level_that_a_search_over_all_breaks_finds(
    amount: Fraction, rows: dict[str, tuple[Fraction, Fraction]]
) -> None:
    weights = {name: weight for name, (weight, _) in rows.items()}
    caps = {name: cap for name, (_, cap) in rows.items()}

    assert fill(amount, weights, caps) == searched_fill(amount, weights, caps)


@given(exact=signed)
def test_whole_amounts_add_up_and_stay_within_one(exact: dict[str, Fraction]) -> None:
    order = sorted(exact)

    down = whole_amounts(exact, order)
    near = whole_amounts(exact, order, total=half_away_from_zero(sum(exact.values())))

    assert sum(down.values()) == sum(exact.values()) // 1
    assert sum(near.values()) == half_away_from_zero(sum(exact.values()))
    for name, amount in exact.items():
        assert amount // 1 <= down[name] <= -(-amount // 1)
        assert amount // 1 <= near[name] <= -(-amount // 1)


@given(exact=signed)
def test_the_largest_remainders_are_served_first(exact: dict[str, Fraction]) -> None:
    order = sorted(exact, reverse=True)

    assert whole_amounts(exact, order) == rounded(exact, order)


def test_the_order_of_ties_begins_one_place_later_with_every_quarter() -> None:
    assert tie_order("CAB", Tie.ID, 7) == ["A", "B", "C"]
    assert tie_order("CAB", Tie.ROTATE, 0) == ["A", "B", "C"]
    assert tie_order("CAB", Tie.ROTATE, 1) == ["B", "C", "A"]
    assert tie_order("CAB", Tie.ROTATE, 5) == ["C", "A", "B"]


def test_a_half_goes_away_from_zero() -> None:
    halves = [Fraction(1, 2), Fraction(-1, 2), Fraction(5, 2), Fraction(-5, 2), Fraction(49, 100)]
    assert [half_away_from_zero(half) for half in halves] == [1, -1, 3, -3, 0]
