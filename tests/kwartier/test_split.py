"""A power is split over many without a watt too many, whoever is named first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.split import Part, split


def parts_of(count: int) -> st.SearchStrategy[list[Part]]:
    row = st.tuples(
        st.integers(-50_000, 50_000),
        st.integers(-50_000, 50_000),
        st.integers(0, 60_000),
        st.integers(1, 100_000),
    )
    return st.lists(row, min_size=1, max_size=count).map(
        lambda rows: [
            Part(f"b{place}", base_w, least_w, least_w + room_w, weight)
            for place, (base_w, least_w, room_w, weight) in enumerate(rows)
        ]
    )


def test_who_has_twice_the_room_moves_twice_as_far() -> None:
    small = Part("small", 0, -2_000, 2_000, weight=2_000)
    large = Part("large", 1_000, -5_000, 5_000, weight=4_000)

    assert split(4_000, [small, large]) == {"small": 1_000, "large": 3_000}


def test_who_can_no_more_leaves_the_rest_to_the_others() -> None:
    parts = [Part("a", 0, -500, 500), Part("b", 0, -3_000, 3_000), Part("c", 0, -3_000, 3_000)]

    assert split(4_500, parts) == {"a": 500, "b": 2_000, "c": 2_000}


def test_an_odd_watt_goes_by_name_among_those_that_are_alike() -> None:
    parts = [Part(name, 0, -10, 10) for name in ("b", "a", "c")]

    assert split(-2, parts) == {"a": -1, "b": -1, "c": 0}


def test_a_base_out_of_bounds_is_put_inside_first() -> None:
    assert split(0, [Part("a", 900, -100, 100), Part("b", 0, -500, 500)]) == {"a": 50, "b": -50}


@pytest.mark.parametrize(("total_w", "each_w"), [(9_999, 700), (-9_999, -300)])
def test_what_nobody_can_do_is_left(total_w: int, each_w: int) -> None:
    parts = [Part("a", 0, -300, 700), Part("b", 0, -300, 700)]

    assert split(total_w, parts) == {"a": each_w, "b": each_w}


def test_nobody_splits_nothing() -> None:
    assert split(500, []) == {}


@settings(max_examples=40)
@given(parts_of(12), st.integers(-300_000, 300_000))
def test_the_parts_add_up_and_stay_inside(parts: list[Part], total_w: int) -> None:
    done_w = split(total_w, parts)

    least_w, most_w = sum(part.least_w for part in parts), sum(part.most_w for part in parts)
    assert all(part.least_w <= done_w[part.name] <= part.most_w for part in parts)
    assert sum(done_w.values()) == min(max(total_w, least_w), most_w)


@settings(max_examples=40)
@given(st.data(), parts_of(12), st.integers(-300_000, 300_000))
def test_the_order_in_which_they_are_named_changes_nothing(
    data: st.DataObject, parts: list[Part], total_w: int
) -> None:
    mixed = data.draw(st.permutations(parts))

    assert split(total_w, mixed) == split(total_w, parts)


@settings(max_examples=40)
@given(parts_of(8), st.integers(-300_000, 300_000))
def test_all_that_still_can_move_equally_far_by_weight(parts: list[Part], total_w: int) -> None:
    done_w = split(total_w, parts)

    inside = {part.name: min(max(part.base_w, part.least_w), part.most_w) for part in parts}
    for one in parts:
        for other in parts:
            # One watt of rounding on each side; whoever moved less by weight is at its end.
            moved_w, others_w = (
                abs(done_w[each.name] - inside[each.name]) for each in (one, other)
            )
            at_end = done_w[one.name] in {one.least_w, one.most_w}
            behind = (moved_w + 1) * other.weight < (others_w - 1) * one.weight
            assert at_end or not behind


@settings(max_examples=40)
@given(parts_of(6), st.integers(-200_000, 200_000), st.integers(0, 50_000))
def test_more_to_split_makes_nobody_do_less(parts: list[Part], total_w: int, more_w: int) -> None:
    before_w, after_w = split(total_w, parts), split(total_w + more_w, parts)

    assert all(after_w[part.name] >= before_w[part.name] - 1 for part in parts)


def test_another_name_changes_only_who_takes_the_odd_watt() -> None:
    parts = [Part("a", 0, -10, 10), Part("b", 0, -10, 10)]
    renamed = [replace(parts[0], name="z"), parts[1]]

    assert split(5, parts) == {"a": 3, "b": 2}
    assert split(5, renamed) == {"z": 2, "b": 3}
