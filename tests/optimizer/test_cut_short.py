"""A search that is cut short gives what it has, and never says more of it than it knows."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from optimizer.as_json.plan_json import json_of_plan
from optimizer.check import may_give_way
from optimizer.dispatch import plan, planned_by
from optimizer.linear.directions import of_the_connection, with_directions
from optimizer.linear.programme import programme_of
from optimizer.linear.solve import Solver, Stopwatch
from optimizer.plan import Status
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


def ticking() -> Stopwatch:
    """Return a stopwatch on which every look takes a second."""
    seconds = count()
    return lambda: float(next(seconds))


def test_the_programmes_of_one_plan_share_its_time() -> None:
    problem = parts(family("P1n")).problem()
    linear = programme_of(problem)
    directions = of_the_connection(parts(family("P1")).problem())
    searched = with_directions(linear, problem, replace(directions, steps=np.array([3])))
    solver = Solver(10.0, ticking())

    with solver.one_plan():
        found = [solver.patience_s(one) for one in (linear, searched, linear)]
        late = [solver.patience_s(linear) for _ in range(9)]

    assert found == [9.0, 4.0, 7.0]
    assert late[-1] == 0.0
    assert solver.patience_s(linear) == 10.0


@pytest.mark.parametrize("name", ["P1n", "P3-6"])
def test_a_plan_whose_time_runs_out_between_programmes_keeps_every_law(name: str) -> None:
    asked = parts(family(name))
    tight = replace(asked.problem(), import_limit_kw=np.full(asked.problem().steps, 0.1))

    for limit_s in range(1, 16, 2):
        made = planned_by(Solver(float(limit_s), ticking()), tight)

        assert made.status in {Status.RELAXED, Status.FALLBACK}
        assert all(may_give_way(broken) for broken in made.violations)
