"""No sum over few homes, and no two sums of one quarter that differ by few homes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collectors.disclosure import MIN_HOMES, REMEMBERED_QUARTERS, Disclosure

HOMES = frozenset(f"h{number}" for number in range(12))
subsets = st.frozensets(st.sampled_from(sorted(HOMES)))


def test_four_homes_are_too_few() -> None:
    assert Disclosure().homes_for(0, {"a", "b", "c", "d"}) is None


def test_one_late_home_changes_nothing() -> None:
    disclosure = Disclosure()
    early = HOMES - {"h0"}

    assert disclosure.homes_for(0, early) == early
    assert disclosure.homes_for(0, HOMES) == early


def test_five_late_homes_are_taken_in_together() -> None:
    disclosure = Disclosure()
    early = HOMES - {"h0", "h1", "h2", "h3", "h4"}

    assert disclosure.homes_for(0, early) == early
    assert disclosure.homes_for(0, HOMES) == HOMES


def test_quarters_do_not_bind_each_other() -> None:
    disclosure = Disclosure()
    disclosure.homes_for(0, HOMES - {"h0"})

    assert disclosure.homes_for(900, HOMES) == HOMES


@given(asked=st.lists(subsets, max_size=30))
def test_two_sums_of_a_quarter_never_differ_by_fewer_than_five_homes(
    asked: list[frozenset[str]],
) -> None:
    disclosure = Disclosure()

    told = [homes for known in asked if (homes := disclosure.homes_for(0, known)) is not None]

    for one in told:
        assert len(one) >= MIN_HOMES
    for before, after in pairwise(told):
        assert len(before ^ after) == 0 or len(before ^ after) >= MIN_HOMES


def test_what_is_remembered_is_bounded() -> None:
    disclosure = Disclosure()
    for quarter in range(REMEMBERED_QUARTERS + 10):
        disclosure.homes_for(quarter * 900, HOMES)

    assert disclosure.homes_for(0, HOMES - {"h0"}) == HOMES - {"h0"}
