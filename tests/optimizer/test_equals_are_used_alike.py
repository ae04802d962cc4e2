"""Batteries that differ in size only are used alike, and at the same cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from optimizer.check import violations_of
from optimizer.dispatch import plan
from optimizer.even.evenness import equals_of, evened, spread_of_curtailment, spread_of_use
from optimizer.linear.flows import Flows, cost_eur
from optimizer.problem import Grid, Home, Problem, problem_of
from tests.optimizer.examples import PLAIN
from tests.optimizer.neighbourhoods import problems

DOUBLE = replace(
    PLAIN, id="b2", soc_max_kwh=20.0, charge_max_kw=8.0, discharge_max_kw=8.0
)  # fmt: skip


def a_night() -> Problem:
    """Return two like batteries, one twice as large, of which one could do all the work."""
    return problem_of(1.0, [0.1, 0.4], [0.0] * 2, [Home("h", [0.0, 6.0])], [PLAIN, DOUBLE])


def test_work_is_spread_by_size() -> None:
    problem = a_night()
    uneven = replace(
        plan(problem),
        charge_kw=np.array([[0.0, 0.0], [6.0, 0.0]]),
        discharge_kw=np.array([[0.0, 0.0], [0.0, 6.0]]),
        soc_kwh=np.array([[0.0, 0.0], [6.0, 0.0]]),
    )

    even = evened(problem, uneven)

    assert even.charge_kw.tolist() == [[2.0, 0.0], [4.0, 0.0]]
    # Two kWh of ten, four of twenty; before it was none and six of twenty.
    assert spread_of_use(problem, even) == pytest.approx(0.0, abs=1e-12)
    assert spread_of_use(problem, uneven) == pytest.approx(1.0)


def test_who_differs_in_more_than_size_is_no_equal() -> None:
    other = replace(DOUBLE, id="b3", charge_efficiency=0.9)
    problem = problem_of(1.0, [0.1], [0.0], [], [PLAIN, DOUBLE, other])

    assert equals_of(problem) == [[0, 1], [2]]


def test_roofs_are_cut_in_the_same_part() -> None:
    homes = [Home("a", [0.0], [2.0], pv_curtailable=True), Home("b", [0.0], [6.0], True)]
    problem = problem_of(1.0, [0.1], [0.05], homes, [], Grid(export_limit_kw=4.0))

    made = plan(problem)

    assert made.curtailed_kw.sum() == pytest.approx(4.0)
    assert spread_of_curtailment(problem, made) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=12, deadline=None)
@given(problems())
def test_an_evened_plan_keeps_every_law_and_its_cost(problem: Problem) -> None:
    made = plan(problem)

    even = evened(problem, made)

    before, after = (
        cost_eur(problem, Flows(one.charge_kw, one.discharge_kw, one.curtailed_kw.sum(axis=0)))
        for one in (made, even)
    )
    assert after == pytest.approx(before, abs=1e-7)
    assert len(violations_of(problem, even)) <= len(made.violations)
    assert spread_of_use(problem, even) <= spread_of_use(problem, made) + 1e-9
