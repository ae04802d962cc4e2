"""A planner that keeps its model plans as well as one that begins anew, and forgets when asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.check import violations_of
from optimizer.dispatch import plan
from optimizer.plan import Plan, Status
from optimizer.problem import Problem
from optimizer.rolling import Rolling
from tests.optimizer.fleets import fleet
from tests.speed.families import family
from tests.speed.families import problem as of_family


def quarters(name: str, count: int) -> list[Problem]:
    """Return a family as it is asked quarter after quarter, with a new forecast each time."""
    base = of_family(family(name))
    chance = np.random.default_rng(5)
    return [
        replace(
            base,
            buy_eur_per_kwh=np.roll(base.buy_eur_per_kwh, -moved),
            sell_eur_per_kwh=np.roll(base.sell_eur_per_kwh, -moved),
            load_kw=np.roll(base.load_kw, -moved, axis=1)
            * chance.uniform(0.9, 1.1, base.load_kw.shape),
            pv_kw=np.roll(base.pv_kw, -moved, axis=1),
            soc_start_kwh=base.soc_start_kwh * chance.uniform(0.9, 1.1, base.soc_start_kwh.shape),
        )
        for moved in range(count)
    ]


def net_cost(made: Plan) -> float:
    return made.cost_eur - made.end_value_eur


def bits(made: Plan) -> tuple[bytes, ...]:
    return tuple(
        series.tobytes() for series in (made.charge_kw, made.discharge_kw, made.curtailed_kw)
    )


@pytest.mark.parametrize("name", ["P1", "P1n", "P2", "P3-3"])
def test_a_kept_model_finds_the_cost_of_a_new_one(name: str) -> None:
    rolling = Rolling()

    for problem in quarters(name, 2 if name == "P1n" else 4):
        followed, anew = rolling.plan(problem), plan(problem)

        assert net_cost(followed) == pytest.approx(net_cost(anew), rel=1e-9, abs=1e-9)
        assert followed.status is anew.status
        assert not followed.violations


def test_shapes_of_all_kinds_may_be_asked_in_turn() -> None:
    rolling = Rolling()

    for seed in range(30):
        problem = fleet(seed)
        followed, anew = rolling.plan(problem), plan(problem)

        assert net_cost(followed) == pytest.approx(net_cost(anew), rel=1e-9, abs=1e-8)
        assert not violations_of(problem, followed)


def test_another_efficiency_is_another_matrix() -> None:
    rolling = Rolling()
    first = quarters("P1", 1)[0]
    worse = replace(first, charge_efficiency=first.charge_efficiency * 0.9)
    rolling.plan(first)

    assert net_cost(rolling.plan(worse)) == pytest.approx(net_cost(plan(worse)), rel=1e-9)


def test_limits_that_cannot_be_met_do_not_spoil_the_next_plan() -> None:
    rolling = Rolling()
    problem = quarters("P1", 1)[0]
    impossible = replace(problem, import_limit_kw=np.zeros(problem.steps))

    rolling.plan(problem)
    broken, after = rolling.plan(impossible), rolling.plan(problem)

    assert broken.status is Status.RELAXED
    assert net_cost(broken) == pytest.approx(net_cost(plan(impossible)), rel=1e-6)
    assert net_cost(after) == pytest.approx(net_cost(plan(problem)), rel=1e-9)


def test_the_same_problems_in_the_same_order_give_the_same_plans() -> None:
    one, other = Rolling(), Rolling()

    for problem in quarters("P3-3", 3):
        assert bits(one.plan(problem)) == bits(other.plan(problem))


def test_a_planner_that_forgot_plans_as_a_new_one() -> None:
    rolling = Rolling()
    first, second = quarters("P3-3", 2)
    rolling.plan(first)

    rolling.forget()

    assert bits(rolling.plan(second)) == bits(plan(second))


def test_the_same_problem_gives_the_same_plan_whatever_was_planned_before() -> None:
    first, second = quarters("P3-3", 2)
    before = bits(plan(first))

    plan(second)
    Rolling().plan(second)

    assert bits(plan(first)) == before
