"""A search that is cut short gives what it has, and never says more of it than it knows."""

from __future__ import annotations

import json

import pytest

from optimizer.dispatch import plan
from optimizer.plan import Status
from optimizer.plan_json import json_of_plan
from tests.optimizer.judge import judged_plan
from tests.speed.families import family, parts


@pytest.mark.parametrize("name", ["P1", "P3-6", "P1n"])
def test_a_plan_that_was_cut_short_is_not_called_optimal(name: str) -> None:
    asked = parts(family(name))
    problem = asked.problem()
    whole = plan(problem, time_limit_s=10.0)
    assert whole.gap_eur is not None
    least = whole.cost_eur - whole.gap_eur
    room = 1e-6 * max(1.0, abs(least))

    for limit_s in (1e-4, 1e-3, 1e-2, 5e-2):
        made = plan(problem, time_limit_s=limit_s)

        json.dumps(json_of_plan(problem, made), allow_nan=False)
        assert judged_plan(asked, made).laws == {}
        if made.status is Status.OPTIMAL:
            assert made.cost_eur <= whole.cost_eur + room
        if made.gap_eur is not None:
            assert made.cost_eur - made.gap_eur <= whole.cost_eur + room
        if made.violations == ():
            assert made.cost_eur >= least - room
