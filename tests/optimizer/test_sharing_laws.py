"""What holds for progressive filling and rounding, whatever the figures."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from optimizer.filling import fill
from optimizer.rounding import Tie, half_away_from_zero, tie_order, whole_amounts

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

    assert fill(amount, weights, caps) == searched(amount, weights, caps)


def searched(
    amount: Fraction, weights: dict[str, Fraction], caps: dict[str, Fraction]
) -> dict[str, Fraction]:
    """Return the filling by another road: between which two breaks does the level lie?"""

    def at(level: Fraction) -> dict[str, Fraction]:
        return {
            name: min(caps[name], level * weight) if weight else Fraction(0)
            for name, weight in weights.items()
        }

    breaks = sorted({Fraction(caps[name]) / weight for name, weight in weights.items() if weight})
    low = Fraction(0)
    for high in breaks:
        spent, more = sum(at(low).values()), sum(at(high).values())
        if more > amount:
            return at(low + (high - low) * (amount - spent) / (more - spent))
        low = high
    return at(low)


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
def test_nobody_with_a_smaller_remainder_is_served_first(exact: dict[str, Fraction]) -> None:
    whole = whole_amounts(exact, sorted(exact))

    up = [(-(amount % 1), name) for name, amount in exact.items() if whole[name] > amount]
    down = [(-(amount % 1), name) for name, amount in exact.items() if whole[name] <= amount]
    assert max(up, default=(Fraction(-1), "")) <= min(
        (pair for pair in down if pair[0]), default=(Fraction(0), "Z")
    )


def test_the_order_of_ties_begins_one_place_later_with_every_quarter() -> None:
    assert tie_order("CAB", Tie.ID, 7) == ["A", "B", "C"]
    assert tie_order("CAB", Tie.ROTATE, 0) == ["A", "B", "C"]
    assert tie_order("CAB", Tie.ROTATE, 1) == ["B", "C", "A"]
    assert tie_order("CAB", Tie.ROTATE, 5) == ["C", "A", "B"]


def test_a_half_goes_away_from_zero() -> None:
    halves = [Fraction(1, 2), Fraction(-1, 2), Fraction(5, 2), Fraction(-5, 2), Fraction(49, 100)]
    assert [half_away_from_zero(half) for half in halves] == [1, -1, 3, -3, 0]
