"""The keys, on figures worked out by hand; every expected value is reckoned in the comment."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest

from optimizer.settling.filling import Exact
from optimizer.sharing import (
    Cascade,
    Equal,
    Hybrid,
    Pot,
    Proportional,
    Rounds,
    SecondStage,
    SharingKey,
    SharingKeyError,
    Solidarity,
    Static,
    Within,
)

HALF = Fraction(1, 2)


def shared(key: SharingKey, supply_wh: int, **imports_wh: int) -> Mapping[str, Exact]:
    """Share among homes that export nothing, so that each cap is the import."""
    return key.share(Pot(supply_wh, imports_wh, imports_wh))


def test_the_proportional_key_gives_by_use() -> None:
    # 650 of 900 wanted: everybody gets 650/900 of 300.
    third = Fraction(650, 3)
    assert shared(Proportional(), 650, A=300, B=300, C=300) == {"A": third, "B": third, "C": third}


def test_the_proportional_key_gives_no_more_than_is_used() -> None:
    assert shared(Proportional(), 1000, A=300, B=100) == {"A": 300, "B": 100}


def test_the_equal_key_lets_a_portion_that_is_not_used_leave() -> None:
    # 600 / 3 = 200 each; A can use 100 of it.
    key = Equal(("A", "B", "C"))
    assert shared(key, 600, A=100, B=400, C=400) == {"A": 100, "B": 200, "C": 200}


def test_the_equal_key_with_more_rounds_passes_it_on() -> None:
    # A is full at 100; (600 - 100) / 2 = 250 for the others.
    key = Equal(("A", "B", "C"), Rounds.FILL)
    assert shared(key, 600, A=100, B=400, C=400) == {"A": 100, "B": 250, "C": 250}


def test_the_equal_key_counts_a_participant_who_is_absent() -> None:
    # Three are named, two are there: 600 / 3 = 200.
    assert shared(Equal(("A", "B", "Z")), 600, A=400, B=400) == {"A": 200, "B": 200}


def test_the_equal_key_gives_nothing_to_whoever_is_not_named() -> None:
    assert shared(Equal(("A",)), 600, A=400, B=400) == {"A": 400, "B": 0}


def test_static_shares_are_not_scaled_up() -> None:
    # A: min(400, 0.5 * 1000); B: min(700, 0.3 * 1000); 300 leaves.
    key = Static({"A": HALF, "B": Fraction("0.3"), "Z": Fraction("0.2")})
    assert shared(key, 1000, A=400, B=700) == {"A": 400, "B": 300}


def test_static_shares_with_more_rounds_spend_the_whole_supply() -> None:
    # Level 1000 / 0.8 would give A 625: it is full at 400, and B takes the other 600.
    key = Static({"A": HALF, "B": Fraction("0.3")}, Rounds.FILL)
    assert shared(key, 1000, A=400, B=700, C=900) == {"A": 400, "B": 600, "C": 0}


def test_the_hybrid_key_divides_the_rest_by_what_can_still_be_used() -> None:
    # First A 200 (full) and B 500; the rest of 300 over unmet 300 (B) and 300 (C).
    key = Hybrid({"A": HALF, "B": HALF})
    assert shared(key, 1000, A=200, B=800, C=300) == {"A": 200, "B": 650, "C": 150}


def test_the_hybrid_key_can_divide_the_rest_by_import() -> None:
    # The rest of 300 over imports 800 (B) and 300 (C): 300 * 8/11 and 300 * 3/11.
    key = Hybrid({"A": HALF, "B": HALF}, SecondStage.IMPORT)
    assert shared(key, 1000, A=200, B=800, C=300) == {
        "A": 200,
        "B": 500 + Fraction(2400, 11),
        "C": Fraction(900, 11),
    }


def test_a_cascade_fills_the_first_tier_first() -> None:
    # A takes 200; the rest of 300 over 100 and 400 is 60 and 240.
    key = Cascade((("A",), ("B", "C")))
    assert shared(key, 500, A=200, B=100, C=400, D=50) == {"A": 200, "B": 60, "C": 240, "D": 0}


def test_a_cascade_can_divide_a_tier_equally() -> None:
    # The rest of 300 is 150 each; B is full at 100 and C takes 200.
    key = Cascade((("A",), ("B", "C")), Within.EQUAL)
    assert shared(key, 500, A=200, B=100, C=400) == {"A": 200, "B": 100, "C": 200}


def test_solidarity_comes_before_the_base_key() -> None:
    # Set apart 200 for A, who then still wants 200; the other 800 over 200 and 1400.
    key = Solidarity(Fraction("0.2"), ("A",), Proportional())
    assert shared(key, 1000, A=400, B=1400) == {"A": 200 + 100, "B": 700}


def test_what_solidarity_cannot_use_returns_to_everybody() -> None:
    # A uses 150 of the 200 set apart; 850 is left for B.
    key = Solidarity(Fraction("0.2"), ("A", "Z"), Proportional())
    assert shared(key, 1000, A=150, B=1850) == {"A": 150, "B": 850}


def test_solidarity_may_stand_in_solidarity() -> None:
    # A: 100 of 1000. Then B: 0.5 * 900 = 450. The last 450 by the static part of C.
    inner = Solidarity(HALF, ("B",), Static({"C": HALF}))
    key = Solidarity(Fraction("0.1"), ("A",), inner)
    assert shared(key, 1000, A=900, B=900, C=900) == {"A": 100, "B": 450, "C": 225}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Static({"A": HALF, "B": Fraction("0.51")}), "together 101/100, more than 1"),
        (lambda: Hybrid({"A": Fraction(-1, 5)}), "shares.A: -1/5 is below zero"),
        (lambda: Equal(()), "at least one connection"),
        (lambda: Equal(("A", "A")), "'A' stands there twice"),
        (lambda: Cascade((("A",), ("B", "A"))), "'A' stands there twice"),
        (lambda: Cascade(()), "at least one tier"),
        (lambda: Solidarity(Fraction(6, 5), ("A",), Proportional()), "6/5 of the supply"),
    ],
)
def test_a_key_that_cannot_be_applied_is_refused(build: type[SharingKey], message: str) -> None:
    with pytest.raises(SharingKeyError, match=message):
        build()
