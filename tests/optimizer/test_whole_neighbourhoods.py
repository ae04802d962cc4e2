"""Neighbourhoods of every shape: as cheap as an independent planner's, and judged from scratch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.as_json.plan_json import json_of_plan
from optimizer.as_json.problem_json import problem_from_json
from optimizer.dispatch import plan
from optimizer.plan import Plan, Status
from optimizer.problem import Sharing
from tests.optimizer.judge_of_json import Judged, judged
from tests.optimizer.neighbourhood_problems import Document, Shape, document, problem
from tests.optimizer.whole_reference import least_excess, least_objective

_OF_A_CONNECTION = "limit_kw"
_SHORT, _LONG = range(16), range(40, 1_240)
_MET = (3, 4, 5, 6, 9, 10)
"""Seeds of cars whose limits can all be met."""


def answered(asked: Document) -> tuple[Document, Judged]:
    made = problem_from_json(asked)
    answer = json_of_plan(made, plan(made))
    return answer, judged(asked, answer)


def holds(asked: Document) -> None:
    answer, found = answered(asked)

    assert found.wrong == []
    assert found.cost_eur == pytest.approx(answer["cost_eur"], rel=1e-6, abs=1e-6)
    assert told_as_broken(answer) == pytest.approx(found.broken, abs=1e-5)
    expected = least_objective(asked)
    if expected is None:
        only_wishes = all(limit.endswith("reserve_kwh") for limit, _ in found.broken)
        assert answer["status"] == "relaxed" or only_wishes
        assert found.broken
        over = [kw for (key, _), kw in found.broken.items() if key.endswith(_OF_A_CONNECTION)]
        assert sum(over) == pytest.approx(least_excess(asked), abs=1e-4)
    else:
        assert answer["status"] == "optimal"
        objective = found.cost_eur - found.worth_eur + found.short_eur
        assert objective == pytest.approx(expected, rel=1e-6, abs=1e-6)


def told_as_broken(answer: Document) -> dict[tuple[str, int], float]:
    """Return what an answer says of limits that gave way, but for a start that nobody chose."""
    told: dict[tuple[str, int], float] = {}
    violations = answer.get("violations") or []
    assert isinstance(violations, list)
    for one in violations:
        assert isinstance(one, dict)
        limit, step = str(one["limit"]), one["step"]
        excess = next(value for key, value in one.items() if key.startswith("excess_"))
        assert isinstance(step, int)
        assert isinstance(excess, float)
        if not limit.endswith("soc_start_kwh") and excess > 2e-6:
            told[limit, step] = excess
    return told


@pytest.mark.parametrize("seed", _SHORT)
def test_a_neighbourhood_is_planned_as_cheaply_as_can_be(seed: int) -> None:
    holds(document(seed))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shape", Shape)
def test_a_thousand_neighbourhoods_are_planned_as_cheaply_as_can_be(shape: Shape) -> None:
    for seed in _LONG[shape_number(shape) :: len(Shape)]:
        holds(document(seed, shape))


def shape_number(shape: Shape) -> int:
    return list(Shape).index(shape)


def objective(made: Plan) -> float:
    return made.cost_eur - made.end_value_eur


@pytest.mark.parametrize("seed", range(0, 15, 3))
def test_the_order_of_homes_changes_nothing(seed: int) -> None:
    asked = document(seed, Shape.ALL)
    homes = asked["homes"]
    assert isinstance(homes, list)

    before = plan(problem_from_json(asked))
    after = plan(problem_from_json({**asked, "homes": homes[::-1]}))

    assert after.status == before.status
    if before.status is Status.OPTIMAL:
        assert objective(after) == pytest.approx(objective(before), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_a_larger_battery_never_costs_more(seed: int) -> None:
    asked = problem(seed, Shape.FUSES)
    asked = replace(asked, reserve_kwh=np.broadcast_to(0.0, asked.reserve_kwh.shape))

    larger = replace(asked, soc_max_kwh=asked.soc_max_kwh + 2.0)
    before, after = plan(asked), plan(larger)

    if before.status is Status.OPTIMAL:
        assert after.status is Status.OPTIMAL
        assert objective(after) <= objective(before) + 1e-6


@pytest.mark.parametrize("seed", range(8))
def test_a_call_never_makes_a_plan_cheaper(seed: int) -> None:
    asked = document(seed, Shape.GROUPS)
    free = {key: value for key, value in asked.items() if key != "calls"}
    made, without = plan(problem_from_json(asked)), plan(problem_from_json(free))

    if made.status is Status.OPTIMAL and not made.violations:
        assert without.status is Status.OPTIMAL
        assert objective(made) >= objective(without) - 1e-6


@pytest.mark.parametrize("seed", _MET)
def test_sharing_for_nothing_costs_what_one_connection_does_and_a_levy_more(seed: int) -> None:
    asked = problem(seed, Shape.CARS)
    asked = replace(
        asked, sell_eur_per_kwh=np.minimum(asked.sell_eur_per_kwh, asked.buy_eur_per_kwh)
    )
    alone = plan(asked)
    costs = [
        objective(plan(replace(asked, sharing=Sharing(levy)))) for levy in (0.0, 0.05, 0.2, 10.0)
    ]

    assert alone.status is Status.OPTIMAL
    assert costs[0] == pytest.approx(objective(alone), rel=1e-6, abs=1e-6)
    assert costs == sorted(costs, key=lambda cost: round(cost, 6))


@pytest.mark.parametrize("seed", range(0, 40, 8))
def test_the_rule_keeps_every_law_of_a_neighbourhood_too(seed: int) -> None:
    asked = document(seed, Shape.ALL)
    made = problem_from_json(asked)

    found = judged(asked, json_of_plan(made, plan(made, time_limit_s=0.0)))

    assert found.wrong == []


def test_the_same_neighbourhood_gives_the_same_plan() -> None:
    asked = document(7, Shape.ALL)

    first, second = (json_of_plan(made, plan(made)) for made in map(problem_from_json, [asked] * 2))

    assert first == second
