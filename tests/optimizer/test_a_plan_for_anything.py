"""Whatever is asked, a plan comes, and it names every limit that it breaks."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.as_json.plan_json import json_of_plan
from optimizer.check import may_give_way
from optimizer.dispatch import plan
from optimizer.plan import Status
from tests.optimizer.judge import judged_plan, untold
from tests.optimizer.odd_streets import odd_street

ALL = 20_000
PARTS = 4
LIMIT_S = 5.0


def a_plan_comes(seed: int) -> None:
    """Hold the plan of an odd street against the judge."""
    asked = odd_street(seed)
    problem = asked.problem()

    made = plan(problem, time_limit_s=LIMIT_S)

    json.dumps(json_of_plan(problem, made), allow_nan=False)
    assert [one for one in made.violations if not may_give_way(one)] == []
    verdict = judged_plan(asked, made)
    assert verdict.laws == {}
    assert untold(made, verdict) == {}
    assert made.violations or made.status is not Status.RELAXED


@settings(max_examples=12, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1_000_000_000))
def test_a_plan_comes_for_anything_that_is_asked(seed: int) -> None:
    a_plan_comes(seed)


def test_a_search_cut_short_makes_a_plan_where_the_connection_has_directions_too() -> None:
    # Selling pays more than buying at some steps, and charging while discharging at others.
    a_plan_comes(9524)


def test_whole_numbers_that_nothing_can_be_fixed_to_still_make_a_plan() -> None:
    # The search keeps to its rows within a tolerance; with its directions fixed nothing does.
    a_plan_comes(173)


def test_a_plan_that_breaks_nothing_is_not_called_relaxed() -> None:
    # The solver finds no plan within its tolerance and one with an excess of nothing.
    a_plan_comes(1095)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(PARTS))
def test_twenty_thousand_odd_streets_all_get_a_plan(part: int) -> None:
    count = ALL // PARTS
    wrong = []
    for seed in range(part * count, (part + 1) * count):
        try:
            a_plan_comes(seed)
        except AssertionError as error:
            wrong.append((seed, str(error)[:200]))

    assert wrong == []
