"""Members who plan together pay no more than alone, to the cent, by whichever rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import InputError
from optimizer.dispatch import plan
from optimizer.model.part import part_of
from optimizer.problem import Battery, Grid, Home, Problem, problem_of
from optimizer.why.members import Member, SplitRule, exchanged_wh, net_cost_eur, rules_for, split
from tests.optimizer.examples import PLAIN

ROOF, NONE = "roof", "none"
BOTH = (Member(NONE, (NONE,)), Member(ROOF, (ROOF,)))


def two_homes() -> Problem:
    """Return a home with two kW left over for an hour, and one that uses one kW of it."""
    homes = [Home(NONE, [1.0]), Home(ROOF, [1.0], [3.0])]
    return problem_of(1.0, [0.30], [0.10], homes)


@pytest.mark.parametrize(
    ("rule", "benefits"),
    [
        (SplitRule.EQUAL, (10, 10)),
        (SplitRule.EXCHANGED, (10, 10)),
        (SplitRule.ALONE_COST, (20, 0)),
        (SplitRule.CONTRIBUTION, (10, 10)),
    ],
)
def test_what_neighbours_save_is_divided_by_the_rule(
    rule: SplitRule, benefits: tuple[int, int]
) -> None:
    # Alone 30 cents and -20 cents; together one kW is left: -10 cents, so 20 cents are saved.
    found = split(two_homes(), BOTH, rule)

    assert (found.alone_cents, found.group_cents, found.saved_cents) == (10, -10, 20)
    assert tuple(one.benefit_cents for one in found.shares) == benefits
    assert [one.exchanged_wh for one in found.shares] == [1000, 1000]


def test_who_brings_the_sun_brings_more_than_one_of_two_who_use_it() -> None:
    # Four kW left over for two who use two each: without the roof nothing is saved at all.
    homes = [Home("a", [2.0]), Home("b", [2.0]), Home(ROOF, [0.0], [4.0])]
    problem = problem_of(1.0, [0.30], [0.10], homes)
    members = [Member(home.id, (home.id,)) for home in homes]

    found = split(problem, members, SplitRule.CONTRIBUTION)

    # 80 cents saved; without a or b 40, without the roof 0: weights 40, 40, 80.
    assert [one.benefit_cents for one in found.shares] == [20, 20, 40]


def test_the_battery_of_all_is_for_all_and_that_of_one_counts_alone() -> None:
    # Power costs 10 cents now and 50 cents later, when each of two homes uses 4 kWh.
    homes = [Home("a", [0.0, 4.0]), Home("b", [0.0, 4.0])]
    battery = replace(PLAIN, id="battery")
    problem = problem_of(1.0, [0.10, 0.50], [0.0] * 2, homes, [battery])

    shared = split(problem, [Member("a", ("a",)), Member("b", ("b",))])
    owned = split(problem, [Member("a", ("a",), ("battery",)), Member("b", ("b",))])

    # Four kWh at 10 instead of 50 cents: 160 cents, for both, or a's own without anybody.
    assert [one.pays_cents for one in shared.shares] == [120, 120]
    assert [one.alone_cents for one in owned.shares] == [40, 200]
    assert owned.saved_cents == 0


def test_emptying_a_battery_is_no_saving() -> None:
    # Four kWh at 40 cents are used up to save as much.
    full = replace(PLAIN, soc_start_kwh=4.0, end_value_eur_per_kwh=0.4)
    problem = problem_of(1.0, [0.40], [0.0], [Home("a", [4.0])], [full])

    found = split(problem, [Member("a", ("a",))])

    assert (found.alone_cents, found.saved_cents) == (160, 0)


def test_where_a_shared_limit_costs_more_everybody_stays_alone() -> None:
    # Selling pays more than buying: alone the roof sells two at 40 and the other buys one at 10.
    homes = [Home(NONE, [1.0]), Home(ROOF, [1.0], [3.0])]
    problem = problem_of(1.0, [0.10], [0.40], homes)

    found = split(problem, BOTH)

    assert (found.alone_cents, found.group_cents, found.is_together) == (-70, -40, False)
    assert [one.pays_cents for one in found.shares] == [10, -80]


@st.composite
def streets(draw: st.DrawFn) -> tuple[Problem, list[Member]]:
    """Return a street that never sells dearer than it buys, and who lives there."""
    steps = draw(st.integers(1, 5))
    cents = st.lists(st.integers(-5, 50), min_size=steps, max_size=steps)
    buy = [value / 100 for value in draw(cents)]
    less = draw(cents)
    sell = [min(one, other / 100) for one, other in zip(buy, less, strict=True)]
    kw = st.lists(st.integers(0, 16).map(lambda v: v / 4), min_size=steps, max_size=steps)
    names = [f"m{place}" for place in range(draw(st.integers(1, 4)))]
    homes = [Home(name, draw(kw), draw(st.none() | kw), draw(st.booleans())) for name in names]
    owners = draw(st.lists(st.sampled_from([*names, ""]), max_size=3))
    batteries = [_battery(f"b{place}", draw) for place, _ in enumerate(owners)]
    members = [
        Member(
            name,
            (name,),
            tuple(f"b{place}" for place, owner in enumerate(owners) if owner == name),
        )
        for name in names
    ]
    return problem_of(1.0, buy, sell, homes, batteries, exclusive=draw(st.booleans())), members


def _battery(name: str, draw: st.DrawFn) -> Battery:
    most = draw(st.integers(1, 8))
    return Battery(
        name, 0.0, float(most), draw(st.integers(0, most)) / 1.0, draw(st.integers(0, 4)) / 1.0,
        draw(st.integers(0, 4)) / 1.0, 0.9, 0.9, end_value_eur_per_kwh=0.15,
    )  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(streets(), st.sampled_from(SplitRule))
def test_no_member_is_worse_off_and_the_cents_add_up(
    street: tuple[Problem, list[Member]], rule: SplitRule
) -> None:
    problem, members = street

    found = split(problem, members, rule)

    assert all(one.benefit_cents >= 0 for one in found.shares)
    assert all(one.pays_cents <= one.alone_cents for one in found.shares)
    assert found.is_together
    assert sum(one.pays_cents for one in found.shares) == found.group_cents


@settings(max_examples=10, deadline=None)
@given(streets(), st.sampled_from(SplitRule))
def test_the_order_in_which_anybody_is_named_changes_nothing(
    street: tuple[Problem, list[Member]], rule: SplitRule
) -> None:
    problem, members = street
    homes, batteries = list(problem.home_ids), list(problem.battery_ids)
    for names in (homes, batteries, turned := list(members)):
        names.reverse()
    other = part_of(problem, homes, batteries)

    assert split(other, turned, rule) == split(problem, members, rule)


def test_energy_between_neighbours_is_given_as_much_as_taken() -> None:
    luck = np.random.default_rng(7)
    homes = [Home(f"h{n}", luck.uniform(0, 3, 24), luck.uniform(0, 5, 24)) for n in range(6)]
    problem = problem_of(1.0, [0.3] * 24, [0.1] * 24, homes, [PLAIN])
    members = [Member(home.id, (home.id,)) for home in homes]
    made = plan(problem)

    net = problem.load_kw - problem.pv_kw
    taken = np.minimum(
        np.maximum(net, 0).sum(axis=0) + made.charge_kw.sum(axis=0),
        np.maximum(-net, 0).sum(axis=0) + made.discharge_kw.sum(axis=0),
    )
    found = exchanged_wh(problem, made, members)

    # Twice what was matched, less the battery's side of it.
    assert 0 < sum(found.values()) <= 2000 * taken.sum()


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ([], "nobody"),
        ([Member("a", ("attic",))], "no 'attic'"),
        ([Member("a", (NONE,)), Member("b", (NONE,))], "belongs to 'a'"),
        ([Member("a", (NONE,)), Member("a", (ROOF,))], "twice"),
        ([Member("a", (), ("b9",))], "no 'b9'"),
    ],
)
def test_members_that_are_not_clear_are_refused(members: list[Member], told: str) -> None:
    with pytest.raises(InputError, match=told):
        split(two_homes(), members)


def test_a_members_own_connection_counts_where_they_plan_alone() -> None:
    homes = [Home("a", [2.0])]
    problem = problem_of(1.0, [0.10], [0.0], homes)

    found = split(problem, [Member("a", ("a",), grid=Grid(peak_price_eur_per_kw=1.0))])

    assert (found.shares[0].alone_cents, found.group_cents) == (220, 20)
    assert net_cost_eur(plan(problem)) == pytest.approx(0.20)


def test_a_members_own_limits_are_one_a_step() -> None:
    own = Member("a", ("a",), grid=Grid(import_limit_kw=[3.0, 3.0]))

    with pytest.raises(InputError, match=r"grid\.import_limit_kw has 2 values"):
        split(problem_of(1.0, [0.10] * 3, [0.0] * 3, [Home("a", [2.0] * 3)]), [own])


def test_a_rule_that_takes_a_plan_for_each_is_for_a_hundred_members_at_most() -> None:
    assert SplitRule.CONTRIBUTION in rules_for(100)
    assert set(SplitRule) - set(rules_for(101)) == {SplitRule.CONTRIBUTION}
