"""The planner against SciPy's HiGHS on a programme written apart, and against a judge of schedules.

A thousand streets of all shapes: batteries, cars, heat pumps, machines that wait, fuses, groups,
calls, meters that share, negative prices and prices the wrong way round. Whatever the planner says
of a plan, its cost and what it breaks, is reckoned once more from the schedule alone.
"""

from __future__ import annotations

import pytest

from optimizer.check import may_give_way
from optimizer.dispatch import plan
from optimizer.plan import Status
from tests.optimizer.apart import least_objective
from tests.optimizer.judge import WISH, judged_plan, untold
from tests.optimizer.streets import Street, street

AS_GOOD = 1e-6
"""How near two costs are: relative above one euro."""
ALL = 1000
SHORT = 30


def near(one: float, other: float) -> bool:
    return abs(one - other) <= AS_GOOD * max(1.0, abs(one), abs(other))


def held(asked: Street) -> None:
    """Hold the plan of a street against both."""
    made = plan(asked.problem())

    assert made.status in {Status.OPTIMAL, Status.RELAXED}
    verdict = judged_plan(asked, made)
    assert verdict.laws == {}
    assert [one for one in made.violations if not may_give_way(one)] == []
    assert near(made.cost_eur, verdict.cost_eur)
    assert near(made.end_value_eur, verdict.end_value_eur)
    assert untold(made, verdict) == {}
    least = least_objective(asked)
    if least is None:
        assert made.status is Status.RELAXED
        assert any(not one.limit.endswith(WISH) for one in made.violations)
    else:
        assert made.status is Status.OPTIMAL
        assert [key for key in verdict.excess if not key.endswith(WISH)] == []
        assert near(verdict.objective_eur, least)


@pytest.mark.parametrize("seed", range(SHORT))
def test_a_plan_of_batteries_and_panels_costs_what_another_programme_finds(seed: int) -> None:
    held(street(seed, plain=True))


@pytest.mark.parametrize("seed", range(SHORT))
def test_a_plan_of_a_whole_street_costs_what_another_programme_finds(seed: int) -> None:
    held(street(seed))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("plain", [True, False])
def test_a_thousand_plans_cost_what_another_programme_finds(plain: bool) -> None:
    wrong = []
    for seed in range(SHORT, SHORT + ALL):
        try:
            held(street(seed, plain=plain))
        except AssertionError as error:
            wrong.append((seed, str(error)[:200]))

    assert wrong == []
